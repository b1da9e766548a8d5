//! The rights of whoever owns a folder, for commands that root gives.
//!
//! Who owns a folder chooses what its names lead to: a link there would have root read, overwrite or give away any file of the box. So
//! root's commands touch the daemon's folder with the daemon's rights alone.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Gid, Uid, getegid, geteuid, getgroups};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// This thread has another's rights as long as this lives; root's own come back then.
#[derive(Debug)]
#[must_use = "the rights are root's again once this is dropped"]
pub struct Assumed {
    before: Option<(Gid, Vec<Gid>)>,
    /// Rights are a thread's (credentials(7)).
    _of_this_thread: PhantomData<*const ()>,
}

/// Gives this thread the rights of the folder's owner for a while; nothing changes for whoever is not root, or if root owns the folder.
///
/// # Errors
/// The folder cannot be looked at, or the kernel refuses.
pub fn assume(folder: &Path) -> io::Result<Assumed> {
    let mut assumed = Assumed { before: None, _of_this_thread: PhantomData };
    if let Some((user, group)) = other_than_root(folder)? {
        // Whoever fails half-way goes back when this is dropped.
        assumed.before = Some((getegid(), getgroups()?));
        set_thread_groups(&[])?;
        set_thread_res_gid(None::<Gid>, group, None::<Gid>)?;
        set_thread_res_uid(None::<Uid>, user, None::<Uid>)?;
    }
    Ok(assumed)
}

/// Gives this thread, and those it starts, the rights of the folder's owner for good, as above. For a program that has one thread.
///
/// # Errors
/// The folder cannot be looked at, or the kernel refuses.
pub fn become_owner(folder: &Path) -> io::Result<()> {
    if let Some((user, group)) = other_than_root(folder)? {
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    Ok(())
}

impl Drop for Assumed {
    fn drop(&mut self) {
        if let Some((group, groups)) = self.before.take() {
            // Rights that do not come back are missed by what is done next, which says so.
            let _ = set_thread_res_uid(None::<Uid>, Uid::ROOT, None::<Uid>);
            let _ = set_thread_res_gid(None::<Gid>, group, None::<Gid>);
            let _ = set_thread_groups(&groups);
        }
    }
}

/// The folder's owner, if this thread is root and the owner is not.
fn other_than_root(folder: &Path) -> io::Result<Option<(Uid, Gid)>> {
    let owner = fs::metadata(folder)?;
    let differs = geteuid().is_root() && owner.uid() != Uid::ROOT.as_raw();
    Ok(differs.then(|| (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()))))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn root_has_the_rights_of_a_folder_s_owner_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let (own, groups) = ((geteuid(), getegid()), getgroups().unwrap());
        let given = chown(folder.path(), Some(OTHER), Some(OTHER)).is_ok();
        assert_eq!(given, own.0.is_root(), "only root gives a folder away");
        let assumed = assume(folder.path()).unwrap();
        let expected = if given { (Uid::from_raw(OTHER), Gid::from_raw(OTHER)) } else { own };
        assert_eq!((geteuid(), getegid()), expected);
        assert_eq!(getgroups().unwrap().is_empty(), given || groups.is_empty());
        drop(assumed);
        assert_eq!(((geteuid(), getegid()), getgroups().unwrap()), (own, groups));
    }

    #[test]
    fn rights_that_are_given_up_for_good_do_not_come_back_to_that_thread() {
        let folder = tempfile::tempdir().unwrap();
        let given = chown(folder.path(), Some(OTHER), Some(OTHER)).is_ok();
        let path = folder.path().to_owned();
        let came_back = std::thread::spawn(move || {
            become_owner(&path).unwrap();
            set_thread_res_uid(None::<Uid>, Uid::ROOT, None::<Uid>).is_ok()
        });
        assert_eq!(came_back.join().unwrap(), !given && geteuid().is_root());
    }

    const OTHER: u32 = 65_533;
}
