//! The way to a seat: at once, by a resume token, or through the lobby.

use std::collections::VecDeque;

use super::effect::{Effect, Entry, RoomEventKind, Standing};
use super::lobby::{LobbyPolicy, Waiter};
use super::moderation::Staffing;
use super::room::{Room, Stage};
use super::seat::{Link, Seat};
use crate::proto::id::{ConnectionId, ParticipantId};
use crate::proto::signal::{CloseCode, ErrorCode, LeaveReason, Participant, ResumeToken, Role, ServerMessage, WaitReason};

impl Room {
    /// Whether somebody sits here, or would sit down without waiting; `entry` is what the records say of them.
    pub fn admits(&self, participant: &Participant, entry: Entry) -> bool {
        self.seats.contains_key(&participant.participant_id) || self.wait_reason(participant, entry).is_none()
    }

    pub(super) fn join(&mut self, connection: ConnectionId, resume: Option<ResumeToken>, takeover: bool, token: ResumeToken) {
        let Some(socket) = self.sockets.get(&connection) else { return };
        let (participant, entry) = (socket.participant.clone(), socket.entry);
        let me = participant.participant_id;
        self.moderators.entry(me).or_insert(entry.moderator);
        match self.seats.get(&me) {
            Some(seat) if resume.is_some_and(|resume| seat.resume.matches(&resume)) && seat.can_resume() => {
                self.resume(connection, me, token);
            }
            Some(seat) if seat.connection().is_some() && !takeover => self.refuse(connection, ErrorCode::SeatTaken),
            Some(_) => self.seat_anew(connection, participant, token),
            None => match self.wait_reason(&participant, entry) {
                Some(_) if self.lobby.is_full() && self.lobby.connection_of(me).is_none() => {
                    self.refuse(connection, ErrorCode::RoomFull);
                }
                Some(reason) => self.wait(Waiter { connection, participant, token }, entry.standing, reason),
                None if self.is_full() => self.refuse(connection, ErrorCode::RoomFull),
                None => self.seat_anew(connection, participant, token),
            },
        }
    }

    /// A moderator lets somebody in.
    pub(super) fn admit(&mut self, participant: ParticipantId) -> Result<(), ErrorCode> {
        let connection = self.lobby.connection_of(participant).ok_or(ErrorCode::NoSuchPeer)?;
        if self.is_full() {
            return Err(ErrorCode::RoomFull);
        }
        self.seat_waiter(connection);
        Ok(())
    }

    /// A moderator sends somebody away who waits.
    pub(super) fn deny(&mut self, participant: ParticipantId) -> Result<(), ErrorCode> {
        let connection = self.lobby.connection_of(participant).ok_or(ErrorCode::NoSuchPeer)?;
        self.expel(connection, CloseCode::Denied);
        Ok(())
    }

