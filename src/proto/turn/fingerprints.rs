//! A set that is looked into without waiting, whoever else does or changes it: the path of relayed data asks it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fingerprints ([`super::hash::fingerprint`]) in groups of a cache line, each in any place of its group; where a group is full, in the next
/// table, twice as large. Two of different things are alike once in 2^64, and nobody but the holder of the secret can tell which.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    tables: [OnceLock<Box<[AtomicU64]>>; TABLES],
}

impl Fingerprints {
    /// Whether it is in the set.
    pub(super) fn holds(&self, fingerprint: u64) -> bool {
        self.place(fingerprint).is_some()
    }

    /// Puts in what is not there. Whoever changes the set is the only one to do so at that time.
    pub(super) fn insert(&self, fingerprint: u64) {
        let tables = self.tables.iter().zip(0..);
        let mut tables = tables.map(|(table, number)| table.get_or_init(|| empty(CELLS << number)));
        let free = tables.find_map(|table| group(table, fingerprint).iter().find(|cell| cell.load(Ordering::Relaxed) == EMPTY));
        if let Some(cell) = free {
            cell.store(fingerprint, Ordering::Release);
        }
    }

    /// Takes it out.
    pub(super) fn remove(&self, fingerprint: u64) {
        if let Some(cell) = self.place(fingerprint) {
            cell.store(EMPTY, Ordering::Release);
        }
    }

    fn place(&self, fingerprint: u64) -> Option<&AtomicU64> {
        let mut tables = self.tables.iter().map_while(OnceLock::get);
        tables.find_map(|table| group(table, fingerprint).iter().find(|cell| cell.load(Ordering::Acquire) == fingerprint))
    }
}

fn empty(cells: usize) -> Box<[AtomicU64]> {
    (0..cells).map(|_| AtomicU64::new(EMPTY)).collect()
}

fn group(table: &[AtomicU64], fingerprint: u64) -> &[AtomicU64] {
    let groups = table.len() / GROUP;
    &table[(fingerprint % groups as u64) as usize * GROUP..][..GROUP]
}

/// No fingerprint is zero.
const EMPTY: u64 = 0;
/// A cache line's worth.
const GROUP: usize = 8;
/// Of the first table, 8 KiB.
const CELLS: usize = 1024;
/// Together they hold sixty million, more than a box has memory for.
const TABLES: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_a_set_does(steps in proptest::collection::vec((any::<bool>(), 1..40_u64, 0..3_u64), 0..200)) {
            let (set, mut model) = (Fingerprints::default(), HashSet::new());
            for (insert, number, high) in steps {
                // All in one group of the first table, so that it overflows.
                let fingerprint = number << 32 | high << 20;
                match (insert, model.contains(&fingerprint)) {
                    (true, false) => {
                        set.insert(fingerprint);
                        model.insert(fingerprint);
                    }
                    (false, true) => {
                        set.remove(fingerprint);
                        model.remove(&fingerprint);
                    }
                    _ => {}
                }
                prop_assert_eq!(set.holds(fingerprint), model.contains(&fingerprint));
            }
            for number in 1..40 {
                for high in 0..3 {
                    let fingerprint = number << 32 | high << 20;
                    prop_assert_eq!(set.holds(fingerprint), model.contains(&fingerprint));
                }
            }
        }
    }

    #[test]
    fn what_stays_is_found_while_others_come_and_go() {
        let set = Fingerprints::default();
        set.insert(7);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..20_000_u64 {
                    let neighbour = (1 + number % 100) << 32 | 7;
                    if set.holds(neighbour) { set.remove(neighbour) } else { set.insert(neighbour) }
                }
            });
            assert!((0..20_000).all(|_| set.holds(7)));
        });
    }
}
