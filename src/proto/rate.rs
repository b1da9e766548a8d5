//! Token buckets as the generic cell rate algorithm (ITU-T I.371): all that is kept is when the bucket will be full again, so a
//! bucket is eight bytes, and to take from it is a comparison and an addition of integers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So many a second for long, so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least one.
    pub per_second: u32,
    /// At least one.
    pub burst: u32,
}

impl Rate {
    /// What `count` of them take from a bucket.
    pub const fn cost(self, count: u32) -> Nanos {
        Nanos(count as u64 * SECOND / self.per_second as u64)
    }

    /// How deep their bucket is.
    pub const fn depth(self) -> Nanos {
        self.cost(self.burst)
    }
}

/// A time in nanoseconds, which holds five centuries: a bucket is measured in the time that fills it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// From `started`, when the owner of a bucket began to count, to `now`.
    pub fn between(started: Instant, now: Instant) -> Self {
        Self::of(now.saturating_duration_since(started))
    }

    /// A time as a number.
    pub const fn of(time: Duration) -> Self {
        Self(time.as_secs() * SECOND + time.subsec_nanos() as u64)
    }
}

/// What may still be taken; a new one is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: Nanos,
}

impl Bucket {
    /// Whether `cost` is left in a bucket of this depth; takes it. What costs more than the whole bucket takes the whole.
    pub fn take(&mut self, now: Nanos, cost: Nanos, depth: Nanos) -> bool {
        let full_at = self.full_at.max(now).0 + cost.min(depth).0;
        let left = full_at <= now.0 + depth.0;
        if left {
            self.full_at = Nanos(full_at);
        }
        left
    }
}

/// A bucket that several threads take from, none of them waiting.
#[derive(Debug, Default)]
pub struct SharedBucket {
    full_at: AtomicU64,
}

impl SharedBucket {
    /// As [`Bucket::take`].
    pub fn take(&self, now: Nanos, cost: Nanos, depth: Nanos) -> bool {
        let taken = |full_at| {
            let mut bucket = Bucket { full_at: Nanos(full_at) };
            bucket.take(now, cost, depth).then_some(bucket.full_at.0)
        };
        self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    #[test]
    fn a_burst_passes_and_then_the_rate_alone() {
        let mut bucket = Bucket::default();
        let times = [0, 0, 0, 0, 99, 100, 100, 10_000, 10_000, 10_000, 10_000];
        let taken = times.map(|milliseconds| bucket.take(at(milliseconds), RATE.cost(1), RATE.depth()));
        assert_eq!(taken, [true, true, true, false, false, true, false, true, true, true, false]);
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(at(0), RATE.cost(2), RATE.depth()));
        assert!(!bucket.take(at(0), RATE.cost(2), RATE.depth()));
        assert!(bucket.take(at(0), RATE.cost(1), RATE.depth()), "what was refused took nothing");
        assert!(bucket.take(at(0), RATE.cost(0), RATE.depth()), "nothing can always be had");
    }

    #[test]
    fn what_costs_more_than_the_whole_bucket_takes_the_whole() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(at(0), RATE.cost(100), RATE.depth()));
        assert!(!bucket.take(at(299), RATE.cost(100), RATE.depth()));
        assert!(bucket.take(at(300), RATE.cost(100), RATE.depth()));
    }

    #[test]
    fn threads_that_share_a_bucket_take_no_more_than_one_could() {
        let (bucket, rate) = (SharedBucket::default(), Rate { per_second: 1, burst: 1000 });
        let take = || (0..1000).filter(|_| bucket.take(at(0), rate.cost(1), rate.depth())).count();
        let taken: usize = std::thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(take));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1000);
    }

    fn at(milliseconds: u64) -> Nanos {
        Nanos::of(Duration::from_millis(milliseconds))
    }
}
