//! Rooms as pure state machines: who sits where, who hears what.
//!
//! Driven by `hub`, which owns sockets, clock and randomness: it hands in what happened with `now` and random bytes, and carries
//! out the [`Effect`]s that come back. Knows nothing of HTTP, accounts or SQLite.

mod admission;
mod effect;
mod lobby;
mod moderation;
mod registry;
#[expect(clippy::module_inception, reason = "the room itself, among what it is made of")]
mod room;
mod seat;

pub use effect::{Effect, Entry, RoomEventKind, Standing};
pub use lobby::LobbyPolicy;
pub use registry::Registry;
pub use room::Room;

use std::time::Duration;

/// The bounds of every room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Seats.
    pub participants_max: usize,
    /// How long a dropped socket's seat is kept.
    pub reconnect_grace: Duration,
    /// How long the others keep their seats once nobody moderates.
    pub unattended_grace: Duration,
    /// Which students wait.
    pub lobby: LobbyPolicy,
    /// From a socket's first byte to its seat.
    pub join_timeout: Duration,
    /// Refused messages after which a socket is closed.
    pub refused_messages_max: u32,
}

/// How many there are at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Rooms that somebody sits in, waits for, or is about to join.
    pub rooms: usize,
    /// Taken seats, those kept for a dropped socket included.
    pub seats: usize,
    /// Who waits in a lobby.
    pub waiting: usize,
    /// Open sockets.
    pub sockets: usize,
}

#[cfg(test)]
mod tests;
