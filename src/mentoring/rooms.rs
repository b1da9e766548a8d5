//! The rooms of accepted sessions: who may make, see, enter and end them.

use super::members::role_in;
use super::{Mentoring, MentoringError};
use crate::proto::id::{ParticipantId, RoomId, SessionId};
use crate::proto::room::Entry;
use crate::proto::signal::{EndReason, Participant, Role};
use crate::store::{Room, RoomStatus, SessionStatus, UnixMillis, User};
use crate::sys::entropy;

/// A member's place in a standing room.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The room, with everybody in its records.
    pub room: Room,
    /// The member, as others see them.
    pub participant: Participant,
    /// What the room's records say of them.
    pub entry: Entry,
}

impl Mentoring {
    /// The standing room of an accepted session, made if there is none (then true).
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::SessionNotAccepted`], or what the database refused with.
    pub async fn create_room(&self, user: &User, session: SessionId) -> Result<(Room, bool), MentoringError> {
        let session = self.member_session(user, session).await?;
        if session.status != SessionStatus::Accepted {
            return Err(MentoringError::SessionNotAccepted);
        }
        // A disk that takes no writes keeps nobody out of a room that stands.
        if let Some(room) = self.store.room_of_session(session.id).await?.filter(|room| room.status != RoomStatus::Ended) {
            return Ok((room, false));
        }
        let id = RoomId::from_random(entropy::random());
        Ok(self.store.standing_room(session.id, id).await?)
    }

    /// A room, for its members and for admins.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, or what the database refused with.
    pub async fn room(&self, user: &User, id: RoomId) -> Result<Room, MentoringError> {
        let room = self.store.room(id).await?.ok_or(MentoringError::NotFound)?;
        if user.role != Role::Admin {
            self.member_session(user, room.session).await?;
        }
        Ok(room)
    }

    /// The standing room of a session, else its last one.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders and where there was none yet, or what the database refused with.
    pub async fn room_of_session(&self, user: &User, session: SessionId) -> Result<Room, MentoringError> {
        if user.role != Role::Admin {
            self.member_session(user, session).await?;
        }
        self.store.room_of_session(session).await?.ok_or(MentoringError::NotFound)
    }

    /// The member's place in a room; whoever was there before gets the same one, as what they are in the session now.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::RoomEnded`], or what the database refused with.
    pub async fn seat(&self, user: &User, id: RoomId) -> Result<Seat, MentoringError> {
        let room = self.store.room(id).await?.ok_or(MentoringError::NotFound)?;
        let session = self.member_session(user, room.session).await?;
        if room.status == RoomStatus::Ended {
            return Err(MentoringError::RoomEnded);
        }
        let role = role_in(&session, user).ok_or(MentoringError::NotFound)?;
        // Whoever was a colleague and comes back by a link is a guest, whatever their row says.
        let known = room.participants.iter().find(|row| row.user == user.id && row.role == role).cloned();
        let row = match known {
            Some(row) => row,
            None => {
                let candidate = ParticipantId::from_random(entropy::random());
                self.store.participant(id, user.id, role, candidate).await?.ok_or(MentoringError::RoomEnded)?
            }
        };
        let entry = Entry { standing: row.standing, moderator: row.moderator, locked: room.locked };
        let participant = Participant { participant_id: row.id, display_name: row.display_name, role: row.role };
        Ok(Seat { room, participant, entry })
    }

    /// Ends a room, for its mentor and for admins.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for the student, or what the database
    /// refused with. A room that is over stays as it was.
    pub async fn end_room(&self, user: &User, id: RoomId) -> Result<Room, MentoringError> {
        let room = self.room(user, id).await?;
        self.staffed_session(user, room.session, "only a mentor ends the meeting for everyone").await?;
        if room.status != RoomStatus::Ended {
            self.store.end_room(id, EndReason::EndedByStaff, UnixMillis::now()).await?;
        }
        self.room(user, id).await
    }
}
