//! Who there is: rooms with their people, and the pages they have open.

use std::collections::BTreeMap;

use visavis::proto::id::{ConnectionId, ParticipantId, RoomId};
use visavis::proto::signal::{
    ClientMessage, CloseCode, ErrorCode, From, Participant, ResumeToken, Role, ServerMessage, VERSIONS,
};

use crate::chance::Chance;

/// Somebody who may enter one room.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) room: RoomId,
    pub(crate) participant: Participant,
}

/// A page: what the web client keeps of a call.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) person: usize,
    pub(crate) state: State,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) resume: Option<ResumeToken>,
    pub(crate) takeover: bool,
    pub(crate) attempt: usize,
    pub(crate) roster: BTreeMap<ParticipantId, Seen>,
    pub(crate) moderator: bool,
    pub(crate) locked: bool,
    pub(crate) lobby: Vec<ParticipantId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Not in the call, and not on the way to it.
    Away,
    /// Will connect once its back-off is over.
    Returning,
    /// On the way to a seat.
    Opening,
    Joined,
    Waiting,
    /// Over for good: the room has ended.
    Ended,
}

/// A peer as the page sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) epoch: u32,
    pub(crate) polite: bool,
    pub(crate) connected: bool,
    pub(crate) moderator: bool,
}

/// What a page does about what it heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Nothing,
    Say(ClientMessage),
    /// Closes its socket and stays away.
    GiveUp,
}

impl Page {
    pub(crate) fn new(person: usize) -> Self {
        let (connection, resume, roster, lobby) = Default::default();
        let (takeover, moderator, locked) = (false, false, false);
        Self { person, state: State::Away, connection, resume, takeover, attempt: 0, roster, moderator, locked, lobby }
    }

    pub(crate) fn opened(&self) -> ClientMessage {
        ClientMessage::Hello { versions: VERSIONS.to_vec() }
    }

    /// Hears a message; panics where a page could make nothing of it.
    pub(crate) fn hear(&mut self, me: ParticipantId, message: ServerMessage) -> Reaction {
        match message {
            ServerMessage::Welcome { .. } => {
                return Reaction::Say(ClientMessage::Join { resume: self.resume.clone(), takeover: self.takeover });
            }
            ServerMessage::Joined { resume, you, moderator, locked, peers, .. } => {
                assert_eq!(you.participant_id, me, "a page is told that it is somebody else");
                (self.state, self.attempt, self.resume) = (State::Joined, 0, Some(resume));
                (self.moderator, self.locked, self.takeover) = (moderator, locked, false);
                self.roster = peers.into_iter().map(|peer| (peer.participant.participant_id, Seen::of(&peer))).collect();
            }
            ServerMessage::Waiting { .. } => {
                (self.state, self.attempt, self.moderator) = (State::Waiting, 0, false);
                self.roster.clear();
                self.lobby.clear();
            }
            ServerMessage::PeerJoined { peer } => {
                self.roster.insert(peer.participant.participant_id, Seen::of(&peer));
            }
            ServerMessage::PeerStatus { participant_id, connected } => {
                if let Some(seen) = self.roster.get_mut(&participant_id) {
                    seen.connected = connected;
                }
            }
            ServerMessage::PeerLeft { participant_id, .. } => drop(self.roster.remove(&participant_id)),
            ServerMessage::Moderator { participant_id, moderator } if participant_id == me => self.moderator = moderator,
            ServerMessage::Moderator { participant_id, moderator } => {
                if let Some(seen) = self.roster.get_mut(&participant_id) {
                    seen.moderator = moderator;
                }
            }
            ServerMessage::Locked { locked } => self.locked = locked,
            ServerMessage::Lobby { waiting } => {
                self.lobby = waiting.iter().map(|waiter| waiter.participant_id).collect();
            }
            ServerMessage::Error { code: ErrorCode::SeatTaken | ErrorCode::RoomFull, .. } if self.state != State::Joined => {
                self.state = State::Away;
                return Reaction::GiveUp;
            }
            ServerMessage::Ended { .. } => self.state = State::Ended,
            ServerMessage::Offer(From { from, .. }) => assert_ne!(from, me, "a page hears itself"),
            ServerMessage::Answer(_)
            | ServerMessage::Candidate(_)
            | ServerMessage::Media { .. }
            | ServerMessage::Error { .. } => {}
        }
        Reaction::Nothing
    }

    /// The socket closed with a code; whether the page comes back by itself.
    pub(crate) fn closed(&mut self, code: CloseCode) -> bool {
        self.connection = None;
        self.moderator = false;
        let returns = matches!(code, CloseCode::GoingAway | CloseCode::TryAgainLater);
        if self.state != State::Ended {
            self.state = if returns { State::Returning } else { State::Away };
        }
        if !returns {
            self.resume = None;
        }
        returns && self.state != State::Ended
    }
}

impl Seen {
    fn of(peer: &visavis::proto::signal::Peer) -> Self {
        Self { epoch: peer.epoch, polite: peer.polite, connected: peer.connected, moderator: peer.moderator }
    }
}

/// A few rooms, each with a mentor and whom else chance sends.
pub(crate) fn rooms(chance: &mut Chance) -> Vec<Person> {
    let mut people = Vec::new();
    for room in 0..2 + chance.below(2) as u8 {
        let extra = [Role::Student, Role::Guest, Role::Mentor, Role::Student, Role::Admin, Role::Guest];
        let roles = [Role::Mentor, Role::Student].into_iter().chain(extra).take(2 + chance.below(5));
        for (seat, role) in roles.enumerate() {
            let id = RoomId::from_random([room + 1; 16]);
            let participant_id = ParticipantId::from_random([room + 1, seat as u8 + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
            let display_name = format!("{role:?} {seat} of {room}");
            people.push(Person { room: id, participant: Participant { participant_id, display_name, role } });
        }
    }
    people
}
