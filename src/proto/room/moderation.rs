//! What moderators do, and what happens where none is.

use std::time::Instant;

use super::effect::{Effect, RoomEventKind, Standing};
use super::lobby::LobbyPolicy;
use super::room::Room;
use crate::proto::id::ParticipantId;
use crate::proto::signal::{CloseCode, ErrorCode, LeaveReason, Role, ServerMessage};

/// Whether somebody who moderates sits in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Staffing {
    /// Nobody has sat here yet.
    Never,
    /// Somebody does.
    Present,
    /// Nobody does; the others keep their seats until then.
    Missing { until: Instant },
    /// Nobody did for too long.
    Gone,
}

impl Room {
    /// Whether somebody who moderates holds a seat, be it for a dropped socket.
    pub(super) fn is_moderated(&self) -> bool {
        self.seats.values().any(|seat| seat.moderator)
    }

    /// Proves that a seat moderates now: not when the message was sent.
    pub(super) fn moderated(&self, me: ParticipantId) -> Result<(), ErrorCode> {
        let moderator = self.seats.get(&me).is_some_and(|seat| seat.moderator);
        if moderator { Ok(()) } else { Err(ErrorCode::Forbidden) }
    }

    pub(super) fn kick(&mut self, me: ParticipantId, participant: ParticipantId) -> Result<(), ErrorCode> {
        if participant == me {
            return Err(ErrorCode::Forbidden);
        }
        if !self.seats.contains_key(&participant) {
            return Err(ErrorCode::NoSuchPeer);
        }
        self.handle_remove(participant);
        Ok(())
    }

    /// Sends somebody out: their seat is free, every socket of theirs closed, and the way back needs a moderator's word.
    pub fn handle_remove(&mut self, participant: ParticipantId) {
        self.standings.insert(participant, Standing::Kicked);
        self.moderators.insert(participant, None);
        let sockets = self.sockets.iter().filter(|(_, socket)| socket.participant.participant_id == participant);
        for connection in sockets.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            self.sockets.remove(&connection);
            self.lobby.remove(connection);
            self.effects.push_back(Effect::Close(connection, CloseCode::Kicked));
        }
        match self.seats.contains_key(&participant) {
            true => self.free(participant, LeaveReason::Kicked),
            false => {
                // They may hold a credential, and the records may say that they were let in.
                self.effects.push_back(Effect::Event(RoomEventKind::Left { participant, reason: LeaveReason::Kicked }));
                self.end_if_empty();
            }
        }
    }

    pub(super) fn lock(&mut self, locked: bool) {
        if self.locked != locked {
            self.locked = locked;
            self.tell_all(&ServerMessage::Locked { locked });
            self.effects.push_back(Effect::Event(RoomEventKind::Locked { locked }));
        }
    }

    /// Makes somebody a moderator, or not; a room that has one keeps one.
    pub(super) fn moderate(&mut self, participant: ParticipantId, moderator: bool) -> Result<(), ErrorCode> {
        let seat = self.seats.get(&participant).ok_or(ErrorCode::NoSuchPeer)?;
        if seat.participant.role == Role::Student {
            return Err(ErrorCode::Forbidden);
        }
        let others = self.seats.iter().any(|(other, seat)| *other != participant && seat.moderator);
        if !moderator && !others {
            return Err(ErrorCode::Forbidden);
        }
        self.set_moderator(participant, moderator);
        Ok(())
    }

    /// What follows from what just happened: moderators hear of the lobby, the lobby hears of moderators. Returns when
    /// [`Self::handle_unattended`] is due, if that is new.
    pub fn settle(&mut self, now: Instant) -> Option<Instant> {
        self.restore_staff();
        let due = self.count_staff(now);
        if std::mem::take(&mut self.lobby.changed) {
            let message = ServerMessage::Lobby { waiting: self.lobby.participants() };
            let moderators: Vec<_> = self.seats.iter().filter(|(_, seat)| seat.moderator).map(|(id, _)| *id).collect();
            for moderator in moderators {
                self.deliver(moderator, message.clone());
            }
        }
        due
    }

    /// Nobody moderated for too long: everybody waits from now on.
    pub fn handle_unattended(&mut self, now: Instant) {
        if matches!(self.staffing, Staffing::Missing { until } if until <= now) {
            self.staffing = Staffing::Gone;
            self.send_all_to_lobby();
        }
    }

    fn count_staff(&mut self, now: Instant) -> Option<Instant> {
        let before = self.staffing;
        let kept_without = self.limits.lobby == LobbyPolicy::Off;
        let somebody_sits = !self.seats.is_empty();
        self.staffing = match before {
            _ if self.is_moderated() => Staffing::Present,
            _ if kept_without => Staffing::Never,
            Staffing::Never | Staffing::Present if somebody_sits => {
                Staffing::Missing { until: now + self.limits.unattended_grace }
            }
            Staffing::Present => Staffing::Gone,
            before => before,
        };
        if (before == Staffing::Present) != (self.staffing == Staffing::Present) {
            self.reconsider_lobby();
        }
        match self.staffing {
            Staffing::Missing { until } if self.staffing != before => Some(until),
            _ => None,
        }
    }

    /// Staff that was demoted leads again where nobody else does.
    fn restore_staff(&mut self) {
        if self.is_moderated() {
            return;
        }
        let staff: Vec<_> =
            self.seats.iter().filter(|(_, seat)| seat.participant.role.is_staff()).map(|(participant, _)| *participant).collect();
        for participant in staff {
            self.set_moderator(participant, true);
        }
    }

    fn set_moderator(&mut self, participant: ParticipantId, moderator: bool) {
        let Some(seat) = self.seats.get_mut(&participant) else { return };
        if seat.moderator == moderator {
            return;
        }
        seat.moderator = moderator;
        self.moderators.insert(participant, Some(moderator));
        self.tell_all(&ServerMessage::Moderator { participant_id: participant, moderator });
        self.effects.push_back(Effect::Event(RoomEventKind::Moderator { participant, moderator }));
        if moderator && !self.lobby.is_empty() {
            self.deliver(participant, ServerMessage::Lobby { waiting: self.lobby.participants() });
        }
    }
}
