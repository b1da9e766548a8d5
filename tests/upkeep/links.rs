//! Root's commands on a folder whose owner lays links for them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use crate::place::{Place, told};

/// Scenario: somebody has taken the daemon over, and waits for root to look after the box.
#[test]
fn root_s_commands_touch_nothing_that_the_folder_s_owner_may_not() {
    let place = Place::new();
    fs::create_dir(&place.data).unwrap();
    if chown(&place.data, Some(1234), Some(1234)).is_err() {
        return println!("skipped: a folder cannot be given to another user here (as root it can)");
    }
    fs::set_permissions(place.data.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    let victims = ["visavis.db", "setup.token", "last-backup.json", "last-backup.json.new"].map(|name| {
        let victim = place.file(&format!("root-{name}"));
        fs::write(&victim, "").unwrap();
        fs::set_permissions(&victim, Permissions::from_mode(0o600)).unwrap();
        symlink(&victim, place.data.join(name)).unwrap();
        victim
    });
    symlink(place.file("made-by-root"), place.data.join("visavis.db-journal")).unwrap();
    let backup = place.file("b.tar");
    for args in [&["setup-link"][..], &["user", "list"], &["backup", &backup]] {
        let refused = place.run(args);
        assert!(!refused.status.success(), "{args:?}: {}", told(&refused));
    }
    place.run(&["doctor"]);
    for victim in victims {
        let metadata = fs::metadata(&victim).unwrap();
        assert_eq!((metadata.len(), metadata.uid(), metadata.gid()), (0, 0, 0), "{victim}");
    }
    assert!(!fs::exists(place.file("made-by-root")).unwrap());
}

/// Scenario: the same, with a link in place of the key whose signature the doctor sends to the relay.
#[test]
fn the_doctor_signs_with_no_file_that_the_folder_s_owner_may_not_read() {
    let place = Place::new();
    let _daemon = place.serve();
    fs::set_permissions(place.data.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    let (key, elsewhere) = (place.data.join("turn.key"), place.file("root.key"));
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    if chown(&place.data, Some(1234), Some(1234)).is_err() {
        return println!("skipped: a folder cannot be given to another user here (as root it can)");
    }
    let found = told(&place.run(&["doctor"]));
    assert!(found.contains("not tried, because its key cannot be read"), "{found}");
}
