//! What a process asked of its disk, in order, as strace saw it; and what a power cut at any point of it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::child;
use crate::dice::Dice;

/// One thing that concerns what is on the disk, or the word that a write is there.
#[derive(Debug)]
pub(crate) enum Step {
    Create(String),
    Unlink(String),
    Write {
        path: String,
        offset: usize,
        data: Vec<u8>,
    },
    Truncate {
        path: String,
        length: usize,
    },
    /// A file, or the folder with its names.
    Sync(String),
    Acknowledge(String),
}

/// What of the unsynced is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Everything,
    /// Any of it, in any order, parts of a write too.
    AnyOfIt,
}

/// Whether processes can be traced here; says so if not.
pub(crate) fn is_permitted() -> bool {
    let traced = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).output();
    let permitted = traced.as_ref().is_ok_and(|output| output.status.success());
    if !permitted {
        println!("skipped: strace cannot trace here: {traced:?}");
    }
    permitted
}

/// Runs the command line to its end and reads what it did in `folder`.
pub(crate) fn record(command: &[String], folder: &Path) -> Vec<Step> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let calls = "trace=openat,pwrite64,write,pwritev,fsync,fdatasync,ftruncate,fallocate,unlink,rename";
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", calls, "-e", "signal=none", "-o"])
        .arg(file.path())
        .args(command)
        .stdout(Stdio::null())
        .status();
    assert!(traced.unwrap().success());
    let text = fs::read_to_string(file.path()).unwrap();
    steps(&text, &folder.canonicalize().unwrap().display().to_string())
}

/// Leaves in `into` what is on the disk if the power goes after `steps`.
pub(crate) fn cut(steps: &[Step], loss: Loss, dice: &mut Dice, into: &Path) {
    let mut disk = Disk::default();
    for step in steps {
        disk.take(step);
    }
    for (path, bytes) in disk.after_a_cut(loss, dice) {
        fs::write(into.join(Path::new(&path).file_name().unwrap()), bytes).unwrap();
    }
}

#[derive(Default)]
struct Disk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// Creations (`Some`) and removals since the folder was synced.
    unsynced_names: Vec<(String, Option<usize>)>,
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Disk {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Create(path) if !self.names.contains_key(path) => {
                self.names.insert(path.clone(), self.files.len());
                self.unsynced_names.push((path.clone(), Some(self.files.len())));
                self.files.push(File::default());
            }
            Step::Create(_) | Step::Acknowledge(_) => {}
            Step::Unlink(path) => {
                self.names.remove(path);
                self.unsynced_names.push((path.clone(), None));
            }
            Step::Write { path, offset, data } => self.change(path, Change::Write(*offset, data.clone())),
            Step::Truncate { path, length } => self.change(path, Change::Truncate(*length)),
            Step::Sync(path) => match self.names.get(path) {
                Some(&file) => self.files[file].sync(),
                None => self.unsynced_names.drain(..).for_each(|change| rename(&mut self.synced_names, change)),
            },
        }
    }

    fn change(&mut self, path: &str, change: Change) {
        if let Some(&file) = self.names.get(path) {
            self.files[file].unsynced.push(change);
        }
    }

    fn after_a_cut(mut self, loss: Loss, dice: &mut Dice) -> Vec<(String, Vec<u8>)> {
        // A folder's changes reach the disk in their order.
        let kept = if loss == Loss::Everything { 0 } else { dice.below(self.unsynced_names.len() + 1) };
        self.unsynced_names.drain(..kept).for_each(|change| rename(&mut self.synced_names, change));
        let names = self.synced_names;
        names.into_iter().map(|(path, file)| (path, self.files[file].after_a_cut(loss, dice))).collect()
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    fn after_a_cut(&self, loss: Loss, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in self.unsynced.iter().filter(|_| loss == Loss::AnyOfIt) {
            match (dice.below(3), change) {
                (0, _) => {}
                (1, Change::Write(offset, data)) => {
                    let sectors = dice.below(data.len() / SECTOR + 1);
                    Change::Write(*offset, data[..sectors * SECTOR].to_vec()).apply(&mut bytes);
                }
                _ => change.clone().apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                bytes.resize(bytes.len().max(offset + data.len()), 0);
                bytes[offset..offset + data.len()].copy_from_slice(&data);
            }
            Self::Truncate(length) => bytes.resize(length, 0),
        }
    }
}

fn rename(names: &mut BTreeMap<String, usize>, (path, file): (String, Option<usize>)) {
    match file {
        Some(file) => names.insert(path, file),
        None => names.remove(&path),
    };
}

/// Reads strace's lines. A call that another thread's interrupts stands on two: a sync counts once it has returned, all else at once.
fn steps(text: &str, folder: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let is_sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        if call.ends_with("<unfinished ...>") && is_sync {
            begun.insert(thread, call);
        } else if call.starts_with("<... ") {
            // One that the end of the process cut off is none.
            let returned = call.contains("= 0");
            steps.extend(begun.remove(thread).filter(|_| returned).and_then(|call| step(call, folder)));
        } else if !is_sync || call.ends_with("= 0") {
            steps.extend(step(call, folder));
        }
    }
    steps
}

fn step(call: &str, folder: &str) -> Option<Step> {
    let (name, arguments) = call.split_once('(')?;
    let path = || Some(text(arguments.split_once('<')?.1.split_once('>')?.0)).filter(|path| is_ours(path, folder));
    let last = || arguments.split_once(')')?.0.rsplit(", ").next()?.parse().ok();
    match name {
        "openat" if arguments.contains("O_CREAT") => Some(Step::Create(quoted(arguments)).filter_path(folder)?),
        "unlink" => Step::Unlink(quoted(arguments)).filter_path(folder),
        "pwrite64" => {
            let offset =
                arguments.rsplit_once("\", ")?.1.split([',', ')', ' ']).filter(|part| !part.is_empty()).nth(1)?.parse().ok()?;
            Some(Step::Write { path: path()?, offset, data: bytes(arguments.split('"').nth(1)?) })
        }
        "ftruncate" => Some(Step::Truncate { path: path()?, length: last()? }),
        "fsync" | "fdatasync" => Some(Step::Sync(path()?)),
        "write" if arguments.starts_with("1<") => {
            let said = quoted(arguments);
            said.lines().find_map(child::acknowledged).map(Step::Acknowledge)
        }
        "write" => {
            assert!(path().is_none(), "a write without its place: {}", &call[..call.len().min(200)]);
            None
        }
        "pwritev" | "fallocate" | "rename" => panic!("the replay does not know {name}"),
        _ => None,
    }
}

impl Step {
    fn filter_path(self, folder: &str) -> Option<Self> {
        let ours = matches!(&self, Self::Create(path) | Self::Unlink(path) if is_ours(path, folder));
        ours.then_some(self)
    }
}

/// The folder and what stands in it, but for the index of the log, which is made anew after a power cut.
fn is_ours(path: &str, folder: &str) -> bool {
    path.starts_with(folder) && !path.ends_with("-shm")
}

fn quoted(arguments: &str) -> String {
    text(arguments.split('"').nth(1).unwrap_or_default())
}

fn text(escaped: &str) -> String {
    String::from_utf8_lossy(&bytes(escaped)).into_owned()
}

/// `\x66\x6f` is "fo".
fn bytes(escaped: &str) -> Vec<u8> {
    escaped.split("\\x").skip(1).filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

const SECTOR: usize = 512;