    /// Nobody moderates any more: those who sit here wait from now on.
    pub(super) fn send_all_to_lobby(&mut self) {
        for (participant, seat) in std::mem::take(&mut self.seats) {
            self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason: LeaveReason::Unattended }));
            if let Link::Connected(connection) = seat.link {
                let waiter = Waiter { connection, participant: seat.participant, token: seat.resume };
                self.wait(waiter, Standing::Admitted, WaitReason::NoStaff);
            }
        }
        self.end_if_empty();
    }

    /// Those who wait learn that a moderator came or went; who needs nobody's word any more sits down.
    pub(super) fn reconsider_lobby(&mut self) {
        for connection in self.lobby.connections() {
            let Some(socket) = self.sockets.get(&connection) else { continue };
            let (participant, entry) = (socket.participant.clone(), socket.entry);
            match self.wait_reason(&participant, entry) {
                Some(reason) => {
                    self.effects.push_back(Effect::Send(connection, ServerMessage::Waiting { you: participant, reason }));
                }
                None if !self.is_full() => self.seat_waiter(connection),
                None => {}
            }
        }
    }

    fn seat_waiter(&mut self, connection: ConnectionId) {
        if let Some(Waiter { participant, token, .. }) = self.lobby.take(connection) {
            self.seat_anew(connection, participant, token);
        }
    }

    fn is_full(&self) -> bool {
        self.seats.len() >= self.limits.participants_max
    }

    /// Why somebody without a seat has to wait, if they have to.
    fn wait_reason(&self, participant: &Participant, entry: Entry) -> Option<WaitReason> {
        let attended = self.is_moderated();
        let known = self.standings.get(&participant.participant_id).copied();
        // Whoever knocked before anybody was there is let in, and does not walk in by asking once more.
        let knocked = known == Some(Standing::New);
        let free = match (known.unwrap_or(entry.standing), participant.role) {
            // Nobody is there whose word they could get.
            (Standing::Kicked, role) if role.is_staff() => !attended,
            (Standing::Kicked, _) => false,
            (_, Role::Admin | Role::Mentor) => true,
            (Standing::Admitted, _) => self.staffing != Staffing::Gone || attended,
            (Standing::New, _) if knocked => false,
            (Standing::New, Role::Guest) => false,
            (Standing::New, Role::Student) => match self.limits.lobby {
                LobbyPolicy::Off => !self.locked,
                LobbyPolicy::Early => attended && !self.locked,
                LobbyPolicy::Everyone => false,
            },
        };
        match (free, attended) {
            (true, _) => None,
            (false, true) => Some(WaitReason::NotAdmitted),
            (false, false) => Some(WaitReason::NoStaff),
        }
    }

    /// Somebody waits once: a newer socket of theirs takes the place of the one before.
    fn wait(&mut self, waiter: Waiter, standing: Standing, reason: WaitReason) {
        self.replace_waiter(waiter.participant.participant_id);
        self.set_stage(waiter.connection, Stage::Waiting);
        self.standings.entry(waiter.participant.participant_id).or_insert(standing);
        let told = ServerMessage::Waiting { you: waiter.participant.clone(), reason };
        self.effects.push_back(Effect::Send(waiter.connection, told));
        self.lobby.push(waiter);
    }

    /// The same seat on a new socket: nothing changes for anybody's media.
    fn resume(&mut self, connection: ConnectionId, me: ParticipantId, token: ResumeToken) {
        let Some(seat) = self.seats.get_mut(&me) else { return };
        let link = std::mem::replace(&mut seat.link, Link::Connected(connection));
        seat.resume = token;
        let waiting = match link {
            Link::Connected(before) => {
                self.replace(before);
                VecDeque::new()
            }
            Link::Dropped { waiting, .. } => waiting.unwrap_or_default(),
        };
        self.welcome(connection, me, true);
        self.effects.extend(waiting.into_iter().map(|message| Effect::Send(connection, message)));
        self.tell_others(me, &ServerMessage::PeerStatus { participant_id: me, connected: true });
        self.effects.push_back(Effect::Event(RoomEventKind::Resumed { participant: me, connection }));
    }

    fn seat_anew(&mut self, connection: ConnectionId, participant: Participant, token: ResumeToken) {
        let me = participant.participant_id;
        self.replace_waiter(me);
        self.epoch += 1;
        self.standings.insert(me, Standing::Admitted);
        let made = self.moderators.get(&me).copied().flatten().filter(|_| participant.role != Role::Student);
        let moderator = made.unwrap_or(participant.role.is_staff());
        let seat = Seat::new(participant, moderator, self.epoch, token, connection);
        if let Some(before) = self.seats.insert(me, Box::new(seat)).and_then(|seat| seat.connection()) {
            self.replace(before);
        }
        self.welcome(connection, me, false);
        self.announce(me);
        self.effects.push_back(Effect::Event(RoomEventKind::Joined { participant: me, connection }));
        if self.seats.len() >= 2 && !self.active {
            self.active = true;
            self.effects.push_back(Effect::Event(RoomEventKind::Active));
        }
    }

    /// The whole roster, to the one who took a seat.
    fn welcome(&mut self, connection: ConnectionId, me: ParticipantId, resumed: bool) {
        self.set_stage(connection, Stage::Seated);
        let Some(seat) = self.seats.get(&me) else { return };
        let others = self.seats.values().filter(|other| other.participant.participant_id != me);
        let joined = ServerMessage::Joined {
            resumed,
            resume: seat.resume.clone(),
            you: seat.participant.clone(),
            moderator: seat.moderator,
            locked: self.locked,
            peers: others.map(|other| other.seen_by(seat)).collect(),
        };
        self.effects.push_back(Effect::Send(connection, joined));
        if seat.moderator && !self.lobby.is_empty() {
            let waiting = self.lobby.participants();
            self.effects.push_back(Effect::Send(connection, ServerMessage::Lobby { waiting }));
        }
    }

    /// Whoever waits or sits on a newer socket waits on no older one.
    fn replace_waiter(&mut self, participant: ParticipantId) {
        if let Some(before) = self.lobby.connection_of(participant) {
            self.lobby.remove(before);
            self.replace(before);
        }
    }

    /// Another tab has the seat now.
    fn replace(&mut self, connection: ConnectionId) {
        if self.sockets.remove(&connection).is_some() {
            self.effects.push_back(Effect::Close(connection, CloseCode::Replaced));
        }
    }

    /// Each other seat sees the new one with its own politeness and epoch.
    fn announce(&mut self, me: ParticipantId) {
        let Some(seat) = self.seats.get(&me) else { return };
        let others = self.seats.iter().filter(|(other, _)| **other != me);
        let seen: Vec<_> = others.map(|(other, viewer)| (*other, seat.seen_by(viewer))).collect();
        for (other, peer) in seen {
            self.deliver(other, ServerMessage::PeerJoined { peer });
        }
    }
}
