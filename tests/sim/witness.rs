//! Sees everything the rooms do and panics at the first thing that must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use visavis::proto::id::{ConnectionId, ParticipantId, RoomId};
use visavis::proto::room::{Effect, RoomEventKind, Standing};
use visavis::proto::signal::{ClientMessage, From, LeaveReason, Of, Role, ServerMessage};

use crate::people::Person;
use crate::records::Records;

type Seat = (RoomId, ParticipantId);

/// What is known of the rooms from their effects alone.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    roles: BTreeMap<Seat, Role>,
    sockets: BTreeMap<ConnectionId, Socket>,
    seats: BTreeMap<Seat, Holder>,
    /// Kicked, and not admitted since.
    barred: BTreeSet<Seat>,
    /// Were let in, or came while somebody moderated.
    welcomed: BTreeSet<Seat>,
    ended: BTreeSet<RoomId>,
    unmoderated_since: BTreeMap<RoomId, Duration>,
    /// What is being handled, and for whom.
    handled: Option<(ConnectionId, ClientMessage)>,
    /// How often each thing was seen.
    pub(crate) tally: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Socket {
    seat: Seat,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Lobby,
    Seated { moderator: bool },
}

/// Who holds a seat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) socket: Option<ConnectionId>,
    pub(crate) moderator: bool,
}

pub(crate) const SEATS_MAX: usize = 4;
pub(crate) const UNATTENDED: Duration = Duration::from_secs(30);

impl Witness {
    pub(crate) fn new(people: &[Person]) -> Self {
        let roles = people.iter().map(|person| ((person.room, person.participant.participant_id), person.participant.role));
        Self { roles: roles.collect(), ..Self::default() }
    }

    pub(crate) fn opened(&mut self, connection: ConnectionId, room: RoomId, participant: ParticipantId) {
        self.sockets.insert(connection, Socket { seat: (room, participant), place: Place::Nowhere });
    }

    pub(crate) fn handles(&mut self, handled: Option<(ConnectionId, ClientMessage)>) {
        self.handled = handled;
    }

