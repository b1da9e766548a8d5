//! Who has no seat and waits for a moderator's word.

use serde::{Deserialize, Serialize};

use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{Participant, ResumeToken};

/// Which students wait; guests always do, staff only once it was kicked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LobbyPolicy {
    /// None.
    Off,
    /// Those who come before anybody who moderates, or after all of them have left.
    #[default]
    Early,
    /// All, until somebody lets them in.
    Everyone,
}

/// In the order they came.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    waiting: Vec<Waiter>,
    /// Moderators have not been told of the last change.
    pub(super) changed: bool,
}

/// Somebody who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) connection: ConnectionId,
    pub(super) participant: Participant,
    /// Of the seat to come.
    pub(super) token: ResumeToken,
}

impl Lobby {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    pub(super) fn push(&mut self, waiter: Waiter) {
        self.waiting.push(waiter);
        self.changed = true;
    }

    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        self.waiting.iter().map(|waiter| waiter.connection).collect()
    }

    pub(super) fn participants(&self) -> Vec<Participant> {
        self.waiting.iter().map(|waiter| waiter.participant.clone()).collect()
    }

    /// Where somebody waits.
    pub(super) fn connection_of(&self, participant: ParticipantId) -> Option<ConnectionId> {
        self.waiting.iter().find(|waiter| waiter.participant.participant_id == participant).map(|waiter| waiter.connection)
    }

    pub(super) fn take(&mut self, connection: ConnectionId) -> Option<Waiter> {
        let at = self.waiting.iter().position(|waiter| waiter.connection == connection)?;
        self.changed = true;
        Some(self.waiting.remove(at))
    }

    /// Whether the socket waited.
    pub(super) fn remove(&mut self, connection: ConnectionId) -> bool {
        self.take(connection).is_some()
    }
}

/// Far more than a room has seats: a leaked link fills the lobby, not the memory.
const WAITING_MAX: usize = 32;
