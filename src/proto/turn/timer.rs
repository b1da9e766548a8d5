//! When allocations end: a hashed timing wheel (Varghese and Lauck, 1987).
//!
//! ```text
//! slot    0   1   2       4095        one a second, the second modulo their number
//!       | . | o | . | ... | o |       occupied: a bit each, so that no empty second is looked at
//!             |             |
//!             7 <-> 2       5         allocations by their index, linked both ways
//! ```
//!
//! To set, move or remove an end is a few writes, however many there are; memory grows with the most allocations that ever lived at
//! once, and refreshes add nothing. An end is rounded up to a whole second since the start.
//!
//! Our own, since of the crates that are kept one reads a clock of its own (tokio-util), and another is stepped tick by tick and has an
//! `Rc` and a map entry for each timer (hierarchical_hash_wheel_timer), where allocations have small indices to be linked by.

use std::time::{Duration, Instant};

use super::AllocationId;

/// Every allocation's end, earliest first.
#[derive(Debug)]
pub(super) struct Expiries {
    started: Instant,
    /// The last second whose ends have all been handed out.
    done: u64,
    /// The first allocation of each slot.
    heads: Box<[Option<u32>]>,
    occupied: Occupied,
    /// By [`AllocationId::index`].
    nodes: Vec<Option<Node>>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    allocation: AllocationId,
    second: u64,
    before: Option<u32>,
    after: Option<u32>,
}

impl Expiries {
    pub(super) fn new(started: Instant) -> Self {
        let heads = vec![None; SLOTS].into_boxed_slice();
        Self { started, done: 0, heads, occupied: Occupied::default(), nodes: Vec::new() }
    }

    /// The allocation ends at this time, whatever it was to do before.
    pub(super) fn set(&mut self, at: Instant, allocation: AllocationId) {
        self.unlink(allocation.index());
        let whole = (at.saturating_duration_since(self.started) + ALMOST_A_SECOND).as_secs();
        self.link(allocation, whole.max(self.done + 1));
    }

    /// The allocation has ended already.
    pub(super) fn remove(&mut self, allocation: AllocationId) {
        if self.node(allocation.index()).is_some_and(|node| node.allocation == allocation) {
            self.unlink(allocation.index());
        }
    }

    /// When the next one ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next_second().map(|second| self.started + Duration::from_secs(second))
    }

    /// Takes the next one whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<AllocationId> {
        let current = now.saturating_duration_since(self.started).as_secs();
        while let Some(second) = self.next_second().filter(|second| *second <= current) {
            match self.first_due(second) {
                Some(allocation) => {
                    self.unlink(allocation.index());
                    return Some(allocation);
                }
                None => self.done = second,
            }
        }
        self.done = self.done.max(current);
        None
    }

    /// The first second after [`Self::done`] whose slot is occupied. No lifetime is longer than a turn of the wheel; if one were, the
    /// driver would wake once a turn for nothing.
    fn next_second(&self) -> Option<u64> {
        let first = self.done + 1;
        let from = slot(first);
        let found = self.occupied.first_from(from).or_else(|| self.occupied.first_from(0))?;
        Some(first + ((found + SLOTS - from) % SLOTS) as u64)
    }

    /// One of the slot's allocations that ends by this second; others have a turn of the wheel to go.
    fn first_due(&self, second: u64) -> Option<AllocationId> {
        let mut next = self.heads[slot(second)];
        while let Some(node) = next.and_then(|index| self.node(index as usize)) {
            if node.second <= second {
                return Some(node.allocation);
            }
            next = node.after;
        }
        None
    }

    fn link(&mut self, allocation: AllocationId, second: u64) {
        let (index, slot) = (allocation.index(), slot(second));
        if self.nodes.len() <= index {
            self.nodes.resize(index + 1, None);
        }
        let after = self.heads[slot].replace(allocation.index);
        if let Some(after) = after.and_then(|after| self.node_mut(after)) {
            after.before = Some(allocation.index);
        }
        self.nodes[index] = Some(Node { allocation, second, before: None, after });
        self.occupied.insert(slot);
    }

    fn unlink(&mut self, index: usize) {
        let Some(Node { second, before, after, .. }) = self.nodes.get_mut(index).and_then(Option::take) else { return };
        if let Some(after) = after.and_then(|after| self.node_mut(after)) {
            after.before = before;
        }
        match before.and_then(|before| self.node_mut(before)) {
            Some(before) => before.after = after,
            None => self.heads[slot(second)] = after,
        }
        if self.heads[slot(second)].is_none() {
            self.occupied.remove(slot(second));
        }
    }

    fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)?.as_ref()
    }

    fn node_mut(&mut self, index: u32) -> Option<&mut Node> {
        self.nodes.get_mut(index as usize)?.as_mut()
    }
}

/// Which slots hold anything: a bit each, and a bit for each word of those.
#[derive(Debug)]
struct Occupied {
    words: [u64; SLOTS / 64],
    summary: u64,
}

impl Default for Occupied {
    fn default() -> Self {
        Self { words: [0; SLOTS / 64], summary: 0 }
    }
}

