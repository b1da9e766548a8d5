//! The data folder as a whole: who uses it, its backup in one file, its restoration.
//!
//! Owns the lock that keeps two programs from one folder and the archive's format; asks `store` about the database inside. Driven by
//! `cli` and `app`, asked by `doctor`.

mod archive;
mod backup;
mod lock;
mod restore;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

pub use archive::About;
pub use backup::{Backup, LastBackup, backup, last_backup};
pub use lock::{Lock, holder};
pub use restore::{Restored, restore};

/// Why the data folder was not locked, backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another program has it.
    #[error("{}another visavis{} uses it: stop it first (systemctl stop visavis)", at(.folder), process(*.holder))]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The other's process, if it can be seen.
        holder: Option<u32>,
    },
    /// The backup's file is there already.
    #[error("{}exists already: name another file, or overwrite it with --force", at(.0))]
    Exists(PathBuf),
    /// The backup would lie in what is backed up.
    #[error("{}lies in the data folder, which a broken disk takes along: name a file elsewhere, best on another disk", at(.0))]
    Inside(PathBuf),
    /// The backup is damaged, cut short, or something else.
    #[error("{}is no sound backup ({what}), and nothing was changed: take another one, or copy it anew", at(.path))]
    Broken {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The data folder cannot be exchanged.
    #[error("{}is a mount point, which cannot be exchanged: set server.data-dir to a folder within it", at(.0))]
    MountPoint(PathBuf),
    /// The database in the folder or in the backup.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder cannot be used.
    #[error("cannot use {}: {cause}: run this as root (sudo), and see that it is the folder owner's and the disk has room", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

fn at(path: &Path) -> String {
    format!("{}: ", path.display())
}

fn process(holder: Option<u32>) -> String {
    holder.map(|holder| format!(" (process {holder})")).unwrap_or_default()
}

/// The error of an operation on `path`.
fn of(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |cause| DataError::File { path, cause }
}

/// A new folder of its owner's alone, which goes when the program fails.
fn private_folder(prefix: &str, beside: &Path) -> Result<tempfile::TempDir, DataError> {
    let owner_alone = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(prefix).permissions(owner_alone).tempdir_in(beside).map_err(of(beside))
}

/// Brings what was made, renamed or deleted in a folder to the disk.
fn sync_folder(folder: &Path) -> Result<(), DataError> {
    std::fs::File::open(folder).and_then(|opened| opened.sync_all()).map_err(of(folder))
}

/// The folder that holds a file; of a bare name, where the program runs.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
