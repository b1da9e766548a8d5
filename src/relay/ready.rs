//! Sockets that may hold more than was read.

use std::collections::VecDeque;

use mio::Token;

/// A queue of tokens, each in it at most once. Events are told once only, so whoever has not read all there was must be remembered.
#[derive(Default)]
pub(super) struct Ready {
    queue: VecDeque<Token>,
    /// By token, which are small numbers.
    queued: Vec<bool>,
}

impl Ready {
    pub(super) fn push(&mut self, token: Token) {
        if self.queued.len() <= token.0 {
            self.queued.resize(token.0 + 1, false);
        }
        if !std::mem::replace(&mut self.queued[token.0], true) {
            self.queue.push_back(token);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Token> {
        let token = self.queue.pop_front()?;
        self.queued[token.0] = false;
        Some(token)
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
            ready.push(Token(token));
        }
        assert_eq!([ready.pop(), ready.pop()], [Some(Token(5)), Some(Token(0))]);
        ready.push(Token(5));
        assert_eq!(ready.len(), 2);
        assert_eq!([ready.pop(), ready.pop(), ready.pop()], [Some(Token(300)), Some(Token(5)), None]);
        assert!(ready.is_empty());
    }
}
