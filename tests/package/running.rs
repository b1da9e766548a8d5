//! The binary at work: by itself on its own machine, else on an emulated processor.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use crate::{ARCHITECTURE, binary, is_native, root};

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_reference_configuration_is_sound() {
    let output = visavis(&["check-config", root().join("config/visavis.toml").to_str().unwrap()]).output().unwrap();
    assert!(text(&output).ends_with("config/visavis.toml is sound\n"), "{}", text(&output));
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_page_opens_and_somebody_signs_in() {
    let daemon = Daemon::start();
    let page = daemon.curl(&["https://localhost/"]);
    assert!(page.contains("<div id=\"root\">"), "{page}");
    let login = "{\"username\": \"ada\", \"password\": \"correct horse\"}";
    let me = daemon.curl(&["https://localhost/api/auth/login/", "--json", login]);
    assert!(me.contains("\"ada\""), "{me}");
    let refused = daemon.curl(&["https://localhost/api/auth/login/", "--json", &login.replace("horse", "house")]);
    assert!(refused.contains("\"code\""), "{refused}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_relay_loses_nothing_over_udp_and_tcp() {
    let daemon = Daemon::start();
    for (what, flags) in [("turn-udp", &[][..]), ("turn-tcp", &["-t"])] {
        let port = daemon.port(what).to_string();
        let fixed = ["-u", "alice", "-W", SECRET, "-c", "-y", "-m", "2", "-n", "100", "-z", "10", "-p", &port];
        let output = Command::new("timeout").args(["60", "turnutils_uclient"]).args(fixed).args(flags).arg("127.0.0.1").output();
        let told = text(&output.unwrap());
        assert!(told.contains("Total lost packets 0 (0.000000%)") && told.contains("tot_recv_bytes ~ 20000"), "{what}: {told}");
    }
}

/// A daemon on free ports of loopback, with one admin, killed when it is dropped.
struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    /// What listens where, as the log tells it: "https 127.0.0.1:41234".
    listening: Vec<String>,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("visavis.toml");
        std::fs::write(&config, configuration(folder.path())).unwrap();
        let config = config.to_str().unwrap();
        let password = folder.path().join("password");
        File::create(&password).unwrap().write_all(b"correct horse\n").unwrap();
        let mut add = visavis(&["user", "add", "ada", "--role", "admin", "--config", config]);
        let added = add.stdin(File::open(&password).unwrap()).output().unwrap();
        assert!(added.status.success(), "{}", text(&added));

        let mut serve = visavis(&["serve", "--config", config]);
        let mut child = serve.env_remove("NOTIFY_SOCKET").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut listening = Vec::new();
        while !listening.iter().any(|line: &String| line.starts_with("turn-tcp")) {
            let line = log.next().expect("the daemon listens before it ends");
            let word = |name: &str| Some(line.split(name).nth(1)?.split_whitespace().next()?.to_owned());
            listening.extend(word("what=").zip(word("address=")).map(|(what, address)| format!("{what} {address}")));
        }
        // Nobody reads on, but the daemon must not wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, folder, listening }
    }

    fn port(&self, what: &str) -> u16 {
        let line = self.listening.iter().find(|line| line.starts_with(what)).unwrap();
        line.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// What an address answers, which is asked as a browser that trusts the box would.
    fn curl(&self, arguments: &[&str]) -> String {
        let connect_to = format!("::127.0.0.1:{}", self.port("https"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "60", "--header", "sec-fetch-site: same-origin"]);
        curl.arg("--cacert").arg(self.folder.path().join("tls/ca.pem")).args(["--connect-to", &connect_to]);
        text(&curl.args(arguments).output().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &std::path::Path) -> String {
    format!(
        "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = [\"127.0.0.1:0\"]\nlisten-tls = []\nallow-peers = [\"127.0.0.0/8\"]\nshared-secret = \"{SECRET}\"\n",
        folder.display()
    )
}

/// The binary with these arguments, on an emulated processor where it is not this machine's.
pub(crate) fn visavis(arguments: &[&str]) -> Command {
    let mut command = match ARCHITECTURE.emulator {
        [emulator, options @ ..] if !is_native() => {
            let mut command = Command::new(emulator);
            command.args(options).args(["-L", &format!("/usr/{}", ARCHITECTURE.gnu)]).arg(binary());
            command
        }
        _ => Command::new(binary()),
    };
    command.args(arguments);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
