//! Permissions: the addresses that may reach a client (RFC 8656 section 9). By address alone, whatever the port.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The permissions of one allocation. A call has a handful, so a walk beats a hash.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    entries: Vec<(IpAddr, Instant)>,
}

/// Every place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TableFull;

impl Permissions {
    /// Whether `peer` may send and be sent to.
    pub(super) fn holds(&self, now: Instant, peer: IpAddr) -> bool {
        self.entries.iter().any(|(ip, until)| *ip == peer && *until > now)
    }

    /// How many of these have no permission yet, or no longer.
    pub(super) fn count_new(&self, now: Instant, peers: &[IpAddr]) -> usize {
        peers.iter().filter(|peer| !self.holds(now, **peer)).count()
    }

    /// These, with all of `peers` installed or refreshed.
    ///
    /// # Errors
    /// They would be more than `max`.
    pub(super) fn with(&self, now: Instant, peers: &[IpAddr], max: usize) -> Result<Self, TableFull> {
        let living = self.entries.iter().filter(|(_, until)| *until > now);
        let mut entries: Vec<_> = living.copied().collect();
        for peer in peers {
            entries.retain(|(ip, _)| ip != peer);
            entries.push((*peer, now + LIFETIME));
        }
        if entries.len() > max { Err(TableFull) } else { Ok(Self { entries }) }
    }
}

/// RFC 8656 section 9.
pub(super) const LIFETIME: Duration = Duration::from_secs(300);
