//! Counts of what comes and goes.

use std::collections::HashMap;
use std::hash::Hash;

/// How many there are of each; what there is none of takes no place.
#[derive(Debug)]
pub(super) struct Tally<K> {
    counts: HashMap<K, usize>,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { counts: HashMap::new() }
    }
}

impl<K: Eq + Hash> Tally<K> {
    pub(super) fn count(&self, key: &K) -> usize {
        self.counts.get(key).copied().unwrap_or_default()
    }

    /// One more; how many there are then.
    pub(super) fn add(&mut self, key: K) -> usize {
        let count = self.counts.entry(key).or_default();
        *count += 1;
        *count
    }

    /// One less; how many are left.
    pub(super) fn remove(&mut self, key: &K) -> usize {
        let Some(count) = self.counts.get_mut(key) else { return 0 };
        *count -= 1;
        let left = *count;
        if left == 0 {
            self.counts.remove(key);
        }
        left
    }
}
