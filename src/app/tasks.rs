//! The daemon's tasks: each is told when to stop, and waited for.

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Those that run.
pub(super) struct Tasks {
    stopping: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self { stopping: watch::Sender::new(false), running: Vec::new() }
    }

    /// Becomes true when the daemon stops.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.adopt(tokio::spawn(task));
    }

    /// Waits for this one too.
    pub(super) fn adopt(&mut self, task: JoinHandle<()>) {
        self.running.push(task);
    }

    /// Tells all to stop, and returns once they have.
    pub(super) async fn stop(self) {
        // Fails where nobody listens, and then nobody has to be told.
        let _ = self.stopping.send(true);
        for task in self.running {
            // Whoever panicked has stopped too.
            let _ = task.await;
        }
    }
}
