//! Who waits for a turn: sockets that may hold more than was read, streams that may have something to write.

use std::collections::VecDeque;

/// A queue of tokens or places, each in it at most once. Events are told once only, so whoever has not read all there was must be
/// remembered.
#[derive(Default)]
pub(super) struct Ready {
    queue: VecDeque<usize>,
    /// By what is queued, which are small numbers.
    queued: Vec<bool>,
}

impl Ready {
    pub(super) fn push(&mut self, number: usize) {
        if self.queued.len() <= number {
            self.queued.resize(number + 1, false);
        }
        if !std::mem::replace(&mut self.queued[number], true) {
            self.queue.push_back(number);
        }
    }

    pub(super) fn pop(&mut self) -> Option<usize> {
        let number = self.queue.pop_front()?;
        self.queued[number] = false;
        Some(number)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_waits_once_and_in_turn() {
        let mut ready = Ready::default();
        for token in [5, 0, 5, 300, 0] {
            ready.push(token);
        }
        assert_eq!([ready.pop(), ready.pop()], [Some(5), Some(0)]);
        ready.push(5);
        assert_eq!(ready.len(), 2);
        assert_eq!([ready.pop(), ready.pop(), ready.pop()], [Some(300), Some(5), None]);
        assert!(ready.is_empty());
    }
}
