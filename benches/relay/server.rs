//! The two servers: their configurations, their lives, and what the kernel says they used.

use std::cell::Cell;
use std::fmt;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::measure::machine::{self, Core};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Visavis,
    Coturn,
}

/// What both servers are started with: one folder, one certificate, one core.
pub(crate) struct Launch {
    daemon: PathBuf,
    pub(crate) core: Core,
    folder: TempDir,
    next_port: Cell<u16>,
}

/// A running server, ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// UDP and TCP.
    pub(crate) plain: SocketAddr,
    /// TLS.
    pub(crate) tls: SocketAddr,
    log: PathBuf,
}

impl Launch {
    pub(crate) fn new(daemon: PathBuf, core: Core) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-relay-").tempdir().context("no temporary folder")?;
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("no certificate")?;
        fs::write(folder.path().join("certificate.pem"), certified.cert.pem())?;
        fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem())?;
        Ok(Self { daemon, core, folder, next_port: Cell::new(LISTEN_PORT_MIN) })
    }

    /// Starts a server afresh and waits until it answers.
    pub(crate) fn start(&self, product: Product) -> Result<Server> {
        let (plain, tls, http) = (self.free_port()?, self.free_port()?, self.free_port()?);
        let folder = self.folder.path();
        let config = folder.join(format!("{product}.conf"));
        let (text, mut command) = match product {
            Product::Visavis => {
                let mut command = self.core.command(&self.daemon);
                command.args(["serve", "--config"]).arg(&config);
                (self.visavis(plain, tls, http), command)
            }
            Product::Coturn => {
                let mut command = self.core.command("turnserver");
                command.arg("-c").arg(&config);
                (self.coturn(plain, tls), command)
            }
        };
        fs::write(&config, text)?;
        let log = folder.join(format!("{product}.log"));
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("{product} cannot be started"))?;
        let mut server = Server { child, plain, tls, log };
        match server.wait_until_it_answers() {
            Ok(()) => Ok(server),
            Err(cause) => bail!("{product}: {cause}\n{}", server.last_words()),
        }
    }

    /// A loopback address whose port is free for UDP and TCP, each used once.
    fn free_port(&self) -> Result<SocketAddr> {
        for _ in LISTEN_PORT_MIN..=LISTEN_PORT_MAX {
            let port = self.next_port.get();
            self.next_port.set(if port == LISTEN_PORT_MAX { LISTEN_PORT_MIN } else { port + 1 });
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
                return Ok(address);
            }
        }
        bail!("no port of {LISTEN_PORT_MIN}-{LISTEN_PORT_MAX} is free for UDP and TCP")
    }

    /// As shipped, but that one source may be many clients, and send as much as it can.
    fn visavis(&self, plain: SocketAddr, tls: SocketAddr, http: SocketAddr) -> String {
        let folder = self.folder.path().display();
        format!(
            "[server]\ndata-dir = \"{folder}/data\"\n\
             [http]\nlisten = [\"{http}\"]\nredirect-listen = []\n\
             [tls]\nsource = \"files\"\ncert-file = \"{folder}/certificate.pem\"\nkey-file = \"{folder}/key.pem\"\n\
             [turn]\nlisten-udp = [\"{plain}\"]\nlisten-tcp = [\"{plain}\"]\nlisten-tls = [\"{tls}\"]\n\
             realm = \"{REALM}\"\nshared-secret = \"{SECRET}\"\nallow-peers = [\"127.0.0.0/8\"]\n\
             relay-ports = \"{RELAY_PORT_MIN}-{RELAY_PORT_MAX}\"\n\
             [limits]\nallocations-max = 20000\nallocations-per-source = 20000\n\
             relayed-packets-per-second = 10000000\nrelayed-bits-per-second = 100000000000\n\
             relay-requests-per-second = 1000000\nrelay-requests-burst = 1000000\n"
        )
    }

    fn coturn(&self, plain: SocketAddr, tls: SocketAddr) -> String {
        let folder = self.folder.path().display();
        let (ip, port, tls_port) = (plain.ip(), plain.port(), tls.port());
        format!(
            "listening-ip={ip}\nrelay-ip={ip}\nlistening-port={port}\ntls-listening-port={tls_port}\n\
             min-port={RELAY_PORT_MIN}\nmax-port={RELAY_PORT_MAX}\n\
             lt-cred-mech\nuse-auth-secret\nstatic-auth-secret={SECRET}\nrealm={REALM}\n\
             allow-loopback-peers\nrelay-threads=1\nno-cli\nno-dtls\n\
             cert={folder}/certificate.pem\npkey={folder}/key.pem\n\
             userdb={folder}/turndb\npidfile={folder}/coturn.pid\nlog-file=stdout\n"
        )
    }
}

impl Server {
    fn wait_until_it_answers(&mut self) -> Result<()> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.plain)?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let begun = Instant::now();
        while begun.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended at once, with {status}");
            }
            // Until its socket is bound the kernel refuses.
            if socket.send(BINDING_REQUEST).and_then(|_| socket.recv(&mut [0; 256])).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("it does not answer")
    }

    /// Whether it lives, and the end of its log.
    pub(crate) fn last_words(&mut self) -> String {
        machine::last_words(&mut self.child, &self.log)
    }

    /// Processor time of all its threads.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        machine::processor_time(self.child.id())
    }

    /// Bytes of memory that are its own and written to.
    pub(crate) fn anonymous_bytes(&self) -> Result<u64> {
        machine::anonymous_bytes(self.child.id())
    }
}

/// Debian's.
pub(crate) fn coturn_version() -> String {
    let output = Command::new("turnserver").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().last().unwrap_or("?").trim().to_owned()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Visavis => "visavis",
            Self::Coturn => "coturn",
        })
    }
}

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
const REALM: &str = "visavis";
/// All below the ports that the kernel gives to the generator's own sockets.
const RELAY_PORT_MIN: u16 = 10_000;
const RELAY_PORT_MAX: u16 = 31_999;
const LISTEN_PORT_MIN: u16 = 32_000;
const LISTEN_PORT_MAX: u16 = 32_767;
const START_MAX: Duration = Duration::from_secs(10);
/// RFC 8489 section 5: method 1, no attributes, the magic cookie, a transaction id.
const BINDING_REQUEST: &[u8] = b"\x00\x01\x00\x00\x21\x12\xA4\x42bench-relay.";
