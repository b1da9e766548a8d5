//! What happens in live rooms, written down.

use super::{Mentoring, MentoringError};
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::signal::{EndReason, LeaveReason};
use crate::store::UnixMillis;

/// Something that happened in a live room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// Took a seat.
    Joined(ParticipantId),
    /// The socket dropped or came back; the seat is kept.
    Online(ParticipantId, bool),
    /// The seat is free.
    Left(ParticipantId, LeaveReason),
    /// Two have met.
    Active,
    /// A moderator, or not, by a moderator's word.
    Moderator(ParticipantId, bool),
    /// Locked or open.
    Locked(bool),
    /// The room is over.
    Ended(EndReason),
}

impl Mentoring {
    /// Writes down what happened in a room, and when.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn record(&self, room: RoomId, at: UnixMillis, occurrence: Occurrence) -> Result<(), MentoringError> {
        match occurrence {
            Occurrence::Joined(participant) => self.store.record_joined(participant, at).await?,
            Occurrence::Online(participant, online) => self.store.record_online(participant, online).await?,
            Occurrence::Left(participant, _) => self.store.record_left(participant, at).await?,
            Occurrence::Moderator(..) | Occurrence::Locked(_) => {}
            Occurrence::Active => self.store.record_active(room, at).await?,
            Occurrence::Ended(reason) => drop(self.store.end_room(room, reason, at).await?),
        }
        Ok(())
    }

    /// After a start nobody is in a room, whatever the last run left behind.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn forget_presence(&self) -> Result<(), MentoringError> {
        Ok(self.store.nobody_is_online().await?)
    }
}
