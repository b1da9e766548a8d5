//! Credentials that ended before their time: of rooms that are over, and of seats that were given up.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::proto::credential::{Claim, LIFETIME};
use crate::proto::id::{ParticipantId, RoomId};

/// What is remembered until the credentials in question have expired by themselves.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    rooms: HashMap<RoomId, Duration>,
    seats: HashMap<(RoomId, ParticipantId), Duration>,
    /// In the order of their times, so that the oldest are forgotten first.
    order: VecDeque<(Duration, RoomId, Option<ParticipantId>)>,
}

impl Revocations {
    /// No credential of the room counts any more.
    pub(super) fn revoke_room(&mut self, now: Duration, room: RoomId) {
        self.forget(now);
        self.rooms.insert(room, now);
        self.order.push_back((now, room, None));
    }

    /// No credential of the seat that was minted before counts any more; a later one does, for whoever comes back.
    pub(super) fn revoke_seat(&mut self, now: Duration, room: RoomId, participant: ParticipantId) {
        self.forget(now);
        self.seats.insert((room, participant), now);
        self.order.push_back((now, room, Some(participant)));
    }

    /// Whether a credential of this box is void. Times have whole seconds in a credential, so one of the very second still counts.
    pub(super) fn covers(&self, claim: &Claim) -> bool {
        let Some(seat) = claim.seat else { return false };
        let minted = claim.expiry.saturating_sub(LIFETIME);
        let left = self.seats.get(&seat);
        self.rooms.contains_key(&seat.0) || left.is_some_and(|left| minted.as_secs() < left.as_secs())
    }

    fn forget(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(at, ..)| *at + 2 * LIFETIME < now) {
            let Some((at, room, participant)) = self.order.pop_front() else { break };
            match participant {
                None => drop(self.rooms.remove(&room)),
                Some(participant) if self.seats.get(&(room, participant)) == Some(&at) => {
                    self.seats.remove(&(room, participant));
                }
                Some(_) => {}
            }
        }
    }
}
