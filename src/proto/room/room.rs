//! One room: its sockets, what they may say, and who hears it. `admission` has the way to a seat, `moderation` what moderators do.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::Limits;
use super::effect::{Effect, Entry, RoomEventKind, Standing};
use super::lobby::Lobby;
use super::moderation::Staffing;
use super::seat::{Link, Seat};
use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{
    ClientMessage, CloseCode, EndReason, ErrorCode, From, LeaveReason, Media, Of, Participant, ResumeToken, ServerMessage, To,
    VERSIONS,
};

/// The live state of one room.
#[derive(Debug)]
pub struct Room {
    pub(super) limits: Limits,
    /// Rises with every seat taken anew; seats of one room never share one.
    pub(super) epoch: u32,
    /// Boxed: a node of the tree has room for eleven, and a room mostly has two.
    pub(super) seats: BTreeMap<ParticipantId, Box<Seat>>,
    pub(super) sockets: BTreeMap<ConnectionId, Socket>,
    pub(super) lobby: Lobby,
    /// What was decided here of somebody, which wins over what the records said when they came.
    pub(super) standings: BTreeMap<ParticipantId, Standing>,
    /// Likewise whether they moderate; `None`: what their role says.
    pub(super) moderators: BTreeMap<ParticipantId, Option<bool>>,
    pub(super) locked: bool,
    pub(super) staffing: Staffing,
    /// Two have met.
    pub(super) active: bool,
    pub(super) effects: VecDeque<Effect>,
}

/// An open socket and how far it is.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) participant: Participant,
    pub(super) entry: Entry,
    pub(super) stage: Stage,
    refused: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Opened,
    Greeted,
    /// In the lobby.
    Waiting,
    Seated,
}

impl Room {
    /// An empty room.
    pub fn new(limits: Limits, locked: bool) -> Self {
        let (seats, sockets, standings, moderators, effects) = Default::default();
        let (lobby, staffing) = (Lobby::default(), Staffing::Never);
        Self { limits, epoch: 0, seats, sockets, lobby, standings, moderators, locked, staffing, active: false, effects }
    }

    /// What to do next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Nobody sits here and no socket may yet.
    pub fn is_deserted(&self) -> bool {
        self.seats.is_empty() && self.sockets.is_empty()
    }

    /// How many seats are taken.
    pub fn seats(&self) -> usize {
        self.seats.len()
    }

    /// How many wait in the lobby.
    pub fn waiting(&self) -> usize {
        self.sockets.values().filter(|socket| socket.stage == Stage::Waiting).count()
    }

    /// A member's socket opened.
    pub fn handle_open(&mut self, connection: ConnectionId, participant: Participant, entry: Entry) {
        self.sockets.insert(connection, Socket { participant, entry, stage: Stage::Opened, refused: 0 });
    }

    /// A socket said something; `random` makes its resume token.
    pub fn handle_message(&mut self, connection: ConnectionId, message: ClientMessage, random: [u8; 16]) {
        let Some(socket) = self.sockets.get(&connection) else { return };
        let me = socket.participant.participant_id;
        match (socket.stage, message) {
            (Stage::Opened, ClientMessage::Hello { versions }) => self.greet(connection, &versions),
            (Stage::Greeted, ClientMessage::Join { resume, takeover }) => {
                self.join(connection, resume, takeover, ResumeToken::from_random(random));
            }
            (Stage::Waiting | Stage::Seated, ClientMessage::Leave {}) => self.expel(connection, CloseCode::Left),
            (Stage::Seated, message) => self.handle_seated(connection, me, message),
            (_, _) => self.refuse(connection, ErrorCode::NotJoined),
        }
    }

