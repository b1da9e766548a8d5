//! What happened in live rooms: many records a commit, in the order in which it happened.

use rusqlite::Connection;

use super::{AttendanceEnd, Store, StoreError, UnixMillis, attendance, rooms};
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::signal::EndReason;

/// What happened, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: UnixMillis,
    /// What.
    pub change: Change,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A socket took a seat, anew or back: an interval begins, and one that still runs ends.
    Seated(ParticipantId),
    /// The socket dropped; the seat is kept.
    Dropped(ParticipantId),
    /// The seat is free; whoever was kicked needs a moderator's word to come back, and is then what their role says. A guest's login and
    /// invitation end with it.
    Left(ParticipantId, AttendanceEnd),
    /// What a moderator made of somebody.
    Moderator(ParticipantId, bool),
    /// Whether a moderator locked the room.
    Locked(RoomId, bool),
    /// The second participant came.
    Active(RoomId),
    /// The room is over; what its participants left open is closed.
    Ended(RoomId, EndReason),
}

impl Store {
    /// Writes all of these, in one commit; returns those that can never be written, by their place, and why.
    ///
    /// # Errors
    /// What the disk refused with: then none of them is written.
    pub async fn record(&self, records: Vec<Record>) -> Result<Vec<(usize, StoreError)>, StoreError> {
        self.write(move |connection| {
            let mut failed = Vec::new();
            for (place, record) in records.into_iter().enumerate() {
                connection.execute_batch("SAVEPOINT record")?;
                match write(connection, record) {
                    Ok(()) => connection.execute_batch("RELEASE record")?,
                    // The disk's refusal, or SQLite undid the whole transaction: what follows would commit by itself.
                    Err(error) if is_passing(&error) || connection.is_autocommit() => return Err(error),
                    Err(error) => {
                        connection.execute_batch("ROLLBACK TO record; RELEASE record")?;
                        failed.push((place, error.into()));
                    }
                }
            }
            Ok(failed)
        })
        .await
    }
}

fn write(connection: &Connection, Record { at, change }: Record) -> rusqlite::Result<()> {
    match change {
        Change::Seated(participant) => attendance::seated(connection, participant, at),
        Change::Dropped(participant) => attendance::dropped(connection, participant, at),
        Change::Left(participant, why) => attendance::left(connection, participant, at, why),
        Change::Moderator(participant, moderator) => rooms::moderator(connection, participant, moderator),
        Change::Locked(room, locked) => rooms::locked(connection, room, locked),
        Change::Active(room) => rooms::active(connection, room, at),
        Change::Ended(room, reason) => rooms::end(connection, room, reason, at).map(drop),
    }
}

fn is_passing(error: &rusqlite::Error) -> bool {
    StoreError::by_code(error).is_some_and(|error| error.is_passing())
}
