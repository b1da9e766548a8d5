//! `visavis backup` and `visavis restore` as programs: beside a daemon, and killed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::place::{Place, told};

#[test]
fn a_running_daemon_is_backed_up_and_not_restored_to_nor_joined_by_another() {
    let place = Place::new();
    let daemon = place.serve();
    let backup = place.run(&["backup", &place.file("b.tar")]);
    assert!(backup.status.success() && told(&backup).contains("was checked"), "{}", told(&backup));
    let again = place.run(&["backup", &place.file("b.tar")]);
    assert!(!again.status.success() && told(&again).contains("--force"), "{}", told(&again));
    assert!(place.run(&["backup", "--force", &place.file("b.tar")]).status.success());
    for command in [&["restore", &place.file("b.tar")][..], &["serve"]] {
        let refused = place.run(command);
        let names = format!("another visavis (process {})", daemon.0.id());
        assert!(!refused.status.success() && told(&refused).contains(&names), "{}", told(&refused));
    }
}

#[test]
fn a_restored_folder_serves_and_belongs_to_whom_it_belonged() {
    let place = Place::new();
    drop(place.serve());
    let root = fs::metadata(&place.data).unwrap().uid() == 0;
    if root {
        // As in /var/lib: whoever owns the folder reaches it, and owns what is in it.
        fs::set_permissions(place.data.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Command::new("chown").args(["-R", "1234:1234"]).arg(&place.data).status().unwrap().success());
    }
    let backup = place.run(&["backup", &place.file("b.tar")]);
    assert!(backup.status.success(), "{}", told(&backup));
    let restored = place.run(&["restore", &place.file("b.tar")]);
    assert!(restored.status.success() && told(&restored).contains("data.before-"), "{}", told(&restored));
    let owner = fs::metadata(&place.data).unwrap().uid();
    for name in ["visavis.db", "turn.key", "tls", "tls/ca.key"] {
        assert_eq!(fs::metadata(place.data.join(name)).unwrap().uid(), owner, "{name}");
    }
    assert!(!root || owner == 1234);
    drop(place.serve());
}

/// Scenario: the memory card is worn out, and lets nothing be written any more.
#[test]
fn a_read_only_disk_can_still_be_backed_up() {
    let place = Place::new();
    fs::create_dir(&place.data).unwrap();
    let mount = |options: &str| {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "visavis-test"]).arg(&place.data).output().unwrap().status.success()
    };
    if !mount("size=20m,mode=700") {
        return println!("skipped: a disk cannot be mounted here (as root it can)");
    }
    drop(place.serve());
    // As a daemon leaves it that was stopped in order: nothing in the log.
    let database = rusqlite::Connection::open(place.data.join("visavis.db")).unwrap();
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(database);
    let read_only = mount("remount,ro");
    let backup = place.run(&["backup", &place.file("b.tar")]);
    let unmounted = Command::new("umount").arg("--lazy").arg(&place.data).status().unwrap();
    assert!(read_only && unmounted.success());
    assert!(backup.status.success() && !place.data.join("visavis.db").exists(), "{}", told(&backup));
    assert!(place.run(&["restore", &place.file("b.tar")]).status.success());
    drop(place.serve());
}

/// Scenario: somebody ends it, or the machine fails, at any moment. strace kills it at the first call of a kind that changes the
/// disk, then at the second, and so on until none is left.
#[test]
fn a_restoration_that_is_killed_leaves_all_of_the_old_data_or_all_of_the_new() {
    let traced = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).output();
    if !traced.as_ref().is_ok_and(|output| output.status.success()) {
        println!("skipped: strace cannot trace here: {traced:?}");
        return;
    }
    let place = Place::new();
    drop(place.serve());
    let mut saved = Vec::new();
    for state in ["old", "new"] {
        fs::write(place.data.join("tls/word"), state).unwrap();
        assert!(place.run(&["backup", &place.file(state)]).status.success());
        saved.push(content(&place.data));
    }
    let (mut kept, mut exchanged) = (0, 0);
    for call in ["mkdir", "fsync", "chmod", "chown", "renameat2"] {
        for nth in 1.. {
            let from = usize::from(content(&place.data) == saved[1]);
            let restoration = place.command(&["restore", &place.file(["new", "old"][from])]);
            let mut killed = Command::new("strace");
            killed.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
            let output = killed.arg(restoration.get_program()).args(restoration.get_args()).output().unwrap();
            let found = content(&place.data);
            assert!(saved.contains(&found), "a mixture, killed at {call} {nth}");
            if output.status.success() {
                break;
            }
            if found == saved[from] { kept += 1 } else { exchanged += 1 }
        }
    }
    println!("{kept} kept the data, {exchanged} exchanged it");
    assert!(kept > 10 && exchanged > 1);
    drop(place.serve());
}

/// Every file and its bytes; of the database, who is in it.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for below in ["", "tls"] {
        for entry in fs::read_dir(folder.join(below)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let name = format!("{below}/{}", entry.file_name().to_str().unwrap());
            if !name.contains("visavis.db") && !name.contains("last-backup") {
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let database = rusqlite::Connection::open(folder.join("visavis.db")).unwrap();
    let users: String = database.query_row("SELECT group_concat(username) FROM users", [], |row| row.get(0)).unwrap();
    found.insert("users".to_owned(), users.into());
    found
}
