//! The form of a backup: a tar archive (POSIX.1-1988 ustar), so that any computer can open it.
//!
//! ```text
//! backup.json     format, version of the program, version of the database, time
//! data/...        the files of the data folder
//! SHA256SUMS      a checksum a file, for `sha256sum -c`
//! SEAL            SHA-256 of every byte before this member
//! ```
//! The seal and what follows it are a function of the bytes before, so that no bit of the whole file can change unnoticed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};
use tar::{Builder, EntryType, Header};

use crate::sys::owner;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Of the archive: [`FORMAT`].
    pub(super) format: u32,
    /// The program that made it.
    pub visavis: String,
    /// `user_version` of its database.
    pub schema: u32,
    /// RFC 3339 in UTC.
    pub made_at: String,
}

/// A file to be put in.
pub(super) struct Member {
    /// Below the data folder.
    pub(super) name: PathBuf,
    /// Where it is now.
    pub(super) path: PathBuf,
    /// It is read with the rights of this folder's owner.
    pub(super) folder: PathBuf,
}

impl Member {
    /// No link is followed, and no pipe waited for, that has taken the file's place meanwhile.
    fn open(&self) -> io::Result<File> {
        let _owner = owner::assume(&self.folder)?;
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&self.path)
    }
}

/// Why a file is no backup, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("{0}")]
    Broken(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the archive; its bytes are not synced yet.
pub(super) fn write(file: &mut File, about: &About, members: &[Member]) -> io::Result<()> {
    let mut builder = Builder::new(Hashing { inner: file, context: digest::Context::new(&digest::SHA256) });
    append(&mut builder, Path::new(ABOUT), 0o600, &serde_json::to_vec_pretty(about)?)?;
    let mut sums = String::new();
    for member in members {
        let name = Path::new(DATA).join(&member.name);
        let opened = member.open()?;
        let metadata = opened.metadata()?;
        let mut content = Hashing { inner: opened.take(metadata.len()), context: digest::Context::new(&digest::SHA256) };
        builder.append_data(&mut header(metadata.mode(), metadata.len()), &name, &mut content)?;
        sums += &line(content.context.finish(), &name);
    }
    append(&mut builder, Path::new(SUMS), 0o600, sums.as_bytes())?;
    let sealed = builder.get_ref().context.clone().finish();
    seal(&mut builder, sealed)?;
    builder.into_inner()?.inner.flush()
}

/// Whether every byte of the file is as it was written.
pub(super) fn is_sealed(file: &mut File) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let Some(before) = length.checked_sub(SEAL_BYTES) else { return Ok(false) };
    let mut hashing = Hashing { inner: Read::by_ref(file).take(before), context: digest::Context::new(&digest::SHA256) };
    io::copy(&mut hashing, &mut io::sink())?;
    let mut builder = Builder::new(Vec::new());
    seal(&mut builder, hashing.context.finish())?;
    let (expected, mut found) = (builder.into_inner()?, Vec::new());
    file.read_to_end(&mut found)?;
    file.rewind()?;
    Ok(found == expected)
}

/// Checks all of `file` and unpacks its data into `folder`, which is empty and the caller's alone. Nothing is written outside of it.
///
/// # Errors
/// What is wrong with the archive; the folder may then hold a part of it.
pub(super) fn unpack(file: &mut File, folder: &Path) -> Result<About, ArchiveError> {
    if !is_sealed(file)? {
        return Err(ArchiveError::Broken("it is damaged, cut short, or another kind of file"));
    }
    let (mut about, mut sums, mut listed) = (None, String::new(), None);
    for entry in tar::Archive::new(file).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        if entry.header().entry_type() != EntryType::Regular
            || !name.components().all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(ArchiveError::Broken("it names something else than files of a data folder"));
        }
        match name.to_str() {
            Some(ABOUT) => about = Some(read_about(&mut entry)?),
            Some(SUMS) => listed = Some(io::read_to_string(entry.take(TEXT_MAX))?),
            Some(SEAL) => {}
            _ => {
                let below = name.strip_prefix(DATA).map_err(|_| ArchiveError::Broken("it holds a file that no backup has"))?;
                sums += &line(unpack_file(&mut entry, &folder.join(below))?, &name);
            }
        }
    }
    let about = about.ok_or(ArchiveError::Broken("it does not say what it is"))?;
    if listed.as_deref() != Some(&sums) {
        return Err(ArchiveError::Broken("its checksums are not those of its files"));
    }
    Ok(about)
}

fn read_about(entry: impl Read) -> Result<About, ArchiveError> {
    let about: About =
        serde_json::from_reader(entry.take(TEXT_MAX)).map_err(|_| ArchiveError::Broken("it does not say what it is"))?;
    if about.format == FORMAT {
        Ok(about)
    } else {
        Err(ArchiveError::Broken("another version of visavis made it: install that one"))
    }
}

/// Its checksum; the file is on the disk.
fn unpack_file<R: Read>(entry: &mut tar::Entry<'_, R>, path: &Path) -> io::Result<digest::Digest> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(super::parent(path))?;
    let mode = entry.header().mode()? & 0o777;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let mut hashing = Hashing { inner: entry, context: digest::Context::new(&digest::SHA256) };
    io::copy(&mut hashing, &mut file)?;
    file.sync_all()?;
    Ok(hashing.context.finish())
}

fn append<W: Write>(builder: &mut Builder<W>, name: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    builder.append_data(&mut header(mode, content.len() as u64), name, content)
}

fn seal<W: Write>(builder: &mut Builder<W>, sealed: digest::Digest) -> io::Result<()> {
    append(builder, Path::new(SEAL), 0o600, format!("{}\n", hexadecimal(sealed)).as_bytes())
}

fn header(mode: u32, bytes: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode & 0o777);
    header.set_size(bytes);
    header.set_mtime(0);
    header
}

/// As `sha256sum` writes it.
fn line(sum: digest::Digest, name: &Path) -> String {
    format!("{}  {}\n", hexadecimal(sum), name.display())
}

fn hexadecimal(sum: digest::Digest) -> String {
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds up the checksum of what passes.
struct Hashing<T> {
    inner: T,
    context: digest::Context,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.context.update(&buffer[..length]);
        Ok(length)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.context.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

pub(super) const FORMAT: u32 = 1;
const ABOUT: &str = "backup.json";
pub(super) const DATA: &str = "data";
const SUMS: &str = "SHA256SUMS";
const SEAL: &str = "SEAL";
/// Header, content, and the two empty blocks at an archive's end, of 512 bytes each.
const SEAL_BYTES: u64 = 4 * 512;
const TEXT_MAX: u64 = 1 << 20;

/// Seals what a test wrote by hand.
#[cfg(test)]
pub(super) fn sealed(mut builder: Builder<Vec<u8>>) -> Vec<u8> {
    let sum = digest::digest(&digest::SHA256, builder.get_ref());
    seal(&mut builder, sum).unwrap();
    builder.into_inner().unwrap()
}
