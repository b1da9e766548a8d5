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
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds what the database holds");
    assert_eq!(count(&backup, "SELECT user_version FROM pragma_user_version"), 1);
    assert_eq!(count(&backup, "SELECT count(*) FROM video_call_participants"), 1);
}

/// Tables that are copied take their rows, keys, indices and triggers along, and what refers to them still does.
#[tokio::test]
async fn a_database_with_rows_everywhere_is_migrated_to_what_a_fresh_one_is() {
    let (fresh, migrated) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let old = Connection::open(migrated.path().join(FILE_NAME)).unwrap();
    for migration in &migrations::MIGRATIONS[..2] {
        old.execute_batch(migration).unwrap();
    }
    old.execute_batch(
        "PRAGMA user_version = 2;
         INSERT INTO users VALUES ('01', 'stu', 'Stu', 'student', 'hash', 1), ('11', 'mara', 'Mara', 'mentor', '', 2);
         INSERT INTO login_sessions VALUES (x'00', '01', 3, 4);
         INSERT INTO login_failures VALUES ('key', 5, 6);
         INSERT INTO mentoring_sessions VALUES ('02', '11', '01', 'algebra', 'accepted', 7, 8);
         INSERT INTO video_call_rooms VALUES ('03', '02', 'active', 9, 10, NULL, NULL, 1);
         INSERT INTO video_call_participants VALUES ('04', '03', '01', 'student', 11, NULL, 1, 'kicked', 0);
         INSERT INTO video_call_attendance VALUES ('04', 12, NULL, NULL);
         UPDATE daemon_heartbeat SET alive_at = 13;",
    )
    .unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables: Vec<String> = column(&old, tables);
    let rows = |database: &Connection| -> Vec<Vec<String>> {
        tables.iter().map(|table| column(database, &format!("SELECT {} FROM {table}", as_text(database, table)))).collect()
    };
    let names = "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
    let (before, named) = (rows(&old), column(&old, names));
    assert!(before.iter().all(|rows| !rows.is_empty()), "{tables:?}: {before:?}");
    for folder in [&fresh, &migrated] {
        Store::open(folder.path()).unwrap().close().await;
    }
    let [fresh, migrated] = [&fresh, &migrated].map(|folder| Connection::open(folder.path().join(FILE_NAME)).unwrap());
    assert_eq!(rows(&migrated), before);
    let kept = column(&migrated, names);
    assert!(named.iter().all(|name| kept.contains(name)), "{named:?} became {kept:?}");
    let schema = "SELECT concat_ws(' ', type, name, tbl_name, sql) FROM sqlite_schema ORDER BY type, name";
    assert_eq!(column(&migrated, schema), column(&fresh, schema));
    migrated.pragma_update(None, "foreign_keys", true).unwrap();
    for refused in [
        "INSERT INTO video_call_attendance (participant_id, began_at) VALUES ('04', 14)",
        "INSERT INTO video_call_attendance (participant_id, began_at) VALUES ('05', 14)",
        "INSERT INTO login_sessions VALUES (x'01', '09', 0, 0)",
    ] {
        assert!(migrated.execute(refused, []).is_err(), "{refused}");
    }
    migrated.execute("DELETE FROM users WHERE id = '01'", []).unwrap();
    let left = "SELECT count(*) || '' FROM (SELECT 1 FROM login_sessions UNION ALL SELECT 1 FROM video_call_attendance)";
    assert_eq!(column(&migrated, left), ["0"]);
}

fn column(database: &Connection, sql: &str) -> Vec<String> {
    database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A row of a table as one text, column by column in the order of their names.
fn as_text(database: &Connection, table: &str) -> String {
    let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}') ORDER BY name");
    column(database, &columns).join(" || ' ' || ")
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
