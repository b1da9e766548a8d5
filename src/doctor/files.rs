//! Who may read the keys, and who owns what the daemon must write.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Finding, Subject};
use crate::config::checked::Tls;

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let folder = &subject.config.server.data_dir;
    let mut found = vec![data(folder)];
    found.extend(subject.config_file.as_deref().and_then(|file| secret_in(file, subject)));
    if let Tls::Files { key, .. } = &subject.config.tls {
        found.extend(readable_by_all(key));
    }
    found
}

fn data(folder: &Path) -> Finding {
    let shown = folder.display().to_string();
    let mut seen = Seen::default();
    match fs::metadata(folder).and_then(|owner| seen.look(folder, &owner).map(|()| owner)) {
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
            Finding::note("files.data", shown, "not looked at: this user may not").remedy("run `sudo visavis doctor`")
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            Finding::note("files.data", shown, "there is no data folder yet: the daemon makes it when it first starts")
        }
        Err(cause) => Finding::failure("files.data", shown, format!("cannot be looked at: {cause}"))
            .remedy("see with `sudo dmesg` whether the disk fails"),
        Ok(_) if !seen.foreign.is_empty() => {
            let names = named(&seen.foreign);
            Finding::failure("files.data", shown.clone(), format!("not the daemon's own, so it cannot write them: {names}"))
                .remedy(format!("give them to the folder's owner: `sudo chown -R --reference={shown} {shown}`"))
        }
        Ok(_) if !seen.open.is_empty() => {
            let names = named(&seen.open);
            Finding::failure("files.data", shown.clone(), format!("others on this box can read secrets: {names}"))
                .remedy(format!("close them: `sudo chmod -R go= {shown}`"))
        }
        Ok(_) => Finding::ok("files.data", shown, "keys and database are the daemon's alone"),
    }
}

/// What is not as it should be in the data folder.
#[derive(Default)]
struct Seen {
    foreign: Vec<PathBuf>,
    open: Vec<PathBuf>,
}

impl Seen {
    fn look(&mut self, folder: &Path, owner: &Metadata) -> io::Result<()> {
        // A folder that nobody else may enter hides what is in it.
        let closed = fs::metadata(folder)?.mode() & 0o077 == 0;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.uid() != owner.uid() {
                self.foreign.push(path.clone());
            }
            if !closed && metadata.is_file() && metadata.mode() & 0o077 != 0 {
                self.open.push(path.clone());
            }
            if metadata.is_dir() && !(closed && self.foreign.len() > NAMED) {
                self.look(&path, owner)?;
            }
        }
        Ok(())
    }
}

fn secret_in(file: &Path, subject: &Subject) -> Option<Finding> {
    subject.config.turn.shared_secret.as_ref()?;
    readable_by_all(file)
}

/// A finding if everybody on the box can read this file.
fn readable_by_all(file: &Path) -> Option<Finding> {
    let open = fs::metadata(file).ok()?.mode() & 0o004 != 0;
    let shown = file.display().to_string();
    open.then(|| {
        Finding::warning("files.secret", shown.clone(), "it holds a secret, and everybody on this box can read it")
            .remedy(format!("close it: `sudo chmod o= {shown}`"))
    })
}

fn named(paths: &[PathBuf]) -> String {
    let mut names: Vec<_> = paths.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    if paths.len() > NAMED {
        names.push(format!("and {} more", paths.len() - NAMED));
    }
    names.join(", ")
}

const NAMED: usize = 3;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::State;
    use super::*;

    #[test]
    fn an_open_folder_with_an_open_key_is_a_failure_that_names_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let key = folder.path().join("turn.key");
        fs::write(&key, "secret").unwrap();
        for (of_folder, of_key, state) in
            [(0o700, 0o644, State::Ok), (0o755, 0o600, State::Ok), (0o755, 0o644, State::Failure), (0o750, 0o640, State::Failure)]
        {
            mode(folder.path(), of_folder);
            mode(&key, of_key);
            let found = data(folder.path());
            assert_eq!(found.state, state, "{of_folder:o} {of_key:o}");
            assert_eq!(found.meaning.contains("turn.key"), state == State::Failure);
        }
    }

    #[test]
    fn what_another_user_owns_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("visavis.db"), "").unwrap();
        if std::os::unix::fs::chown(folder.path().join("visavis.db"), Some(4321), None).is_err() {
            return println!("skipped: only root gives files away");
        }
        let found = data(folder.path());
        assert_eq!(found.state, State::Failure);
        assert!(found.remedy.unwrap().contains("chown -R --reference="));
    }
}
