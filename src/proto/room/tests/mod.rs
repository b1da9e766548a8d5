//! The room through its registry: exact effects, emptiness included.

use std::time::{Duration, Instant};

use super::*;
use crate::proto::id::{ConnectionId, ParticipantId, RoomId};
use crate::proto::signal::{
    Candidate, ClientMessage, CloseCode, Description, EndReason, ErrorCode, From, LeaveReason, Media, Of, Participant,
    ResumeToken, Role, ServerMessage, To, WaitReason,
};

mod lobby;
mod moderation;
mod seats;

const GRACE: Duration = Duration::from_secs(45);
const UNATTENDED: Duration = Duration::from_secs(120);
const ROOM: RoomId = RoomId::from_random([7; 16]);

struct TestRoom {
    registry: Registry,
    now: Instant,
    /// What the records say of whoever comes next.
    entry: Entry,
}

impl TestRoom {
    fn new() -> Self {
        Self::with_lobby(LobbyPolicy::Early)
    }

    fn with_lobby(lobby: LobbyPolicy) -> Self {
        let limits = Limits {
            participants_max: 4,
            reconnect_grace: GRACE,
            unattended_grace: UNATTENDED,
            lobby,
            join_timeout: Duration::from_secs(10),
            refused_messages_max: 3,
        };
        #[expect(clippy::disallowed_methods, reason = "a test's starting point")]
        let now = Instant::now();
        Self { registry: Registry::new(limits), now, entry: Entry::default() }
    }

    fn with_mentor_seated() -> Self {
        let mut room = Self::new();
        room.greeted(1, Role::Mentor);
        room.join(1);
        room.effects();
        room
    }

    fn with_both_seated() -> Self {
        let mut room = Self::with_mentor_seated();
        room.greeted(2, Role::Student);
        room.join(2);
        room.effects();
        room
    }

    fn with_mentor_and_guest() -> Self {
        let mut room = Self::with_mentor_seated();
        room.greeted(3, Role::Guest);
        room.join(3);
        room.say(1, ClientMessage::Admit(of(3)));
        room.effects();
        room
    }

    fn join_timeout(&self) -> Option<Instant> {
        Some(self.now + Duration::from_secs(10))
    }

    fn open(&mut self, n: u8, role: Role) {
        self.registry.handle_open(self.now, ROOM, connection(n), participant(n, role), self.entry);
    }

    fn greeted(&mut self, n: u8, role: Role) {
        self.greeted_as(n, n, role);
    }

    fn greeted_as(&mut self, n: u8, who: u8, role: Role) {
        self.registry.handle_open(self.now, ROOM, connection(n), participant(who, role), self.entry);
        self.say(n, ClientMessage::Hello { versions: vec![2, 1] });
        assert_eq!(self.effects().last(), Some(&Effect::Send(connection(n), ServerMessage::Welcome { version: 2 })));
    }

    fn join(&mut self, n: u8) {
        self.say(n, ClientMessage::Join { resume: None, takeover: false });
    }

    fn say(&mut self, n: u8, message: ClientMessage) {
        self.registry.handle_message(self.now, connection(n), message, [n; 16]);
    }

    fn drop_socket(&mut self, n: u8) {
        self.registry.handle_close(self.now, connection(n));
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.registry.poll_effect()).map(|(_, effect)| effect).collect()
    }
}

fn connection(n: u8) -> ConnectionId {
    ConnectionId::from_random([n; 16])
}

fn id(n: u8) -> ParticipantId {
    ParticipantId::from_random([n; 16])
}

fn token(n: u8) -> ResumeToken {
    ResumeToken::from_random([n; 16])
}

fn participant(n: u8, role: Role) -> Participant {
    Participant { participant_id: id(n), display_name: format!("P{n}"), role }
}

fn of(n: u8) -> Of {
    Of { participant_id: id(n) }
}

fn waiting(n: u8, role: Role, reason: WaitReason) -> Effect {
    waiting_on(n, n, role, reason)
}

fn waiting_on(n: u8, who: u8, role: Role, reason: WaitReason) -> Effect {
    Effect::Send(connection(n), ServerMessage::Waiting { you: participant(who, role), reason })
}

fn lobby(to: u8, waiting: &[(u8, Role)]) -> Effect {
    let waiting = waiting.iter().map(|(n, role)| participant(*n, *role)).collect();
    Effect::Send(connection(to), ServerMessage::Lobby { waiting })
}

fn offer(to: u8, epoch: u32) -> ClientMessage {
    ClientMessage::Offer(To { to: id(to), epoch, body: Description { sdp: "v=0".to_owned() } })
}

fn sent(effect: &Effect) -> &ServerMessage {
    match effect {
        Effect::Send(_, message) => message,
        other => panic!("{other:?} is no message"),
    }
}

fn error(effect: &Effect) -> Option<ErrorCode> {
    match effect {
        Effect::Send(_, ServerMessage::Error { code, .. }) => Some(*code),
        _ => None,
    }
}
