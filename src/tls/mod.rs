//! Certificates: where they come from, and the TLS configuration made of them.
//!
//! Owns the local certificate authority's files below the data directory. Driven by `app`; knows no sibling.

mod files;
mod local_ca;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// PEM files of the admin's.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// This box's own authority, kept in `folder`.
    LocalCa {
        /// Made on first start, readable by its owner alone.
        folder: PathBuf,
        /// What the leaf must cover.
        names: Names,
    },
}

/// What browsers may call this box.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// DNS names in lower case.
    pub dns: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot use {path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A file holds something else.
    #[error("{path} {what}")]
    Content {
        /// Which.
        path: String,
        /// What is wrong, and the remedy.
        what: String,
    },
    /// The certificate and its key do not serve.
    #[error("the certificate cannot be used: {0}: check that the key belongs to it")]
    Unusable(#[from] rustls::Error),
    /// The local authority failed.
    #[error("the local certificate authority failed: {0}")]
    LocalCa(#[from] rcgen::Error),
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The TLS configuration of this source: TLS 1.2 and 1.3, HTTP/1.1, resumption by ticket.
///
/// # Errors
/// The certificate cannot be had or does not serve.
pub fn server_config(source: &Source) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = match source {
        Source::Files { cert, key } => files::load(cert, key)?,
        Source::LocalCa { folder, names } => local_ca::leaf(folder, names)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = versions.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// Where the local authority's certificate is, to be trusted by browsers.
pub fn local_ca_certificate(folder: &Path) -> PathBuf {
    folder.join(local_ca::CA_CERT)
}
