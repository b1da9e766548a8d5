//! A token bucket: so many messages a second for long, so many at once.

use std::time::Instant;

/// What a socket may still send.
#[derive(Debug)]
pub(super) struct Rate {
    tokens: f64,
    per_second: f64,
    burst: f64,
    filled_at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { tokens: burst.into(), per_second: per_second.into(), burst: burst.into(), filled_at: now }
    }

    /// Whether a message of so many bytes is within the rate; takes a token for it, and one for each further KiB: what comes in goes
    /// out to everybody else in the room.
    pub(super) fn allows(&mut self, now: Instant, bytes: usize) -> bool {
        let cost = 1.0 + (bytes / 1024) as f64;
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        let allowed = self.tokens >= cost;
        if allowed {
            self.tokens -= cost;
        }
        allowed
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