    fn handle_seated(&mut self, connection: ConnectionId, me: ParticipantId, message: ClientMessage) {
        let done = match message {
            ClientMessage::Hello { .. } | ClientMessage::Join { .. } => Err(ErrorCode::AlreadyJoined),
            ClientMessage::Offer(to) => self.relay(me, to, ServerMessage::Offer),
            ClientMessage::Answer(to) => self.relay(me, to, ServerMessage::Answer),
            ClientMessage::Candidate(to) => self.relay(me, to, ServerMessage::Candidate),
            ClientMessage::Media(media) => self.set_media(me, media),
            ClientMessage::Admit(Of { participant_id }) => self.moderated(me).and_then(|()| self.admit(participant_id)),
            ClientMessage::Deny(Of { participant_id }) => self.moderated(me).and_then(|()| self.deny(participant_id)),
            ClientMessage::Kick(Of { participant_id }) => self.moderated(me).and_then(|()| self.kick(me, participant_id)),
            ClientMessage::Lock { locked } => self.moderated(me).map(|()| self.lock(locked)),
            ClientMessage::Moderate { participant_id, moderator } => {
                self.moderated(me).and_then(|()| self.moderate(participant_id, moderator))
            }
            ClientMessage::End {} => self.moderated(me).map(|()| self.handle_end(EndReason::EndedByStaff)),
            ClientMessage::Leave {} => {
                self.expel(connection, CloseCode::Left);
                Ok(())
            }
        };
        if let Err(code) = done {
            self.refuse(connection, code);
        }
    }

    /// A socket sent what is no message, or too much of it.
    pub fn handle_refused(&mut self, connection: ConnectionId, code: ErrorCode) {
        if self.sockets.contains_key(&connection) {
            self.refuse(connection, code);
        }
    }

    /// A socket is gone without having left; until when its seat is kept, if it had one.
    pub fn handle_close(&mut self, now: Instant, connection: ConnectionId) -> Option<Instant> {
        let socket = self.sockets.remove(&connection)?;
        if self.lobby.remove(connection) {
            self.end_if_empty();
            return None;
        }
        let seat = self.seats.get_mut(&socket.participant.participant_id)?;
        if seat.connection() != Some(connection) {
            return None;
        }
        let until = now + self.limits.reconnect_grace;
        seat.link = Link::Dropped { until, waiting: Some(VecDeque::new()) };
        let participant = seat.participant.participant_id;
        self.tell_others(participant, &ServerMessage::PeerStatus { participant_id: participant, connected: false });
        self.effects.push_back(Effect::Event(RoomEventKind::Disconnected { participant }));
        Some(until)
    }

    /// A socket's login ended: its seat is free.
    pub fn handle_sign_out(&mut self, connection: ConnectionId) {
        self.expel(connection, CloseCode::SignedOut);
    }

    /// A socket that has not asked for a seat by now is closed.
    pub fn handle_join_timeout(&mut self, connection: ConnectionId) {
        if self.sockets.get(&connection).is_some_and(|socket| matches!(socket.stage, Stage::Opened | Stage::Greeted)) {
            self.expel(connection, CloseCode::PolicyViolation);
        }
    }

