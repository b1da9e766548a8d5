//! Backups and restorations through the folder's own door.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;

use super::*;
use crate::proto::id::UserId;
use crate::proto::signal::Role;
use crate::store::{FILE_NAME, NewUser, Store, User};

#[tokio::test]
async fn what_was_backed_up_comes_back_and_what_was_there_lies_beside() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    let before = content(&data);
    let made = backup(&data, &file, false).unwrap();
    assert_eq!((made.files, fs::metadata(&file).unwrap().permissions().mode() & 0o777), (4, 0o600));
    assert_eq!(last_backup(&data).unwrap().unwrap().made_at, made.about.made_at);

    add(&data, "stu").await;
    fs::write(data.join("turn.key"), [9; 32]).unwrap();
    let changed = content(&data);
    let restored = restore(&file, &data).unwrap();
    assert_eq!((names(&data), content(&data)), (vec!["mara".to_owned()], before));
    let aside = restored.aside.unwrap();
    assert_eq!((names(&aside).len(), content(&aside)), (2, changed));
    assert_eq!(restored.about, made.about);
    assert_eq!(fs::metadata(data.join("turn.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(beside(place.path()).len(), 3, "data, what was there before, and the backup");
    let again = restore(&file, &data).unwrap().aside.unwrap();
    assert_ne!(again, aside, "what was set aside within the same second");
}

#[tokio::test]
async fn a_box_without_a_data_folder_gets_one() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    backup(&data, &file, false).unwrap();
    let elsewhere = place.path().join("new");
    assert_eq!(restore(&file, &elsewhere).unwrap().aside, None);
    assert_eq!(content(&elsewhere), content(&data));
    assert_eq!(fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_acknowledged_before_a_backup_is_in_it_while_a_writer_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    let store = Store::open(&data).unwrap();
    let acknowledged = std::sync::Arc::new(AtomicI64::new(0));
    let writing = tokio::spawn({
        let (store, acknowledged) = (store.clone(), std::sync::Arc::clone(&acknowledged));
        async move {
            for number in 1.. {
                let sql = "INSERT INTO login_failures (key, failures, last_failed_at) VALUES (?1, 1, 0)";
                if store.write(move |db| db.execute(sql, [format!("{number:08}")])).await.is_err() {
                    return;
                }
                acknowledged.store(number, Ordering::SeqCst);
            }
        }
    });
    for round in 0..8 {
        let known = acknowledged.load(Ordering::SeqCst);
        let (from, to) = (data.clone(), file.clone());
        tokio::task::spawn_blocking(move || backup(&from, &to, true)).await.unwrap().unwrap();
        let elsewhere = place.path().join(format!("round-{round}"));
        restore(&file, &elsewhere).unwrap();
        let database = Connection::open(elsewhere.join(FILE_NAME)).unwrap();
        let sql = "SELECT COUNT(*), CAST(MAX(key) AS INTEGER) FROM login_failures";
        let (rows, last): (i64, Option<i64>) = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!(rows >= known && rows == last.unwrap_or_default(), "{rows} rows up to {last:?}, {known} acknowledged");
    }
    store.close().await;
    writing.await.unwrap();
}

#[tokio::test]
async fn a_changed_byte_anywhere_or_a_missing_end_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    backup(&data, &file, false).unwrap();
    let (sound, before) = (fs::read(&file).unwrap(), content(&data));
    let places = beside(place.path());
    let damage = (0..sound.len(), 1..=255u8, any::<bool>());
    let mut runner = TestRunner::new(Config::with_cases(300));
    let ran = runner.run(&damage, |(at, bits, cut)| {
        let mut damaged = sound.clone();
        damaged[at] ^= bits;
        damaged.truncate(if cut { at } else { sound.len() });
        fs::write(&file, &damaged).unwrap();
        let refused = matches!(restore(&file, &data), Err(DataError::Broken { .. }));
        prop_assert!(refused);
        Ok(())
    });
    ran.unwrap();
    assert_eq!((content(&data), beside(place.path())), (before, places));
    for other in [&b""[..], b"no archive", &[0; 4096]] {
        fs::write(&file, other).unwrap();
        assert!(matches!(restore(&file, &data), Err(DataError::Broken { .. })));
    }
}

#[tokio::test]
async fn no_archive_writes_outside_of_the_data_folder() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    backup(&data, &file, false).unwrap();
    let before = content(&data);
    for (name, kind) in [
        ("../escaped", tar::EntryType::Regular),
        ("data/../../escaped", tar::EntryType::Regular),
        ("/tmp/escaped", tar::EntryType::Regular),
        ("escaped", tar::EntryType::Regular),
        ("data/link", tar::EntryType::Symlink),
        ("data/link", tar::EntryType::Link),
        ("data/pipe", tar::EntryType::Fifo),
    ] {
        fs::write(&file, forged(name, kind)).unwrap();
        let refused = restore(&file, &data);
        assert!(matches!(refused, Err(DataError::Broken { .. })), "{name}: {refused:?}");
    }
    assert_eq!((content(&data), beside(place.path()).len()), (before, 2));
}

#[tokio::test]
async fn the_database_of_a_newer_program_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    backup(&data, &file, false).unwrap();
    let before = content(&data);
    let newer = tempfile::tempdir().unwrap();
    let database = Connection::open(newer.path().join(FILE_NAME)).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let about = About { format: 1, visavis: "9.9.9".to_owned(), schema: 99, made_at: String::new() };
    let members =
        [archive::Member { name: FILE_NAME.into(), path: newer.path().join(FILE_NAME), folder: newer.path().to_owned() }];
    archive::write(&mut fs::File::create(&file).unwrap(), &about, &members).unwrap();
    let refused = restore(&file, &data);
    assert!(matches!(refused, Err(DataError::Store(StoreError::TooNew { found: 99, .. }))), "{refused:?}");
    assert_eq!(content(&data), before);
}

