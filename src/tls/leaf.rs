//! What a certificate says of itself, for those who look after the box.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::local_ca::{LEAF_CERT, LEAF_KEY, subject_names};
use super::{Names, Source, TlsError, acme, files, roots};

/// A server's certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Whom it speaks for; a name may begin with `*.`.
    pub names: Names,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// Who signed it, by name.
    pub issuer: String,
}

impl Leaf {
    /// Reads a certificate; `None` if it is none.
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let validity = parsed.validity();
        let common_name = |name: &x509_parser::x509::X509Name<'_>| {
            name.iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned)
        };
        Some(Self {
            names: subject_names(&parsed),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            issuer: common_name(parsed.issuer()).unwrap_or_else(|| parsed.issuer().to_string()),
        })
    }

    /// Whether it speaks for this DNS name, in lower case (RFC 6125 section 6.4).
    pub fn covers(&self, name: &str) -> bool {
        let fits = |known: &String| match known.strip_prefix("*.") {
            Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent == rest),
            None => known == name,
        };
        self.names.dns.iter().any(fits)
    }
}

/// The chain that lies ready on the disk, leaf first, once its key is proved to belong to it. Makes nothing.
///
/// # Errors
/// A file cannot be read, or the two do not belong together.
pub fn on_disk(source: &Source) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let (chain, key) = match source {
        Source::Files { cert, key } => files::load(cert, key)?,
        Source::LocalCa { folder } => files::load(&folder.join(LEAF_CERT), &folder.join(LEAF_KEY))?,
        Source::Acme { folder, name, until_then, .. } => match acme::certificate(folder, name)? {
            Some(chain) => chain,
            None => files::load(&until_then.join(LEAF_CERT), &until_then.join(LEAF_KEY))?,
        },
    };
    Ok(CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?.cert)
}

/// The names among these for which anybody's computer would trust this chain, judged in the midst of the leaf's life: whether its time is
/// over is for browsers to say, who know it better than a box whose clock may be wrong.
pub(super) fn trusted_names(chain: &[CertificateDer<'static>], names: &[String]) -> Vec<String> {
    let Some((leaf, verifier)) = chain.first().and_then(Leaf::read).zip(verifier()) else { return Vec::new() };
    let middle = leaf.not_before.midpoint(leaf.not_after);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(middle).unwrap_or(0)));
    names.iter().filter(|name| verifies(&verifier, chain, name, at)).cloned().collect()
}

/// Whether anybody's computer would trust this chain for `name`, by the authorities that this system trusts; `None` if it has no list of
/// them.
pub fn is_trusted(chain: &[CertificateDer<'static>], name: &str) -> Option<bool> {
    let verifier = verifier()?;
    Some(verifies(&verifier, chain, name, UnixTime::now()))
}

fn verifier() -> Option<Arc<WebPkiServerVerifier>> {
    let provider = rustls::crypto::ring::default_provider().into();
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots::of_the_system().ok()?), provider).build().ok()
}

fn verifies(verifier: &WebPkiServerVerifier, chain: &[CertificateDer<'static>], name: &str, at: UnixTime) -> bool {
    let Some((leaf, rest)) = chain.split_first() else { return false };
    ServerName::try_from(name).is_ok_and(|name| verifier.verify_server_cert(leaf, rest, &name, &[], at).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let names = Names { dns: vec!["*.school.example".to_owned(), "box.local".to_owned()], addresses: vec![] };
        let leaf = Leaf { names, not_before: 0, not_after: 0, issuer: String::new() };
        for (name, covered) in [
            ("calls.school.example", true),
            ("school.example", false),
            ("a.b.school.example", false),
            ("box.local", true),
            ("x.local", false),
        ] {
            assert_eq!(leaf.covers(name), covered, "{name}");
        }
    }
}
