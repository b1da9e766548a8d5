//! PEM files.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Chain, TlsError};

/// The chain and the key in two PEM files.
pub(super) fn load(cert: &Path, key: &Path) -> Result<Chain, TlsError> {
    let (cert_pem, key_pem) = (read(cert)?, read(key)?);
    let chain = CertificateDer::pem_slice_iter(&cert_pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err(content(cert, "holds no PEM certificate: name the chain, leaf first (fullchain.pem)"));
    }
    let key = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|_| content(key, "holds no PEM private key: name the unencrypted key (privkey.pem)"))?;
    Ok((chain, key))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|cause| TlsError::File { path: path.display().to_string(), cause })
}

/// The text of a file this daemon wrote.
pub(super) fn read_text(path: &Path) -> Result<String, TlsError> {
    String::from_utf8(read(path)?).map_err(|_| content(path, "is not text: delete its folder to have it made anew"))
}

fn content(path: &Path, what: &str) -> TlsError {
    TlsError::Content { path: path.display().to_string(), what: what.to_owned() }
}
