//! The store on its own: groups, refusals, attendance, migrations.

mod attendance;
mod guests;
mod migration;
mod refusals;

use rusqlite::Connection;

use super::*;
use crate::proto::id::{ParticipantId, RoomId, SessionId, UserId};
use crate::proto::room::Standing;
use crate::proto::signal::{EndReason, Role};

#[tokio::test]
async fn an_acknowledged_write_is_seen_by_the_next_read() {
    let (_folder, store) = open();
    let mentor = add_user(&store, 1, "mara", Role::Mentor).await;
    assert_eq!(store.users(Some(Role::Mentor)).await.unwrap(), vec![mentor]);
    assert_eq!(store.users(Some(Role::Student)).await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_failed_statement_leaves_its_group_alone() {
    let (_folder, store) = open();
    let many = (0..50u8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            store.insert_user(new_user(n, if n % 2 == 0 { "taken".to_owned() } else { format!("user{n}") }, Role::Student)).await
        })
    });
    let mut refused = 0;
    for task in many.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(()) => {}
            Err(StoreError::Conflict) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((refused, store.users(None).await.unwrap().len()), (24, 26));
}

#[tokio::test]
async fn the_database_syncs_every_commit() {
    let (folder, store) = open();
    let pragma = |name: &'static str| {
        store.write(move |c| c.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)))
    };
    assert_eq!(pragma("synchronous").await.unwrap(), rusqlite::types::Value::Integer(2));
    assert_eq!(pragma("journal_mode").await.unwrap(), rusqlite::types::Value::Text("wal".to_owned()));
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Scenario: an admin resets a password while whoever had stolen it chooses another.
#[tokio::test]
async fn a_password_is_chosen_by_a_login_that_still_is_one() {
    let (_folder, store) = open();
    let mara = add_user(&store, 1, "mara", Role::Mentor).await;
    let hash = store.user_by_name("mara".to_owned()).await.unwrap().unwrap().1;
    assert!(store.insert_login_session([1; 32], (mara.id, hash), UnixMillis::now()).await.unwrap());
    assert!(store.set_one_time_password(mara.id, "reset".to_owned()).await.unwrap());
    assert!(!store.set_own_password(mara.id, "chosen".to_owned(), [1; 32]).await.unwrap());
    assert_eq!(store.user_by_name("mara".to_owned()).await.unwrap().unwrap().1, "reset");
    assert!(store.insert_login_session([2; 32], (mara.id, "reset".to_owned()), UnixMillis::now()).await.unwrap());
    assert!(store.set_own_password(mara.id, "chosen".to_owned(), [2; 32]).await.unwrap());
    assert_eq!(store.user_by_name("mara".to_owned()).await.unwrap().unwrap().1, "chosen");
}

/// Scenario: an admin resets a password while somebody signs in with the old one.
#[tokio::test]
async fn nobody_is_signed_in_by_a_password_that_is_no_more() {
    let (_folder, store) = open();
    let mara = add_user(&store, 1, "mara", Role::Mentor).await;
    let old = store.user_by_name("mara".to_owned()).await.unwrap().unwrap().1;
    let sign_in = |hash: &str| store.insert_login_session([1; 32], (mara.id, hash.to_owned()), UnixMillis::now());
    assert!(store.set_one_time_password(mara.id, "reset".to_owned()).await.unwrap());
    assert!(!sign_in(&old).await.unwrap());
    assert!(sign_in("reset").await.unwrap());
}

#[tokio::test]
async fn a_session_has_one_standing_room() {
    let (_folder, store) = open();
    let session = add_session(&store).await;
    let (first, made) = store.standing_room(session, RoomId::from_random([1; 16])).await.unwrap();
    let (second, made_again) = store.standing_room(session, RoomId::from_random([2; 16])).await.unwrap();
    assert_eq!((made, made_again, &first), (true, false, &second));
    assert!(store.end_room(first.id, EndReason::EndedByStaff, UnixMillis::now()).await.unwrap());
    let (third, made_anew) = store.standing_room(session, RoomId::from_random([3; 16])).await.unwrap();
    assert!(made_anew && third.id != first.id);
}

#[tokio::test]
async fn ending_a_room_closes_who_came_and_happens_once() {
    let (_folder, store) = open();
    let session = add_session(&store).await;
    let (room, _) = store.standing_room(session, RoomId::from_random([1; 16])).await.unwrap();
    let came = store.participant(room.id, user_id(1), Role::Mentor, ParticipantId::from_random([1; 16])).await.unwrap().unwrap();
    store.participant(room.id, user_id(2), Role::Student, ParticipantId::from_random([2; 16])).await.unwrap().unwrap();
    record(&store, 10, Change::Seated(came.id)).await;
    assert!(store.end_room(room.id, EndReason::Empty, UnixMillis(20)).await.unwrap());
    assert!(!store.end_room(room.id, EndReason::EndedByStaff, UnixMillis(30)).await.unwrap());
    let ended = store.room(room.id).await.unwrap().unwrap();
    let times: Vec<_> = ended.participants.iter().map(|p| (p.joined_at, p.left_at, p.online)).collect();
    assert_eq!(times, [(Some(UnixMillis(10)), Some(UnixMillis(20)), false), (None, None, false)]);
    assert_eq!(ended.ended_at, Some(UnixMillis(20)));
    assert_eq!(store.participant(room.id, user_id(1), Role::Mentor, ParticipantId::from_random([3; 16])).await.unwrap(), None);
}

#[tokio::test]
async fn closing_waits_for_what_was_handed_over() {
    let (folder, store) = open();
    let writing = store.insert_user(new_user(1, "last".to_owned(), Role::Student));
    let (written, ()) = tokio::join!(writing, store.clone().close());
    written.unwrap();
    assert!(matches!(store.insert_user(new_user(2, "later".to_owned(), Role::Student)).await, Err(StoreError::Closed)));
    assert_eq!(Store::open(folder.path()).unwrap().users(None).await.unwrap().len(), 1);
}

#[test]
fn the_database_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(folder.path()), Err(StoreError::TooNew { found: 999, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_missing_folder_is_named_with_its_remedy() {
    let error = Store::open(Path::new("/nonexistent/visavis")).err().unwrap().to_string();
    assert!(error.contains("/nonexistent/visavis") && error.contains("make the folder"), "{error}");
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn user_id(n: u8) -> UserId {
    UserId::from_random([n; 16])
}

fn new_user(n: u8, username: String, role: Role) -> NewUser {
    let user = User { id: user_id(n), display_name: username.clone(), username, role };
    NewUser { user, password_hash: String::new() }
}

async fn add_user(store: &Store, n: u8, name: &str, role: Role) -> User {
    let new = new_user(n, name.to_owned(), role);
    store.insert_user(new.clone()).await.unwrap();
    new.user
}

async fn add_session(store: &Store) -> SessionId {
    let mentor = add_user(store, 1, "mara", Role::Mentor).await;
    let student = add_user(store, 2, "stu", Role::Student).await;
    let session = SessionId::from_random([9; 16]);
    store.insert_session(session, mentor.id, student.id, "algebra".to_owned()).await.unwrap();
    session
}

/// Something that happened in a room.
async fn record(store: &Store, at: i64, change: Change) {
    let failed = store.record(vec![Record { at: UnixMillis(at), change }]).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
}
