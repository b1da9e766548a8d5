//! The box's own authority, as it is shown to people: the page that explains how to trust it, and the same fingerprint in the log.

use std::sync::Arc;

use crate::http::Trust;
use crate::tls::{Certificates, Names};

/// How devices come to trust this box, if it is its own authority.
pub(super) fn trust(certificates: Option<&Arc<Certificates>>, https_port: u16, plain_port: Option<u16>) -> Option<Arc<Trust>> {
    let certificates = Arc::clone(certificates?);
    certificates.authority()?;
    Some(Arc::new(Trust::new(Box::new(move || certificates.authority()), https_port, plain_port)))
}

/// Where the page is, and what is to be compared there: whoever sits in between could change both on their way.
pub(super) fn announce(trust: Option<&Trust>, public_name: Option<&String>, names: &Names) {
    let Some((trust, fingerprint)) = trust.and_then(|trust| Some((trust, trust.fingerprint()?))) else { return };
    let local = || names.dns.iter().find(|name| name.ends_with(".local"));
    let name = public_name.or_else(local).or_else(|| names.dns.first()).map_or("localhost", String::as_str);
    log::info!(event = "local_ca", fingerprint:% = fingerprint, page = trust.address(name); "devices learn there to trust this box");
}
