//! A participant's place in a room, which outlives its sockets.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{Media, Participant, Peer, ResumeToken, ServerMessage};

/// A taken seat.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) participant: Participant,
    pub(super) moderator: bool,
    /// The room's count when the seat was taken anew.
    pub(super) epoch: u32,
    pub(super) media: Media,
    pub(super) resume: ResumeToken,
    pub(super) link: Link,
    /// Candidates sent to each peer since the last description.
    candidates: BTreeMap<ParticipantId, u32>,
}

/// Where a seat's messages go.
#[derive(Debug)]
pub(super) enum Link {
    /// To this socket.
    Connected(ConnectionId),
    /// Nowhere until the socket comes back, or `until`.
    Dropped {
        until: Instant,
        /// `None` once more waited than may.
        waiting: Option<VecDeque<ServerMessage>>,
    },
}

impl Seat {
    pub(super) fn new(
        participant: Participant,
        moderator: bool,
        epoch: u32,
        resume: ResumeToken,
        connection: ConnectionId,
    ) -> Self {
        let (media, candidates) = Default::default();
        Self { participant, moderator, epoch, media, resume, link: Link::Connected(connection), candidates }
    }

    /// False for candidates beyond what any negotiation needs.
    pub(super) fn may_send(&mut self, to: ParticipantId, message: &ServerMessage) -> bool {
        match message {
            ServerMessage::Candidate(_) => {
                let sent = self.candidates.entry(to).or_default();
                *sent = sent.saturating_add(1);
                *sent <= CANDIDATES_MAX
            }
            _ => {
                self.candidates.remove(&to);
                true
            }
        }
    }

    /// A peer's seat is free.
    pub(super) fn forget(&mut self, peer: ParticipantId) {
        self.candidates.remove(&peer);
    }

    pub(super) const fn connection(&self) -> Option<ConnectionId> {
        match self.link {
            Link::Connected(connection) => Some(connection),
            Link::Dropped { .. } => None,
        }
    }

    /// Whether its owner misses nothing by taking it back.
    pub(super) const fn can_resume(&self) -> bool {
        !matches!(self.link, Link::Dropped { waiting: None, .. })
    }

    /// This seat, as the participant of another one sees it.
    pub(super) fn seen_by(&self, viewer: &Self) -> Peer {
        Peer {
            participant: self.participant.clone(),
            polite: viewer.is_polite_to(self),
            epoch: self.epoch.max(viewer.epoch),
            connected: self.connection().is_some(),
            moderator: self.moderator,
            media: self.media.clone(),
        }
    }

    /// Everybody yields to staff; among equals the larger id yields.
    fn is_polite_to(&self, other: &Self) -> bool {
        let rank = |seat: &Self| (!seat.participant.role.is_staff(), seat.participant.participant_id);
        rank(self) > rank(other)
    }

    /// Keeps a message for a dropped socket.
    pub(super) fn hold(&mut self, message: ServerMessage) {
        if let Link::Dropped { waiting, .. } = &mut self.link {
            match waiting {
                Some(messages) if messages.len() < WAITING_MAX => messages.push_back(message),
                _ => *waiting = None,
            }
        }
    }
}

/// A dozen networks, each with a candidate a server and transport.
const CANDIDATES_MAX: u32 = 100;
/// More than a renegotiation with all its candidates.
const WAITING_MAX: usize = 128;