    /// Frees the seats whose sockets did not come back.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late = |seat: &Seat| matches!(seat.link, Link::Dropped { until, .. } if until <= now);
        let gone: Vec<_> = self.seats.iter().filter(|(_, seat)| late(seat)).map(|(id, _)| *id).collect();
        for participant in gone {
            self.free(participant, LeaveReason::Timeout);
        }
    }

    /// The room is over: everybody is told and closed.
    pub fn handle_end(&mut self, reason: EndReason) {
        let seats = std::mem::take(&mut self.seats);
        for (participant, _) in seats {
            self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason: LeaveReason::Left }));
        }
        self.effects.push_back(Effect::Event(RoomEventKind::Ended { reason }));
        for (connection, _) in std::mem::take(&mut self.sockets) {
            self.effects.push_back(Effect::Send(connection, ServerMessage::Ended { reason }));
            self.effects.push_back(Effect::Close(connection, CloseCode::RoomEnded));
        }
        self.lobby = Lobby::default();
    }

    /// The daemon stops: everybody is sent away to come back, and counted as left until then.
    pub fn handle_shutdown(&mut self) {
        for (connection, _) in std::mem::take(&mut self.sockets) {
            self.effects.push_back(Effect::Close(connection, CloseCode::GoingAway));
        }
        for (participant, _) in std::mem::take(&mut self.seats) {
            self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason: LeaveReason::Timeout }));
        }
        self.lobby = Lobby::default();
    }

    fn greet(&mut self, connection: ConnectionId, versions: &[u16]) {
        match VERSIONS.iter().find(|version| versions.contains(version)) {
            Some(&version) => {
                self.set_stage(connection, Stage::Greeted);
                self.effects.push_back(Effect::Send(connection, ServerMessage::Welcome { version }));
            }
            None => {
                self.refuse(connection, ErrorCode::VersionUnsupported);
                self.expel(connection, CloseCode::VersionUnsupported);
            }
        }
    }

    fn relay<T>(&mut self, me: ParticipantId, to: To<T>, message: fn(From<T>) -> ServerMessage) -> Result<(), ErrorCode> {
        let To { to, epoch, body } = to;
        let peer = self.seats.get(&to).filter(|_| to != me).map(|seat| seat.epoch).ok_or(ErrorCode::NoSuchPeer)?;
        let Some(own) = self.seats.get_mut(&me) else { return Err(ErrorCode::NotJoined) };
        let message = message(From { from: me, epoch, body });
        // A message of an older epoch belongs to a peer connection that is gone; candidates without end belong to none.
        if epoch == peer.max(own.epoch) && own.may_send(to, &message) {
            self.deliver(to, message);
        }
        Ok(())
    }

    fn set_media(&mut self, me: ParticipantId, media: Media) -> Result<(), ErrorCode> {
        if media.screen.as_ref().is_some_and(|mid| mid.len() > MID_BYTES_MAX) {
            return Err(ErrorCode::Malformed);
        }
        if let Some(seat) = self.seats.get_mut(&me) {
            seat.media = media.clone();
        }
        self.tell_others(me, &ServerMessage::Media { from: me, media });
        Ok(())
    }

    /// Frees a seat; the last one ends the room.
    pub(super) fn free(&mut self, participant: ParticipantId, reason: LeaveReason) {
        if self.seats.remove(&participant).is_none() {
            return;
        }
        for seat in self.seats.values_mut() {
            seat.forget(participant);
        }
        self.tell_others(participant, &ServerMessage::PeerLeft { participant_id: participant, reason });
        self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason }));
        self.end_if_empty();
    }

    /// A room where somebody sat is over once nobody does, and nobody waits to.
    pub(super) fn end_if_empty(&mut self) {
        if self.epoch > 0 && self.seats.is_empty() && self.lobby.is_empty() {
            self.handle_end(EndReason::Empty);
        }
    }

    pub(super) fn tell_others(&mut self, me: ParticipantId, message: &ServerMessage) {
        let others: Vec<_> = self.seats.keys().copied().filter(|other| *other != me).collect();
        for other in others {
            self.deliver(other, message.clone());
        }
    }

    pub(super) fn tell_all(&mut self, message: &ServerMessage) {
        let everybody: Vec<_> = self.seats.keys().copied().collect();
        for participant in everybody {
            self.deliver(participant, message.clone());
        }
    }

    pub(super) fn deliver(&mut self, to: ParticipantId, message: ServerMessage) {
        let Some(seat) = self.seats.get_mut(&to) else { return };
        match seat.connection() {
            Some(connection) => self.effects.push_back(Effect::Send(connection, message)),
            None => seat.hold(message),
        }
    }

    pub(super) fn refuse(&mut self, connection: ConnectionId, code: ErrorCode) {
        let Some(socket) = self.sockets.get_mut(&connection) else { return };
        socket.refused += 1;
        let flood = socket.refused > self.limits.refused_messages_max;
        let error = ServerMessage::Error { code, message: code.message().to_owned() };
        self.effects.push_back(Effect::Send(connection, error));
        if flood {
            self.expel(connection, CloseCode::PolicyViolation);
        }
    }

    /// Closes a socket for good, with the seat it holds.
    pub(super) fn expel(&mut self, connection: ConnectionId, code: CloseCode) {
        let Some(socket) = self.sockets.remove(&connection) else { return };
        self.effects.push_back(Effect::Close(connection, code));
        match socket.stage {
            Stage::Seated => self.free(socket.participant.participant_id, LeaveReason::Left),
            Stage::Waiting => {
                self.lobby.remove(connection);
                self.end_if_empty();
            }
            Stage::Opened | Stage::Greeted => {}
        }
    }

    pub(super) fn set_stage(&mut self, connection: ConnectionId, stage: Stage) {
        if let Some(socket) = self.sockets.get_mut(&connection) {
            socket.stage = stage;
        }
    }
}

/// RFC 8843 section 9.2 asks for `mid`s of at most a few bytes; browsers count.
const MID_BYTES_MAX: usize = 32;
