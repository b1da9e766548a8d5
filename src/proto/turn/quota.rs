//! What one seat and one source may use, so that nobody uses the relay up.

use std::net::IpAddr;
use std::time::Duration;

use super::hash::fingerprint;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::rate::{Bucket, Nanos, Rate, SharedBucket};

/// The bounds of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub allocations_max: usize,
    /// Of one seat, or of one credential of other software.
    pub allocations_per_seat: usize,
    /// Of one source: a /24 of IPv4, a /56 of IPv6.
    pub allocations_per_source: usize,
    /// Peers' addresses that one allocation may permit at once.
    pub permissions_per_allocation: usize,
    /// Channels that one allocation may have bound or held at once.
    pub channels_per_allocation: usize,
    /// Peers that one allocation permits anew, by address.
    pub new_peers: Rate,
    /// What one allocation may carry, each way.
    pub data: DataLimits,
    /// Requests of a source that has proved nothing.
    pub requests: Rate,
    /// Requests of a source whose proof does not hold; beyond, they get no answer.
    pub failures: Rate,
}

/// How much relayed data is too much; without headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataLimits {
    /// At least one.
    pub packets_per_second: u32,
    /// At least one.
    pub bits_per_second: u64,
    /// So long a time's worth of either may come at once.
    pub burst: Duration,
}

/// What data takes from an allocation's buckets: as much of a second as one packet of `packets_per_second`, or as its bytes of
/// `bits_per_second`, whichever is more. So one bucket of eight bytes bounds both.
#[derive(Debug, Clone, Copy)]
pub(super) struct DataRate {
    nanos_per_packet: u64,
    /// Times 2^[`FRACTION_BITS`]: at high rates a byte takes less than a nanosecond.
    nanos_per_byte: u64,
    depth: Nanos,
}

impl DataRate {
    pub(super) const fn new(limits: &DataLimits) -> Self {
        Self {
            nanos_per_packet: 1_000_000_000 / limits.packets_per_second as u64,
            nanos_per_byte: (8_000_000_000 << FRACTION_BITS) / limits.bits_per_second,
            depth: Nanos::of(limits.burst),
        }
    }

    /// Whether a packet of so many bytes is within the rate; takes its share of the bucket.
    pub(super) fn allows(&self, bucket: &mut Bucket, now: Nanos, bytes: usize) -> bool {
        let by_bytes = (bytes as u64 * self.nanos_per_byte) >> FRACTION_BITS;
        bucket.take(now, Nanos(by_bytes.max(self.nanos_per_packet)), self.depth)
    }
}

/// Whose allocations are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Seat(RoomId, ParticipantId),
    /// Of a credential minted by other software.
    Username(String),
}

/// Who is taken for one source: a /24 of IPv4, a /56 of IPv6, which one customer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(u128);

impl Source {
    pub(super) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self(u128::from(ip.to_bits() >> 8)),
            IpAddr::V6(ip) => Self(ip.to_bits() >> 72 | 1 << 127),
        }
    }
}

/// Token buckets of sources, for what proves nothing or fails to. Their number is fixed: a flood from many sources gets no memory, and sources
/// that share a bucket share its rate.
#[derive(Debug)]
pub(super) struct Sources {
    /// Random, so that nobody can choose whose bucket to empty.
    key: [u8; 32],
    buckets: Box<[SharedBucket]>,
    rate: Rate,
}

impl Sources {
    pub(super) fn new(key: [u8; 32], rate: Rate) -> Self {
        Self { key, buckets: (0..BUCKETS).map(|_| SharedBucket::default()).collect(), rate }
    }

    /// Whether one more of this source is within its rate; takes its token.
    pub(super) fn allows(&self, now: Nanos, source: IpAddr) -> bool {
        let index = usize::try_from(fingerprint(&self.key, Source::of(source)) % BUCKETS as u64).unwrap_or_default();
        self.buckets[index].take(now, self.rate.cost(1), self.rate.depth())
    }
}

/// No product overflows: 64 KiB at one bit a second are 2^16 * 2^33 * 2^10.
const FRACTION_BITS: u32 = 10;
/// 32 KiB of them.
const BUCKETS: usize = 4096;
