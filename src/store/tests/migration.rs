use super::*;
use crate::store::{attendance, login_sessions, migrations, rooms};

#[tokio::test]
async fn an_older_database_is_copied_then_migrated_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(migrations::MIGRATIONS[0]).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO users VALUES ('01', 'stu', 'Stu', 'student', '', 0);
         INSERT INTO mentoring_sessions VALUES ('02', '01', '01', 'algebra', 'accepted', 0, 0);
         INSERT INTO video_call_rooms VALUES ('03', '02', 'ended', 0, 0, 9, 'empty');
         INSERT INTO video_call_participants VALUES ('04', '03', '01', 'student', 5, 9, 0);",
    )
    .unwrap();
    drop(old);
    drop(Store::open(folder.path()).unwrap());
    let count = |path: &Path, sql: &str| Connection::open(path).unwrap().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let admitted = "SELECT count(*) FROM video_call_participants WHERE standing = 'admitted'";
    assert_eq!(count(&path, admitted), 1, "rows go along when their table is copied");
    assert_eq!(count(&path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let owned = "SELECT count(*) FROM pragma_foreign_key_list('mentoring_sessions') WHERE \"table\" = 'users'";
    assert_eq!(count(&path, owned), 2);
    let backup = folder.path().join("visavis.db.v1.bak");
    assert_eq!(count(&backup, "SELECT user_version FROM pragma_user_version"), 1);
    assert_eq!(count(&backup, "SELECT count(*) FROM video_call_participants"), 1);
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(migrations::MIGRATIONS[0]).unwrap();
    // In the way of the second migration, halfway.
    old.execute_batch("CREATE TABLE daemon_heartbeat (x); PRAGMA user_version = 1").unwrap();
    assert!(Store::open(folder.path()).is_err());
    let made = "SELECT count(*) FROM sqlite_schema WHERE name = 'video_call_attendance'";
    assert_eq!(old.query_row(made, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(old.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[tokio::test]
async fn a_start_reads_no_table_that_grows_with_the_school() {
    let (_folder, store) = open();
    let [end_intervals, free_seats] = attendance::END_CRASHED;
    let at_start = [end_intervals, free_seats, login_sessions::DELETE_UNSEEN, login_sessions::DELETE_OLD, rooms::ENDED_SINCE];
    for sql in at_start {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan: Vec<String> = store
            .read(move |connection| {
                let mut statement = connection.prepare(&explain)?;
                let given = statement.parameter_count();
                statement.query_map(rusqlite::params_from_iter(vec![0; given]), |row| row.get("detail"))?.collect()
            })
            .await
            .unwrap();
        // What an index keeps of the running and the open alone is short, and the heartbeat is one row.
        let short = ["one_running_interval_a_participant", "video_call_participants_inside", "daemon_heartbeat"];
        let scans: Vec<_> =
            plan.iter().filter(|step| step.contains("SCAN") && !short.iter().any(|name| step.contains(name))).collect();
        assert!(scans.is_empty() && !plan.is_empty(), "{sql}: {plan:?}");
    }
}
