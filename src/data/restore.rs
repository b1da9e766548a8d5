//! The data folder as a backup has it: all of it, in one step of the file system, or nothing.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::archive::{self, About, ArchiveError};
use super::{DataError, Lock, backup, of, parent, private_folder, sync_folder};
use crate::store;
use crate::sys::owner;

/// A data folder that was exchanged for what a backup held.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub about: About,
    /// Where the data that was there before is now; `None` if there was none.
    pub aside: Option<PathBuf>,
}

/// Makes the data folder what it was when `file` was written. Everything is unpacked beside it and checked first; then the two folders
/// change places at once (`RENAME_EXCHANGE`), so that a crash leaves the one or the other, whole. The owner stays.
///
/// # Errors
/// [`DataError::InUse`] while a daemon runs, [`DataError::Broken`], the database of a newer program, or what the disk refused: the data
/// folder is then as it was.
pub fn restore(file: &Path, data_dir: &Path) -> Result<Restored, DataError> {
    let mut opened = File::open(file).map_err(of(file))?;
    // systemd keeps the folders of some services elsewhere, behind a link.
    let data_dir = &fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let present = fs::metadata(data_dir).ok();
    let _lock = present.as_ref().map(|_| Lock::take(data_dir)).transpose()?;
    let beside = parent(data_dir);
    // Usually root's; whoever else owns it could exchange the folders within.
    let _owner = owner::assume(beside).map_err(of(beside))?;
    let name = data_dir.file_name().unwrap_or_default().to_string_lossy();
    let stage = private_folder(&format!("{name}.restoring-"), beside)?;
    let about = archive::unpack(&mut opened, stage.path()).map_err(|error| match error {
        ArchiveError::Broken(what) => DataError::Broken { path: file.to_owned(), what: what.to_owned() },
        ArchiveError::Io(cause) => DataError::File { path: file.to_owned(), cause },
    })?;
    store::examine(&stage.path().join(store::FILE_NAME))?;
    let owner = match &present {
        Some(present) => present.clone(),
        None => fs::metadata(stage.path()).map_err(of(stage.path()))?,
    };
    settle(stage.path(), (owner.uid(), owner.gid()))?;
    fs::set_permissions(stage.path(), Permissions::from_mode(owner.mode() & 0o7777)).map_err(of(stage.path()))?;
    sync_folder(stage.path())?;

    // Whoever opens the folder that is about to take the place finds it taken until all is done.
    let _lock_of_new = Lock::take(stage.path())?;
    let flags = if present.is_some() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    renameat_with(CWD, stage.path(), CWD, data_dir, flags).map_err(|error| match error {
        Errno::BUSY => DataError::MountPoint(data_dir.clone()),
        error => of(data_dir)(error.into()),
    })?;
    // What lies in the stage's place is from here on the data that was there, which nothing may delete.
    let old = stage.keep();
    sync_folder(beside)?;
    if present.is_none() {
        return Ok(Restored { about, aside: None });
    }
    let aside = set_aside(&old, &format!("{name}.before-{}", backup::now().replace([':', '-'], "")), beside)?;
    sync_folder(beside)?;
    Ok(Restored { about, aside: Some(aside) })
}

/// Gives the data that was there a name that says so, and that nothing has.
fn set_aside(old: &Path, name: &str, beside: &Path) -> Result<PathBuf, DataError> {
    for suffix in std::iter::once(String::new()).chain((2..).map(|number| format!("-{number}"))) {
        let aside = beside.join(format!("{name}{suffix}"));
        match renameat_with(CWD, old, CWD, &aside, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            Err(error) => return Err(of(&aside)(error.into())),
            Ok(()) => return Ok(aside),
        }
    }
    unreachable!("invariant: numbers do not end")
}

/// Gives everything below a folder, and the folder, to their owner, and syncs the folders.
fn settle(folder: &Path, owner: (u32, u32)) -> Result<(), DataError> {
    for entry in fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(of(folder))? {
        let path = entry.path();
        if entry.file_type().map_err(of(&path))?.is_dir() {
            settle(&path, owner)?;
        } else {
            chown(&path, Some(owner.0), Some(owner.1)).map_err(of(&path))?;
        }
    }
    chown(folder, Some(owner.0), Some(owner.1)).map_err(of(folder))?;
    sync_folder(folder)
}
