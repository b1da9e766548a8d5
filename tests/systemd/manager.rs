//! A small service manager: hears what the daemon tells it, keeps its sockets, and hands them to the next one.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// The double.
pub(crate) struct ServiceManager {
    pub(crate) folder: tempfile::TempDir,
    socket: UnixDatagram,
    /// By name.
    pub(crate) store: Vec<(String, OwnedFd)>,
}

/// A daemon it started.
pub(crate) struct Daemon(pub(crate) Child);

impl ServiceManager {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { folder, socket, store: Vec::new() }
    }

    /// Starts the daemon with every socket of the store; `environment` comes on top.
    pub(crate) fn start(&self, config: &Path, environment: &[(&str, &str)]) -> Daemon {
        // Between them, another test's daemon would get these sockets too.
        let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
        let passed: Vec<_> = self.store.iter().map(|(_, socket)| inheritable(socket)).collect();
        let places: String = passed.iter().zip(3..).map(|(from, to)| format!(" {to}<&{}", from.as_raw_fd())).collect();
        let closed: String = passed.iter().map(|from| format!(" {}<&-", from.as_raw_fd())).collect();
        let names: Vec<_> = self.store.iter().map(|(name, _)| name.as_str()).collect();
        let mut command = Command::new("bash");
        command.args(["-c", &format!("export LISTEN_PID=$$; exec \"$@\"{places}{closed}"), "bash"]);
        command.args([env!("CARGO_BIN_EXE_visavis"), "serve", "--config"]).arg(config);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.env("LISTEN_FDS", passed.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
        Daemon(command.envs(environment.iter().copied()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Hears the daemon until a message has this line; what that message says.
    pub(crate) fn wait_for(&mut self, line: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let message = self.hear(until).unwrap_or_else(|| panic!("no {line} was heard"));
            if message.lines().any(|said| said == line) {
                return message;
            }
        }
    }

    /// The next message, after doing what it asks for; `None` if there is none in time.
    pub(crate) fn hear(&mut self, until: Instant) -> Option<String> {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(left)).unwrap();
        let mut text = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut attached = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut text)], &mut attached, RecvFlags::CMSG_CLOEXEC).ok()?;
        let sockets: Vec<_> = attached
            .drain()
            .flat_map(|message| match message {
                RecvAncillaryMessage::ScmRights(sockets) => sockets.collect::<Vec<_>>(),
                _ => Vec::new(),
            })
            .collect();
        let message = String::from_utf8_lossy(&text[..received.bytes]).into_owned();
        let name = message.lines().find_map(|line| line.strip_prefix("FDNAME=")).unwrap_or("stored").to_owned();
        if message.lines().any(|line| line == "FDSTOREREMOVE=1") {
            self.store.retain(|(kept, _)| *kept != name);
        }
        // A socket is kept once (kcmp(2), KCMP_FILE).
        for socket in sockets {
            let inode = |socket: &OwnedFd| rustix::fs::fstat(socket).unwrap().st_ino;
            if self.store.iter().all(|(_, kept)| inode(kept) != inode(&socket)) {
                self.store.push((name.clone(), socket));
            }
        }
        Some(message)
    }
}

impl Daemon {
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as `systemctl stop` does; what it had logged.
    pub(crate) fn stop(mut self) -> String {
        self.signal("TERM");
        assert!(self.0.wait().unwrap().success());
        std::io::read_to_string(self.0.stderr.take().unwrap()).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file for a plain page at `tcp` and a relay at `udp`, both of loopback; `more` is appended.
pub(crate) fn write_config(folder: &Path, tcp: u16, udp: u16, more: &str) -> PathBuf {
    let path = folder.join("visavis.toml");
    let text = format!(
        "[server]\ndata-dir = \"{}\"\n[tls]\nsource = \"off\"\n[metrics]\nlisten = []\n[http]\nlisten = [\"127.0.0.1:{tcp}\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:{udp}\"]\nlisten-tcp = []\nrelay-ports = \"10000-19999\"\n{more}",
        folder.join("data").display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// Two ports that were free a moment ago, TCP and UDP; the kernel gives none below 32768.
pub(crate) fn free_ports() -> (u16, u16) {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port())
}

/// A copy that the next program has too, away from the numbers where it looks for its sockets.
fn inheritable(socket: &impl AsFd) -> OwnedFd {
    let copy = fcntl_dupfd_cloexec(socket, 200).unwrap();
    fcntl_setfd(&copy, FdFlags::empty()).unwrap();
    copy
}

static SPAWNING: Mutex<()> = Mutex::new(());
const PATIENCE: Duration = Duration::from_secs(20);
