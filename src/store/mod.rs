//! SQLite: one writer thread that commits in groups, and readers apart.
//!
//! Owns the database file, its migrations and the SQL of each table family; an acknowledged write is on disk
//! (`WAL`, `synchronous=FULL`). Driven by `accounts` and `mentoring`, which hold the rules; knows no sibling.

mod login_sessions;
mod mentoring_sessions;
mod migrations;
mod rooms;
mod throttle;
mod users;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

pub use login_sessions::{LoginSession, TokenHash};
pub use mentoring_sessions::{MentoringSession, Person, SessionStatus};
pub use rooms::{Room, RoomParticipant, RoomStatus};
pub use throttle::Failures;
pub use users::{NewUser, User};

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store {
    writer: writer::WriterHandle,
    readers: Arc<Readers>,
}

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
    /// The disk is full; what exists goes on.
    #[error("the disk is full: free some space, nothing was lost")]
    DiskFull,
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

/// A point in time as the database keeps it: milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The wall clock's time.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// This much earlier.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How much later than `earlier`; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for UnixMillis {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<UnixMillis> for SystemTime {
    fn from(time: UnixMillis) -> Self {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(time.0).unwrap_or_default())
    }
}

impl Store {
    /// Opens the database in `data_dir`, makes or migrates it, and starts the writer.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for the database of a newer program, which is left untouched; else what went wrong.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(FILE_NAME);
        let mut connection = open_writable(&path)?;
        migrations::migrate(&mut connection, &path)?;
        let writer =
            writer::spawn(connection).map_err(|cause| StoreError::File { path: "the writer thread".to_owned(), cause })?;
        let readers = Arc::new(Readers { path, idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS_MAX)) });
        Ok(Self { writer, readers })
    }

    /// Runs `statement` in the writer's next group; returns once it is on disk.
    ///
    /// # Errors
    /// What the statement or the commit failed with; then nothing of it is stored.
    pub async fn write<T, F>(&self, statement: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.writer.write(statement).await
    }

    /// Runs `query` on a read-only connection; sees every write acknowledged before.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let permit = Arc::clone(&self.readers.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let task = tokio::task::spawn_blocking(move || {
            // Goes along with the query, which nobody may be waiting for any more.
            let _permit = permit;
            let connection = readers.take()?;
            let result = query(&connection).map_err(StoreError::from);
            readers.put_back(connection);
            result
        });
        task.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything handed over is on disk, then ends the writer.
    pub async fn close(self) {
        self.writer.close().await;
    }
}

/// Read-only connections, opened when first needed.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                connection.busy_timeout(BUSY_TIMEOUT)?;
                Ok(connection)
            }
        }
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

impl StoreError {
    /// The same trouble for another caller of the same group.
    fn alike(&self) -> Self {
        match self {
            Self::DiskFull => Self::DiskFull,
            Self::Conflict => Self::Conflict,
            Self::Closed => Self::Closed,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
                Self::Sqlite(rusqlite::Error::SqliteFailure(*code, text.clone()))
            }
            _ => Self::Busy,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Conflict,
            _ => Self::Sqlite(error),
        }
    }
}

fn open_writable(path: &Path) -> Result<Connection, StoreError> {
    restrict_to_owner(path).map_err(|cause| StoreError::File { path: path.display().to_string(), cause })?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    migrations::refuse_newer(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

/// Makes the file, if there is none, readable by its owner alone; SQLite gives its companions the same mode.
fn restrict_to_owner(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

const FILE_NAME: &str = "visavis.db";
const READERS_MAX: usize = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

macro_rules! text_column {
    ($($name:ty),+) => { $(
        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.to_string().into())
            }
        }
        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|error| rusqlite::types::FromSqlError::Other(Box::new(error)))
            }
        }
    )+ };
}

text_column!(crate::proto::id::UserId, crate::proto::id::SessionId, crate::proto::id::RoomId, crate::proto::id::ParticipantId);

/// Columns that hold one of a few words: the words are serde's, as in the API.
macro_rules! word_column {
    ($($name:ty),+) => { $(
        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(word)) => Ok(word.into()),
                    _ => Err(rusqlite::Error::ToSqlConversionFailure("not a word".into())),
                }
            }
        }
        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                let word = serde_json::Value::String(value.as_str()?.to_owned());
                serde_json::from_value(word).map_err(|error| rusqlite::types::FromSqlError::Other(Box::new(error)))
            }
        }
    )+ };
}

word_column!(crate::proto::signal::Role, crate::proto::signal::EndReason, SessionStatus, RoomStatus);

impl rusqlite::types::ToSql for UnixMillis {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl rusqlite::types::FromSql for UnixMillis {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

#[cfg(test)]
mod tests;
