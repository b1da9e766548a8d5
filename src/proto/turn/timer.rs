//! When allocations end.

use std::collections::BTreeSet;
use std::time::Instant;

use super::AllocationId;

/// Every allocation's end, earliest first.
#[derive(Debug, Default)]
pub(super) struct Expiries {
    entries: BTreeSet<(Instant, AllocationId)>,
}

impl Expiries {
    pub(super) fn insert(&mut self, at: Instant, allocation: AllocationId) {
        self.entries.insert((at, allocation));
    }

    pub(super) fn remove(&mut self, at: Instant, allocation: AllocationId) {
        self.entries.remove(&(at, allocation));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// The next one whose time has come.
    pub(super) fn due(&self, now: Instant) -> Option<AllocationId> {
        self.entries.first().filter(|(at, _)| *at <= now).map(|(_, allocation)| *allocation)
    }
}
