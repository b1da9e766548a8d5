//! What is kept in the data folder: the account, the certificate with its key, and what is remembered of attempts.
//!
//! Each file is replaced whole, so certificate and key share one. What belongs to another directory than the configured one is as good
//! as missing, save the certificate: that serves on until the new server has issued its own.

use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::plan::{Memory, UnixSeconds, Validity};
use crate::tls::{Chain, TlsError, files, local_ca};

/// The chain and its key for this name; `None` if there is none yet.
///
/// # Errors
/// What is stored cannot be read.
pub(in crate::tls) fn certificate(folder: &Path, name: &str) -> Result<Option<Chain>, TlsError> {
    let path = folder.join(CERTIFICATE);
    if !path.exists() {
        return Ok(None);
    }
    let chain = files::load(&path, &path)?;
    Ok(names(&chain.0[0], name).then_some(chain))
}

/// The folder, as one directory sees it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    folder: PathBuf,
    directory: String,
}

/// A file that belongs to a directory.
#[derive(Serialize, Deserialize)]
struct Of<T> {
    directory: String,
    #[serde(flatten)]
    content: T,
}

/// Who issued the stored certificate.
#[derive(Serialize, Deserialize)]
struct Issued {
    sha256: String,
}

impl Stored {
    pub(super) fn new(folder: &Path, directory: &str) -> Self {
        Self { folder: folder.to_owned(), directory: directory.to_owned() }
    }

    /// The stored leaf and its times, if this directory issued it for this name.
    pub(super) fn leaf(&self, name: &str) -> Option<(CertificateDer<'static>, Validity)> {
        let leaf = certificate(&self.folder, name).ok()??.0.into_iter().next()?;
        let issued: Issued = self.read(ISSUED)?;
        let validity = validity(&leaf)?;
        (issued.sha256 == sha256(&leaf)).then_some((leaf, validity))
    }

    /// Stores a chain and its key, both PEM, once they serve for this name.
    pub(super) fn keep_certificate(&self, name: &str, chain: &str, key: &str) -> Result<Validity, TlsError> {
        local_ca::make_folder(&self.folder)?;
        let path = self.folder.join(CERTIFICATE);
        let leaf = files::check(&format!("{key}{chain}"), &path)?;
        let wrong = || TlsError::Content { path: self.directory.clone(), what: format!("issued no certificate for {name}") };
        let validity = validity(&leaf).filter(|_| names(&leaf, name)).ok_or_else(wrong)?;
        files::write_private(&path, &format!("{key}{chain}"))?;
        self.write(ISSUED, Issued { sha256: sha256(&leaf) })?;
        Ok(validity)
    }

    pub(super) fn memory(&self) -> Memory {
        self.read(MEMORY).unwrap_or_default()
    }

    pub(super) fn keep_memory(&self, memory: &Memory) -> Result<(), TlsError> {
        self.write(MEMORY, memory)
    }

    pub(super) fn account(&self) -> Option<AccountCredentials> {
        let text = files::read_text(&self.folder.join(ACCOUNT)).ok()?;
        let of: Of<serde_json::Value> = serde_json::from_str(&text).ok()?;
        (of.directory == self.directory).then(|| serde_json::from_str(&text).ok())?
    }

    pub(super) fn keep_account(&self, account: &AccountCredentials) -> Result<(), TlsError> {
        local_ca::make_folder(&self.folder)?;
        let text = serde_json::to_string(account).expect("invariant: an account's keys are strings");
        files::write_private(&self.folder.join(ACCOUNT), &text)
    }

    pub(super) fn forget_account(&self) -> Result<(), TlsError> {
        let path = self.folder.join(ACCOUNT);
        std::fs::remove_file(&path).map_err(|cause| TlsError::File { path: path.display().to_string(), cause })
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, file: &str) -> Option<T> {
        let text = files::read_text(&self.folder.join(file)).ok()?;
        let of: Of<T> = serde_json::from_str(&text).ok()?;
        (of.directory == self.directory).then_some(of.content)
    }

