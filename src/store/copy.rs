//! The database as one sound file, for a backup.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connection::{BUSY_TIMEOUT, restrict_to_owner};
use super::{FILE_NAME, StoreError, migrations};

/// Copies the database in `data_dir` as it stands at one moment to the new file `copy`, and examines the copy. Works beside a daemon that
/// writes, which does not wait; the copy has every row that was acknowledged before. Returns its version.
///
/// # Errors
/// There is no database, it is damaged or newer than this program, or the disk refuses.
pub fn copy(data_dir: &Path, copy: &Path) -> Result<u32, StoreError> {
    let source = open(&data_dir.join(FILE_NAME))?;
    restrict_to_owner(copy).map_err(|cause| StoreError::File { path: copy.display().to_string(), cause })?;
    let mut target = Connection::open(copy)?;
    // All pages in one step are read in one transaction; in several, a writer would have it begin anew each time.
    if Backup::new(&source, &mut target)?.step(-1)? != StepResult::Done {
        return Err(StoreError::Busy);
    }
    // A file that needs no companions to be read.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    drop(target);
    examine(copy)
}

/// Reads all of a database that nobody writes, and returns its version.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::TooNew`], or that it cannot be read.
pub fn examine(path: &Path) -> Result<u32, StoreError> {
    let connection = open(path)?;
    let damaged = |what: String| StoreError::Damaged { path: path.display().to_string(), what };
    let version = migrations::refuse_newer(&connection, path).map_err(|error| match error {
        StoreError::Sqlite(cause) => damaged(cause.to_string()),
        other => other,
    })?;
    let sound: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(|cause| damaged(cause.to_string()))?;
    if sound != "ok" {
        return Err(damaged(sound));
    }
    if connection.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(damaged("a row refers to one that is gone".to_owned()));
    }
    if version == 0 {
        return Err(damaged("it is no database of visavis".to_owned()));
    }
    Ok(version)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    // SQLite's own words for a file that is not there are misleading.
    std::fs::metadata(path).map_err(|cause| StoreError::File { path: path.display().to_string(), cause })?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}
