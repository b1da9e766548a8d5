//! How the database file is opened: one connection that writes, a few that read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{StoreError, migrations};

/// The writer's connection; makes the file if there is none.
///
/// # Errors
/// [`StoreError::TooNew`], [`StoreError::File`], or what SQLite says.
pub(super) fn open_writable(path: &Path) -> Result<Connection, StoreError> {
    restrict_to_owner(path).map_err(|cause| StoreError::File { path: path.display().to_string(), cause })?;
    reopen(path)
}

/// Another connection to write through, to a file that is there.
///
/// # Errors
/// [`StoreError::TooNew`], or what SQLite says.
pub(super) fn reopen(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    migrations::refuse_newer(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

/// Makes the file, if there is none, readable by its owner alone; SQLite gives its companions the same mode.
pub(super) fn restrict_to_owner(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// Read-only connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs `query` on one of the connections, beside the runtime's threads.
    pub(super) async fn read<T, F>(self: Arc<Self>, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let task = tokio::task::spawn_blocking(move || {
            // Goes along with the query, which nobody may be waiting for any more.
            let _permit = permit;
            let connection = self.take()?;
            let result = query(&connection).map_err(StoreError::from);
            self.put_back(connection);
            result
        });
        task.await.map_err(|_| StoreError::Closed)?
    }

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

/// How long SQLite waits for another process that holds the database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const READERS_MAX: usize = 4;
