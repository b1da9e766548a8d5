//! The program itself: its commands, its readiness, its end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

#[test]
fn the_version_is_the_package_s() {
    let output = visavis(&["--version"], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("visavis {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_shipped_configuration_is_sound() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/visavis.toml");
    let output = visavis(&["check-config", shipped.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_broken_configuration_names_every_problem_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    std::fs::write(&path, "[turn]\nrelm = \"x\"\nmax-delay = \"1h\"\n").unwrap();
    let output = visavis(&["check-config", path.to_str().unwrap()], "");
    let told = stderr(&output);
    assert!(!output.status.success());
    for part in ["broken.toml:2: turn.relm: unknown field", "broken.toml:3: turn.max-delay: 1h is out of range", "remedy: "] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_missing_configuration_is_named_with_its_remedy() {
    let output = visavis(&["serve", "--config", "/nonexistent.toml"], "");
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("/nonexistent.toml: cannot be read") && stderr(&output).contains("--config"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn accounts_are_made_shown_and_changed_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let run = |args: &[&str], input: &str| visavis(&[args, &["--config", &config]].concat(), input);
    assert!(run(&["user", "add", "Mara", "--role", "mentor", "--name", "Mara M"], "correct horse\n").status.success());
    let taken = run(&["user", "add", "mara", "--role", "student"], "correct horse\n");
    assert!(stderr(&taken).contains("`mara` is taken"), "{}", stderr(&taken));
    let short = run(&["user", "add", "stu", "--role", "student"], "short\n");
    assert!(stderr(&short).contains("at least 8 characters"), "{}", stderr(&short));
    assert!(run(&["user", "passwd", "mara"], "battery staple\n").status.success());
    let unknown = run(&["user", "passwd", "nobody"], "battery staple\n");
    assert!(stderr(&unknown).contains("no account `nobody`"), "{}", stderr(&unknown));
    let list = run(&["user", "list"], "");
    assert_eq!(String::from_utf8_lossy(&list.stdout).split_whitespace().collect::<Vec<_>>(), ["mara", "mentor", "Mara", "M"]);
}

#[test]
fn systemd_is_told_when_sockets_answer_and_sigterm_ends_within_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let notified = UnixDatagram::bind(&socket).unwrap();
    notified.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = free_port();
    let config = config_on(folder.path(), port);
    let mut daemon = Daemon::start(&config, &[("NOTIFY_SOCKET", socket.to_str().unwrap())]);
    let mut message = [0; 256];
    // Before it, systemd is given the sockets to keep.
    let mut next = || notified.recv(&mut message).map(|length| String::from_utf8_lossy(&message[..length]).into_owned()).unwrap();
    while !next().starts_with("READY=1") {}
    // Whoever says nothing holds nobody up.
    let _silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let told = Instant::now();
    daemon.signal("TERM");
    assert_eq!(next().trim(), "STOPPING=1");
    assert!(daemon.0.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    let log = std::io::read_to_string(daemon.0.stderr.take().unwrap()).unwrap();
    assert!(log.contains("event=stopped") && !log.contains("shutdown_cut"), "{log}");
}

#[test]
fn the_log_is_readable_on_standard_error_without_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&config(folder.path()), &[]);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
    let listening = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("listening"))).unwrap().unwrap();
    assert!(
        listening.contains("INFO") && listening.contains("event=listening") && listening.contains("address=127.0.0.1:"),
        "{listening}"
    );
    daemon.signal("INT");
    assert!(daemon.0.wait().unwrap().success());
}

/// Scenario: another program, or an attacker, has every file descriptor there is.
#[test]
fn without_file_descriptors_the_daemon_idles_and_recovers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = config_on(folder.path(), port);
    std::fs::write(
        &config,
        std::fs::read_to_string(&config).unwrap() + "[tls]\nsource = \"off\"\n[limits]\nheader-timeout = \"2m\"\n",
    )
    .unwrap();
    let mut daemon = Daemon::start_with_files(256, &config);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("event=listening")).unwrap();
    // They have asked for something, so they do not make room.
    let connections: Vec<_> = (0..300).map(|_| ask(port)).collect();
    lines.find(|line| line.contains("event=accept_failed")).unwrap();
    let (before, measured) = (daemon.processor_time(), Duration::from_secs(1));
    std::thread::sleep(measured);
    let used = daemon.processor_time() - before;
    assert!(used < measured / 10, "{used:?} in {measured:?}");
    drop(connections);
    let freed = Instant::now();
    let mut answer = [0; 12];
    ask(port).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    assert!(freed.elapsed() < Duration::from_secs(2), "{:?}", freed.elapsed());
}

#[test]
fn sighup_has_the_certificate_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&config(folder.path()), &[]);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("event=listening")).unwrap();
    std::fs::remove_file(folder.path().join("tls/leaf.pem")).unwrap();
    let asked = Instant::now();
    daemon.signal("HUP");
    lines.find(|line| line.contains("event=certificate_renewed")).unwrap();
    assert!(asked.elapsed() < Duration::from_secs(30), "it was found by the look of every minute");
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
}

