//! Where this box itself has seen the members of its rooms: the one ground on which a private address is a peer. What a client claims
//! about itself opens nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::fingerprints::Fingerprints;
use super::hash::fingerprint;
use super::ledger::lock;
use super::peer_policy::canonical;
use super::tally::Tally;
use crate::proto::id::{ParticipantId, RoomId};

/// Addresses of present members, by room. As many as there are seats and allocations, which are bounded elsewhere.
#[derive(Debug)]
pub(super) struct Observed {
    key: [u8; 32],
    /// Of rooms and addresses that were seen together: what packets are judged by.
    seen: Fingerprints,
    sightings: Mutex<Sightings>,
}

#[derive(Debug, Default)]
struct Sightings {
    /// How often each was seen.
    counts: Tally<(RoomId, IpAddr)>,
    /// Where the signaling of a seat comes from.
    seats: HashMap<(RoomId, ParticipantId), IpAddr>,
}

impl Observed {
    /// Nobody was seen; `key` keeps outsiders from telling which addresses are taken for one another.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, seen: Fingerprints::default(), sightings: Mutex::default() }
    }

    /// Whether some present member of the room is there.
    pub(super) fn holds(&self, room: RoomId, ip: IpAddr) -> bool {
        self.seen.holds(self.fingerprint(room, canonical(ip)))
    }

    /// An allocation of a member stands, reached from there.
    pub(super) fn add(&self, room: RoomId, ip: IpAddr) {
        self.see(&mut lock(&self.sightings), room, canonical(ip));
    }

    /// It is gone.
    pub(super) fn remove(&self, room: RoomId, ip: IpAddr) {
        self.lose(&mut lock(&self.sightings), room, canonical(ip));
    }

    /// A seat's signaling comes from there, and no longer from where it came before.
    pub(super) fn place(&self, room: RoomId, participant: ParticipantId, ip: IpAddr) {
        let (sightings, ip) = (&mut *lock(&self.sightings), canonical(ip));
        self.see(sightings, room, ip);
        if let Some(before) = sightings.seats.insert((room, participant), ip) {
            self.lose(sightings, room, before);
        }
    }

    /// Seats are given up.
    pub(super) fn vacate(&self, of: impl Fn((RoomId, ParticipantId)) -> bool) {
        let sightings = &mut *lock(&self.sightings);
        let vacated: Vec<_> = sightings.seats.extract_if(|seat, _| of(*seat)).collect();
        for ((room, _), ip) in vacated {
            self.lose(sightings, room, ip);
        }
    }

    fn see(&self, sightings: &mut Sightings, room: RoomId, ip: IpAddr) {
        if sightings.counts.add((room, ip)) == 1 {
            self.seen.insert(self.fingerprint(room, ip));
        }
    }

    fn lose(&self, sightings: &mut Sightings, room: RoomId, ip: IpAddr) {
        if sightings.counts.remove(&(room, ip)) == 0 {
            self.seen.remove(self.fingerprint(room, ip));
        }
    }

    fn fingerprint(&self, room: RoomId, ip: IpAddr) -> u64 {
        fingerprint(&self.key, (room, ip))
    }
}
