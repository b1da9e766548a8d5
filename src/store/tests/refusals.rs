use std::sync::mpsc;

use super::*;
use crate::store::{connection, writer};

#[tokio::test]
async fn a_locked_database_is_busy_for_a_bounded_time_and_recovers() {
    let (folder, store) = open();
    let other = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(insert(&store, 1).await, Err(StoreError::Busy)));
    assert_eq!(store.users(None).await.unwrap(), [], "readers go on");
    assert!(store.warnings().contains(&Warning::DatabaseBusy));
    other.execute_batch("COMMIT").unwrap();
    insert(&store, 1).await.unwrap();
    assert!(!store.warnings().contains(&Warning::DatabaseBusy));
}

#[tokio::test]
async fn a_statement_that_undoes_the_whole_transaction_acknowledges_nobody() {
    let (_folder, store) = open();
    insert(&store, 1).await.unwrap();
    // Holds the writer until the others stand in line, so that they make one group.
    let (release, held) = mpsc::channel::<()>();
    let (started, start) = tokio::sync::oneshot::channel();
    let holding = tokio::spawn({
        let store = store.clone();
        async move {
            let hold = move |_: &Connection| {
                let _ = started.send(());
                Ok(held.recv().is_ok())
            };
            store.write(hold).await
        }
    });
    start.await.unwrap();
    let undo = "INSERT OR ROLLBACK INTO users SELECT * FROM users";
    let group = async {
        tokio::join!(insert(&store, 2), store.write(move |connection| connection.execute(undo, [])), insert(&store, 3), async {
            release.send(()).unwrap();
        })
    };
    let (before, undone, after, ()) = group.await;
    assert!(holding.await.unwrap().unwrap());
    assert!(before.is_err() && undone.is_err() && after.is_err(), "{before:?} {undone:?} {after:?}");
    assert_eq!(store.users(None).await.unwrap().len(), 1, "what was refused is not stored");
    insert(&store, 2).await.unwrap();
}

#[tokio::test]
async fn a_statement_that_stood_in_the_queue_too_long_is_refused_and_not_run() {
    let (_folder, store) = open();
    let (started, start) = tokio::sync::oneshot::channel();
    let slow = store.write(move |_| {
        let _ = started.send(());
        // A disk that takes its time.
        std::thread::sleep(writer::WAIT_MAX + Duration::from_millis(100));
        Ok(())
    });
    let late = async {
        start.await.unwrap();
        insert(&store, 1).await
    };
    let (slow, late) = tokio::join!(slow, late);
    slow.unwrap();
    assert!(matches!(late, Err(StoreError::Busy)), "{late:?}");
    assert_eq!(store.users(None).await.unwrap(), []);
}

#[tokio::test]
async fn a_connection_that_stays_read_only_is_made_anew() {
    let (folder, store) = open();
    let path = folder.path().join(FILE_NAME);
    store.close().await;
    let stuck = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let health = Arc::new(Health::new(folder.path()));
    let writer = writer::spawn(stuck, path, health).unwrap();
    let write = || writer.write(|connection| connection.execute("DELETE FROM users", []));
    assert!(matches!(write().await, Err(StoreError::ReadOnly)));
    assert!(matches!(write().await, Err(StoreError::ReadOnly)));
    write().await.unwrap();
}

#[tokio::test]
async fn a_connection_made_anew_syncs_every_commit_too() {
    let (folder, store) = open();
    let again = connection::reopen(&folder.path().join(FILE_NAME)).unwrap();
    assert_eq!(again.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap(), 2);
    store.close().await;
}

async fn insert(store: &Store, n: u8) -> Result<(), StoreError> {
    store.insert_user(new_user(n, format!("user{n}"), Role::Student)).await
}
