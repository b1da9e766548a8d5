//! One program uses a data folder at a time.
//!
//! The lock is the kernel's (flock) on the folder itself: it ends with the process, however that ends, and leaves no file behind.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{DataError, of};

/// The data folder is this process's as long as this lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the kernel's lock is held as long as the folder is open")] File);

impl Lock {
    /// Takes the folder, which is there.
    ///
    /// # Errors
    /// [`DataError::InUse`], or that the folder cannot be opened.
    pub fn take(folder: &Path) -> Result<Self, DataError> {
        let opened = File::open(folder).map_err(of(folder))?;
        match opened.try_lock() {
            Ok(()) => Ok(Self(opened)),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse { folder: folder.to_owned(), holder: holder(folder) }),
            Err(TryLockError::Error(cause)) => Err(of(folder)(cause)),
        }
    }
}

/// The process that has the folder, without disturbing it; `None` if there is none, or none that can be seen from here.
pub fn holder(folder: &Path) -> Option<u32> {
    let folder = std::fs::metadata(folder).ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| held(line, folder.ino(), folder.dev()))
}

/// Who holds what a line of `/proc/locks` tells of (proc(5)): `1: FLOCK  ADVISORY  WRITE 708 08:01:13548 0 EOF`.
fn held(line: &str, inode: u64, device: u64) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, access, process, file) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let mut file = file.split(':');
    let (major, minor) = (u64::from_str_radix(file.next()?, 16).ok()?, u64::from_str_radix(file.next()?, 16).ok()?);
    let same = file.next()?.parse() == Ok(inode) && (libc::major(device), libc::minor(device)) == (major as u32, minor as u32);
    (kind == "FLOCK" && access == "WRITE" && same).then(|| process.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_program_is_told_who_has_the_folder_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(holder(folder.path()), None);
        let first = Lock::take(folder.path()).unwrap();
        assert_eq!(holder(folder.path()), Some(std::process::id()));
        let refused = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("another visavis (process {})", std::process::id())), "{refused}");
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn only_a_lock_of_this_very_folder_counts() {
        let device = libc::makedev(0x8, 0x1);
        let of = |line: &str| held(line, 13548, device);
        assert_eq!(of("1: FLOCK  ADVISORY  WRITE 708 08:01:13548 0 EOF"), Some(708));
        for other in [
            "1: FLOCK  ADVISORY  WRITE 708 08:01:13549 0 EOF",
            "1: FLOCK  ADVISORY  WRITE 708 08:02:13548 0 EOF",
            "1: POSIX  ADVISORY  WRITE 708 08:01:13548 0 EOF",
            "1: -> FLOCK  ADVISORY  WRITE 708 08:01:13548 0 EOF",
            "",
            "1: FLOCK",
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