    fn write<T: Serialize>(&self, file: &str, content: T) -> Result<(), TlsError> {
        local_ca::make_folder(&self.folder)?;
        let of = Of { directory: self.directory.clone(), content };
        let text = serde_json::to_string(&of).expect("invariant: what is stored has string keys alone");
        files::write_private(&self.folder.join(file), &text)
    }
}

fn names(leaf: &[u8], name: &str) -> bool {
    X509Certificate::from_der(leaf).is_ok_and(|(_, leaf)| local_ca::subject_names(&leaf).dns.iter().any(|known| known == name))
}

fn validity(leaf: &[u8]) -> Option<Validity> {
    let (_, parsed) = X509Certificate::from_der(leaf).ok()?;
    let (from, until) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
    let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
    let jitter = u16::from_be_bytes([digest.as_ref()[0], digest.as_ref()[1]]);
    Some(Validity { not_before: UnixSeconds(from), not_after: UnixSeconds(until), jitter })
}

fn sha256(leaf: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.pem";
const ISSUED: &str = "issued.json";
const MEMORY: &str = "attempts.json";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tls::Names;

    #[test]
    fn a_stored_certificate_is_found_again_for_its_name_and_directory() {
        let folder = tempfile::tempdir().unwrap();
        let stored = Stored::new(folder.path(), ONE);
        let (chain, key) = issue("calls.school.org");
        let validity = stored.keep_certificate("calls.school.org", &chain, &key).unwrap();
        assert_eq!(stored.leaf("calls.school.org").unwrap().1, validity);
        assert!(stored.leaf("other.school.org").is_none());
        assert!(certificate(folder.path(), "other.school.org").unwrap().is_none());
        let other = Stored::new(folder.path(), "https://two.example/");
        assert!(other.leaf("calls.school.org").is_none(), "another server is asked at once");
        assert!(certificate(folder.path(), "calls.school.org").unwrap().is_some(), "and meanwhile it serves");
    }

    #[test]
    fn what_does_not_serve_is_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let stored = Stored::new(folder.path(), ONE);
        let (chain, key) = issue("calls.school.org");
        let (_, other_key) = issue("calls.school.org");
        for (name, chain, key) in
            [("calls.school.org", &*chain, &*other_key), ("other.org", &chain, &key), ("calls.school.org", "", &key)]
        {
            assert!(stored.keep_certificate(name, chain, key).is_err());
        }
        assert!(certificate(folder.path(), "calls.school.org").unwrap().is_none());
    }

    #[test]
    fn attempts_are_remembered_for_their_directory() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { failures: 3, retry_at: UnixSeconds(9), ..Memory::default() };
        Stored::new(folder.path(), ONE).keep_memory(&memory).unwrap();
        assert_eq!(Stored::new(folder.path(), ONE).memory(), memory);
        assert_eq!(Stored::new(folder.path(), "https://two.example/").memory(), Memory::default());
    }

    #[test]
    fn everything_is_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let stored = Stored::new(&folder.path().join("acme"), ONE);
        let (chain, key) = issue("calls.school.org");
        stored.keep_certificate("calls.school.org", &chain, &key).unwrap();
        stored.keep_memory(&Memory::default()).unwrap();
        for file in fs::read_dir(folder.path().join("acme")).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(folder.path().join("acme")).unwrap().permissions().mode() & 0o777, 0o700);
    }

    fn issue(name: &str) -> (String, String) {
        let made = tempfile::tempdir().unwrap();
        local_ca::leaf(made.path(), &Names { dns: vec![name.to_owned()], addresses: vec![] }).unwrap();
        let read = |file| fs::read_to_string(made.path().join(file)).unwrap();
        (read("leaf.pem"), read("leaf.key"))
    }

    const ONE: &str = "https://one.example/";
}
