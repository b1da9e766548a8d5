//! The certificate in use, swapped while the daemon runs: new handshakes get the new one, standing connections keep theirs.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::acme::{self, ACME_TLS, Challenges};
use super::{Names, Source, TlsError, ciphers, files, leaf, local_ca};

/// A source and what was last read from it.
#[derive(Debug)]
pub struct Certificates {
    source: Source,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    /// One renewal at a time; what the last one failed of, so that it is said once.
    failure: Mutex<Option<String>>,
    /// What a local authority may not sign, so that it is said once.
    uncovered: Mutex<Names>,
}

/// What became of a renewal.
#[derive(Debug)]
pub enum Renewal {
    /// The source has what is in use.
    Unchanged,
    /// New handshakes get another certificate from here on.
    Renewed,
    /// The one in use stays, for the reason that was given last time too.
    StillFailing,
    /// The one in use stays.
    Failed(TlsError),
}

#[derive(Debug)]
struct Current {
    certificate: RwLock<InUse>,
    challenges: Arc<Challenges>,
}

#[derive(Debug)]
struct InUse {
    certified: Arc<CertifiedKey>,
    /// The box's names for which anybody's computer trusts it.
    trusted: Vec<String>,
}

/// What a source has.
struct Found {
    certified: CertifiedKey,
    /// Whether it may come from a public authority.
    public: bool,
}

impl Found {
    fn into_use(self, names: &Names) -> InUse {
        let trusted = if self.public { leaf::trusted_names(&self.certified.cert, &names.dns) } else { Vec::new() };
        InUse { certified: Arc::new(self.certified), trusted }
    }
}

impl Certificates {
    /// Reads the certificate; a local authority makes one for these names.
    ///
    /// # Errors
    /// It cannot be had or does not serve.
    pub fn load(source: Source, names: &Names) -> Result<Self, TlsError> {
        let provider = Arc::new(ciphers::provider());
        let found = read(&source, names, &provider).or_else(|error| match &source {
            Source::Acme { until_then, .. } => {
                log::error!(event = "certificate_unusable", cause:% = error; "the stored certificate is left alone until another is issued");
                read(&Source::LocalCa { folder: until_then.clone() }, names, &provider)
            }
            _ => Err(error),
        })?;
        let current = Current { certificate: RwLock::new(found.into_use(names)), challenges: Arc::default() };
        let made = Self { source, provider, current: Arc::new(current), failure: Mutex::default(), uncovered: Mutex::default() };
        made.say_uncovered(names);
        Ok(made)
    }

    /// TLS 1.2 and 1.3 with the cipher that this box prefers, HTTP/1.1, resumption by ticket, and whichever certificate is in use when a handshake begins.
    ///
    /// # Errors
    /// The provider lacks something of TLS.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let versions = ServerConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()?;
        let mut config =
            versions.with_no_client_auth().with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if matches!(self.source, Source::Acme { .. }) {
            config.alpn_protocols.push(ACME_TLS.to_vec());
        }
        config.ignore_client_order = true;
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        Ok(Arc::new(config))
    }

    /// When the certificate in use ends; `None` if that cannot be read.
    pub fn expires(&self) -> Option<SystemTime> {
        let current = self.current.certified();
        let (_, leaf) = x509_parser::parse_x509_certificate(current.cert.first()?).ok()?;
        Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(leaf.validity().not_after.timestamp()).ok()?))
    }

    /// Whether anybody's computer trusts the certificate in use for this host name, so that browsers may be told to come by HTTPS alone.
    /// Never of this box's own authority, nor of a private ACME server: whoever changes from them would lock browsers out.
    pub fn is_publicly_trusted(&self, host: &str) -> bool {
        let current = self.current.certificate.read().unwrap_or_else(PoisonError::into_inner);
        current.trusted.iter().any(|name| name == host)
    }

    /// What an ACME server may come to see.
    pub fn challenges(&self) -> Arc<Challenges> {
        Arc::clone(&self.current.challenges)
    }

    /// The local authority's certificate in DER, to be trusted by browsers; `None` with any other source.
    pub fn authority(&self) -> Option<Vec<u8>> {
        let Source::LocalCa { .. } = self.source else { return None };
        self.current.certified().cert.last().map(|authority| authority.to_vec())
    }

    /// Reads the source again. A local authority issues anew when its leaf has aged or these names are others. What cannot be read or
    /// does not serve changes nothing: a file may be half written.
    pub fn renew(&self, names: &Names) -> Renewal {
        let renewal = self.read_again(names);
        self.say_uncovered(names);
        renewal
    }

    fn read_again(&self, names: &Names) -> Renewal {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match read(&self.source, names, &self.provider) {
            Ok(new) => {
                *failure = None;
                if self.current.certified().cert == new.certified.cert {
                    return Renewal::Unchanged;
                }
                let new = new.into_use(names);
                *self.current.certificate.write().unwrap_or_else(PoisonError::into_inner) = new;
                Renewal::Renewed
            }
            Err(error) if failure.as_ref() == Some(&error.to_string()) => Renewal::StillFailing,
            Err(error) => {
                *failure = Some(error.to_string());
                Renewal::Failed(error)
            }
        }
    }

    /// A name that came after the authority was made is outside its constraints; the box goes on under its others.
    fn say_uncovered(&self, names: &Names) {
        let Some(authority) = self.authority() else { return };
        let now = local_ca::uncovered(names, &authority);
        let mut said = self.uncovered.lock().unwrap_or_else(PoisonError::into_inner);
        if now != *said && now != Names::default() {
            log::warn!(event = "names_not_covered", names:? = now.dns, addresses = now.addresses.len();
                "browsers refuse this box by these names, since its authority was made for others: delete the folder tls in the data \
                 folder, start again, and have devices trust the new one");
        }
        *said = now;
    }
}

