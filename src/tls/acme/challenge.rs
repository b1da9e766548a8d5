//! What the ACME server comes to see: a certificate in a handshake of its own (TLS-ALPN-01, RFC 8737), a text over plain HTTP (HTTP-01,
//! RFC 8555 section 8.3). Shown while an order waits for it, and to nobody who does not ask for exactly that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::tls::TlsError;

/// The protocol of a handshake that is a challenge (RFC 8737 section 6.2).
pub(in crate::tls) const ACME_TLS: &[u8] = b"acme-tls/1";

/// What is to be seen now; shared by the orders and the listeners.
#[derive(Debug, Default)]
pub struct Challenges(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    /// By host name.
    certificates: HashMap<String, Arc<CertifiedKey>>,
    /// Key authorizations by token.
    texts: HashMap<String, String>,
}

/// Something to see until it is dropped.
pub(super) struct Shown {
    challenges: Arc<Challenges>,
    what: What,
}

enum What {
    Certificate(String),
    Text(String),
}

impl Challenges {
    /// The key authorization for a token that an order waits for.
    pub fn key_authorization(&self, token: &str) -> Option<String> {
        self.pending().texts.get(token).cloned()
    }

    /// The certificate for a name that an order waits for.
    pub(in crate::tls) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.pending().certificates.get(name).cloned()
    }

    pub(super) fn show_text(self: &Arc<Self>, token: &str, key_authorization: &str) -> Shown {
        self.pending().texts.insert(token.to_owned(), key_authorization.to_owned());
        Shown { challenges: Arc::clone(self), what: What::Text(token.to_owned()) }
    }

    /// Makes the certificate of RFC 8737 section 3 out of the digest of the key authorization.
    pub(super) fn show_certificate(
        self: &Arc<Self>,
        name: &str,
        digest: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Shown, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // rustls checks no certificate with a critical extension that it does not know against its key.
        let certified = CertifiedKey::new(vec![certificate.der().clone()], provider.key_provider.load_private_key(key)?);
        self.pending().certificates.insert(name.to_owned(), Arc::new(certified));
        Ok(Shown { challenges: Arc::clone(self), what: What::Certificate(name.to_owned()) })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut pending = self.challenges.pending();
        match &self.what {
            What::Certificate(name) => drop(pending.certificates.remove(name)),
            What::Text(token) => drop(pending.texts.remove(token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use tokio_rustls::TlsConnector;
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;
    use crate::tls::{Certificates, Names, SecureStream, Source};

    #[test]
    fn a_text_is_shown_for_its_token_until_the_order_is_over() {
        let challenges = Arc::new(Challenges::default());
        let shown = challenges.show_text("token", "token.thumb");
        assert_eq!(challenges.key_authorization("token").as_deref(), Some("token.thumb"));
        assert_eq!(challenges.key_authorization("other"), None);
        drop(shown);
        assert_eq!(challenges.key_authorization("token"), None);
    }

    #[test]
    fn a_challenge_s_certificate_has_the_critical_digest_of_rfc_8737() {
        let challenges = Arc::new(Challenges::default());
        let provider = rustls::crypto::ring::default_provider();
        let shown = challenges.show_certificate("calls.school.org", &[7; 32], &provider).unwrap();
        let certified = challenges.certificate("calls.school.org").unwrap();
        let certificate = X509Certificate::from_der(&certified.cert[0]).unwrap().1;
        let digest = certificate.extensions().iter().find(|e| e.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(digest.critical && digest.value == [&[4, 32][..], &[7; 32]].concat());
        assert!(challenges.certificate("other.school.org").is_none());
        drop(shown);
        assert!(challenges.certificate("calls.school.org").is_none());
    }

    #[tokio::test]
    async fn a_handshake_for_the_challenge_alone_sees_it_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let until_then = folder.path().join("tls");
        let source =
            Source::Acme { folder: folder.path().to_owned(), name: "calls.school.org".to_owned(), until_then, public: false };
        let certificates = Certificates::load(source, &Names::default()).unwrap();
        let provider = rustls::crypto::ring::default_provider();
        let _shown = certificates.challenges().show_certificate("calls.school.org", &[7; 32], &provider).unwrap();
        for (protocols, sees_it) in [(&["acme-tls/1"][..], true), (&["http/1.1", "acme-tls/1"], false), (&[], false)] {
            // Ordinary clients know nothing of the challenge's critical extension, and say so.
            let refused = shake_hands(&certificates, protocols).await.is_err_and(|error| error.contains("UnsupportedCritical"));
            assert_eq!(refused, sees_it, "{protocols:?}");
        }
    }

    /// What a client with these protocols makes of the certificate that it sees.
    async fn shake_hands(certificates: &Certificates, protocols: &[&str]) -> Result<(), String> {
        let mut client = (*crate::tls::client_of_anybody().unwrap()).clone();
        client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let (near, far) = tokio::io::duplex(16 * 1024);
        let name = ServerName::try_from("calls.school.org").unwrap();
        let connecting = TlsConnector::from(Arc::new(client)).connect(name, near);
        let (client, _) = tokio::join!(connecting, SecureStream::accept(certificates.server_config().unwrap(), far));
        client.map(drop).map_err(|error| format!("{error:?}"))
    }
}
