//! Memory: how much the box has left.

use std::fs;

use super::{Daemon, Finding, Subject, size};

/// Nothing where a sandbox hides the machine's memory.
pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let Some(machine) = fs::read_to_string("/proc/meminfo").ok() else { return Vec::new() };
    let (Some(free), Some(all)) = (bytes(&machine, "MemAvailable:"), bytes(&machine, "MemTotal:")) else { return Vec::new() };
    let process = match subject.daemon {
        Daemon::Here => Some("self".to_owned()),
        Daemon::Process(process) => Some(process.to_string()),
        Daemon::Stopped => None,
    };
    let status = process.and_then(|process| fs::read_to_string(format!("/proc/{process}/status")).ok());
    let used = status.and_then(|status| bytes(&status, "VmRSS:")).map(|used| format!(", the daemon has {}", size(used)));
    let meaning = format!("{} of {} are free{}", size(free), size(all), used.unwrap_or_default());
    vec![if free < LOW {
        Finding::warning("memory.free", "memory", meaning).remedy("end what else runs on this box: `top -o %MEM` shows it")
    } else {
        Finding::ok("memory.free", "memory", meaning)
    }]
}

/// A field in kB of a file in `/proc`.
fn bytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

const LOW: u64 = 64 << 20;
