//! Everything in one file, while the daemon runs.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::archive::{self, About, FORMAT, Member};
use super::{DataError, of, parent, private_folder, sync_folder};
use crate::store;
use crate::sys::owner;

/// A backup that was made and checked.
#[derive(Debug)]
pub struct Backup {
    /// What it says of itself.
    pub about: About,
    /// How many files of the data folder are in it, the database included.
    pub files: usize,
    /// Its size.
    pub bytes: u64,
    /// What is neither a file nor a folder, and so not in it.
    pub left_out: Vec<PathBuf>,
}

/// When the data folder was last backed up, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// RFC 3339 in UTC.
    pub made_at: String,
    /// As it was called then.
    pub file: PathBuf,
}

/// Writes the data folder to `file`, readable by its owner alone, and reads it again to check it. The database is copied as it stands
/// at one moment, with every row that was acknowledged before; calls go on.
///
/// # Errors
/// [`DataError::Exists`] without `overwrite`; [`DataError::Inside`]; a damaged database; or what the disk refused. Nothing is left then.
pub fn backup(data_dir: &Path, file: &Path, overwrite: bool) -> Result<Backup, DataError> {
    let folder = fs::canonicalize(parent(file)).map_err(of(parent(file)))?;
    let data_dir = &fs::canonicalize(data_dir).map_err(of(data_dir))?;
    if folder.starts_with(data_dir) {
        return Err(DataError::Inside(file.to_owned()));
    }
    if !overwrite && file.symlink_metadata().is_ok() {
        return Err(DataError::Exists(file.to_owned()));
    }
    let beside = private_folder(BESIDE, &folder)?;
    let copy = beside.path().join(store::FILE_NAME);
    let schema = store::copy(data_dir, &copy)?;
    let about = About { format: FORMAT, visavis: env!("CARGO_PKG_VERSION").to_owned(), schema, made_at: now() };
    let copied = Member { name: store::FILE_NAME.into(), path: copy, folder: beside.path().to_owned() };
    let mut found = Found { members: vec![copied], left_out: Vec::new() };
    {
        let _owner = owner::assume(data_dir).map_err(of(data_dir))?;
        found.look(data_dir, Path::new(""))?;
    }

    let mut written = tempfile::Builder::new().prefix(BESIDE).tempfile_in(&folder).map_err(of(&folder))?;
    archive::write(written.as_file_mut(), &about, &found.members).map_err(of(file))?;
    written.as_file().sync_all().map_err(of(file))?;
    check(written.path(), file)?;
    let bytes = written.as_file().metadata().map_err(of(file))?.len();
    if overwrite {
        written.persist(file).map_err(|refused| of(file)(refused.error))?;
    } else {
        written.persist_noclobber(file).map_err(|refused| of(file)(refused.error))?;
    }
    sync_folder(&folder)?;
    let last = LastBackup { made_at: about.made_at.clone(), file: folder.join(file.file_name().unwrap_or_default()) };
    // The backup stands, and a disk that takes no writes any more is the best reason for one.
    let _ = remember(data_dir, &last);
    Ok(Backup { about, files: found.members.len(), bytes, left_out: found.left_out })
}

/// When the data folder was last backed up; `None` if it never was.
///
/// # Errors
/// That may not be read.
pub fn last_backup(data_dir: &Path) -> io::Result<Option<LastBackup>> {
    let read = owner::assume(data_dir).and_then(|_owner| fs::read(data_dir.join(LAST)));
    match read {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

struct Found {
    members: Vec<Member>,
    left_out: Vec<PathBuf>,
}

impl Found {
    /// The files below a folder by name, without the database, which was copied, and what belongs to it.
    fn look(&mut self, data_dir: &Path, below: &Path) -> Result<(), DataError> {
        let folder = data_dir.join(below);
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(of(&folder))?;
        let mut names: Vec<_> = entries.iter().map(|entry| below.join(entry.file_name())).collect();
        names.sort_unstable();
        for name in names {
            let path = data_dir.join(&name);
            let kind = fs::symlink_metadata(&path).map_err(of(&path))?.file_type();
            if kind.is_dir() {
                self.look(data_dir, &name)?;
            } else if !kind.is_file() {
                self.left_out.push(path);
            } else if !name.to_string_lossy().starts_with(store::FILE_NAME) && name != Path::new(LAST) {
                self.members.push(Member { name, path, folder: data_dir.to_owned() });
            }
        }
        Ok(())
    }
}

/// Reads what was written as a restoration would.
fn check(written: &Path, file: &Path) -> Result<(), DataError> {
    let sealed = File::open(written).and_then(|mut opened| archive::is_sealed(&mut opened)).map_err(of(file))?;
    let what = "the disk does not give back what was written".to_owned();
    if sealed { Ok(()) } else { Err(DataError::Broken { path: file.to_owned(), what }) }
}

/// Written beside and moved there, by the folder's owner: what lies there may be a link.
fn remember(data_dir: &Path, last: &LastBackup) -> io::Result<()> {
    let _owner = owner::assume(data_dir)?;
    let mut file = tempfile::Builder::new().prefix(LAST).tempfile_in(data_dir)?;
    file.write_all(&serde_json::to_vec(last)?)?;
    file.persist(data_dir.join(LAST)).map(drop).map_err(|refused| refused.error)
}

pub(super) fn now() -> String {
    OffsetDateTime::now_utc().replace_nanosecond(0).ok().and_then(|now| now.format(&Rfc3339).ok()).unwrap_or_default()
}

const BESIDE: &str = ".visavis-backup-";
const LAST: &str = "last-backup.json";
