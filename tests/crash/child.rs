//! A process that writes and says what was acknowledged: this test program once more, told by its environment what to do.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use visavis::proto::id::UserId;
use visavis::proto::signal::Role;
use visavis::store::{NewUser, Store, StoreError, User};
use visavis::sys::entropy;

use crate::DATABASE;

/// How it writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writer {
    /// Many at once, through the store, until it is killed.
    Hammer,
    /// One after the other through the store, with checkpoints between; each again until it is acknowledged, or refused too often.
    Steady,
    /// The same through a bare connection with this `synchronous`: what the harnesses are held against.
    Bare(&'static str),
}

impl Writer {
    fn word(self) -> &'static str {
        match self {
            Self::Hammer => "hammer",
            Self::Steady => "steady",
            Self::Bare(synchronous) => synchronous,
        }
    }
}

/// The command that runs it on a folder; `prefix` names its writes.
pub(crate) fn command(writer: Writer, folder: &Path, prefix: &str) -> Vec<String> {
    let settings = [
        ("VISAVIS_CRASH_WRITER", writer.word().to_owned()),
        ("VISAVIS_CRASH_FOLDER", folder.display().to_string()),
        ("VISAVIS_CRASH_PREFIX", prefix.to_owned()),
    ];
    let program = std::env::current_exe().unwrap().display().to_string();
    let settings = settings.map(|(name, value)| format!("{name}={value}"));
    let arguments = [program.as_str(), "--exact", "child::writes", "--ignored", "--nocapture", "--test-threads=1"];
    std::iter::once("env".to_owned()).chain(settings).chain(arguments.map(str::to_owned)).collect()
}

/// Runs a command line whose output is read by the caller.
pub(crate) fn spawn(command: &[String]) -> std::process::Child {
    Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The write that a line acknowledges.
pub(crate) fn acknowledged(line: &str) -> Option<String> {
    line.trim_end().strip_prefix(ACK).map(str::to_owned)
}

/// Not a test of its own: the other process of the tests here.
#[test]
#[ignore = "the writing process of the others"]
fn writes() {
    let setting = |name: &str| std::env::var(name).unwrap();
    let (folder, prefix) = (setting("VISAVIS_CRASH_FOLDER"), setting("VISAVIS_CRASH_PREFIX"));
    let folder = Path::new(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match setting("VISAVIS_CRASH_WRITER").as_str() {
        "hammer" => runtime.block_on(hammer(folder, &prefix)),
        "steady" => runtime.block_on(steady(folder, &prefix)),
        synchronous => write_bare(folder, &prefix, synchronous),
    }
}

async fn hammer(folder: &Path, prefix: &str) {
    let store = Store::open(folder).unwrap();
    let writers = (0..HAMMERS).map(|writer| {
        let (store, prefix) = (store.clone(), prefix.to_owned());
        tokio::spawn(async move {
            for n in 0u32.. {
                let name = format!("{prefix}-{writer}-{n}");
                store.insert_user(user(&name)).await.unwrap();
                say(ACK, &name);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

async fn steady(folder: &Path, prefix: &str) {
    let Some(store) = (0..TRIES_MAX).find_map(|_| Store::open(folder).map_err(|error| say("closed ", &error.to_string())).ok())
    else {
        return;
    };
    for n in 0..STEADY_WRITES {
        let name = format!("{prefix}-{n}");
        for _ in 0..TRIES_MAX {
            match store.insert_user(user(&name)).await {
                Ok(()) => {
                    say(ACK, &name);
                    break;
                }
                Err(StoreError::Conflict) => say("kept ", &name),
                Err(error) => say("refused ", &format!("{name}: {error}")),
            }
        }
        if n % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1 {
            checkpoint(folder);
        }
    }
    store.close().await;
    say("done", "");
}

fn write_bare(folder: &Path, prefix: &str, synchronous: &str) {
    // The store's own tables, so that the same check reads them.
    drop(Store::open(folder).unwrap());
    let connection = Connection::open(folder.join(DATABASE)).unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    for n in 0..STEADY_WRITES {
        let name = format!("{prefix}-{n}");
        let sql = "INSERT INTO users VALUES (?1, ?1, 'somebody', 'student', '', 0)";
        connection.execute(sql, [&name]).unwrap();
        say(ACK, &name);
    }
}

/// What a growing log brings about by itself, sooner: the log is moved into the database and begun anew.
fn checkpoint(folder: &Path) {
    let Ok(connection) = Connection::open(folder.join(DATABASE)) else { return };
    // A failing disk fails here too.
    let _ = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
}

fn user(name: &str) -> NewUser {
    let user = User {
        id: UserId::from_random(entropy::random()),
        username: name.to_owned(),
        display_name: "x".repeat(1000),
        role: Role::Student,
    };
    NewUser { user, password_hash: String::new() }
}

/// One write of a whole line, so that a kill leaves no half of one.
fn say(what: &str, which: &str) {
    std::io::stdout().write_all(format!("\n{what}{which}\n").as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

pub(crate) const STEADY_WRITES: u32 = 30;
const CHECKPOINT_EVERY: u32 = 8;
const TRIES_MAX: u32 = 4;
const HAMMERS: u32 = 8;
const ACK: &str = "acknowledged ";
