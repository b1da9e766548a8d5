//! What the shards of one relay hold in common: each has clients, allocations and sockets of its own, and these books make them one relay to
//! everybody else. Handed to each [`super::Server`]; whatever the path of relayed data asks is read without a lock.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Config;
use super::census::Census;
use super::observed::Observed;
use super::quota::{Limits, Sources};
use super::relayed::Relayed;
use crate::proto::id::{ParticipantId, RoomId};

/// The books of a relay.
#[derive(Debug)]
pub struct Ledger {
    pub(super) census: Census,
    pub(super) observed: Observed,
    pub(super) relayed: Relayed,
    pub(super) requests: Sources,
    pub(super) failures: Sources,
}

impl Ledger {
    /// Empty ones, for so many shards.
    pub fn new(config: &Config, shards: usize) -> Self {
        Self {
            census: Census::new(config.limits),
            observed: Observed::new(config.nonce_key),
            relayed: Relayed::new(config.nonce_key, shards),
            requests: Sources::new(config.nonce_key, config.limits.requests),
            failures: Sources::new(config.nonce_key, config.limits.failures),
        }
    }

    /// Other quotas, for what is allocated from here on; the rates of requests stay, since they are read without a lock.
    pub fn set_limits(&self, limits: Limits) {
        self.census.set_limits(limits);
    }

    /// A member's signaling comes from there, until the seat is given up; every shard knows once this returns.
    pub fn observe(&self, room: RoomId, participant: ParticipantId, ip: IpAddr) {
        self.observed.place(room, participant, ip);
    }

    /// No seat of the room is seen anywhere any more.
    pub fn vacate_room(&self, room: RoomId) {
        self.observed.vacate(|seat| seat.0 == room);
    }

    /// The seat is given up.
    pub fn vacate_seat(&self, room: RoomId, participant: ParticipantId) {
        self.observed.vacate(|seat| seat == (room, participant));
    }
}

/// Each change of the books is whole by itself, so what a thread that died left behind is sound.
pub(super) fn lock<T>(books: &Mutex<T>) -> MutexGuard<'_, T> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}
