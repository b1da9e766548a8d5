//! The two servers: their configurations, their lives, and what the kernel says they used.

use std::fmt;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::machine::Core;

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
}

/// A running server, ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// UDP and TCP.
    pub(crate) plain: SocketAddr,
    /// TLS.
    pub(crate) tls: SocketAddr,
}

impl Launch {
    pub(crate) fn new(daemon: PathBuf, core: Core) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-relay-").tempdir().context("no temporary folder")?;
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("no certificate")?;
        fs::write(folder.path().join("certificate.pem"), certified.cert.pem())?;
        fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem())?;
        Ok(Self { daemon, core, folder })
    }

    /// Starts a server afresh and waits until it answers.
    pub(crate) fn start(&self, product: Product) -> Result<Server> {
        let (plain, tls, http) = (free_port()?, free_port()?, free_port()?);
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
        let mut server = Server { child, plain, tls };
        if let Err(cause) = server.wait_until_it_answers() {
            let remedy = "coturn is Debian's package of that name";
            bail!("{product}: {cause} ({remedy})\n{}", fs::read_to_string(&log).unwrap_or_default());
        }
        Ok(server)
    }

    /// As shipped, but that one source may be many clients.
    fn visavis(&self, plain: SocketAddr, tls: SocketAddr, http: SocketAddr) -> String {
        let folder = self.folder.path().display();
        format!(
            "[server]\ndata-dir = \"{folder}/data\"\n\
             [http]\nlisten = [\"{http}\"]\nredirect-listen = []\n\
             [tls]\nsource = \"files\"\ncert-file = \"{folder}/certificate.pem\"\nkey-file = \"{folder}/key.pem\"\n\
             [turn]\nlisten-udp = [\"{plain}\"]\nlisten-tcp = [\"{plain}\"]\nlisten-tls = [\"{tls}\"]\n\
             realm = \"{REALM}\"\nshared-secret = \"{SECRET}\"\nallow-peers = [\"127.0.0.0/8\"]\n\
             relay-ports = \"{RELAY_PORT_MIN}-{RELAY_PORT_MAX}\"\n\
             [limits]\nallocations-max = 20000\nrelay-requests-per-second = 1000000\nrelay-requests-burst = 1000000\n"
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

    /// Processor time of all its threads, which the scheduler counts in nanoseconds.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end while we look.
            let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            nanos += text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Bytes of memory that are its own and written to.
    pub(crate) fn anonymous_bytes(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).context("smaps_rollup has no Anonymous")?;
        let kilobytes: u64 = line.split_whitespace().next().context("smaps_rollup has no number")?.parse()?;
        Ok(kilobytes * 1024)
    }
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

/// A loopback address whose port is free for UDP and TCP.
fn free_port() -> Result<SocketAddr> {
    for _ in 0..ATTEMPTS_MAX {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port is free for UDP and TCP")
}

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
const REALM: &str = "visavis";
/// Below the ports that the kernel gives to the generator's own sockets.
const RELAY_PORT_MIN: u16 = 10_000;
const RELAY_PORT_MAX: u16 = 31_999;
const START_MAX: Duration = Duration::from_secs(10);
const ATTEMPTS_MAX: usize = 100;
/// RFC 8489 section 5: method 1, no attributes, the magic cookie, a transaction id.
const BINDING_REQUEST: &[u8] = b"\x00\x01\x00\x00\x21\x12\xA4\x42bench-relay.";
