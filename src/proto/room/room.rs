//! One room.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use super::Limits;
use super::effect::{Effect, RoomEventKind};
use super::seat::{Link, Seat};
use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{
    ClientMessage, CloseCode, EndReason, ErrorCode, From, LeaveReason, Media, Participant, ResumeToken, ServerMessage, To,
    VERSIONS,
};

/// The live state of one room.
#[derive(Debug)]
pub struct Room {
    limits: Limits,
    /// Rises with every seat taken anew; seats of one room never share one.
    epoch: u32,
    seats: BTreeMap<ParticipantId, Seat>,
    sockets: HashMap<ConnectionId, Socket>,
    /// Two have met.
    active: bool,
    effects: VecDeque<Effect>,
}

/// An open socket and how far it is.
#[derive(Debug)]
struct Socket {
    participant: Participant,
    stage: Stage,
    refused: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opened,
    Greeted,
    Seated,
}

impl Room {
    /// An empty room.
    pub fn new(limits: Limits) -> Self {
        Self { limits, epoch: 0, seats: BTreeMap::new(), sockets: HashMap::new(), active: false, effects: VecDeque::new() }
    }

    /// What to do next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Nobody sits here and no socket may yet.
    pub fn is_deserted(&self) -> bool {
        self.seats.is_empty() && self.sockets.is_empty()
    }

    /// A member's socket opened.
    pub fn handle_open(&mut self, connection: ConnectionId, participant: Participant) {
        self.sockets.insert(connection, Socket { participant, stage: Stage::Opened, refused: 0 });
    }

