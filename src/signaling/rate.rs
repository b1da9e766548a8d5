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

    /// Whether one more message is within the rate; takes its token.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
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
            [0, 0, 0, 0, 100, 100, 10_000, 10_000, 10_000, 10_000].into_iter().map(|ms| rate.allows(at(ms))).collect();
        assert_eq!(allowed, [true, true, true, false, true, false, true, true, true, false]);
    }
}
