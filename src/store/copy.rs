//! The database as one sound file, for a backup.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connection::{BUSY_TIMEOUT, restrict_to_owner};
use super::{FILE_NAME, StoreError, UnixMillis, migrations};
use crate::sys::owner;

/// Copies the database in `data_dir` as it stands at one moment to the new file `copy`, and examines the copy. Works beside a daemon that
/// writes, which does not wait; the copy has every row that was acknowledged before. Returns its version.
///
/// # Errors
/// There is no database, it is damaged or newer than this program, or the disk refuses.
pub fn copy(data_dir: &Path, copy: &Path) -> Result<u32, StoreError> {
    let source = open_as_owner(data_dir)?;
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

/// With the rights of the folder's owner; whatever belongs to the database is open then.
fn open_as_owner(data_dir: &Path) -> Result<Connection, StoreError> {
    let path = data_dir.join(FILE_NAME);
    let _owner = owner::assume(data_dir).map_err(|cause| StoreError::File { path: path.display().to_string(), cause })?;
    let source = open(&path)?;
    source.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(source)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    // SQLite has misleading words for a file that is not there or may not be read.
    std::fs::File::open(path).map_err(|cause| StoreError::File { path: path.display().to_string(), cause })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match at_rest(path) {
        Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// How a database is named that nothing can change: on a read-only disk, and with nothing in its log. SQLite would otherwise make the
/// files there that readers share (sqlite.org/wal.html section 5).
fn at_rest(path: &Path) -> Option<String> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let is_logged = path.with_file_name(format!("{FILE_NAME}-wal")).exists();
    let path = path.to_str().filter(|_| disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) && !is_logged)?;
    Some(format!("file:{}?immutable=1", path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")))
}

/// What a look at the database shows while it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Its size.
    pub bytes: u64,
    /// `user_version`.
    pub version: u32,
    /// Whether all of it can be read and fits together; `None` if it is too large to be read in a moment.
    pub is_whole: Option<bool>,
}

/// Looks at the database in `data_dir` without hindering anybody.
///
/// # Errors
/// There is none, it is newer than this program, or it cannot be read.
pub fn glance(data_dir: &Path) -> Result<Glance, StoreError> {
    let path = data_dir.join(FILE_NAME);
    let connection = open_as_owner(data_dir)?;
    let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let version = migrations::refuse_newer(&connection, &path)?;
    let whole = || connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    let is_whole = (bytes <= GLANCE_BYTES_MAX).then(|| whole().is_ok_and(|found| found == "ok"));
    Ok(Glance { bytes, version, is_whole })
}

/// When a daemon last wrote to the database in `data_dir`, as far as that can be read.
pub fn last_alive(data_dir: &Path) -> Option<UnixMillis> {
    let connection = open_as_owner(data_dir).ok()?;
    connection.query_row("SELECT alive_at FROM daemon_heartbeat", [], |row| row.get(0)).ok()
}

/// Read within a second or two, also from a memory card.
const GLANCE_BYTES_MAX: u64 = 64 << 20;
