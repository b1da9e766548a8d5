//! What a person who runs the box should know of it: every check of `visavis doctor`, which are those of the admin's page too.
//!
//! One file a family. Each check looks for itself, from where it runs, at what browsers would meet; it has a few seconds, and all run side
//! by side. Nothing is changed, and nobody is asked but this box and its own outside address. Driven by `cli` and `app`, shown by `http`.

mod certificate;
mod clock;
mod configuration;
mod database;
mod disk;
mod files;
mod handle;
mod handshake;
mod limits;
mod memory;
mod names;
mod ports;
mod relay;
mod report;
mod router;
mod service;
mod streams;
mod subject;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

pub use configuration::problems;
pub use handle::Doctor;
pub use report::{Finding, Report, State, size};
pub use streams::Framed;
pub use subject::{Daemon, Listeners, Subject};

/// Makes every check of a box whose configuration is sound.
pub async fn examine(subject: Subject) -> Report {
    let subject = Arc::new(subject);
    let by_disk = |check: fn(&Subject) -> Vec<Finding>| move |subject: Arc<Subject>| beside(move || check(&subject));
    let checks = [
        limited("daemon", by_disk(configuration::check), &subject),
        limited("names", names::check, &subject),
        limited("certificate", certificate::check, &subject),
        limited("clock", by_disk(clock::check), &subject),
        limited("ports", ports::check, &subject),
        limited("relay", relay::check, &subject),
        limited("router", router::check, &subject),
        limited("disk", by_disk(data_folder), &subject),
        limited("limits", by_disk(limits::check), &subject),
        limited("memory", by_disk(memory::check), &subject),
        limited("service", by_disk(service::check), &subject),
    ];
    Report::new(subject.daemon.is_running(), side_by_side(checks).await.into_iter().flatten().collect())
}

/// One after the other: the first two may make files that the third would wonder about.
fn data_folder(subject: &Subject) -> Vec<Finding> {
    [disk::check(subject), database::check(subject), files::check(subject)].concat()
}

type Check = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// A check with its limit.
fn limited<F>(name: &'static str, check: impl FnOnce(Arc<Subject>) -> F, subject: &Arc<Subject>) -> Check
where
    F: Future<Output = Vec<Finding>> + Send + 'static,
{
    let check = check(Arc::clone(subject));
    Box::pin(async move { tokio::time::timeout(LIMIT, check).await.unwrap_or_else(|_| vec![too_slow(name)]) })
}

/// Runs all at once; what they return, in their order.
async fn side_by_side<T: Send + 'static>(checks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let mut running: JoinSet<_> =
        checks.into_iter().enumerate().map(|(place, check)| async move { (place, check.await) }).collect();
    let mut found = Vec::with_capacity(running.len());
    while let Some(done) = running.join_next().await {
        found.extend(done);
    }
    found.sort_unstable_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

/// Runs what waits for the disk beside the runtime's threads.
async fn beside(check: impl FnOnce() -> Vec<Finding> + Send + 'static) -> Vec<Finding> {
    tokio::task::spawn_blocking(check).await.unwrap_or_default()
}

fn too_slow(name: &'static str) -> Finding {
    let meaning = format!("this check took longer than {} seconds and was given up", LIMIT.as_secs());
    Finding::warning(name, name, meaning).remedy("try again; if it stays so, the box is overloaded or its disk is failing")
}

/// What a check may take. Those that wait for an answer give up before.
const LIMIT: Duration = Duration::from_secs(8);