#[tokio::test]
async fn a_folder_in_use_is_not_restored_to() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    backup(&data, &file, false).unwrap();
    let _daemon = Lock::take(&data).unwrap();
    backup(&data, &file, true).unwrap();
    assert!(matches!(restore(&file, &data), Err(DataError::InUse { .. })));
}

#[tokio::test]
async fn a_backup_overwrites_nothing_unasked_and_never_lies_in_the_data_folder() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    fs::write(&file, "precious").unwrap();
    assert!(matches!(backup(&data, &file, false), Err(DataError::Exists(_))));
    assert!(matches!(backup(&data, &data.join("backup.tar"), false), Err(DataError::Inside(_))));
    assert!(matches!(backup(&data, &data.join("tls/backup.tar"), false), Err(DataError::Inside(_))));
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    backup(&data, &file, true).unwrap();
    assert_eq!(beside(place.path()).len(), 2);
}

/// Scenario: somebody who has taken the daemon over lays links for root, who makes the nightly backup.
#[tokio::test]
async fn a_link_in_the_data_folder_leads_a_backup_nowhere() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    let victim = place.path().join("shadow");
    fs::write(&victim, "root").unwrap();
    for name in ["last-backup.json", "last-backup.json.new", "tls/link"] {
        symlink(&victim, data.join(name)).unwrap();
    }
    let before = fs::metadata(&victim).unwrap();
    let made = backup(&data, &file, false).unwrap();
    assert!(made.left_out.iter().any(|left| left.ends_with("tls/link")), "{:?}", made.left_out);
    let after = fs::metadata(&victim).unwrap();
    assert_eq!((fs::read(&victim).unwrap(), after.uid(), after.gid()), (b"root".to_vec(), before.uid(), before.gid()));
    assert_eq!(last_backup(&data).unwrap().unwrap().made_at, made.about.made_at);
}

/// Scenario: the database is exchanged for a link to one that root alone reads. Another user cannot be played without root.
#[tokio::test]
async fn root_backs_up_with_the_rights_of_the_folder_s_owner() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    let roots = place.path().join("roots.db");
    fs::rename(data.join(FILE_NAME), &roots).unwrap();
    symlink(&roots, data.join(FILE_NAME)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&roots, fs::Permissions::from_mode(0o600)).unwrap();
    let is_root = give_away(&data);
    let made = backup(&data, &file, false);
    assert_eq!(made.is_err(), is_root, "{made:?}");
    fs::remove_file(data.join(FILE_NAME)).unwrap();
    fs::rename(&roots, data.join(FILE_NAME)).unwrap();
    give_away(&data);
    let made = backup(&data, &file, true).unwrap();
    assert_eq!((made.files, last_backup(&data).unwrap().is_some()), (4, true));
    let owner = |path: &Path| fs::metadata(path).unwrap().uid();
    assert_eq!(owner(&data.join("last-backup.json")), owner(&data));
}

#[tokio::test]
async fn a_damaged_database_is_not_backed_up() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (a_folder(&place, "mara").await, place.path().join("backup.tar"));
    let database = Connection::open(data.join(FILE_NAME)).unwrap();
    let sql = "PRAGMA foreign_keys = OFF; INSERT INTO login_sessions VALUES (x'00', 'nobody', 0, 0)";
    database.execute_batch(sql).unwrap();
    drop(database);
    let refused = backup(&data, &file, false);
    assert!(matches!(refused, Err(DataError::Store(StoreError::Damaged { .. }))), "{refused:?}");
    assert_eq!(beside(place.path()), ["data"]);
}

/// A data folder with one account, keys, and a folder within.
async fn a_folder(place: &tempfile::TempDir, name: &str) -> PathBuf {
    let data = place.path().join("data");
    fs::DirBuilder::new().create(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    add(&data, name).await;
    fs::create_dir(data.join("tls")).unwrap();
    for (name, text) in [("turn.key", "0123456789abcdef0123456789abcdef"), ("tls/ca.pem", "certificate"), ("tls/ca.key", "key")] {
        fs::write(data.join(name), text).unwrap();
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    data
}

async fn add(data: &Path, name: &str) {
    let store = Store::open(data).unwrap();
    let id = UserId::from_random(crate::sys::entropy::random());
    let user = User { id, username: name.to_owned(), display_name: name.to_owned(), role: Role::Mentor };
    store.insert_user(NewUser { user, password_hash: String::new() }).await.unwrap();
    store.close().await;
}

/// Gives a folder and what is in it to another user; false if only root could.
fn give_away(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for entry in entries {
        if entry.is_dir() {
            give_away(&entry);
        } else {
            let _ = lchown(&entry, Some(65_533), Some(65_533));
        }
    }
    lchown(folder, Some(65_533), Some(65_533)).is_ok()
}

fn names(data: &Path) -> Vec<String> {
    let database = Connection::open(data.join(FILE_NAME)).unwrap();
    let mut query = database.prepare("SELECT username FROM users ORDER BY username").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Every file but the database's, with its bytes.
fn content(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    ["turn.key", "tls/ca.pem", "tls/ca.key"]
        .iter()
        .map(|name| (PathBuf::from(name), fs::read(data.join(name)).unwrap()))
        .collect()
}

fn beside(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// A sealed archive with a member of this name, which no `backup` writes.
fn forged(name: &str, kind: tar::EntryType) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_ustar_mut().unwrap().linkname[..11].copy_from_slice(b"/etc/passwd");
    header.set_entry_type(kind);
    header.set_mode(0o600);
    header.set_size(0);
    header.set_cksum();
    builder.append(&header, &b""[..]).unwrap();
    archive::sealed(builder)
}
