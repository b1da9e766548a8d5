//! The checks on demand, within the daemon: one examination at a time, and a fresh one serves all who ask.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{Report, Subject, examine};
use crate::config::Config;

type Last = (Instant, Arc<Report>);

/// Examines the box it runs on; clones share what was found.
#[derive(Clone)]
pub struct Doctor {
    config: Arc<Mutex<Config>>,
    subject: Arc<dyn Fn(Config) -> Subject + Send + Sync>,
    one_at_a_time: Arc<Semaphore>,
    last: Arc<Mutex<Option<Last>>>,
}

impl Doctor {
    /// `subject` says what the box of a configuration is like now.
    pub fn new(config: Config, subject: impl Fn(Config) -> Subject + Send + Sync + 'static) -> Self {
        let config = Arc::new(Mutex::new(config));
        Self { config, subject: Arc::new(subject), one_at_a_time: Arc::new(Semaphore::new(1)), last: Arc::default() }
    }

    /// From here on the box is held against another configuration.
    pub fn reconfigure(&self, config: Config) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// What was found a moment ago, else what is found now.
    pub async fn report(&self) -> Arc<Report> {
        let _permit = self.one_at_a_time.acquire().await;
        if let Some(report) = self.fresh() {
            return report;
        }
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let report = Arc::new(examine((self.subject)(config)).await);
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

#[cfg(test)]
mod tests {
    use super::super::{Daemon, Listeners};
    use super::*;
    use crate::config;
    use crate::tls::Names;

    #[tokio::test]
    async fn the_box_is_held_against_the_configuration_that_was_read_last() {
        let folder = tempfile::tempdir().unwrap();
        let text = |name| format!("[server]\ndata-dir = \"{}\"\npublic-name = \"{name}\"\n", folder.path().display());
        let (first, second) = (config::parse(&text("localhost")).unwrap(), config::parse(&text("")).unwrap());
        let doctor = Doctor::new(first, |config| Subject {
            config,
            config_file: None,
            daemon: Daemon::Stopped,
            listeners: Listeners::default(),
            names: Names::default(),
            certificate: None,
        });
        doctor.reconfigure(second);
        let report = doctor.report().await;
        let about = report.findings.iter().find(|finding| finding.check == "names.public").map(|finding| &*finding.subject);
        assert_eq!(about, Some("server.public-name"));
    }
}
