//! A data folder with its configuration, and the program on it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A data folder with its configuration.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) data: PathBuf,
    /// Where the page is, on loopback.
    pub(crate) page: u16,
    /// Where the relay is, by UDP and TCP.
    pub(crate) relay: u16,
    metrics: u16,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// `more` is appended to the configuration.
    pub(crate) fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let place = Self { folder, data, page: free_port(), relay: free_port(), metrics: free_port() };
        place.configure(more);
        place
    }

    /// Writes the configuration anew; `more` is appended.
    pub(crate) fn configure(&self, more: &str) {
        let Self { data, page, relay, metrics, .. } = self;
        let text = format!(
            "[server]\ndata-dir = \"{}\"\n{more}\n[http]\nlisten = [\"127.0.0.1:{page}\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:{relay}\"]\nlisten-tcp = [\"127.0.0.1:{relay}\"]\nlisten-tls = []\nrelay-ports = \"61000-65535\"\n[metrics]\nlisten = [\"127.0.0.1:{metrics}\"]\n[limits]\nconnections-max = 16\nallocations-max = 100\n",
            data.display()
        );
        fs::write(self.file("visavis.toml"), text).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
        command.args(args).args(["--config", &self.file("visavis.toml")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("NOTIFY_SOCKET");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// A daemon whose sockets answer, with one account.
    pub(crate) fn serve(&self) -> Daemon {
        let mut child = self.command(&["serve"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        lines.find(|line| line.contains("event=listening")).unwrap();
        let mut adding = self.command(&["user", "add", "mara", "--role", "mentor"]).stdin(Stdio::piped()).spawn().unwrap();
        adding.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
        adding.wait().unwrap();
        Daemon(child)
    }
}

pub(crate) struct Daemon(pub(crate) Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
