//! How many relayed addresses stand, in all, of each seat and of each source: counted over every shard, so that no quota is had once a shard.
//! Asked where one is made or ends, never where data is relayed; so a lock will do.

use std::net::IpAddr;
use std::sync::Mutex;

use super::ledger::lock;
use super::quota::{Holder, Limits, Source};
use super::tally::Tally;

/// The places there are, and who has them.
#[derive(Debug)]
pub(super) struct Census {
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    limits: Limits,
    all: usize,
    holders: Tally<Holder>,
    sources: Tally<Source>,
}

/// Which quota leaves too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The seat's or the source's.
    Own,
    /// The relay's.
    Relay,
}

impl Census {
    pub(super) fn new(limits: Limits) -> Self {
        Self { counts: Mutex::new(Counts { limits, all: 0, holders: Tally::default(), sources: Tally::default() }) }
    }

    /// Other limits, for what is allocated from here on.
    pub(super) fn set_limits(&self, limits: Limits) {
        lock(&self.counts).limits = limits;
    }

    /// Takes as many places as there are, up to `wanted`, for a holder at a source; how many.
    ///
    /// # Errors
    /// There are fewer than `needed`, and none is taken.
    pub(super) fn take(&self, holder: &Holder, at: IpAddr, needed: usize, wanted: usize) -> Result<usize, Full> {
        let (counts, source) = (&mut *lock(&self.counts), Source::of(at));
        let of_seat = counts.limits.allocations_per_seat.saturating_sub(counts.holders.count(holder));
        let of_source = counts.limits.allocations_per_source.saturating_sub(counts.sources.count(&source));
        let of_relay = counts.limits.allocations_max.saturating_sub(counts.all);
        if of_seat.min(of_source) < needed {
            return Err(Full::Own);
        }
        if of_relay < needed {
            return Err(Full::Relay);
        }
        let taken = wanted.min(of_seat).min(of_source).min(of_relay);
        for _ in 0..taken {
            counts.all += 1;
            counts.holders.add(holder.clone());
            counts.sources.add(source);
        }
        Ok(taken)
    }

    /// Gives a place back.
    pub(super) fn leave(&self, holder: &Holder) {
        let counts = &mut *lock(&self.counts);
        counts.all = counts.all.saturating_sub(1);
        counts.holders.remove(holder);
    }

    /// Takes a place of a source alone, for what has one of the seat's and of the relay's already.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn take_at(&self, at: IpAddr) -> Result<(), Full> {
        let (counts, source) = (&mut *lock(&self.counts), Source::of(at));
        if counts.sources.count(&source) >= counts.limits.allocations_per_source {
            return Err(Full::Own);
        }
        counts.sources.add(source);
        Ok(())
    }

    /// Gives a place of a source back.
    pub(super) fn leave_at(&self, at: IpAddr) {
        lock(&self.counts).sources.remove(&Source::of(at));
    }
}
