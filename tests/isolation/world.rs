//! Live rooms with people of every role in them, and what each of them was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use visavis::proto::id::{ConnectionId, ParticipantId, RoomId};
use visavis::proto::room::{Effect, Entry, Limits, LobbyPolicy, Registry};
use visavis::proto::signal::{ClientMessage, EndReason, ErrorCode, Participant, Role, ServerMessage};

/// Rooms, and the book of who belongs where, which the rooms never see.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) now: Instant,
    /// Where each socket was opened; of those that were closed, too.
    pub(crate) room_of: BTreeMap<ConnectionId, RoomId>,
    /// Which people belong to each room.
    pub(crate) members: BTreeMap<RoomId, BTreeSet<ParticipantId>>,
    pub(crate) owner: BTreeMap<ConnectionId, ParticipantId>,
    connections: u64,
}

/// What came of something.
pub(crate) type Effects = Vec<(RoomId, Effect)>;

impl World {
    pub(crate) fn new(lobby: LobbyPolicy) -> Self {
        let limits = Limits {
            participants_max: 6,
            reconnect_grace: Duration::from_secs(45),
            unattended_grace: Duration::from_secs(120),
            lobby,
            join_timeout: Duration::from_secs(10),
            refused_messages_max: 20,
        };
        let (room_of, members, owner) = Default::default();
        Self { registry: Registry::new(limits), now: Instant::now(), room_of, members, owner, connections: 0 }
    }

    pub(crate) fn open(&mut self, room: RoomId, participant: Participant) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId::from_random(u128::from(self.connections).to_be_bytes());
        self.room_of.insert(connection, room);
        self.owner.insert(connection, participant.participant_id);
        self.members.entry(room).or_default().insert(participant.participant_id);
        self.registry.handle_open(self.now, room, connection, participant, Entry::default());
        connection
    }

    /// Opens a socket and joins; where that leads depends on the room.
    pub(crate) fn enter(&mut self, room: RoomId, participant: Participant) -> ConnectionId {
        let connection = self.open(room, participant);
        self.say(connection, ClientMessage::Hello { versions: vec![2] });
        self.say(connection, ClientMessage::Join { resume: None, takeover: false });
        connection
    }

    pub(crate) fn say(&mut self, connection: ConnectionId, message: ClientMessage) {
        self.registry.handle_message(self.now, connection, message, [7; 16]);
    }

    /// As the socket's reader does it: what is no message is refused.
    pub(crate) fn say_text(&mut self, connection: ConnectionId, text: &str) {
        match serde_json::from_str(text) {
            Ok(message) => self.say(connection, message),
            Err(_) => self.registry.handle_refused(self.now, connection, ErrorCode::Malformed),
        }
    }

    pub(crate) fn end(&mut self, room: RoomId) {
        self.registry.handle_end(self.now, room, EndReason::EndedByStaff);
    }

    pub(crate) fn effects(&mut self) -> Effects {
        std::iter::from_fn(|| self.registry.poll_effect()).collect()
    }

    /// Every effect stays in the room it came from: its sockets, and people of it alone are named.
    pub(crate) fn assert_no_leak(&self, effects: &[(RoomId, Effect)]) {
        for (room, effect) in effects {
            let (Effect::Send(connection, _) | Effect::Close(connection, _)) = effect else { continue };
            assert_eq!(self.room_of[connection], *room, "a socket of another room: {effect:?}");
            let Effect::Send(_, message) = effect else { continue };
            for named in named_in(message) {
                assert!(self.members[room].contains(&named), "somebody of another room is named: {effect:?}");
            }
        }
    }
}

/// Everybody whom a message names.
pub(crate) fn named_in(message: &ServerMessage) -> Vec<ParticipantId> {
    use ServerMessage as M;
    match message {
        M::Joined { you, peers, .. } => {
            peers.iter().map(|peer| peer.participant.participant_id).chain([you.participant_id]).collect()
        }
        M::Waiting { you, .. } => vec![you.participant_id],
        M::Lobby { waiting } => waiting.iter().map(|participant| participant.participant_id).collect(),
        M::PeerJoined { peer } => vec![peer.participant.participant_id],
        M::Moderator { participant_id, .. } | M::PeerStatus { participant_id, .. } | M::PeerLeft { participant_id, .. } => {
            vec![*participant_id]
        }
        M::Offer(from) | M::Answer(from) => vec![from.from],
        M::Candidate(from) => vec![from.from],
        M::Media { from, .. } => vec![*from],
        M::Welcome { .. } | M::Locked { .. } | M::Ended { .. } | M::Error { .. } => Vec::new(),
    }
}

pub(crate) fn room(n: u32) -> RoomId {
    RoomId::from_random(u128::from(n).to_be_bytes())
}

/// Somebody of room `room`; `n` tells them from the others there.
pub(crate) fn person(room: u32, n: u8, role: Role) -> Participant {
    Participant { participant_id: id(room, n), display_name: format!("P{n} of {room}"), role }
}

pub(crate) fn id(room: u32, n: u8) -> ParticipantId {
    ParticipantId::from_random((u128::from(room) << 8 | u128::from(n)).to_be_bytes())
}
