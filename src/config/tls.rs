//! `[tls]`: as it is written, and proved.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::checked::{self, Acme, Checker};
use super::file::File;
use crate::sys::credential;

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// See [`TlsSource`].
    pub source: TlsSource,
    /// PEM chain, leaf first.
    pub cert_file: PathBuf,
    /// PEM private key.
    pub key_file: PathBuf,
    /// An ACME server's directory (RFC 8555 section 7.1.1).
    pub acme_directory: String,
    /// Where the ACME server may write to; empty: nowhere.
    pub acme_contact: String,
    /// PEM certificates that prove a private ACME server; empty: the system's.
    pub acme_ca_file: PathBuf,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsSource {
    /// A certificate authority of this box's own, made on first start.
    #[default]
    LocalCa,
    /// `cert-file` and `key-file`.
    Files,
    /// An ACME directory such as Let's Encrypt.
    Acme,
    /// A reverse proxy in front does it.
    Off,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            source: TlsSource::default(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            acme_directory: LETS_ENCRYPT.to_owned(),
            acme_contact: String::new(),
            acme_ca_file: PathBuf::new(),
        }
    }
}

impl Checker<'_> {
    pub(super) fn tls(&mut self, file: &File) -> checked::Tls {
        self.belongs_to_files(&file.tls);
        match file.tls.source {
            TlsSource::LocalCa => self.without_acme(&file.tls, checked::Tls::LocalCa),
            TlsSource::Off => self.without_acme(&file.tls, checked::Tls::Off),
            TlsSource::Files => {
                let [cert, key] = [&file.tls.cert_file, &file.tls.key_file].map(|path| credential::path(path));
                self.without_acme(&file.tls, checked::Tls::Files { cert, key })
            }
            TlsSource::Acme => checked::Tls::Acme(self.acme(file)),
        }
    }

    fn belongs_to_files(&mut self, tls: &Tls) {
        let files = tls.source == TlsSource::Files;
        for (key, path) in [("tls.cert-file", &tls.cert_file), ("tls.key-file", &tls.key_file)] {
            let given = !path.as_os_str().is_empty();
            let remedy = "name the PEM file, or set tls.source to \"local-ca\"";
            self.require(given || !files, key, "is missing, but tls.source is \"files\"", remedy);
            let remedy = "set tls.source = \"files\", or leave the key out";
            self.require(!given || files, key, "is set, but tls.source is not \"files\"", remedy);
        }
    }

    fn without_acme(&mut self, tls: &Tls, source: checked::Tls) -> checked::Tls {
        let set = [
            ("tls.acme-directory", tls.acme_directory != LETS_ENCRYPT),
            ("tls.acme-contact", !tls.acme_contact.is_empty()),
            ("tls.acme-ca-file", !tls.acme_ca_file.as_os_str().is_empty()),
        ];
        for (key, given) in set {
            let remedy = "set tls.source = \"acme\", or leave the key out";
            self.require(!given, key, "is set, but tls.source is not \"acme\"", remedy);
        }
        source
    }

    fn acme(&mut self, file: &File) -> Acme {
        let tls = &file.tls;
        let name = file.server.public_name.to_ascii_lowercase();
        let ca_file = (!tls.acme_ca_file.as_os_str().is_empty()).then(|| tls.acme_ca_file.clone());
        self.require(
            !name.is_empty(),
            "server.public-name",
            "is empty, but tls.source is \"acme\", which needs the name to certify",
            "write the DNS name that leads to this box, such as calls.school.example, or set tls.source to \"local-ca\"",
        );
        self.require(
            name.is_empty() || ca_file.is_some() || is_public(&name),
            "server.public-name",
            format!("`{name}` is no public DNS name, so no public authority certifies it"),
            "use a name below a registered domain, or set tls.source to \"local-ca\"; for a private ACME server set tls.acme-ca-file",
        );
        self.require(
            tls.acme_directory.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')),
            "tls.acme-directory",
            format!("`{}` is not an https URL", tls.acme_directory),
            &format!("write the directory's URL, such as {LETS_ENCRYPT}"),
        );
        let contact = &tls.acme_contact;
        self.require(
            contact.is_empty() || is_mail_address(contact),
            "tls.acme-contact",
            format!("`{contact}` is not a mail address"),
            "write it bare, such as admin@school.example, or leave it empty",
        );
        let contact = (!contact.is_empty()).then(|| contact.clone());
        Acme { name, directory: tls.acme_directory.clone(), contact, ca_file }
    }
}

/// Whether a name may stand in the public DNS: it has a domain, and not one of those that never will.
fn is_public(name: &str) -> bool {
    let top = name.rsplit('.').next().unwrap_or(name);
    name.contains('.') && !NEVER_PUBLIC.contains(&top) && !name.ends_with(".home.arpa")
}

fn is_mail_address(text: &str) -> bool {
    let sound = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b",:<>@?".contains(&b));
    text.split_once('@').is_some_and(|(local, domain)| sound(local) && sound(domain))
}

/// The directory that everybody may use free of charge.
pub(super) const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// RFC 6761, RFC 6762, ICANN's `internal`, and what routers make up.
const NEVER_PUBLIC: &[&str] = &[
    "local",
    "localhost",
    "internal",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "test",
    "example",
    "invalid",
    "onion",
    "alt",
];
