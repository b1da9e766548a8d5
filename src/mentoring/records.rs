//! What happens in live rooms, written down.

use super::Mentoring;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::signal::{EndReason, LeaveReason};
use crate::store::{AttendanceEnd, Change, Record, StoreError, UnixMillis};

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
    /// Writes down what happened in rooms and when, all in one commit; returns what can never be written, by its place, and why.
    ///
    /// # Errors
    /// What the disk refused with: then nothing of it is written.
    pub async fn record(&self, happened: &[(RoomId, UnixMillis, Occurrence)]) -> Result<Vec<(usize, StoreError)>, StoreError> {
        let record = |(room, at, occurrence): &_| Record { at: *at, change: change(*room, *occurrence) };
        self.store.record(happened.iter().map(record).collect()).await
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

fn change(room: RoomId, occurrence: Occurrence) -> Change {
    match occurrence {
        Occurrence::Joined(participant) | Occurrence::Online(participant, true) => Change::Seated(participant),
        Occurrence::Online(participant, false) => Change::Dropped(participant),
        Occurrence::Left(participant, reason) => Change::Left(participant, end_of(reason)),
        Occurrence::Moderator(participant, moderator) => Change::Moderator(participant, moderator),
        Occurrence::Locked(locked) => Change::Locked(room, locked),
        Occurrence::Active => Change::Active(room),
        Occurrence::Ended(reason) => Change::Ended(room, reason),
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