impl Current {
    fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certificate.read().unwrap_or_else(PoisonError::into_inner).certified)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 section 3: a handshake that offers this protocol alone is a challenge, and sees nothing else.
        if hello.alpn().is_some_and(|offered| offered.eq([ACME_TLS])) {
            return self.challenges.certificate(hello.server_name()?);
        }
        Some(self.certified())
    }
}

fn read(source: &Source, names: &Names, provider: &CryptoProvider) -> Result<Found, TlsError> {
    let ((chain, key), public) = match source {
        Source::Files { cert, key } => (files::load(cert, key)?, true),
        Source::LocalCa { folder } => (local_ca::leaf(folder, names)?, false),
        Source::Acme { folder, name, until_then, public } => match acme::certificate(folder, name)? {
            Some(chain) => (chain, *public),
            None => (local_ca::leaf(until_then, names)?, false),
        },
    };
    Ok(Found { certified: CertifiedKey::from_der(chain, key, provider)?, public })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_new_pair_of_files_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = from_files(folder.path());
        assert!(matches!(certificates.renew(&Names::default()), Renewal::Unchanged));
        let before = in_use(&certificates);
        issue(folder.path(), "two.example");
        assert!(matches!(certificates.renew(&Names::default()), Renewal::Renewed));
        assert_ne!(in_use(&certificates), before);
    }

    #[test]
    fn what_does_not_serve_changes_nothing_and_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = from_files(folder.path());
        let before = in_use(&certificates);
        let key = fs::read(folder.path().join("leaf.key")).unwrap();
        for (broken, content) in
            [("leaf.pem", &b"not PEM"[..]), ("leaf.pem", b""), ("leaf.key", b"-----BEGIN PRIVATE KEY-----\n")]
        {
            let good = fs::read(folder.path().join(broken)).unwrap();
            fs::write(folder.path().join(broken), content).unwrap();
            assert!(matches!(certificates.renew(&Names::default()), Renewal::Failed(_)), "{broken}");
            assert!(matches!(certificates.renew(&Names::default()), Renewal::StillFailing), "{broken}");
            fs::write(folder.path().join(broken), good).unwrap();
            assert!(matches!(certificates.renew(&Names::default()), Renewal::Unchanged), "{broken}");
        }
        // The certificate is written, its key not yet.
        issue(folder.path(), "two.example");
        fs::write(folder.path().join("leaf.key"), key).unwrap();
        assert!(matches!(certificates.renew(&Names::default()), Renewal::Failed(TlsError::Unusable(_))));
        assert_eq!(in_use(&certificates), before);
    }

    #[test]
    fn the_local_authority_issues_for_a_new_address() {
        let folder = tempfile::tempdir().unwrap();
        let names = |ip: &str| Names { dns: vec!["box.local".to_owned()], addresses: vec![ip.parse().unwrap()] };
        let source = Source::LocalCa { folder: folder.path().to_owned() };
        let certificates = Certificates::load(source, &names("10.0.0.1")).unwrap();
        assert!(matches!(certificates.renew(&names("10.0.0.1")), Renewal::Unchanged));
        assert!(matches!(certificates.renew(&names("10.0.0.2")), Renewal::Renewed));
    }

    fn from_files(folder: &Path) -> Certificates {
        issue(folder, "one.example");
        let source = Source::Files { cert: folder.join("leaf.pem"), key: folder.join("leaf.key") };
        Certificates::load(source, &Names::default()).unwrap()
    }

    /// Has a new authority write a pair of files.
    fn issue(folder: &Path, name: &str) {
        let made = tempfile::tempdir().unwrap();
        local_ca::leaf(made.path(), &Names { dns: vec![name.to_owned()], addresses: vec![] }).unwrap();
        for file in ["leaf.pem", "leaf.key"] {
            fs::copy(made.path().join(file), folder.join(file)).unwrap();
        }
    }

    fn in_use(certificates: &Certificates) -> Vec<rustls::pki_types::CertificateDer<'static>> {
        certificates.current.certified().cert.clone()
    }
}
