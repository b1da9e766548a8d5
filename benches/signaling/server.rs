//! The servers: what they need, their lives, and what the kernel says they used.

use std::cell::Cell;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::measure::machine::{self, Core};
use crate::people;
use crate::product::Product;

/// What all servers are started with: one certificate, one core, people.
pub(crate) struct Launch {
    pub(crate) daemon: PathBuf,
    core: Core,
    folder: TempDir,
    next_port: Cell<u16>,
}

/// A running server, ended when dropped.
pub(crate) struct Server {
    pub(crate) product: Product,
    pub(crate) address: SocketAddr,
    /// From the start of the program until it answered.
    pub(crate) started_in: Duration,
    child: Child,
    log: PathBuf,
}

impl Launch {
    /// Furnishes the databases and installs the peers.
    pub(crate) fn new(daemon: PathBuf, core: Core, pairs: usize, absent: usize, products: &[Product]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-signaling-").tempdir().context("no temporary folder")?;
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("no certificate")?;
        fs::write(folder.path().join("certificate.pem"), certified.cert.pem())?;
        fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem())?;
        people::furnish(&folder.path().join("people"), pairs, 0)?;
        people::furnish(&folder.path().join("crowd"), 1, absent)?;
        if products.contains(&Product::Node) {
            install("npm", &["ci", "--silent", "--no-audit", "--no-fund", "--prefix", NODE], "apt-get install nodejs npm")?;
        }
        if products.contains(&Product::Channels) && !Path::new(VENV).join("bin/daphne").exists() {
            install("python3", &["-m", "venv", VENV], "apt-get install python3-venv")?;
            let requirements = format!("{CHANNELS}/requirements.txt");
            install(&format!("{VENV}/bin/pip"), &["install", "--quiet", "-r", &requirements], "the network")?;
        }
        Ok(Self { daemon, core, folder, next_port: Cell::new(PORT_MIN) })
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Starts a server among people, afresh, and waits until it answers.
    pub(crate) fn start(&self, product: Product) -> Result<Server> {
        self.start_among("people", product)
    }

    /// The same with 100,000 who are never there.
    pub(crate) fn start_in_a_crowd(&self, product: Product) -> Result<Server> {
        self.start_among("crowd", product)
    }

    fn start_among(&self, people: &str, product: Product) -> Result<Server> {
        let data = self.folder.path().join("data");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir(&data)?;
        fs::copy(self.folder.path().join(people).join("visavis.db"), data.join("visavis.db"))?;
        self.run(product, self.free_port()?)
    }

    /// Starts a killed server again, with what it left behind, where it was.
    pub(crate) fn restart(&self, product: Product, address: SocketAddr) -> Result<Server> {
        self.run(product, address)
    }

    fn run(&self, product: Product, address: SocketAddr) -> Result<Server> {
        let folder = self.folder.path();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let mut command = match product {
            Product::Visavis => {
                let config = folder.join("visavis.toml");
                fs::write(&config, self.config(address))?;
                let mut command = self.core.command(&self.daemon);
                command.args(["serve", "--config"]).arg(&config);
                command
            }
            Product::Node => {
                let mut command = self.core.command("node");
                command.arg(format!("{NODE}/server.mjs")).arg(address.port().to_string()).args([&certificate, &key]);
                command
            }
            Product::Channels => {
                let mut command = self.core.command(format!("{VENV}/bin/daphne"));
                let endpoint = format!(
                    "ssl:{}:interface=127.0.0.1:privateKey={}:certKey={}",
                    address.port(),
                    key.display(),
                    certificate.display()
                );
                command.args(["-v", "0", "--access-log", "/dev/null", "-e", &endpoint, "server:application"]);
                command.current_dir(CHANNELS).env("PYTHONPATH", CHANNELS).env("BENCH_FOLDER", folder.join("data"));
                command
            }
        };
        let notify = folder.join("notify");
        let _ = fs::remove_file(&notify);
        let notified = UnixDatagram::bind(&notify)?;
        let log = folder.join(format!("{product}.log"));
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).env("NOTIFY_SOCKET", &notify);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("{product} cannot be started"))?;
        let mut server = Server { product, address, started_in: Duration::ZERO, child, log };
        match server.wait_until_it_answers(&notified) {
            Ok(()) => {
                server.started_in = begun.elapsed();
                Ok(server)
            }
            Err(cause) => bail!("{product}: {cause}\n{}", server.last_words()),
        }
    }

    /// As shipped, but for what one socket may say, and without a lobby, which the others do not have.
    fn config(&self, address: SocketAddr) -> String {
        let folder = self.folder.path().display();
        format!(
            "[server]\ndata-dir = \"{folder}/data\"\n[http]\nlisten = [\"{address}\"]\nredirect-listen = []\n\
             [tls]\nsource = \"files\"\ncert-file = \"{folder}/certificate.pem\"\nkey-file = \"{folder}/key.pem\"\n\
             [turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = []\nlisten-tls = []\n\
             [rooms]\nlobby = \"off\"\n[limits]\nmessages-per-second = 10000\nmessages-burst = 100000\n[log]\nlevel = \"warn\"\n"
        )
    }

    /// A loopback address whose port is free, each used once: connections of the server before may still be closing.
    fn free_port(&self) -> Result<SocketAddr> {
        for _ in PORT_MIN..=PORT_MAX {
            let port = self.next_port.get();
            self.next_port.set(if port == PORT_MAX { PORT_MIN } else { port + 1 });
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if TcpListener::bind(address).is_ok() {
                return Ok(address);
            }
        }
        bail!("no port of {PORT_MIN}-{PORT_MAX} is free")
    }
}

impl Server {
    fn wait_until_it_answers(&mut self, notified: &UnixDatagram) -> Result<()> {
        notified.set_nonblocking(true)?;
        let begun = Instant::now();
        while begun.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended at once, with {status}");
            }
            let answers = match self.product {
                Product::Visavis => {
                    let mut told = [0; 256];
                    notified.recv(&mut told).is_ok_and(|length| told[..length].starts_with(b"READY=1"))
                }
                Product::Node | Product::Channels => TcpStream::connect(self.address).is_ok(),
            };
            if answers {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("it does not answer")
    }

    /// As a power cut ends it; returns once it is gone.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it lives, and the end of its log.
    pub(crate) fn last_words(&mut self) -> String {
        machine::last_words(&mut self.child, &self.log)
    }

    pub(crate) fn processor_time(&self) -> Result<Duration> {
        machine::processor_time_of_all(self.child.id())
    }

    /// Memory that is its own and written to.
    pub(crate) fn anonymous_bytes(&self) -> Result<u64> {
        machine::anonymous_bytes(self.child.id())
    }

    /// The same, and what it has read of its program.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        machine::resident_bytes(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn install(program: &str, arguments: &[&str], remedy: &str) -> Result<()> {
    let status = Command::new(program).args(arguments).status().with_context(|| format!("{program} cannot be run: {remedy}"))?;
    if !status.success() {
        bail!("{program} {} failed, with {status}: {remedy}", arguments.join(" "));
    }
    Ok(())
}

const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/signaling/peers/node");
const CHANNELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/signaling/peers/channels");
const VENV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench-signaling/venv");
/// Below the ports that the kernel gives to the generator's own sockets.
const PORT_MIN: u16 = 31_000;
const PORT_MAX: u16 = 31_999;
const START_MAX: Duration = Duration::from_secs(30);
