//! What one seat and one source may use, so that nobody uses the relay up.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::rate::{Bucket, Nanos, Rate};

/// The bounds of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub allocations_max: usize,
    /// Of one seat, or of one credential of other software.
    pub allocations_per_seat: usize,
    /// Requests of a source that has proved nothing.
    pub requests: Rate,
}

/// Whose allocations are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Seat(RoomId, ParticipantId),
    /// Of a credential minted by other software.
    Username(String),
}

/// Who holds how many allocations.
#[derive(Debug, Default)]
pub(super) struct Holders {
    counts: HashMap<Holder, usize>,
}

impl Holders {
    pub(super) fn count(&self, who: &Holder) -> usize {
        self.counts.get(who).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, who: Holder) {
        *self.counts.entry(who).or_default() += 1;
    }

    pub(super) fn remove(&mut self, who: &Holder) {
        if let Some(count) = self.counts.get_mut(who) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(who);
            }
        }
    }
}

/// Token buckets of sources that have proved nothing. Their number is fixed: a flood from many sources gets no memory, and sources
/// that share a bucket share its rate.
#[derive(Debug)]
pub(super) struct Sources {
    /// Random, so that nobody can choose whose bucket to empty.
    key: [u8; 32],
    buckets: Box<[Bucket]>,
    rate: Rate,
}

impl Sources {
    pub(super) fn new(key: [u8; 32], rate: Rate) -> Self {
        Self { key, buckets: vec![Bucket::default(); BUCKETS].into_boxed_slice(), rate }
    }

    /// Whether one more of this source is within its rate; takes its token.
    pub(super) fn allows(&mut self, now: Nanos, source: IpAddr) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.key, prefix(source)).hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or_default();
        self.buckets[index].take(now, self.rate.cost(1), self.rate.depth())
    }
}

/// Who is taken for one source: a /24 of IPv4, a /56 of IPv6, which one customer may have.
fn prefix(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(ip) => u128::from(ip.to_bits() >> 8),
        IpAddr::V6(ip) => ip.to_bits() >> 72 | 1 << 127,
    }
}

/// 32 KiB of them.
const BUCKETS: usize = 4096;
