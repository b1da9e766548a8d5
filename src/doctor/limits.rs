//! What the kernel lets the daemon have.

use std::fs;

use super::{Daemon, Finding, Subject};

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    [open_files(subject), receive_buffer()].into_iter().flatten().collect()
}

fn open_files(subject: &Subject) -> Option<Finding> {
    let process = match subject.daemon {
        Daemon::Here => "self".to_owned(),
        Daemon::Process(process) => process.to_string(),
        Daemon::Stopped => return None,
    };
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let allowed = soft_limit(&limits)?;
    let limits = &subject.config.limits;
    let wanted = (limits.connections_max + limits.connections_max / 2 + limits.allocations_max + OTHERS) as u64;
    let meaning = format!("{allowed} files and connections may be open at once");
    if allowed >= wanted {
        return Some(Finding::ok("limits.files", "open files", meaning));
    }
    let remedy = format!("set LimitNOFILE={wanted} in the unit (`sudo systemctl edit visavis`), or lower limits.connections-max");
    Some(Finding::warning("limits.files", "open files", format!("{meaning}; the configuration promises {wanted}")).remedy(remedy))
}

/// The soft limit of `/proc/PID/limits` (proc(5)).
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// A sandbox may hide it.
fn receive_buffer() -> Option<Finding> {
    let allowed: u64 = fs::read_to_string("/proc/sys/net/core/rmem_max").ok()?.trim().parse().ok()?;
    let meaning = format!("a relayed stream may wait in {} of memory", super::size(allowed));
    if allowed >= BUFFER {
        return Some(Finding::ok("limits.buffers", "net.core.rmem_max", meaning));
    }
    let remedy = format!(
        "for many relayed calls: `echo net.core.rmem_max={BUFFER} | sudo tee /etc/sysctl.d/60-visavis.conf && sudo sysctl --system`"
    );
    Some(
        Finding::note("limits.buffers", "net.core.rmem_max", format!("{meaning}; bursts of shared screens may want more"))
            .remedy(remedy),
    )
}

/// Standard streams, database, event queues, sockets that listen.
const OTHERS: usize = 100;
/// What the relay asks for.
const BUFFER: u64 = 512 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_the_first_number_of_its_line() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("Max open files   unlimited  unlimited  files"), Some(u64::MAX));
        assert_eq!(soft_limit(""), None);
    }
}