    /// The server learned that a socket is gone.
    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        self.sockets.remove(&connection);
    }

    /// The daemon died: nothing it knew is left but what it wrote down.
    pub(crate) fn crashed(&mut self, records: &Records) {
        self.sockets.clear();
        self.seats.clear();
        self.unmoderated_since.clear();
        self.barred.retain(|seat| records.standing(*seat) == Standing::Kicked);
        self.ended.retain(|room| records.is_over(*room));
    }

    pub(crate) fn seats(&self) -> &BTreeMap<Seat, Holder> {
        &self.seats
    }

    pub(crate) fn has_socket(&self, connection: ConnectionId) -> bool {
        self.sockets.contains_key(&connection)
    }

    /// Watches one effect.
    pub(crate) fn see(&mut self, now: Duration, room: RoomId, effect: &Effect) {
        *self.tally.entry(name(effect)).or_default() += 1;
        match effect {
            Effect::Send(connection, message) => self.sent(room, *connection, message),
            Effect::Close(connection, _) => drop(self.sockets.remove(connection)),
            Effect::Event(kind) => self.happened(room, *kind),
        }
        let moderated = self.seats_of(room).any(|holder| holder.moderator);
        if moderated || self.seats_of(room).next().is_none() {
            self.unmoderated_since.remove(&room);
        } else {
            self.unmoderated_since.entry(room).or_insert(now);
        }
    }

    /// After everything an input led to: one seat one person, and nobody alone for longer than may be.
    pub(crate) fn settled(&self, now: Duration) {
        for (connection, socket) in &self.sockets {
            if matches!(socket.place, Place::Seated { .. }) {
                let holder = self.seats.get(&socket.seat).and_then(|holder| holder.socket);
                assert_eq!(holder, Some(*connection), "two sockets think they hold the seat of {:?}", socket.seat);
            }
        }
        for (room, since) in &self.unmoderated_since {
            assert!(now <= *since + UNATTENDED, "{room}: nobody moderates, and people sit there since {since:?}");
        }
    }

    fn sent(&mut self, room: RoomId, connection: ConnectionId, message: &ServerMessage) {
        let socket = self.sockets.get_mut(&connection).expect("nothing is said to a closed socket");
        assert_eq!(socket.seat.0, room, "a socket hears another room");
        for participant in named(message) {
            assert!(
                self.roles.contains_key(&(room, participant)),
                "{room} hears of {participant}, who is not of it: {message:?}"
            );
        }
        match (message, socket.place) {
            (ServerMessage::Joined { moderator, .. }, _) => socket.place = Place::Seated { moderator: *moderator },
            (ServerMessage::Waiting { .. }, _) => socket.place = Place::Lobby,
            (ServerMessage::Welcome { .. } | ServerMessage::Error { .. } | ServerMessage::Ended { .. }, _) => {}
            (ServerMessage::Lobby { .. }, Place::Seated { .. }) => {
                let moderates = self.seats.get(&socket.seat).is_none_or(|holder| holder.moderator);
                assert!(moderates, "{:?} hears of the lobby", socket.seat);
            }
            (_, Place::Seated { .. }) => {}
            (_, place) => panic!("{:?} has no seat ({place:?}) and hears {message:?}", socket.seat),
        }
        if let ServerMessage::Offer(From { body, from, .. }) = message {
            assert_eq!(body.sdp, format!("{room} {from}"), "an offer under another's name");
        }
    }

    fn happened(&mut self, room: RoomId, kind: RoomEventKind) {
        assert!(!self.ended.contains(&room), "{kind:?} in {room}, which is over");
        match kind {
            RoomEventKind::Joined { participant, connection } => self.joined((room, participant), connection),
            RoomEventKind::Resumed { participant, connection } => {
                self.seats.get_mut(&(room, participant)).expect("a seat to take back").socket = Some(connection);
            }
            RoomEventKind::Disconnected { participant } => {
                let holder = self.seats.get_mut(&(room, participant)).expect("a seat to drop from");
                assert!(holder.socket.take().is_some(), "{participant} dropped twice");
            }
            RoomEventKind::Left { participant, reason } => {
                let holder = self.seats.remove(&(room, participant)).expect("a seat to leave");
                if reason == LeaveReason::Kicked {
                    self.barred.insert((room, participant));
                }
                if reason == LeaveReason::Timeout {
                    let stopped = holder.socket.is_some_and(|socket| self.sockets.contains_key(&socket));
                    assert!(!stopped, "{participant} timed out with a socket");
                }
            }
            RoomEventKind::Moderator { participant, moderator } => {
                assert!(!moderator || self.roles[&(room, participant)] != Role::Student, "a student moderates");
                self.seats.get_mut(&(room, participant)).expect("a seated moderator").moderator = moderator;
            }
            RoomEventKind::Ended { .. } => {
                assert_eq!(self.seats_of(room).count(), 0, "{room} ends with people in it");
                self.ended.insert(room);
            }
            RoomEventKind::Locked { .. } | RoomEventKind::Active => {}
        }
    }

    fn joined(&mut self, seat: Seat, connection: ConnectionId) {
        let role = self.roles[&seat];
        let Some(Socket { place: Place::Seated { moderator }, .. }) = self.sockets.get(&connection) else {
            panic!("{seat:?} joined on a socket that was not told so");
        };
        assert!(!(*moderator && role == Role::Student), "a student moderates");
        let moderated = self.seats_of(seat.0).any(|holder| holder.moderator);
        let admitted = matches!(&self.handled, Some((by, ClientMessage::Admit(Of { participant_id }))) if *participant_id == seat.1 && self.moderates(*by));
        if self.barred.contains(&seat) {
            assert!(admitted || (role.is_staff() && !moderated), "{seat:?} was kicked and came back by itself");
            self.barred.remove(&seat);
        }
        let welcome = role.is_staff() || admitted || (moderated && role != Role::Guest);
        assert!(welcome || self.welcomed.contains(&seat), "{seat:?} came in without a word");
        self.welcomed.insert(seat);
        self.seats.insert(seat, Holder { socket: Some(connection), moderator: *moderator });
        assert!(self.seats_of(seat.0).count() <= SEATS_MAX, "more seats than may be");
    }

    fn moderates(&self, connection: ConnectionId) -> bool {
        let seat = self.sockets.get(&connection).map(|socket| socket.seat);
        seat.and_then(|seat| self.seats.get(&seat)).is_some_and(|holder| holder.moderator)
    }

    fn seats_of(&self, room: RoomId) -> impl Iterator<Item = &Holder> {
        self.seats.iter().filter(move |((of, _), _)| *of == room).map(|(_, holder)| holder)
    }
}

/// The first word or two of an effect, such as `Waiting NoStaff` or `Close Kicked`.
fn name(effect: &Effect) -> String {
    match effect {
        Effect::Close(_, code) => format!("Close {code:?}"),
        Effect::Send(_, ServerMessage::Waiting { reason, .. }) => format!("Waiting {reason:?}"),
        Effect::Send(_, ServerMessage::Error { code, .. }) => format!("Error {code:?}"),
        Effect::Send(_, ServerMessage::Joined { resumed, .. }) => format!("Joined resumed {resumed}"),
        Effect::Send(_, message) => first_word(&format!("{message:?}")),
        Effect::Event(RoomEventKind::Left { reason, .. }) => format!("Event Left {reason:?}"),
        Effect::Event(kind) => format!("Event {}", first_word(&format!("{kind:?}"))),
    }
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

/// Everybody a message names.
fn named(message: &ServerMessage) -> Vec<ParticipantId> {
    match message {
        ServerMessage::Joined { you, peers, .. } => {
            peers.iter().map(|peer| &peer.participant).chain([you]).map(|one| one.participant_id).collect()
        }
        ServerMessage::Waiting { you, .. } => vec![you.participant_id],
        ServerMessage::Lobby { waiting } => waiting.iter().map(|one| one.participant_id).collect(),
        ServerMessage::PeerJoined { peer } => vec![peer.participant.participant_id],
        ServerMessage::PeerStatus { participant_id, .. }
        | ServerMessage::PeerLeft { participant_id, .. }
        | ServerMessage::Moderator { participant_id, .. } => vec![*participant_id],
        ServerMessage::Offer(From { from, .. }) | ServerMessage::Answer(From { from, .. }) => vec![*from],
        ServerMessage::Candidate(From { from, .. }) | ServerMessage::Media { from, .. } => vec![*from],
        ServerMessage::Welcome { .. }
        | ServerMessage::Locked { .. }
        | ServerMessage::Ended { .. }
        | ServerMessage::Error { .. } => {
            vec![]
        }
    }
}
