//! The writer thread: takes what waits, runs it in one transaction, and answers after the commit.
//!
//! One sync to disk thus serves a whole group. A statement that fails is undone alone (a savepoint), not its group.

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

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
        self.commands.try_send(Command::Run(Box::new(statement))).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
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
pub(super) fn spawn(connection: Connection) -> std::io::Result<WriterHandle> {
    let (commands, waiting) = mpsc::channel(QUEUE_MAX);
    std::thread::Builder::new().name("store".to_owned()).spawn(move || write_groups(connection, waiting))?;
    Ok(WriterHandle { commands })
}

enum Command {
    Run(Box<dyn Job>),
    Close,
}

/// A caller's statement, without its types.
trait Job: Send {
    /// Runs it inside the group's transaction; false if it failed and must be undone.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells the caller what it returned, or why the group was not committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Statement<T, F> {
    statement: Option<F>,
    result: Option<rusqlite::Result<T>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Statement<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.result = self.statement.take().map(|statement| statement(connection));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (_, Some(Err(error))) => Err(error.into()),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // A caller that no longer waits needs no answer.
        let _ = self.reply.send(answer);
    }
}

fn write_groups(mut connection: Connection, mut waiting: mpsc::Receiver<Command>) {
    let mut closing = false;
    while !closing {
        let mut group = Vec::new();
        let Some(first) = waiting.blocking_recv() else { return };
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Run(job) => group.push(job),
                Command::Close => closing = true,
            }
            next = if closing || group.len() == GROUP_MAX { None } else { waiting.try_recv().ok() };
        }
        let committed = commit(&mut connection, &mut group).map_err(StoreError::from);
        if let Err(error) = &committed {
            log::error!(event = "commit_failed", cause:% = error; "nothing of this group was stored");
        }
        for job in group {
            let outcome = committed.as_ref().copied().map_err(StoreError::alike);
            job.answer(outcome);
        }
    }
}

fn commit(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        let savepoint = transaction.savepoint()?;
        if job.run(&savepoint) {
            savepoint.commit()?;
        }
    }
    transaction.commit()
}

const QUEUE_MAX: usize = 4096;
const GROUP_MAX: usize = 256;
