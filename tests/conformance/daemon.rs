//! The program on a free port, and a client that trusts it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Ended when dropped.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) port: u16,
    connector: TlsConnector,
    _folder: tempfile::TempDir,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("visavis.toml");
        let data = folder.path().join("data");
        let text = format!(
            "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = []\nlisten-tls = []\n",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
        command.args(["serve", "--config"]).arg(&config).stderr(Stdio::piped()).env_remove("NOTIFY_SOCKET");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let listening = lines.find(|line| line.contains("what=https")).expect("the daemon listens");
        // A full pipe would hold the daemon up.
        std::thread::spawn(move || lines.for_each(drop));
        let (_, port) = listening.split_once("address=127.0.0.1:").unwrap();
        let port = port.split_whitespace().next().unwrap().parse().unwrap();
        Self { child, port, connector: connector(&data.join("tls/ca.pem")), _folder: folder }
    }

    /// How long somebody waits who comes anew and asks who is signed in.
    pub(crate) async fn probe(&self) -> Duration {
        let asked = Instant::now();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut stream = self.connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let request = format!("GET /api/auth/me/ HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer));
        asked.elapsed()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connector(authority: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(client.with_root_certificates(roots).with_no_client_auth()))
}