    /// A socket said something; `random` makes its resume token.
    pub fn handle_message(&mut self, connection: ConnectionId, message: ClientMessage, random: [u8; 16]) {
        let Some(socket) = self.sockets.get_mut(&connection) else { return };
        let me = socket.participant.participant_id;
        match (socket.stage, message) {
            (Stage::Opened, ClientMessage::Hello { versions }) => self.greet(connection, &versions),
            (Stage::Greeted, ClientMessage::Join { resume, takeover }) => {
                self.join(connection, resume, takeover, ResumeToken::from_random(random));
            }
            (Stage::Opened | Stage::Greeted, _) => self.refuse(connection, ErrorCode::NotJoined),
            (Stage::Seated, ClientMessage::Hello { .. } | ClientMessage::Join { .. }) => {
                self.refuse(connection, ErrorCode::AlreadyJoined)
            }
            (Stage::Seated, ClientMessage::Offer(to)) => self.relay(connection, me, to, ServerMessage::Offer),
            (Stage::Seated, ClientMessage::Answer(to)) => self.relay(connection, me, to, ServerMessage::Answer),
            (Stage::Seated, ClientMessage::Candidate(to)) => self.relay(connection, me, to, ServerMessage::Candidate),
            (Stage::Seated, ClientMessage::Media(media))
                if media.screen.as_ref().is_some_and(|mid| mid.len() > MID_BYTES_MAX) =>
            {
                self.refuse(connection, ErrorCode::Malformed)
            }
            (Stage::Seated, ClientMessage::Media(media)) => self.set_media(me, media),
            (Stage::Seated, ClientMessage::Leave {}) => self.expel(connection, CloseCode::Left),
            (Stage::Seated, _) => self.refuse(connection, ErrorCode::Forbidden),
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

    /// A socket that has not taken a seat by now is closed.
    pub fn handle_join_timeout(&mut self, connection: ConnectionId) {
        if self.sockets.get(&connection).is_some_and(|socket| socket.stage != Stage::Seated) {
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
        for (connection, _) in self.sockets.drain() {
            self.effects.push_back(Effect::Send(connection, ServerMessage::Ended { reason }));
            self.effects.push_back(Effect::Close(connection, CloseCode::RoomEnded));
        }
    }

    /// The daemon stops: everybody is sent away to come back, and counted as left until then.
    pub fn handle_shutdown(&mut self) {
        for (connection, _) in self.sockets.drain() {
            self.effects.push_back(Effect::Close(connection, CloseCode::GoingAway));
        }
        for (participant, _) in std::mem::take(&mut self.seats) {
            self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason: LeaveReason::Timeout }));
        }
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

    fn join(&mut self, connection: ConnectionId, resume: Option<ResumeToken>, takeover: bool, token: ResumeToken) {
        let Some(socket) = self.sockets.get(&connection) else { return };
        let participant = socket.participant.clone();
        match self.seats.get(&participant.participant_id) {
            Some(seat) if resume.is_some_and(|resume| seat.resume.matches(&resume)) && seat.can_resume() => {
                self.resume(connection, participant.participant_id, token)
            }
            Some(seat) if seat.connection().is_some() && !takeover => self.refuse(connection, ErrorCode::SeatTaken),
            None if self.seats.len() >= self.limits.participants_max => self.refuse(connection, ErrorCode::RoomFull),
            _ => self.seat_anew(connection, participant, token),
        }
    }

    /// The same seat on a new socket: nothing changes for anybody's media.
    fn resume(&mut self, connection: ConnectionId, me: ParticipantId, token: ResumeToken) {
        let Some(seat) = self.seats.get_mut(&me) else { return };
        let link = std::mem::replace(&mut seat.link, Link::Connected(connection));
        seat.resume = token;
        let waiting = match link {
            Link::Connected(before) => {
                self.replace(before);
                VecDeque::new()
            }
            Link::Dropped { waiting, .. } => waiting.unwrap_or_default(),
        };
        self.welcome(connection, me, true);
        self.effects.extend(waiting.into_iter().map(|message| Effect::Send(connection, message)));
        self.tell_others(me, &ServerMessage::PeerStatus { participant_id: me, connected: true });
        self.effects.push_back(Effect::Event(RoomEventKind::Resumed { participant: me, connection }));
    }

    fn seat_anew(&mut self, connection: ConnectionId, participant: Participant, token: ResumeToken) {
        let me = participant.participant_id;
        self.epoch += 1;
        let seat =
            Seat { participant, epoch: self.epoch, media: Media::default(), resume: token, link: Link::Connected(connection) };
        if let Some(before) = self.seats.insert(me, seat).and_then(|seat| seat.connection()) {
            self.replace(before);
        }
        self.welcome(connection, me, false);
        self.announce(me);
        self.effects.push_back(Effect::Event(RoomEventKind::Joined { participant: me, connection }));
        if self.seats.len() >= 2 && !self.active {
            self.active = true;
            self.effects.push_back(Effect::Event(RoomEventKind::Active));
        }
    }

    /// The whole roster, to the one who took a seat.
    fn welcome(&mut self, connection: ConnectionId, me: ParticipantId, resumed: bool) {
        self.set_stage(connection, Stage::Seated);
        let Some(seat) = self.seats.get(&me) else { return };
        let peers =
            self.seats.values().filter(|other| other.participant.participant_id != me).map(|other| other.seen_by(seat)).collect();
        let joined = ServerMessage::Joined {
            resumed,
            resume: seat.resume.clone(),
            you: seat.participant.clone(),
            moderator: seat.participant.role.is_staff(),
            locked: false,
            peers,
        };
        self.effects.push_back(Effect::Send(connection, joined));
    }

    /// Another tab has the seat now.
    fn replace(&mut self, connection: ConnectionId) {
        if self.sockets.remove(&connection).is_some() {
            self.effects.push_back(Effect::Close(connection, CloseCode::Replaced));
        }
    }

    fn relay<T>(&mut self, connection: ConnectionId, me: ParticipantId, to: To<T>, message: fn(From<T>) -> ServerMessage) {
        let own_epoch = self.seats.get(&me).map_or(0, |seat| seat.epoch);
        let To { to, epoch, body } = to;
        match self.seats.get_mut(&to) {
            Some(seat) if to != me => {
                // A message of an older epoch belongs to a peer connection that is gone.
                if epoch == seat.epoch.max(own_epoch) {
                    self.deliver(to, message(From { from: me, epoch, body }));
                }
            }
            _ => self.refuse(connection, ErrorCode::NoSuchPeer),
        }
    }

    fn set_media(&mut self, me: ParticipantId, media: Media) {
        if let Some(seat) = self.seats.get_mut(&me) {
            seat.media = media.clone();
        }
        self.tell_others(me, &ServerMessage::Media { from: me, media });
    }

    /// Frees a seat; the last one ends the room.
    fn free(&mut self, participant: ParticipantId, reason: LeaveReason) {
        if self.seats.remove(&participant).is_none() {
            return;
        }
        self.tell_others(participant, &ServerMessage::PeerLeft { participant_id: participant, reason });
        self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason }));
        if self.seats.is_empty() {
            self.handle_end(EndReason::Empty);
        }
    }

    fn tell_others(&mut self, me: ParticipantId, message: &ServerMessage) {
        let others: Vec<_> = self.seats.keys().copied().filter(|other| *other != me).collect();
        for other in others {
            self.deliver(other, message.clone());
        }
    }

    /// Each other seat sees the new one with its own politeness and epoch.
    fn announce(&mut self, me: ParticipantId) {
        let Some(seat) = self.seats.get(&me) else { return };
        let others = self.seats.iter().filter(|(other, _)| **other != me);
        let seen: Vec<_> = others.map(|(other, viewer)| (*other, seat.seen_by(viewer))).collect();
        for (other, peer) in seen {
            self.deliver(other, ServerMessage::PeerJoined { peer });
        }
    }

    fn deliver(&mut self, to: ParticipantId, message: ServerMessage) {
        let Some(seat) = self.seats.get_mut(&to) else { return };
        match seat.connection() {
            Some(connection) => self.effects.push_back(Effect::Send(connection, message)),
            None => seat.hold(message),
        }
    }

    fn refuse(&mut self, connection: ConnectionId, code: ErrorCode) {
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
    fn expel(&mut self, connection: ConnectionId, code: CloseCode) {
        let Some(socket) = self.sockets.remove(&connection) else { return };
        self.effects.push_back(Effect::Close(connection, code));
        if socket.stage == Stage::Seated {
            self.free(socket.participant.participant_id, LeaveReason::Left);
        }
    }

    fn set_stage(&mut self, connection: ConnectionId, stage: Stage) {
        if let Some(socket) = self.sockets.get_mut(&connection) {
            socket.stage = stage;
        }
    }
}

/// RFC 8843 section 9.2 asks for `mid`s of at most a few bytes; browsers count.
const MID_BYTES_MAX: usize = 32;
