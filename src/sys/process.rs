//! What this process uses, as `/proc` tells it (proc(5)).

use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Of one moment; zeros where it cannot be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// In user and system mode, of all threads, since the start.
    pub processor: Duration,
    /// Bytes of memory that are in RAM.
    pub resident: u64,
    /// Open file descriptors.
    pub files: usize,
    /// How many there may be.
    pub files_max: u64,
}

impl Usage {
    /// Of now.
    pub fn now() -> Self {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
        Self {
            processor: processor_time(&read("stat")).unwrap_or_default(),
            resident: resident_pages(&read("statm")).unwrap_or_default() * page_size() as u64,
            // The folder itself was open while it was counted.
            files: std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1)),
            files_max: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        }
    }
}

/// Fields 14 and 15; the name before them is in parentheses and may hold anything.
fn processor_time(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / clock_ticks_per_second()))
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_no_field() {
        let stat = "1 (a) 9 9 (b)) S 0 1 1 0 -1 4194560 1 2 3 4 250 150 0 0 20 0 9 0";
        assert_eq!(processor_time(stat), Some(Duration::from_millis(400_000 / clock_ticks_per_second())));
        assert_eq!((processor_time(""), resident_pages("7")), (None, None));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::now();
        assert!(usage.resident > 1 << 20 && usage.files > 2 && usage.files_max >= usage.files as u64, "{usage:?}");
    }
}
