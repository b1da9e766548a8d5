//! What one seat and one source may use, so that nobody uses the relay up.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::time::Instant;

use crate::proto::id::{ParticipantId, RoomId};

/// The bounds of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub allocations_max: usize,
    /// Of one seat, or of one credential of other software.
    pub allocations_per_seat: usize,
    /// Requests a second, for long, of a source without an allocation.
    pub requests_per_second: u32,
    /// At once.
    pub requests_burst: u32,
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
    started: Instant,
    per_second: f64,
    burst: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    /// Seconds since the start.
    filled_at: f64,
}

impl Sources {
    pub(super) fn new(key: [u8; 32], limits: &Limits, started: Instant) -> Self {
        let burst = f64::from(limits.requests_burst);
        let buckets = vec![Bucket { tokens: burst, filled_at: 0.0 }; BUCKETS].into_boxed_slice();
        Self { key, buckets, started, per_second: limits.requests_per_second.into(), burst }
    }

    /// Whether one more request of this source is within its rate; takes its token.
    pub(super) fn allows(&mut self, now: Instant, source: IpAddr) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.key, prefix(source)).hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or_default();
        let seconds = now.saturating_duration_since(self.started).as_secs_f64();
        let bucket = &mut self.buckets[index];
        bucket.tokens = (bucket.tokens + (seconds - bucket.filled_at) * self.per_second).min(self.burst);
        bucket.filled_at = seconds;
        let allowed = bucket.tokens >= 1.0;
        bucket.tokens -= f64::from(u8::from(allowed));
        allowed
    }
}

/// Who is taken for one source: a /24 of IPv4, a /56 of IPv6, which one customer may have.
fn prefix(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(ip) => u128::from(ip.to_bits() >> 8),
        IpAddr::V6(ip) => ip.to_bits() >> 72 | 1 << 127,
    }
}

/// 64 KiB of them.
const BUCKETS: usize = 4096;
