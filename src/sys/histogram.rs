//! How long things take: counted in buckets, by one thread, read by others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts durations by the smallest bound that they do not exceed.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [Duration],
    /// One more than bounds: what exceeds them all.
    counts: Box<[AtomicU64]>,
    sum_micros: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Each bound, and how many took no longer.
    pub up_to: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long all of them took together.
    pub sum: Duration,
}

impl Histogram {
    /// Empty; `bounds` rise.
    pub fn new(bounds: &'static [Duration]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::default()).collect(), sum_micros: AtomicU64::default() }
    }

    /// One more that took so long.
    pub fn note(&self, took: Duration) {
        let bucket = self.bounds.partition_point(|bound| *bound < took);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn distribution(&self) -> Distribution {
        let mut count = 0;
        let mut up_to = Vec::new();
        for (bucket, bound) in self.counts.iter().zip(self.bounds.iter().map(Some).chain([None])) {
            count += bucket.load(Ordering::Relaxed);
            up_to.extend(bound.map(|bound| (*bound, count)));
        }
        Distribution { up_to, count, sum: Duration::from_micros(self.sum_micros.load(Ordering::Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_for_every_bound_that_it_does_not_exceed() {
        const BOUNDS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];
        let histogram = Histogram::new(&BOUNDS);
        for micros in [1000, 1001, 10_000, 10_001] {
            histogram.note(Duration::from_micros(micros));
        }
        let up_to = vec![(BOUNDS[0], 1), (BOUNDS[1], 3)];
        assert_eq!(histogram.distribution(), Distribution { up_to, count: 4, sum: Duration::from_micros(22_002) });
    }
}
