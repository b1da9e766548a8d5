//! Live rooms: one task owns them all, over [`crate::proto::room`].
//!
//! Driven by `signaling` (sockets) and `http` (ends, sign-outs) through [`HubHandle`]; says what happened as [`RoomEvent`]s.
//! It never waits for anybody: a socket that reads too slowly is closed. Knows nothing of WebSockets, accounts or SQLite.

mod outbox;
mod task;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::proto::id::{ConnectionId, LoginId, ParticipantId, RoomId, UserId};
use crate::proto::signal::{ClientMessage, EndReason, ErrorCode, Participant};

pub use crate::proto::room::{Census, Entry, LobbyPolicy, RoomEventKind, Standing};
pub use outbox::{Inbox, Outgoing};

/// The bounds of live rooms.
#[derive(Debug, Clone)]
pub struct Config {
    /// Seats of a room.
    pub participants_max: usize,
    /// How long a dropped socket's seat is kept.
    pub reconnect_grace: Duration,
    /// How long the others keep their seats once nobody moderates.
    pub unattended_grace: Duration,
    /// Which students wait for a moderator.
    pub lobby: LobbyPolicy,
    /// Refused messages after which a socket is closed.
    pub refused_messages_max: u32,
    /// Bytes that may wait for a slow reader.
    pub outbox_bytes_max: usize,
}

/// Whose socket it is, proved by whoever let it in.
#[derive(Debug, Clone)]
pub struct Member {
    /// In the room.
    pub participant: Participant,
    /// The account.
    pub user: UserId,
    /// Whose end closes the socket.
    pub login: LoginId,
    /// Where it comes from; `None` if a proxy hides it.
    pub source: Option<IpAddr>,
    /// What the room's records say of them.
    pub entry: Entry,
}

/// Something that happened in a room, for its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomEvent {
    /// Where.
    pub room: RoomId,
    /// When, by the wall clock.
    pub at: SystemTime,
    /// What.
    pub kind: RoomEventKind,
    /// Where the socket comes from that joined or came back.
    pub source: Option<IpAddr>,
}

/// A door to the hub; clones share it.
#[derive(Debug, Clone)]
pub struct HubHandle {
    commands: mpsc::Sender<Command>,
}

/// Starts the task; it ends after [`HubHandle::shutdown`].
pub fn spawn(config: Config, events: mpsc::Sender<RoomEvent>) -> (HubHandle, JoinHandle<()>) {
    let (commands, received) = mpsc::channel(COMMANDS_MAX);
    let task = tokio::spawn(task::Hub::new(&config, events).run(received));
    (HubHandle { commands }, task)
}

impl HubHandle {
    /// A member's socket opened: its name, and what is to be sent. `None` once the hub stops.
    pub async fn open(&self, room: RoomId, member: Member) -> Option<(ConnectionId, Inbox)> {
        let (reply, opened) = oneshot::channel();
        self.commands.send(Command::Open { room, member, reply }).await.ok()?;
        opened.await.ok()
    }

    /// A socket said something, or something that was refused.
    pub async fn said(&self, connection: ConnectionId, message: Result<ClientMessage, ErrorCode>) {
        self.tell(Command::Said { connection, message }).await;
    }

    /// A socket is gone.
    pub async fn closed(&self, connection: ConnectionId) {
        self.tell(Command::Closed { connection }).await;
    }

    /// Ends a room: everybody is told and closed.
    pub async fn end_room(&self, room: RoomId, reason: EndReason) {
        self.tell(Command::EndRoom { room, reason }).await;
    }

    /// Whether somebody sits in a room, or would sit down without waiting.
    pub async fn admits(&self, room: RoomId, participant: Participant, entry: Entry) -> bool {
        let (reply, admits) = oneshot::channel();
        self.tell(Command::Admits { room, participant, entry, reply }).await;
        admits.await.unwrap_or(false)
    }

    /// Sends somebody out of a room for good: every socket of theirs there, and their seat.
    pub async fn remove(&self, room: RoomId, participant: ParticipantId) {
        self.tell(Command::Remove { room, participant }).await;
    }

    /// Whose sockets are open.
    pub async fn logins(&self) -> Vec<LoginId> {
        let (reply, logins) = oneshot::channel();
        self.tell(Command::Logins { reply }).await;
        logins.await.unwrap_or_default()
    }

    /// How many are where; `None` once the hub stops.
    pub async fn census(&self) -> Option<Census> {
        let (reply, census) = oneshot::channel();
        self.tell(Command::Census { reply }).await;
        census.await.ok()
    }

    /// Closes the sockets of a login that ended.
    pub async fn close_login(&self, login: LoginId) {
        self.tell(Command::CloseLogin { login }).await;
    }

    /// Other bounds, for rooms and sockets that open from here on.
    pub async fn reconfigure(&self, config: Config) {
        self.tell(Command::Reconfigure(config)).await;
    }

    /// Sends everybody away to come back; the task ends.
    pub async fn shutdown(&self) {
        self.tell(Command::Shutdown).await;
    }

    /// Comes when the task has ended.
    pub async fn stopped(&self) {
        self.commands.closed().await;
    }

    async fn tell(&self, command: Command) {
        // A hub that is gone has closed every socket.
        let _ = self.commands.send(command).await;
    }
}

#[derive(Debug)]
enum Command {
    Open { room: RoomId, member: Member, reply: oneshot::Sender<(ConnectionId, Inbox)> },
    Said { connection: ConnectionId, message: Result<ClientMessage, ErrorCode> },
    Closed { connection: ConnectionId },
    Admits { room: RoomId, participant: Participant, entry: Entry, reply: oneshot::Sender<bool> },
    Remove { room: RoomId, participant: ParticipantId },
    Logins { reply: oneshot::Sender<Vec<LoginId>> },
    Census { reply: oneshot::Sender<Census> },
    EndRoom { room: RoomId, reason: EndReason },
    CloseLogin { login: LoginId },
    Reconfigure(Config),
    Shutdown,
}

const COMMANDS_MAX: usize = 4096;

#[cfg(test)]
mod tests;
