//! The daemon's tasks: each is told when to stop, and waited for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

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

/// Ticks at `first` and then every `period`; a late one, after sleep or under load, puts the next off and is not made up for.
pub(super) fn ticks(first: Instant, period: Duration) -> Interval {
    let mut ticks = interval_at(first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
