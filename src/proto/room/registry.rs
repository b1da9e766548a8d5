//! Every live room, and which socket belongs to which.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::effect::Effect;
use super::{Census, Entry, Limits, Room, RoomEventKind};
use crate::proto::id::{ConnectionId, ParticipantId, RoomId};
use crate::proto::signal::{ClientMessage, CloseCode, EndReason, ErrorCode, LeaveReason, Participant, ServerMessage};

/// The live rooms of a daemon.
#[derive(Debug)]
pub struct Registry {
    limits: Limits,
    rooms: HashMap<RoomId, Room>,
    /// A socket belongs to one room and hears no other.
    sockets: HashMap<ConnectionId, RoomId>,
    /// Each of these queues is in order of time.
    drops: VecDeque<(Instant, RoomId)>,
    unattended: VecDeque<(Instant, RoomId)>,
    joins: VecDeque<(Instant, ConnectionId)>,
    /// The last rooms that ended: whoever was let in before the end, or while it could not be written down, does not open them anew.
    ended: HashMap<RoomId, EndReason>,
    ended_order: VecDeque<RoomId>,
    effects: VecDeque<(RoomId, Effect)>,
}

impl Registry {
    /// No rooms yet.
    pub fn new(limits: Limits) -> Self {
        let (rooms, sockets, ended) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (drops, unattended, joins, ended_order, effects) = Default::default();
        Self { limits, rooms, sockets, drops, unattended, joins, ended, ended_order, effects }
    }

    /// What to do next, and for which room.
    pub fn poll_effect(&mut self) -> Option<(RoomId, Effect)> {
        self.effects.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let drops = self.drops.front().map(|front| front.0);
        let unattended = self.unattended.front().map(|front| front.0);
        let joins = self.joins.front().map(|front| front.0);
        [drops, unattended, joins].into_iter().flatten().min()
    }

    /// The bounds of every room here.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Other bounds, for rooms that open from here on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Rooms that somebody sits in, waits for, or is about to join.
    pub fn live_rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Counts everybody.
    pub fn census(&self) -> Census {
        let sum = |of: fn(&Room) -> usize| self.rooms.values().map(of).sum();
        Census { rooms: self.rooms.len(), seats: sum(Room::seats), waiting: sum(Room::waiting), sockets: self.sockets.len() }
    }

    /// See [`Room::admits`]; a room that has just ended admits nobody.
    pub fn admits(&self, room: RoomId, participant: &Participant, entry: Entry) -> bool {
        match self.rooms.get(&room) {
            Some(room) => room.admits(participant, entry),
            None if self.ended.contains_key(&room) => false,
            None => Room::new(self.limits, entry.locked).admits(participant, entry),
        }
    }

    /// A member's socket opened; `entry` is what the records say of them. A room that has just ended says so.
    pub fn handle_open(&mut self, now: Instant, room: RoomId, connection: ConnectionId, participant: Participant, entry: Entry) {
        if let Some(&reason) = self.ended.get(&room) {
            self.effects.push_back((room, Effect::Send(connection, ServerMessage::Ended { reason })));
            self.effects.push_back((room, Effect::Close(connection, CloseCode::RoomEnded)));
            return;
        }
        self.sockets.insert(connection, room);
        schedule(&mut self.joins, now + self.limits.join_timeout, connection);
        let limits = self.limits;
        let live = self.rooms.entry(room).or_insert_with(|| Room::new(limits, entry.locked));
        live.handle_open(connection, participant, entry);
    }

    /// See [`Room::handle_message`].
    pub fn handle_message(&mut self, now: Instant, connection: ConnectionId, message: ClientMessage, random: [u8; 16]) {
        self.in_room_of(now, connection, |room| room.handle_message(connection, message, random));
    }

    /// See [`Room::handle_refused`].
    pub fn handle_refused(&mut self, now: Instant, connection: ConnectionId, code: ErrorCode) {
        self.in_room_of(now, connection, |room| room.handle_refused(connection, code));
    }

