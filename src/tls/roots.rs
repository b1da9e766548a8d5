//! The authorities that the system trusts.

use rustls::RootCertStore;

use super::TlsError;

/// Those of the system's bundle (Debian: the package `ca-certificates`), or of `SSL_CERT_FILE`.
pub(super) fn of_the_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(TlsError::NoRoots(found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string)));
    }
    Ok(roots)
}
