//! TLS: certificates, where they come from, how they are renewed, and the configuration made of them; and the channel within a connection.
//!
//! Owns the local certificate authority's files below the data directory. Certificates are driven by `app`, channels by `http`, which
//! shakes hands, and by `relay`, which takes some of them over; knows no sibling.

pub mod acme;
mod any_certificate;
mod certificates;
mod channel;
mod ciphers;
mod files;
mod leaf;
mod local_ca;
mod roots;
mod stream;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use any_certificate::{AnyCertificate, client_of_anybody};
pub use certificates::{Certificates, Renewal};
pub use channel::SecureChannel;
pub use leaf::{Leaf, is_trusted, on_disk};
pub use stream::SecureStream;

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
    /// This box's own authority.
    LocalCa {
        /// Made on first start, readable by its owner alone.
        folder: PathBuf,
    },
    /// What the task of [`acme`] stores; until there is something, this box's own authority.
    Acme {
        /// Where the task stores it.
        folder: PathBuf,
        /// The name it is for.
        name: String,
        /// The local authority's.
        until_then: PathBuf,
        /// Whether the server is no private one.
        public: bool,
    },
}

/// What browsers may call this box, and its authority's leaf must cover.
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
    /// The system trusts nobody.
    #[error("the system's authorities cannot be read: {0}: apt-get install ca-certificates, or set tls.acme-ca-file")]
    NoRoots(String),
    /// The local authority failed.
    #[error("the local certificate authority failed: {0}")]
    LocalCa(#[from] rcgen::Error),
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Where the local authority's certificate is, to be trusted by browsers.
pub fn local_ca_certificate(folder: &Path) -> PathBuf {
    folder.join(local_ca::CA_CERT)
}

#[cfg(test)]
mod tests;
