//! Where the box's certificate comes from, for which names, and who keeps it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::renewal;
use crate::config::Config;
use crate::config::checked::{Acme, Tls};
use crate::http::{HttpsAlone, TlsName};
use crate::sys::names as system;
use crate::tls::acme::{self, Evidence, Settings};
use crate::tls::{Certificates, Names, Source};

/// What browsers may call this box: its configured name, its own name bare and with `.local`, localhost, its addresses.
pub(super) fn names(public_name: Option<&String>) -> Names {
    let host = system::host_name();
    let own = [host.clone(), format!("{host}.local"), "localhost".to_owned()];
    let mut dns: Vec<String> = public_name.into_iter().cloned().chain(own).filter(|name| name != "localhost.local").collect();
    dns.sort_unstable();
    dns.dedup();
    Names { dns, addresses: system::addresses() }
}

/// What `[tls]` says; `None`: a proxy has the certificate.
pub(super) fn source(config: &Config) -> Option<Source> {
    match &config.tls {
        Tls::Files { cert, key } => Some(Source::Files { cert: cert.clone(), key: key.clone() }),
        Tls::LocalCa => Some(Source::LocalCa { folder: config.server.data_dir.join("tls") }),
        Tls::Acme(acme) => Some(Source::Acme {
            folder: folder(&config.server.data_dir),
            name: acme.name.clone(),
            until_then: config.server.data_dir.join("tls"),
            public: acme.ca_file.is_none(),
        }),
        Tls::Off => None,
    }
}

/// Under which name TURN over TLS is reached: one that the source's certificate covers.
pub(super) fn tls_name(config: &Config) -> TlsName {
    match (&config.tls, config.server.public_name.clone(), system::host_name()) {
        (Tls::Acme(acme), _, _) => TlsName::Only(acme.name.clone()),
        (_, Some(public_name), _) => TlsName::AsAsked(public_name),
        (Tls::LocalCa, None, host) if host != "localhost" => TlsName::AsAskedOrLocal(format!("{host}.local")),
        (Tls::LocalCa | Tls::Files { .. } | Tls::Off, None, _) => TlsName::AsAskedAlone,
    }
}

/// For which host names browsers are told to come by HTTPS alone.
pub(super) fn https_alone(certificates: Option<&Arc<Certificates>>) -> HttpsAlone {
    let certificates = certificates.cloned();
    Arc::new(move |host| certificates.as_ref().is_some_and(|certificates| certificates.is_publicly_trusted(host)))
}

/// What the configuration says, and whether HTTP-01 can be answered.
pub(super) fn acme_settings(config: &Acme, data_dir: &Path, plain_http: bool) -> Settings {
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
fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("acme")
}

/// Keeps a certificate until the daemon stops; each new one is used at once.
pub(super) async fn issue(
    settings: Settings,
    certificates: Arc<Certificates>,
    evidence: Evidence,
    hurry: Arc<Notify>,
    stopping: watch::Receiver<bool>,
) {
    let name = settings.name.clone();
    let issued = || renewal::renew(&certificates, names(Some(&name)));
    acme::keep(settings, certificates.challenges(), evidence, hurry, issued, stopping).await;
}
