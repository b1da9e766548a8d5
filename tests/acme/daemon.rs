//! The program with source "acme", what it logs, and what it shows to whoever comes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::world::{HTTP, HTTPS, NAME, World};

/// Ended when dropped.
pub(crate) struct Daemon {
    child: Child,
    log: Receiver<String>,
    /// What it said before it listened.
    first: Vec<String>,
    world: std::net::Ipv4Addr,
}

impl Daemon {
    /// Keeps its data in `folder`; everything is where pebble looks for it.
    pub(crate) fn start(world: &World, folder: &Path) -> Self {
        Self::start_with(world, folder, &format!("redirect-listen = [\"{}:{HTTP}\"]", world.address))
    }

    /// `http` is the rest of `[http]`.
    pub(crate) fn start_with(world: &World, folder: &Path, http: &str) -> Self {
        let tls = format!(
            "source = \"acme\"\nacme-directory = \"{}\"\nacme-contact = \"it@school.example\"\nacme-ca-file = \"{}\"",
            world.directory(),
            world.ca_file().display(),
        );
        Self::start_as(world, folder, http, &tls, None)
    }

    /// `tls` is `[tls]`; the system trusts the authorities in `system_roots`.
    pub(crate) fn start_as(world: &World, folder: &Path, http: &str, tls: &str, system_roots: Option<&Path>) -> Self {
        let address = world.address;
        let text = format!(
            "[server]\npublic-name = \"{NAME}\"\ndata-dir = \"{}\"\n[tls]\n{tls}\n[turn]\nlisten-udp = [\"{address}:0\"]\nlisten-tcp = []\nlisten-tls = []\n[metrics]\nlisten = []\n[http]\nlisten = [\"{address}:{HTTPS}\"]\n{http}\n",
            folder.display(),
        );
        std::fs::write(folder.join("visavis.toml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
        command.args(["serve", "--config"]).arg(folder.join("visavis.toml")).stderr(Stdio::piped()).env_remove("NOTIFY_SOCKET");
        if let Some(roots) = system_roots {
            command.env("SSL_CERT_FILE", roots);
        }
        let mut child = command.spawn().unwrap();
        let (said, log) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        std::thread::spawn(move || lines.for_each(|line| drop(said.send(line))));
        let mut daemon = Self { child, log, first: Vec::new(), world: address };
        daemon.first = daemon.logged("what=https");
        daemon
    }

    /// Whether it said this before it listened.
    pub(crate) fn said_first(&self, what: &str) -> bool {
        self.first.iter().any(|line| line.contains(what))
    }

    /// The next line with this in it, and those before it.
    pub(crate) fn logged(&self, what: &str) -> Vec<String> {
        self.logged_within(what, Duration::from_secs(30))
    }

    pub(crate) fn logged_within(&self, what: &str, most: Duration) -> Vec<String> {
        let until = Instant::now() + most;
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.contains(what)) {
            match self.log.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(_) => panic!("nobody said {what}:\n{}", lines.join("\n")),
            }
        }
        lines
    }

    /// What was said since.
    pub(crate) fn said(&self) -> String {
        self.log.try_iter().collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn reload(&self) {
        self.signal("-HUP");
    }

    /// Ends it in order, and gives back what it said last.
    pub(crate) fn stop(mut self) -> String {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success());
        self.said()
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// A handshake with these protocols, whoever is on the other side.
    pub(crate) async fn handshake(&self, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect((self.world, HTTPS)).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME).unwrap(), stream).await
    }

    /// Who issued the certificate in use, and its serial number.
    pub(crate) async fn shown(&self) -> (String, String) {
        let stream = self.handshake(&["http/1.1"]).await.unwrap();
        let leaf: CertificateDer<'static> = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        let parsed = X509Certificate::from_der(&leaf).unwrap().1;
        (parsed.issuer().to_string(), parsed.raw_serial_as_string())
    }

    /// The answer to somebody who asks over TLS for this host.
    pub(crate) async fn page(&self, host: &str) -> String {
        let mut stream = self.handshake(&["http/1.1"]).await.unwrap();
        stream.write_all(format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).to_lowercase()
    }

    /// The answer to a plain request for this path.
    pub(crate) async fn plain(&self, path: &str) -> String {
        let mut stream = TcpStream::connect((self.world, HTTP)).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads nothing of a certificate, so that a challenge's, with its critical extension, is seen and not refused by the client.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
