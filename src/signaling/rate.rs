//! How many messages a second a socket may send, and how many at once.

use std::time::Instant;

use crate::proto::rate::{self, Bucket, Nanos};

/// What a socket may still send.
#[derive(Debug)]
pub(super) struct Rate {
    bucket: Bucket,
    messages: rate::Rate,
    started: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { bucket: Bucket::default(), messages: rate::Rate { per_second, burst }, started: now }
    }

    /// Whether a message of so many bytes is within the rate; takes a token for it, and one for each further KiB: what comes in goes
    /// out to everybody else in the room.
    pub(super) fn allows(&mut self, now: Instant, bytes: usize) -> bool {
        let tokens = u32::try_from(bytes / 1024).map_or(u32::MAX, |more| more.saturating_add(1));
        self.bucket.take(Nanos::between(self.started, now), self.messages.cost(tokens), self.messages.depth())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_alone() {
        let start = Instant::now();
        let mut rate = Rate::new(10, 3, start);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let allowed: Vec<_> =
            [0, 0, 0, 0, 100, 100, 10_000, 10_000, 10_000, 10_000].into_iter().map(|ms| rate.allows(at(ms), 100)).collect();
        assert_eq!(allowed, [true, true, true, false, true, false, true, true, true, false]);
    }

    #[test]
    fn a_long_message_costs_as_much_as_many_short_ones() {
        let start = Instant::now();
        let mut rate = Rate::new(10, 50, start);
        assert!(rate.allows(start, 40 * 1024));
        assert!(!rate.allows(start, 10 * 1024));
        assert!(rate.allows(start, 100));
    }
}