impl Occupied {
    fn insert(&mut self, slot: usize) {
        self.words[slot / 64] |= 1 << (slot % 64);
        self.summary |= 1 << (slot / 64);
    }

    fn remove(&mut self, slot: usize) {
        self.words[slot / 64] &= !(1 << (slot % 64));
        if self.words[slot / 64] == 0 {
            self.summary &= !(1 << (slot / 64));
        }
    }

    fn first_from(&self, slot: usize) -> Option<usize> {
        let word = slot / 64;
        let here = self.words[word] & (u64::MAX << (slot % 64));
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        let later = self.summary & (u64::MAX << word) & !(1 << word);
        let word = (later != 0).then(|| later.trailing_zeros() as usize)?;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }
}

const fn slot(second: u64) -> usize {
    (second % SLOTS as u64) as usize
}

/// More seconds than the longest lifetime has, and 64 words of 64.
const SLOTS: usize = 4096;
/// Added before seconds are cut off: nothing dies early.
const ALMOST_A_SECOND: Duration = Duration::from_nanos(999_999_999);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[derive(Debug, Clone)]
    enum Step {
        Set(u32, Duration),
        Remove(u32),
        Sleep(Duration),
        Wake,
    }

    fn step() -> impl Strategy<Value = Step> {
        let milliseconds = |range: std::ops::Range<u64>| range.prop_map(Duration::from_millis);
        // A few whole seconds among them, so that several share a slot; and times beyond a turn of the wheel.
        let whole = (0..5_u64).prop_map(|n| Duration::from_secs(n * 1024));
        prop_oneof![
            4 => (0..8_u32, milliseconds(0..3_600_001)).prop_map(|(index, after)| Step::Set(index, after)),
            2 => (0..8_u32, whole.clone()).prop_map(|(index, after)| Step::Set(index, after)),
            1 => (0..8_u32, milliseconds(0..20_000_000)).prop_map(|(index, after)| Step::Set(index, after)),
            1 => (0..8_u32).prop_map(Step::Remove),
            2 => milliseconds(0..5_000).prop_map(Step::Sleep),
            1 => milliseconds(0..9_000_000).prop_map(Step::Sleep),
            1 => whole.prop_map(Step::Sleep),
            4 => Just(Step::Wake),
        ]
    }

    proptest! {
        #[test]
        fn it_does_what_a_list_of_times_does(steps in proptest::collection::vec(step(), 0..60)) {
            let started = instant();
            let (mut wheel, mut model, mut now) = (Expiries::new(started), HashMap::new(), started);
            for step in steps {
                match step {
                    Step::Set(index, after) => {
                        wheel.set(now + after, id(index));
                        model.insert(id(index), now + after);
                    }
                    Step::Remove(index) => {
                        wheel.remove(id(index));
                        model.remove(&id(index));
                    }
                    Step::Sleep(time) => now += time,
                    Step::Wake => {
                        while let Some(ended) = wheel.due(now) {
                            prop_assert!(model.remove(&ended).is_some_and(|at| at <= now), "early or twice");
                        }
                        for at in model.values() {
                            prop_assert!(now <= *at + SECOND, "late");
                        }
                        let next = wheel.next();
                        prop_assert_eq!(next.is_some(), !model.is_empty());
                        if let (Some(next), Some(first), Some(last)) = (next, model.values().min(), model.values().max()) {
                            let within_a_turn = *last < now + SECOND * (SLOTS as u32 - 1);
                            prop_assert!(now < next && next <= *first + SECOND);
                            prop_assert!(*first <= next || !within_a_turn, "woken for nothing");
                        }
                    }
                }
            }
            prop_assert!(wheel.nodes.len() <= 8);
        }
    }

    #[test]
    fn a_thousand_refreshes_are_one_end_and_take_no_more_memory() {
        let started = instant();
        let mut wheel = Expiries::new(started);
        for second in 0..1000 {
            let now = started + Duration::from_secs(second * 60);
            assert_eq!(wheel.due(now), None);
            wheel.set(now + HOUR, id(0));
            assert_eq!(wheel.next(), Some(now + HOUR), "woken for the last end alone");
        }
        let end = started + Duration::from_secs(999 * 60) + HOUR;
        assert_eq!((wheel.nodes.len(), wheel.due(end), wheel.due(end), wheel.next()), (1, Some(id(0)), None, None));
    }

    #[test]
    fn the_name_of_one_that_is_gone_removes_nothing() {
        let started = instant();
        let mut wheel = Expiries::new(started);
        wheel.set(started + HOUR, AllocationId { index: 3, generation: 2 });
        wheel.remove(AllocationId { index: 3, generation: 1 });
        assert_eq!(wheel.next(), Some(started + HOUR));
    }

    fn id(index: u32) -> AllocationId {
        AllocationId { index, generation: 1 }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do, and there is no other way to have one")]
    fn instant() -> Instant {
        Instant::now()
    }

    const SECOND: Duration = Duration::from_secs(1);
}
