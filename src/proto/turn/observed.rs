//! Where this box itself has seen the members of its rooms: the one ground on which a private address is a peer. What a client claims
//! about itself opens nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use super::peer_policy::canonical;
use super::tally::Tally;
use crate::proto::id::{ParticipantId, RoomId};

/// Addresses of present members, by room. As many as there are seats and allocations, which are bounded elsewhere.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// How often each was seen.
    seen: Tally<(RoomId, IpAddr)>,
    /// Where the signaling of a seat comes from.
    seats: HashMap<(RoomId, ParticipantId), IpAddr>,
}

impl Observed {
    /// Whether some present member of the room is there.
    pub(super) fn holds(&self, room: RoomId, ip: IpAddr) -> bool {
        self.seen.count(&(room, canonical(ip))) > 0
    }

    /// An allocation of a member stands, reached from there.
    pub(super) fn add(&mut self, room: RoomId, ip: IpAddr) {
        self.seen.add((room, canonical(ip)));
    }

    /// It is gone.
    pub(super) fn remove(&mut self, room: RoomId, ip: IpAddr) {
        self.seen.remove(&(room, canonical(ip)));
    }

    /// A seat's signaling comes from there, and no longer from where it came before.
    pub(super) fn place(&mut self, room: RoomId, participant: ParticipantId, ip: IpAddr) {
        self.add(room, ip);
        if let Some(before) = self.seats.insert((room, participant), ip) {
            self.remove(room, before);
        }
    }

    /// Seats are given up.
    pub(super) fn vacate(&mut self, of: impl Fn((RoomId, ParticipantId)) -> bool) {
        let vacated: Vec<_> = self.seats.extract_if(|seat, _| of(*seat)).collect();
        for ((room, _), ip) in vacated {
            self.remove(room, ip);
        }
    }
}
