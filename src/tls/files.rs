//! PEM files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Chain, TlsError};

/// The chain and the key in two PEM files.
pub(super) fn load(cert: &Path, key: &Path) -> Result<Chain, TlsError> {
    parse((&read(cert)?, cert), (&read(key)?, key))
}

/// The leaf of a text that holds a chain and the key that belongs to it, meant for `path`.
pub(super) fn check(text: &str, path: &Path) -> Result<CertificateDer<'static>, TlsError> {
    let (chain, key) = parse((text.as_bytes(), path), (text.as_bytes(), path))?;
    let certified = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?;
    Ok(certified.cert[0].clone())
}

fn parse((cert_pem, cert): (&[u8], &Path), (key_pem, key): (&[u8], &Path)) -> Result<Chain, TlsError> {
    let chain = CertificateDer::pem_slice_iter(cert_pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err(content(cert, "holds no PEM certificate: name the chain, leaf first (fullchain.pem)"));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|_| content(key, "holds no PEM private key: name the unencrypted key (privkey.pem)"))?;
    Ok((chain, key))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::File { path: path.display().to_string(), cause })
}

/// The text of a file this daemon wrote.
pub(super) fn read_text(path: &Path) -> Result<String, TlsError> {
    String::from_utf8(read(path)?).map_err(|_| content(path, "is not text: delete its folder to have it made anew"))
}

/// Replaces the file whole or not at all, readable by its owner alone; it is there after a power cut.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|cause| TlsError::File { path: path.display().to_string(), cause })
}

fn content(path: &Path, what: &str) -> TlsError {
    TlsError::Content { path: path.display().to_string(), what: what.to_owned() }
}
