//! SQLite: one writer thread that commits in groups, and readers apart.
//!
//! Owns the database file, its migrations and the SQL of each table family; an acknowledged write is on disk
//! (`WAL`, `synchronous=FULL`). Driven by `accounts` and `mentoring`, which hold the rules; knows no sibling.

mod attendance;
mod connection;
mod copy;
mod directory;
mod error;
mod health;
mod invitations;
mod login_sessions;
mod members;
mod mentoring_sessions;
mod migrations;
mod record;
mod rooms;
mod throttle;
mod users;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

pub use attendance::{Attendance, AttendanceEnd, Interval};
use connection::Readers;
pub use copy::{Glance, copy, examine, glance, last_alive};
pub use directory::{AccountPage, ListedAccount};
pub use error::StoreError;
use health::Health;
pub use health::{Commits, Warning};
pub use invitations::{Invitation, Invitee, Redeemed};
pub use login_sessions::{LoginSession, TokenHash};
pub use members::{MEMBERS_MAX, Member};
pub use mentoring_sessions::{MentoringSession, Person, SessionStatus};
pub use record::{Change, Record};
pub use rooms::{Room, RoomParticipant, RoomStatus};
pub use throttle::Failures;
pub use users::{NewUser, User};

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store {
    writer: writer::WriterHandle,
    readers: Arc<Readers>,
    health: Arc<Health>,
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

    /// This much later.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
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
        let mut connection = connection::open_writable(&path)?;
        migrations::migrate(&mut connection, &path)?;
        let health = Arc::new(Health::new(data_dir));
        let writer = writer::spawn(connection, path.clone(), Arc::clone(&health))
            .map_err(|cause| StoreError::File { path: "the writer thread".to_owned(), cause })?;
        Ok(Self { writer, readers: Arc::new(Readers::new(path)), health })
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
        Arc::clone(&self.readers).read(query).await
    }

    /// Comes when the writer is between two groups, whether the disk takes writes or not; false once it is closed.
    pub async fn writer_answers(&self) -> bool {
        self.writer.answers().await
    }

    /// Comes when a reader has answered, even with an error; false once the runtime stops.
    pub async fn reader_answers(&self) -> bool {
        !matches!(self.read(|database| database.query_row("SELECT 1", [], |_| Ok(()))).await, Err(StoreError::Closed))
    }

    /// Waits until everything handed over is on disk, then ends the writer.
    pub async fn close(self) {
        self.writer.close().await;
    }
}

/// The database in the data folder; what SQLite and migrations keep beside it begins with the same name.
pub const FILE_NAME: &str = "visavis.db";

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

text_column!(
    crate::proto::id::UserId,
    crate::proto::id::SessionId,
    crate::proto::id::RoomId,
    crate::proto::id::ParticipantId,
    crate::proto::id::InvitationId
);

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

word_column!(
    crate::proto::signal::Role,
    crate::proto::signal::EndReason,
    crate::proto::room::Standing,
    SessionStatus,
    RoomStatus,
    AttendanceEnd
);

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
