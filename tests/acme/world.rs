//! pebble with its names, and the front that everything goes through.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use crate::front::Front;

/// The name that is certified.
pub(crate) const NAME: &str = "calls.school.org";

/// An ACME server that is reached through a [`Front`].
pub(crate) struct World {
    pub(crate) address: Ipv4Addr,
    pub(crate) front: Arc<Front>,
    folder: tempfile::TempDir,
    _programs: [Program; 2],
}

/// Where pebble looks for the challenges.
#[derive(Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) tls: u16,
    pub(crate) http: u16,
    /// Seconds its certificates are valid.
    pub(crate) validity: u64,
}

impl Default for Looks {
    fn default() -> Self {
        Self { tls: HTTPS, http: HTTP, validity: 90 * 86_400 }
    }
}

impl World {
    pub(crate) async fn start(looks: Looks) -> Self {
        let address = own_address();
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path(), address);
        let at = |port: u16| format!("{address}:{port}");
        let names = Program::start(
            Command::new("pebble-challtestsrv")
                .args(["-defaultIPv4", &address.to_string(), "-defaultIPv6", "", "-dns01", &at(8053), "-management", &at(8055)])
                .args(["-http01", "", "-https01", "", "-tlsalpn01", ""]),
            "Starting management server",
        );
        let config = serde_json::json!({ "pebble": {
            "listenAddress": at(14000), "managementListenAddress": at(15000),
            "certificate": folder.path().join("front.pem"), "privateKey": folder.path().join("front.key"),
            "httpPort": looks.http, "tlsPort": looks.tls, "certificateValidityPeriod": looks.validity,
        } });
        fs::write(folder.path().join("pebble.json"), config.to_string()).unwrap();
        let pebble = Program::start(
            Command::new("pebble")
                .args(["-dnsserver", &at(8053), "-config"])
                .arg(folder.path().join("pebble.json"))
                .env("PEBBLE_VA_NOSLEEP", "1")
                // Its random refusals would be orders too many.
                .env("PEBBLE_WFE_NONCEREJECT", "0"),
            "ACME directory available",
        );
        // Both say that they are ready a moment before they are.
        for port in [8053, 8055, 14000, 15000] {
            listens(address, port).await;
        }
        let front = Front::start(address, folder.path()).await;
        Self { address, front, folder, _programs: [names, pebble] }
    }

    /// The authority of the directory's own certificate.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What the system trusts of whoever takes the directory and its certificates for public.
    pub(crate) async fn system_roots(&self) -> PathBuf {
        let root = self.front.ask(15_000, "/roots/0").await;
        let path = self.folder.path().join("system.pem");
        fs::write(&path, fs::read_to_string(self.ca_file()).unwrap() + &root).unwrap();
        path
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://{}:{}/dir", self.address, Front::PORT)
    }
}

/// Where the daemon listens.
pub(crate) const HTTPS: u16 = 5001;
pub(crate) const HTTP: u16 = 5002;

/// A program that has said that it is ready; ended when dropped.
struct Program(Child);

impl Program {
    fn start(command: &mut Command, ready: &str) -> Self {
        let missing = "pebble and pebble-challtestsrv are of the package `pebble`: make prerequisites installs it";
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(missing);
        let (told, says) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let (told, ready) = (told.clone(), ready.to_owned());
            // Read to the end: a full pipe would hold the program up.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if line.contains(&ready) {
                        let _ = told.send(());
                    }
                }
            });
        }
        let program = Self(child);
        says.recv_timeout(Duration::from_secs(20)).expect("the program starts");
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until somebody listens there.
async fn listens(address: Ipv4Addr, port: u16) {
    let connects = async {
        while tokio::net::TcpStream::connect((address, port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), connects).await.expect("the program listens");
}

/// One of loopback's sixteen million that no other test has.
fn own_address() -> Ipv4Addr {
    static WORLDS: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | (high & 63), low, WORLDS.fetch_add(1, Ordering::Relaxed))
}

/// An authority, and a certificate of it for the directory's address.
fn certify(folder: &Path, address: Ipv4Addr) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    let mut leaf = CertificateParams::default();
    leaf.subject_alt_names = vec![SanType::IpAddress(address.into())];
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    fs::write(folder.join("front.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("front.key"), key.serialize_pem()).unwrap();
}
