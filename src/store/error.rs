//! Why the database refused, as its callers tell cases apart.

use std::path::Path;

use rusqlite::ErrorCode;

use super::health;

/// Why the database refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is newer than this program.
    #[error(
        "the database {path} has version {found}, this program knows {known}: install the newer visavis, or restore the backup {path}.v{known}.bak"
    )]
    TooNew {
        /// The file.
        path: String,
        /// `user_version` of the file.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The file is not as SQLite or this program wrote it.
    #[error("the database {path} is damaged ({what}): bring back a backup with `visavis restore FILE`")]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite found.
        what: String,
    },
    /// The disk is full; what exists goes on.
    #[error("the disk is full: free some space, nothing was lost")]
    DiskFull,
    /// The disk takes no writes: it is mounted read-only, or fails; what exists goes on.
    #[error("the disk takes no writes: see in the kernel's log whether it is read-only or failing")]
    ReadOnly,
    /// Somebody else holds the database, or too much waits to be written.
    #[error("the database is busy: try again in a moment")]
    Busy,
    /// The row exists already.
    #[error("exists already")]
    Conflict,
    /// Anything else SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(rusqlite::Error),
    /// The file or its folder cannot be used.
    #[error("cannot use {path}: {cause}: make the folder and give it to the daemon's user")]
    File {
        /// What.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Closed,
}

impl StoreError {
    /// Whether the same write may succeed later, without anybody changing the program or the rows.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::DiskFull | Self::ReadOnly | Self::Busy)
    }

    /// The same trouble for another caller of the same group.
    pub(super) fn alike(&self) -> Self {
        match self {
            Self::DiskFull => Self::DiskFull,
            Self::ReadOnly => Self::ReadOnly,
            Self::Conflict => Self::Conflict,
            Self::Closed => Self::Closed,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
                Self::Sqlite(rusqlite::Error::SqliteFailure(*code, text.clone()))
            }
            _ => Self::Busy,
        }
    }

    /// What SQLite's code says, if it says anything.
    pub(super) fn by_code(error: &rusqlite::Error) -> Option<Self> {
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::DiskFull),
            ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Some(Self::ReadOnly),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => Some(Self::Busy),
            ErrorCode::ConstraintViolation => Some(Self::Conflict),
            _ => None,
        }
    }

    /// What a write to `folder` failed with: SQLite calls many a failure for want of space an I/O error.
    pub(super) fn of_write(error: rusqlite::Error, folder: &Path) -> Self {
        match Self::from(error) {
            Self::ReadOnly if health::is_full(folder) => Self::DiskFull,
            error => error,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::by_code(&error).unwrap_or(Self::Sqlite(error))
    }
}
