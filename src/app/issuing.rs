//! The ACME task: what it is given, and what becomes of a certificate that it stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::{box_names, renewal};
use crate::config::checked::Acme;
use crate::tls::Certificates;
use crate::tls::acme::{self, Evidence, Settings};

/// What the configuration says, and whether HTTP-01 can be answered.
pub(super) fn settings(config: &Acme, data_dir: &Path, plain_http: bool) -> Settings {
    Settings {
        name: config.name.clone(),
        directory: config.directory.clone(),
        contact: config.contact.clone(),
        ca_file: config.ca_file.clone(),
        folder: folder(data_dir),
        plain_http,
    }
}

/// Where the task keeps its files.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("acme")
}

/// Keeps a certificate until the daemon stops; each new one is used at once.
pub(super) async fn keep(
    settings: Settings,
    certificates: Arc<Certificates>,
    evidence: Evidence,
    hurry: Arc<Notify>,
    stopping: watch::Receiver<bool>,
) {
    let name = settings.name.clone();
    let issued = || renewal::renew(&certificates, box_names(Some(&name)));
    acme::keep(settings, certificates.challenges(), evidence, hurry, issued, stopping).await;
}
