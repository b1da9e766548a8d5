//! The daemon as a process of its own: killed in mid-call, and on a disk that turns read-only.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::attendance::{a_request, reasons, report_when, seated, time};
use crate::calls::{greeted, receive, send};
use crate::harness::{Client, configuration, populate};

#[tokio::test]
async fn a_daemon_killed_in_mid_call_ends_its_intervals_and_takes_its_people_back() {
    let folder = tempfile::tempdir().unwrap();
    populate(folder.path()).await;
    let mut visavis = Process::start(folder);
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    let (_mentor, _) = seated(&visavis, &mara, &room).await;
    let (_student, seat) = seated(&visavis, &stu, &room).await;
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["running"]).await;

    visavis = visavis.kill_and_start();
    let report = report_when(&visavis, &mara, &session, |_| true).await;
    assert_eq!((reasons(&report, "mara"), reasons(&report, "stu")), (vec!["crash"], vec!["crash"]));
    for person in report["participants"].as_array().unwrap() {
        let interval = &person["intervals"][0];
        assert!(time(&interval["from"]) <= time(&interval["until"]), "{interval}");
    }
    let mut student = greeted(&visavis, &stu, &room).await;
    send(&mut student, json!({ "type": "join", "resume": seat["resume"] })).await;
    let again = receive(&mut student).await;
    assert_eq!((&again["type"], &again["resumed"]), (&json!("joined"), &json!(false)), "admitted before, so no lobby");
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["crash", "running"]).await;
}

#[tokio::test]
async fn a_disk_that_turns_read_only_refuses_writes_with_a_wait_leaves_the_call_alone_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    populate(folder.path()).await;
    let visavis = Process::start(folder);
    let (mara, stu, admin) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await, visavis.sign_in("admin").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    let (mut mentor, _) = seated(&visavis, &mara, &room).await;
    let (mut student, _) = seated(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    let wish = a_request(&visavis, &stu).await;

    let Some(read_only) = visavis.turn_read_only() else { return };
    let refused = visavis.post(&stu, "/api/mentoring/sessions/", wish.clone()).await;
    assert_eq!(refused.refusal(), (503, "read_only"), "{}", refused.text);
    assert!(refused.headers.contains_key("retry-after"));
    let warnings = visavis.get(&admin, "/api/auth/me/").await.body["warnings"].clone();
    assert_eq!(warnings[0], "read_only");
    send(&mut mentor, json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "on" })).await;
    assert_eq!(receive(&mut student).await["sdp"], "on");
    send(&mut student, json!({ "type": "leave" })).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_left");
    drop(read_only);

    assert_eq!(visavis.post(&stu, "/api/mentoring/sessions/", wish).await.status, 201);
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["left"]).await;
}

/// A daemon of its own, killed when it is dropped.
struct Process {
    child: Child,
    client: Client,
    folder: tempfile::TempDir,
}

impl Process {
    fn start(folder: tempfile::TempDir) -> Self {
        let config = folder.path().join("visavis.toml");
        std::fs::write(&config, configuration(folder.path(), "")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
        command.args(["serve", "--config", config.to_str().unwrap()]).env_remove("NOTIFY_SOCKET").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = log.find(|line| line.contains("event=listening") && line.contains("what=https")).unwrap();
        let address = listening.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        // Nobody reads on, but the daemon must not wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, client: Client::new(address, folder.path()), folder }
    }

    fn kill_and_start(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Self::start(folder)
    }

    /// Lets every change of the database's files fail as on a disk that the kernel has made read-only, until it is dropped. `None`,
    /// with a word, where processes may not be traced.
    fn turn_read_only(&self) -> Option<Tracer> {
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-e",
            "inject=pwrite64,fsync,fdatasync,ftruncate:error=EROFS",
            "-e",
            "signal=none",
            "-o",
            "/dev/null",
        ]);
        for companion in ["", "-wal"] {
            strace.arg("-P").arg(self.folder.path().join(format!("visavis.db{companion}")));
        }
        let tracer = strace.args(["-p", &self.child.id().to_string()]).stderr(Stdio::piped()).spawn();
        let Ok(mut child) = tracer else {
            println!("skipped: there is no strace here");
            return None;
        };
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let first = said.next().unwrap_or_default();
        let tracer = Tracer(child);
        if !first.contains("attached") {
            println!("skipped: strace cannot trace here: {first}");
            return None;
        }
        Some(tracer)
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets go of the daemon when it is dropped.
struct Tracer(Child);

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
