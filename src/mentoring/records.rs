//! What happens in live rooms, written down.

use super::Mentoring;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::signal::{EndReason, LeaveReason};
use crate::store::{AttendanceEnd, StoreError, UnixMillis};

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
    pub async fn record(&self, room: RoomId, at: UnixMillis, occurrence: Occurrence) -> Result<(), StoreError> {
        match occurrence {
            Occurrence::Joined(participant) | Occurrence::Online(participant, true) => {
                self.store.record_seated(participant, at).await
            }
            Occurrence::Online(participant, false) => self.store.record_dropped(participant, at).await,
            Occurrence::Left(participant, reason) => self.store.record_left(participant, at, end_of(reason)).await,
            Occurrence::Moderator(participant, moderator) => self.store.record_moderator(participant, moderator).await,
            Occurrence::Locked(locked) => self.store.record_locked(room, locked).await,
            Occurrence::Active => self.store.record_active(room, at).await,
            Occurrence::Ended(reason) => self.store.end_room(room, reason, at).await.map(drop),
        }
    }

    /// Notes that the daemon runs, so that a crash ends no interval earlier than it must.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn record_alive(&self, at: UnixMillis) -> Result<(), StoreError> {
        self.store.record_alive(at).await
    }

    /// After a start nobody is in a room, whatever the last run left behind.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn forget_presence(&self) -> Result<(), StoreError> {
        self.store.end_crashed_attendance().await
    }
}

fn end_of(reason: LeaveReason) -> AttendanceEnd {
    match reason {
        LeaveReason::Left => AttendanceEnd::Left,
        LeaveReason::Kicked => AttendanceEnd::Kicked,
        LeaveReason::Unattended => AttendanceEnd::Unattended,
        // A socket that did not come back ended its interval when it dropped; what still runs ends with the daemon.
        LeaveReason::Timeout => AttendanceEnd::Stopped,
    }
}
