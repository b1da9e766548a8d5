//! What a room asks its driver to do.

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
    /// The seat is free.
    Left {
        /// Whose.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// For the first time two sit here.
    Active,
    /// The room is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}
