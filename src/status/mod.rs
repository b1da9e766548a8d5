//! What the daemon says of itself to machines: one snapshot, as metrics for Prometheus and as a report for the command line.
//!
//! Plain numbers, counted elsewhere and put together by `app`; no name, address or id of anybody is among them, and no set of labels grows
//! with the school. Served by `http`, read by `cli`; knows no sibling.

mod exposition;
mod metrics;
mod report;

use std::time::{Duration, SystemTime};

use crate::proto::room::Census;
use crate::proto::turn::Counters;
use crate::sys::histogram::Distribution;
use crate::sys::process::Usage;

pub use metrics::metrics;
pub use report::{Allocations, Report};

/// The numbers of one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it was taken.
    pub at: SystemTime,
    /// How long the daemon has run.
    pub uptime: Duration,
    /// Rooms and who is in them; `None` if the rooms do not answer.
    pub census: Option<Census>,
    /// What was relayed since the start; `None` if the relay does not answer.
    pub relay: Option<Counters>,
    /// Requests by the class of their answer's status, from 1xx on.
    pub requests: [u64; 5],
    /// How sign-ins ended.
    pub sign_ins: SignIns,
    /// TCP connections of the page.
    pub connections: usize,
    /// How many there may be.
    pub connections_max: usize,
    /// Connections of every listener that have asked for nothing yet.
    pub half_open: usize,
    /// What became of writes.
    pub database: Database,
    /// Events of rooms that are not written down yet.
    pub records_waiting: usize,
    /// When the certificate ends; `None` without one.
    pub certificate_expires: Option<SystemTime>,
    /// Of this process.
    pub process: Usage,
}

/// How sign-ins ended since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignIns {
    /// Somebody signed in.
    pub accepted: u64,
    /// Name or password was wrong.
    pub refused: u64,
    /// Too many had failed before.
    pub throttled: u64,
}

/// How the database is.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// How long groups of writes took.
    pub commits: Distribution,
    /// Groups and statements that the disk refused.
    pub refused: u64,
    /// Its size.
    pub bytes: u64,
    /// What is free on its disk.
    pub free_bytes: Option<u64>,
    /// Each warning there is, and whether it holds.
    pub warnings: Vec<Warning>,
}

/// Something an admin should see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// As in the API, such as `disk_full`.
    pub name: &'static str,
    /// Whether it holds now.
    pub holds: bool,
    /// Whether nothing is stored while it holds.
    pub stops_writes: bool,
}

impl Snapshot {
    /// Why the daemon is not ready to serve everybody; empty if it is.
    pub fn reasons(&self) -> Vec<String> {
        let silent = [("the rooms do not answer", self.census.is_none()), ("the relay does not answer", self.relay.is_none())];
        let silent = silent.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason.to_owned());
        let stopped = self.database.warnings.iter().filter(|warning| warning.holds && warning.stops_writes);
        silent.chain(stopped.map(|warning| format!("the database takes no writes: {}", warning.name))).collect()
    }
}

/// Of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_no_writes_is_a_reason_and_a_low_one_is_none() {
        let mut snapshot = snapshot();
        assert_eq!(snapshot.reasons(), Vec::<String>::new());
        snapshot.database.warnings[1].holds = true;
        assert_eq!(snapshot.reasons(), Vec::<String>::new());
        snapshot.database.warnings[0].holds = true;
        snapshot.relay = None;
        assert_eq!(snapshot.reasons(), ["the relay does not answer", "the database takes no writes: disk_full"]);
    }

    /// Of a daemon that has just begun.
    pub(crate) fn snapshot() -> Snapshot {
        let warning = |name, stops_writes| Warning { name, holds: false, stops_writes };
        Snapshot {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            uptime: Duration::from_secs(61),
            census: Some(Census { rooms: 1, seats: 2, waiting: 3, sockets: 4 }),
            relay: Some(Counters::default()),
            requests: [0; 5],
            sign_ins: SignIns::default(),
            connections: 5,
            connections_max: 16,
            half_open: 1,
            database: Database {
                commits: Distribution { up_to: vec![(Duration::from_millis(1), 2)], count: 3, sum: Duration::from_millis(1500) },
                refused: 0,
                bytes: 4096,
                free_bytes: Some(1 << 30),
                warnings: vec![warning("disk_full", true), warning("disk_low", false)],
            },
            records_waiting: 0,
            certificate_expires: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_086_400)),
            process: Usage::default(),
        }
    }
}