#[test]
fn a_taken_port_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let path = folder.path().join("visavis.toml");
    let address = taken.local_addr().unwrap();
    let text =
        format!("[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"{address}\"]\nredirect-listen = []\n", folder.path().display());
    std::fs::write(&path, text).unwrap();
    let output = visavis(&["serve", "--config", path.to_str().unwrap()], "");
    let told = stderr(&output);
    assert!(told.contains(&format!("cannot listen on {address} (http.listen)")) && told.contains("ss -lntp"), "{told}");
}

#[test]
fn the_status_is_a_table_or_json_and_its_exit_code_says_whether_the_daemon_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let port = free_port();
    let text = std::fs::read_to_string(&config).unwrap() + &format!("[metrics]\nlisten = [\"127.0.0.1:{port}\"]\n");
    std::fs::write(&config, text).unwrap();
    let status = |more: &[&str]| visavis(&[&["status", "--config", &config], more].concat(), "");
    let down = status(&[]);
    assert_eq!(down.status.code(), Some(3));
    assert!(stderr(&down).contains("does not answer") && stderr(&down).contains("journalctl -u visavis"), "{}", stderr(&down));

    let mut daemon = Daemon::start(&config, &[]);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("what=metrics")).unwrap();
    let (table, json) = (status(&[]), status(&["--json"]));
    assert_eq!((table.status.code(), json.status.code()), (Some(0), Some(0)));
    let shown = String::from_utf8_lossy(&table.stdout);
    assert!(shown.contains(", ready, up ") && shown.contains("calls        0 with 0 people"), "{shown}");
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&report["ready"], &report["rooms"]), (&true.into(), &0.into()));
    drop(daemon);

    // One that is not ready.
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let asking = std::thread::spawn(move || listener.accept().unwrap().0);
    let body = json.stdout.trim_ascii_end().to_vec();
    let body = String::from_utf8(body).unwrap().replace("\"ready\":true", "\"ready\":false");
    let answering = std::thread::spawn(move || {
        let mut stream = asking.join().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        write!(stream, "HTTP/1.1 200 OK\r\n\r\n{body}").unwrap();
    });
    let unready = status(&[]);
    answering.join().unwrap();
    assert_eq!(unready.status.code(), Some(1), "{}", stderr(&unready));
    assert!(String::from_utf8_lossy(&unready.stdout).contains("NOT READY"));
}

/// The box with nobody in it: one link in the log, on the console and from the command line.
#[test]
fn a_first_start_shows_the_set_up_link_until_there_is_an_admin() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let before = visavis(&["setup-link", "--config", &config], "");
    let token = fragment(&String::from_utf8_lossy(&before.stdout));
    let mut daemon = Daemon::start(&config, &[("RUNTIME_DIRECTORY", folder.path().to_str().unwrap())]);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let shown = lines.find(|line| line.contains("event=setup_link")).unwrap();
    assert!(shown.contains("link=https://localhost:") && fragment(&shown) == token, "{shown}");
    let issue = folder.path().join("issue");
    wait_until(|| std::fs::read_to_string(&issue).is_ok_and(|text| fragment(&text) == token));
    assert!(visavis(&["user", "add", "ada", "--role", "admin", "--config", &config], "correct horse\n").status.success());
    wait_until(|| !issue.exists());
    let after = visavis(&["setup-link", "--config", &config], "");
    let told = String::from_utf8_lossy(&after.stdout).into_owned();
    assert!(after.status.success() && told.contains("visavis user passwd") && !told.contains("https://"), "{told}");
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
    assert!(lines.all(|line| !line.contains(&token)), "the token is shown once a start");

    let mut daemon = Daemon::start(&config, &[]);
    let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("event=listening")).unwrap();
    daemon.signal("TERM");
    assert!(lines.all(|line| !line.contains("setup_link")));
}

/// What follows the `#` of the first link in a text.
fn fragment(text: &str) -> String {
    let rest = text.split("/setup#").nth(1).unwrap_or_else(|| panic!("no link in {text}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

fn wait_until(happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

struct Daemon(Child);

impl Daemon {
    fn start(config: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
        command.args(["serve", "--config", config]).stderr(Stdio::piped()).env_remove("NOTIFY_SOCKET");
        Self(command.envs(environment.iter().copied()).spawn().unwrap())
    }

    /// As many files as that may be open.
    fn start_with_files(files: u32, config: &str) -> Self {
        let script = format!("ulimit -n {files} && exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_visavis"), "serve", "--config", config]);
        Self(command.stderr(Stdio::piped()).env_remove("NOTIFY_SOCKET").spawn().unwrap())
    }

    /// In user and system mode, of all threads.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let after_name: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = [after_name[11], after_name[12]].map(|ticks| ticks.parse::<u64>().unwrap()).iter().sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks who is signed in, on a connection that stays open.
fn ask(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /api/auth/me/ HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    stream
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(folder: &Path) -> String {
    config_on(folder, 0)
}

/// The page is at `port` of loopback.
fn config_on(folder: &Path, port: u16) -> String {
    let path = folder.join("visavis.toml");
    let text = format!(
        "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:{port}\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = []\nlisten-tls = []\n",
        folder.display()
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn visavis(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `USER_HZ`, which is the same on every machine that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;
