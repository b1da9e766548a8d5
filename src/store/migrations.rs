//! Numbered migrations: `migrations/NNN_*.sql`, one transaction each, a backup of the database before the first.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use super::connection::restrict_to_owner;

/// Refuses the database of a newer program before anything touches it; its version, if it is none.
///
/// # Errors
/// [`StoreError::TooNew`].
pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let (found, known) = (version(connection)?, newest());
    if found > known {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known });
    }
    Ok(found)
}

/// Brings the database to the newest version this program knows.
///
/// # Errors
/// What a migration failed with; the database is then as it was before that migration.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > 0 && found < newest() {
        let backup = format!("{}.v{found}.bak", path.display());
        restrict_to_owner(Path::new(&backup)).map_err(|cause| StoreError::File { path: backup.clone(), cause })?;
        connection.backup("main", backup, None::<fn(rusqlite::backup::Progress)>)?;
    }
    // A table that is copied and dropped must not take what refers to it along.
    connection.pragma_update(None, "foreign_keys", false)?;
    for (version, sql) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
            return Err(StoreError::Sqlite(rusqlite::Error::QueryReturnedMoreThanOneRow));
        }
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_first.sql"),
    include_str!("migrations/002_attendance.sql"),
    include_str!("migrations/003_members.sql"),
    include_str!("migrations/004_one_time_passwords.sql"),
];
