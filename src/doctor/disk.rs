//! The disk of the data folder: room, and how long it takes to keep what it is given.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::{Finding, Subject};

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let folder = &subject.config.server.data_dir;
    let shown = folder.display().to_string();
    match statvfs(folder) {
        Ok(disk) => {
            let mut found = vec![room(&shown, &disk)];
            found.extend(entries(&shown, &disk));
            found.push(writes(&shown, folder, &disk));
            found
        }
        Err(cause) => vec![
            Finding::failure("disk.space", shown, format!("the data folder cannot be looked at: {cause}"))
                .remedy("see that server.data-dir is right and its disk is mounted; the daemon makes the folder when it starts"),
        ],
    }
}

fn room(shown: &str, disk: &StatVfs) -> Finding {
    let (free, all) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
    let meaning = format!("{} of {} are free", super::report::size(free), super::report::size(all));
    let remedy = "free some: `sudo du -xh / | sort -h | tail` shows what takes the room, `sudo journalctl --vacuum-size=50M` shrinks the journal";
    match free {
        0..FULL_BYTES => Finding::failure("disk.space", shown, format!("{meaning}: nothing more can be stored")).remedy(remedy),
        FULL_BYTES..LOW_BYTES => Finding::warning("disk.space", shown, format!("{meaning}, which will not last")).remedy(remedy),
        _ => Finding::ok("disk.space", shown, meaning),
    }
}

/// How many files it can still hold; some file systems do not count.
fn entries(shown: &str, disk: &StatVfs) -> Option<Finding> {
    let short = disk.f_files > 0 && disk.f_favail < ENTRIES_LOW;
    short.then(|| {
        Finding::warning("disk.files", shown, format!("room for {} more files only", disk.f_favail))
            .remedy("delete small files that nobody needs: `df -i` shows which disk is meant")
    })
}

fn writes(shown: &str, folder: &Path, disk: &StatVfs) -> Finding {
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::failure("disk.writes", shown, "the disk is read-only, so nothing can be stored; calls go on")
            .remedy("see with `sudo dmesg` whether it fails; a worn memory card turns read-only and must be replaced");
    }
    match sync_time(folder) {
        Ok(time) if time > SLOW => Finding::warning("disk.writes", shown, format!("keeping what is written takes {time:.0?}"))
            .remedy("close what else writes to this disk; a worn or cheap memory card is slow like that"),
        Ok(time) => Finding::ok("disk.writes", shown, format!("what is written is on the disk within {time:.0?}")),
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
            Finding::note("disk.writes", shown, "not tried: this user may not write there").remedy("run `sudo visavis doctor`")
        }
        Err(cause) => Finding::failure("disk.writes", shown, format!("nothing can be written: {cause}"))
            .remedy("see with `df -h` whether the disk is full and with `sudo dmesg` whether it fails"),
    }
}

/// The middle one of three, with a file that has no name.
fn sync_time(folder: &Path) -> std::io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[1])
}

const FULL_BYTES: u64 = 1 << 20;
const LOW_BYTES: u64 = 64 << 20;
const ENTRIES_LOW: u64 = 1000;
const SLOW: Duration = Duration::from_millis(500);
