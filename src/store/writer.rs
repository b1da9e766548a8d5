//! The writer thread: takes what waits, runs it in one transaction, and answers after the commit.
//!
//! One sync to disk thus serves a whole group. A statement that fails is undone alone (a savepoint), not its group. Nobody waits
//! longer than a bound, whoever holds the database; and a connection that does not find back to work is opened anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::health::Health;
use super::{StoreError, connection};

/// A cloneable door to the writer thread.
#[derive(Clone)]
pub(super) struct WriterHandle {
    commands: mpsc::Sender<Command>,
}

impl WriterHandle {
    pub(super) async fn write<T, F>(&self, statement: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let statement = Statement { statement: Some(statement), result: None, reply };
        let command = Command::Run { job: Box::new(statement), since: Instant::now() };
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) async fn answers(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Answer(reply)).await.is_ok() && answer.await.is_ok()
    }

    pub(super) async fn close(&self) {
        if self.commands.send(Command::Close).await.is_ok() {
            self.commands.closed().await;
        }
    }
}

/// Starts the thread; it ends with [`WriterHandle::close`] or the last handle.
///
/// # Errors
/// The system has no thread left.
pub(super) fn spawn(connection: Connection, path: PathBuf, health: Arc<Health>) -> std::io::Result<WriterHandle> {
    let (commands, waiting) = mpsc::channel(QUEUE_MAX);
    let writer = Writer { connection, path, health, refusals: 0 };
    std::thread::Builder::new().name("store".to_owned()).spawn(move || writer.run(waiting))?;
    Ok(WriterHandle { commands })
}

enum Command {
    Run { job: Box<dyn Job>, since: Instant },
    Answer(oneshot::Sender<()>),
    Close,
}

/// A caller's statement, without its types.
trait Job: Send {
    /// Runs it inside the group's transaction; what it failed with, if it must be undone.
    fn run(&mut self, connection: &Connection, health: &Health) -> Result<(), StoreError>;

    /// Tells the caller what it returned, or why the group was not committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Statement<T, F> {
    statement: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Statement<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection, health: &Health) -> Result<(), StoreError> {
        let statement = self.statement.take().ok_or(StoreError::Closed)?;
        let result = statement(connection).map_err(|error| StoreError::of_write(error, health.folder()));
        let outcome = result.as_ref().map(|_| ()).map_err(StoreError::alike);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // A caller that no longer waits needs no answer.
        let _ = self.reply.send(answer);
    }
}

struct Writer {
    connection: Connection,
    path: PathBuf,
    health: Arc<Health>,
    /// Groups in a row that the disk refused.
    refusals: u32,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Command>) {
        let mut closing = false;
        while !closing {
            let mut group = Vec::new();
            let Some(first) = waiting.blocking_recv() else { return };
            let mut next = Some(first);
            while let Some(command) = next {
                match command {
                    Command::Run { job, since } if since.elapsed() > WAIT_MAX => job.answer(Err(StoreError::Busy)),
                    Command::Run { job, .. } => group.push(job),
                    Command::Answer(reply) => drop(reply.send(())),
                    Command::Close => closing = true,
                }
                next = if closing || group.len() == GROUP_MAX { None } else { waiting.try_recv().ok() };
            }
            if !group.is_empty() {
                self.write(group);
            }
        }
        // Before the queue, whose end is what the closing caller waits for.
        drop(self);
    }

    fn write(&mut self, mut group: Vec<Box<dyn Job>>) {
        let (mut trouble, begun) = (None, Instant::now());
        let committed = self.commit(&mut group, &mut trouble);
        if let Err(error) = &committed {
            log::error!(event = "commit_failed", cause:% = error; "nothing of this group was stored");
        }
        let trouble = committed.as_ref().err().or(trouble.as_ref());
        self.health.note(trouble, begun.elapsed());
        for job in group {
            job.answer(committed.as_ref().copied().map_err(StoreError::alike));
        }
        self.recover(trouble);
    }

    /// `trouble` is what a statement failed with, though the group did not, if it may concern the next group.
    fn commit(&mut self, group: &mut [Box<dyn Job>], trouble: &mut Option<StoreError>) -> Result<(), StoreError> {
        let health = &self.health;
        let of_write = |error| StoreError::of_write(error, health.folder());
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of_write)?;
        for job in group {
            let savepoint = transaction.savepoint().map_err(of_write)?;
            match job.run(&savepoint, health) {
                Ok(()) => savepoint.commit().map_err(of_write)?,
                // SQLite undid the whole transaction: what follows would commit by itself.
                Err(error) if savepoint.is_autocommit() => return Err(error),
                Err(error) => *trouble = trouble.take().or(error.is_passing().then_some(error)),
            }
        }
        transaction.commit().map_err(of_write)
    }

    /// Makes room, or a new connection, so that the next group finds what it needs.
    fn recover(&mut self, failure: Option<&StoreError>) {
        self.refusals = if matches!(failure, Some(StoreError::ReadOnly)) { self.refusals + 1 } else { 0 };
        if matches!(failure, Some(StoreError::DiskFull)) {
            // The write-ahead log may hold the last free bytes.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        if !self.connection.is_autocommit() || self.refusals >= REFUSALS_MAX {
            match connection::reopen(&self.path) {
                Ok(connection) => {
                    log::warn!(event = "database_reopened"; "the connection to the database was stuck and is made anew");
                    self.connection = connection;
                    self.refusals = 0;
                }
                Err(cause) => log::error!(event = "database_gone", cause:% = cause; "the database cannot be opened anew"),
            }
        }
    }
}

const QUEUE_MAX: usize = 4096;
const GROUP_MAX: usize = 256;
/// How long a statement may stand in the queue; beside it waits one group at most, for [`connection::BUSY_TIMEOUT`].
pub(super) const WAIT_MAX: Duration = Duration::from_secs(2);
/// A connection that was opened on a read-only disk stays so when the disk is not.
const REFUSALS_MAX: u32 = 2;
