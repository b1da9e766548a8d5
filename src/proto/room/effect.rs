//! What a room asks its driver to do.

use serde::{Deserialize, Serialize};

use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{CloseCode, EndReason, LeaveReason, ServerMessage};

/// One thing to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Hand the message to the socket.
    Send(ConnectionId, ServerMessage),
    /// Close the socket once what was sent before is out; nothing of it is handled any more.
    Close(ConnectionId, CloseCode),
    /// Write down what happened.
    Event(RoomEventKind),
}

/// What the records of a room say of somebody who opens a socket: what outlives a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// How they stand to the room.
    pub standing: Standing,
    /// What a moderator made of them; `None`: what their role says.
    pub moderator: Option<bool>,
    /// Whether the room was locked when it was last heard of.
    pub locked: bool,
}

/// How somebody stands to a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Never sat there.
    #[default]
    New,
    /// Sat there, so they were let in.
    Admitted,
    /// Was sent out, and needs a moderator's word to come back.
    Kicked,
}

/// What happened in a room, for its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomEventKind {
    /// Took a seat anew.
    Joined {
        /// Who.
        participant: ParticipantId,
        /// Through which socket.
        connection: ConnectionId,
    },
    /// The socket dropped; the seat is kept.
    Disconnected {
        /// Whose.
        participant: ParticipantId,
    },
    /// The socket came back.
    Resumed {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        connection: ConnectionId,
    },
    /// The seat is free; whoever was sent out may have had none.
    Left {
        /// Whose.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// Became a moderator, or ceased to be one.
    Moderator {
        /// Who.
        participant: ParticipantId,
        /// What they are now.
        moderator: bool,
    },
    /// The room was locked or opened.
    Locked {
        /// What it is now.
        locked: bool,
    },
    /// For the first time two sit here.
    Active,
    /// The room is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}
