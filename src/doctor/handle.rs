//! The checks on demand, within the daemon: one examination at a time, and a fresh one serves all who ask.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{Report, Subject, examine};

type Last = (Instant, Arc<Report>);

/// Examines the box it runs on; clones share what was found.
#[derive(Clone)]
pub struct Doctor {
    subject: Arc<dyn Fn() -> Subject + Send + Sync>,
    one_at_a_time: Arc<Semaphore>,
    last: Arc<Mutex<Option<Last>>>,
}

impl Doctor {
    /// `subject` says what the box is like now.
    pub fn new(subject: impl Fn() -> Subject + Send + Sync + 'static) -> Self {
        Self { subject: Arc::new(subject), one_at_a_time: Arc::new(Semaphore::new(1)), last: Arc::default() }
    }

    /// What was found a moment ago, else what is found now.
    pub async fn report(&self) -> Arc<Report> {
        let _permit = self.one_at_a_time.acquire().await;
        if let Some(report) = self.fresh() {
            return report;
        }
        let report = Arc::new(examine((self.subject)()).await);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&report)));
        report
    }

    fn fresh(&self) -> Option<Arc<Report>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, report)| Arc::clone(report))
    }
}

/// Whoever presses the button again soon learns the same.
const FRESH: Duration = Duration::from_secs(5);
