//! A data folder with its configuration, and the program on it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A data folder with its configuration.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) data: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let text = format!(
            "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = []\nlisten-tls = []\n",
            data.display()
        );
        fs::write(folder.path().join("visavis.toml"), text).unwrap();
        Self { folder, data }
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

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
