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

    pub(super) fn add(&mut self, key: K) {
        *self.counts.entry(key).or_default() += 1;
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(count) = self.counts.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(key);
            }
        }
    }
}