    /// See [`Room::handle_sign_out`].
    pub fn handle_sign_out(&mut self, now: Instant, connection: ConnectionId) {
        self.in_room_of(now, connection, |room| room.handle_sign_out(connection));
    }

    /// See [`Room::handle_remove`]; where nobody is, the records and the relay hear of it all the same.
    pub fn handle_remove(&mut self, now: Instant, room: RoomId, participant: ParticipantId) {
        match self.rooms.contains_key(&room) {
            true => self.in_room(now, room, |room| room.handle_remove(participant)),
            false if !self.ended.contains_key(&room) => {
                let left = RoomEventKind::Left { participant, reason: LeaveReason::Kicked };
                self.effects.push_back((room, Effect::Event(left)));
            }
            false => {}
        }
    }

    /// See [`Room::handle_close`].
    pub fn handle_close(&mut self, now: Instant, connection: ConnectionId) {
        let Some(id) = self.sockets.get(&connection).copied() else { return };
        let mut until = None;
        self.in_room_of(now, connection, |room| until = room.handle_close(now, connection));
        self.sockets.remove(&connection);
        if let Some(until) = until {
            schedule(&mut self.drops, until, id);
        }
    }

    /// Ends a room, live or not.
    pub fn handle_end(&mut self, now: Instant, room: RoomId, reason: EndReason) {
        match self.rooms.contains_key(&room) {
            true => self.in_room(now, room, |room| room.handle_end(reason)),
            // Nobody sits there, but somebody may have been handed a credential.
            false if !self.ended.contains_key(&room) => {
                self.effects.push_back((room, Effect::Event(RoomEventKind::Ended { reason })));
                self.remember_ended(room, reason);
            }
            false => {}
        }
    }

    /// Frees the seats and closes the sockets whose time is up.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.drops.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, id)) = self.drops.pop_front() {
                self.in_room(now, id, |room| room.handle_timeout(now));
            }
        }
        while self.unattended.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, id)) = self.unattended.pop_front() {
                self.in_room(now, id, |room| room.handle_unattended(now));
            }
        }
        while self.joins.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, connection)) = self.joins.pop_front() {
                self.in_room_of(now, connection, |room| room.handle_join_timeout(connection));
            }
        }
    }

    /// See [`Room::handle_shutdown`].
    pub fn handle_shutdown(&mut self, now: Instant) {
        let mut rooms: Vec<_> = self.rooms.keys().copied().collect();
        rooms.sort_unstable();
        for id in rooms {
            self.in_room(now, id, Room::handle_shutdown);
        }
    }

    fn in_room_of(&mut self, now: Instant, connection: ConnectionId, act: impl FnOnce(&mut Room)) {
        if let Some(id) = self.sockets.get(&connection).copied() {
            self.in_room(now, id, act);
        }
    }

    fn in_room(&mut self, now: Instant, id: RoomId, act: impl FnOnce(&mut Room)) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        act(room);
        let unattended = room.settle(now);
        let mut over = None;
        while let Some(effect) = room.poll_effect() {
            match &effect {
                Effect::Close(connection, _) => drop(self.sockets.remove(connection)),
                Effect::Event(RoomEventKind::Ended { reason }) => over = Some(*reason),
                _ => {}
            }
            self.effects.push_back((id, effect));
        }
        if over.is_some() || room.is_deserted() {
            self.rooms.remove(&id);
        }
        if let Some(until) = unattended {
            schedule(&mut self.unattended, until, id);
        }
        if let Some(reason) = over {
            self.remember_ended(id, reason);
        }
    }

    fn remember_ended(&mut self, room: RoomId, reason: EndReason) {
        if self.ended.insert(room, reason).is_none() {
            self.ended_order.push_back(room);
        }
        if self.ended_order.len() > ENDED_MAX
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }
}

/// Spans are of one length until the limits change, so this is all but always the end.
fn schedule<T>(queue: &mut VecDeque<(Instant, T)>, until: Instant, what: T) {
    let place = queue.iter().rposition(|(other, _)| *other <= until).map_or(0, |before| before + 1);
    queue.insert(place, (until, what));
}

/// More than end while the database is out, at any school.
const ENDED_MAX: usize = 4096;
