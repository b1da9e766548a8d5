//! Certificates by ACME (RFC 8555): one task asks for them, stores them and renews them.
//!
//! [`plan`] says when and knows neither clock nor network; [`task`] drives it; [`order`] is one order, over [`client`]; [`challenge`]
//! holds what the server comes to see on this box's ports; [`stored`] the account, the certificate and what is remembered of attempts,
//! in `acme` below the data directory; [`said`] keeps the log short; [`clock`] doubts the time of a box that has just started.

mod challenge;
mod client;
mod clock;
mod order;
mod plan;
mod said;
mod stored;
mod task;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

pub(super) use challenge::ACME_TLS;
pub use challenge::Challenges;
pub use clock::Evidence;
pub(super) use stored::certificate;

/// What is certified, and by whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one name of the certificate.
    pub name: String,
    /// The URL of the server's directory.
    pub directory: String,
    /// A mail address the server may write to.
    pub contact: Option<String>,
    /// PEM certificates that prove a private server; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// Where account, certificate and memory are; made if missing.
    pub folder: PathBuf,
    /// Whether there is a plain listener on which HTTP-01 can be answered.
    pub plain_http: bool,
}

/// Keeps a certificate stored until the daemon stops; `issued` puts a new one to use. Whoever notifies `hurry` has it look at once, past
/// its own back-off, but not past what the server asked for.
pub async fn keep<I, F>(
    settings: Settings,
    challenges: Arc<Challenges>,
    evidence: Evidence,
    hurry: Arc<Notify>,
    issued: I,
    stopping: watch::Receiver<bool>,
) where
    I: Fn() -> F + Send + Sync,
    F: Future<Output = ()> + Send,
{
    let stored = stored::Stored::new(&settings.folder, &settings.directory);
    let name = settings.name.clone();
    let authority = order::Server::new(settings, stored.clone(), challenges);
    let clock = clock::Clock::new(evidence);
    task::Task { name, authority, stored, now: move || clock.now(), issued, hurry }.keep(stopping).await;
}
