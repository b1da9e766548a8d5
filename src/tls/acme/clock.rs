//! Whether the clock is set. A box without a battery starts in the past, where every server's certificate is not valid yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::plan::UnixSeconds;
use crate::sys::clock::{Synchronised, synchronised};

/// What is known of the time without the clock.
#[derive(Debug, Clone)]
pub struct Evidence {
    written: Option<(PathBuf, UnixSeconds)>,
}

impl Evidence {
    /// Looks for the newest file in `data_dir`, before this start writes there.
    pub fn collect(data_dir: &Path) -> Self {
        let files = fs::read_dir(data_dir).into_iter().flatten().flatten();
        let written = files.filter_map(|file| Some((file.path(), unix(file.metadata().ok()?.modified().ok()?))));
        Self { written: written.max_by_key(|(_, at)| *at) }
    }
}

/// The box's clock, and what speaks against it.
#[derive(Debug)]
pub(super) struct Clock {
    evidence: Evidence,
    started: Instant,
}

/// What the clock says, if that can be.
pub(super) type Now = Result<UnixSeconds, String>;

impl Clock {
    pub(super) fn new(evidence: Evidence) -> Self {
        Self { evidence, started: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        let now = unix(SystemTime::now());
        match doubt(now, self.started.elapsed(), &self.evidence, service(synchronised(), Path::new(TIMESYNC))) {
            Some(why) => Err(why),
            None => Ok(now),
        }
    }
}

/// What time services say of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    /// One has set it.
    Set,
    /// systemd-timesyncd runs and has not set it yet.
    Waiting,
    /// There is none, or this box's sandbox hides it.
    Unknown,
}

/// The kernel knows of every service; `timesync` is the folder of systemd's, which tells more.
fn service(kernel: Synchronised, timesync: &Path) -> Service {
    match (kernel, timesync.join("synchronized").exists(), timesync.exists()) {
        (Synchronised::Yes, _, _) | (_, true, _) => Service::Set,
        (_, false, true) => Service::Waiting,
        (_, false, false) => Service::Unknown,
    }
}

/// No clock is right that runs before this program was built. All else may mislead (a file from a time when the clock was ahead, a
/// network without time servers) and is believed for a while only.
fn doubt(now: UnixSeconds, running: Duration, evidence: &Evidence, service: Service) -> Option<String> {
    if now < built() {
        return Some("it is before this program was built".to_owned());
    }
    if service == Service::Set {
        return None;
    }
    if let Some((path, _)) = evidence.written.as_ref().filter(|(_, at)| now < *at && running < FILES_BELIEVED) {
        return Some(format!("it is before {} was written", path.display()));
    }
    let waiting = service == Service::Waiting && running < TIMESYNC_BELIEVED;
    waiting.then(|| "systemd-timesyncd has not set it yet".to_owned())
}

fn unix(time: SystemTime) -> UnixSeconds {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(0).after(since)
}

fn built() -> UnixSeconds {
    UnixSeconds(env!("VISAVIS_BUILT").parse().unwrap_or(0))
}

/// Where systemd-timesyncd says what it knows (systemd-timesyncd.service(8)).
const TIMESYNC: &str = "/run/systemd/timesync";
const FILES_BELIEVED: Duration = Duration::from_secs(3600);
const TIMESYNC_BELIEVED: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_build_is_wrong_whatever_systemd_says() {
        let doubted = |service| doubt(UnixSeconds(built().0 - 1), DAY, &NOTHING, service).is_some();
        assert!(doubted(Service::Set) && doubted(Service::Unknown));
        assert!(built() > UnixSeconds(1_700_000_000));
    }

    #[test]
    fn a_clock_before_the_newest_file_is_doubted_for_an_hour() {
        let evidence = Evidence { written: Some(("visavis.db".into(), built().after(DAY))) };
        let doubted = |running, service| doubt(built(), running, &evidence, service);
        assert!(doubted(Duration::ZERO, Service::Unknown).unwrap().contains("visavis.db"));
        assert_eq!(doubted(FILES_BELIEVED, Service::Unknown), None, "that file may be from a clock that was ahead");
        assert_eq!(doubted(Duration::ZERO, Service::Set), None);
        assert_eq!(doubt(built().after(DAY), Duration::ZERO, &evidence, Service::Unknown), None);
    }

    #[test]
    fn a_clock_that_systemd_has_not_set_is_doubted_for_five_minutes() {
        let doubted = |running| doubt(built(), running, &NOTHING, Service::Waiting).is_some();
        assert!(doubted(Duration::ZERO) && !doubted(TIMESYNC_BELIEVED));
    }

    #[test]
    fn the_kernel_s_word_or_systemd_s_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("timesync");
        assert_eq!(service(Synchronised::No, &runs), Service::Unknown);
        fs::create_dir(&runs).unwrap();
        assert_eq!(service(Synchronised::No, &runs), Service::Waiting);
        assert_eq!(service(Synchronised::Yes, &runs), Service::Set);
        fs::write(runs.join("synchronized"), "").unwrap();
        assert_eq!(service(Synchronised::Unknown, &runs), Service::Set);
    }

    #[test]
    fn the_newest_file_of_the_data_folder_is_evidence() {
        let folder = tempfile::tempdir().unwrap();
        for (name, at) in [("old", 1_000), ("new", 3_000), ("middle", 2_000)] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(at)).unwrap();
        }
        let (path, at) = Evidence::collect(folder.path()).written.unwrap();
        assert_eq!((path, at), (folder.path().join("new"), UnixSeconds(3_000)));
    }

    const NOTHING: Evidence = Evidence { written: None };
    const DAY: Duration = Duration::from_secs(86_400);
}
