//! Table `video_call_attendance`, and what happens to the people of a room: written as it happens, at the time it happened.
//!
//! The clock may jump back: an interval then ends when it began, and the next begins no earlier than the last one ended.

use std::time::Duration;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, UnixMillis, members};
use crate::proto::id::{ParticipantId, RoomId, SessionId, UserId};
use crate::proto::signal::{EndReason, Role};

/// When somebody was in the rooms of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    /// The account.
    pub user: UserId,
    /// As shown to others.
    pub display_name: String,
    /// In the rooms.
    pub role: Role,
    /// In order; they never overlap within a room.
    pub intervals: Vec<Interval>,
}

/// From one socket's seat to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The socket took the seat, or took it back.
    pub began_at: UnixMillis,
    /// When and why it was over; `None` while it runs.
    pub end: Option<(UnixMillis, AttendanceEnd)>,
}

/// Why an interval ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttendanceEnd {
    /// They left.
    Left,
    /// A moderator sent them out.
    Kicked,
    /// Nobody of the staff was there: back to the lobby.
    Unattended,
    /// Their socket dropped.
    Dropped,
    /// Another tab or socket of theirs took over.
    Replaced,
    /// The room was over.
    Ended,
    /// The daemon was stopped.
    Stopped,
    /// The daemon ended without a word; the time is the last it was known to run.
    Crash,
}

impl Attendance {
    /// When they first came.
    pub fn first_join(&self) -> Option<UnixMillis> {
        self.intervals.iter().map(|interval| interval.began_at).min()
    }

    /// When they were last gone; `None` while they are there.
    pub fn last_leave(&self) -> Option<UnixMillis> {
        let ends: Option<Vec<_>> = self.intervals.iter().map(|interval| interval.end.map(|(at, _)| at)).collect();
        ends?.into_iter().max()
    }

    /// How long they were there in all, by `now`.
    pub fn total(&self, now: UnixMillis) -> Duration {
        self.intervals.iter().map(|interval| interval.length(now)).sum()
    }
}

impl Interval {
    /// How long it is, by `now` if it runs.
    pub fn length(&self, now: UnixMillis) -> Duration {
        self.end.map_or(now, |(at, _)| at).since(self.began_at)
    }
}

impl Store {
    /// Notes that the daemon runs, while anybody is in a room; otherwise nothing is written.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn record_alive(&self, at: UnixMillis) -> Result<(), StoreError> {
        let sql = "UPDATE daemon_heartbeat SET alive_at = ?1
                   WHERE EXISTS (SELECT 1 FROM video_call_attendance WHERE ended_at IS NULL)";
        self.write(move |connection| connection.prepare_cached(sql)?.execute([at])).await.map(drop)
    }

    /// After a start nobody is in a room: what still runs ended when the last run was last known to be alive.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn end_crashed_attendance(&self) -> Result<(), StoreError> {
        self.write(|connection| END_CRASHED.iter().try_for_each(|sql| connection.execute(sql, []).map(drop))).await
    }

    /// Who was in the rooms of a session and when; who came first is first.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn attendance(&self, session: SessionId) -> Result<Vec<Attendance>, StoreError> {
        let sql = "SELECT p.user_id, u.display_name, p.role, a.began_at, a.ended_at, a.end_reason
                   FROM video_call_rooms r
                   JOIN video_call_participants p ON p.room_id = r.id
                   JOIN users u ON u.id = p.user_id
                   JOIN video_call_attendance a ON a.participant_id = p.id
                   WHERE r.session_id = ?1 ORDER BY a.began_at, p.id";
        self.read(move |connection| {
            let mut people: Vec<Attendance> = Vec::new();
            let mut rows = connection.prepare_cached(sql)?;
            for row in rows.query_map([session], attendance)? {
                let row = row?;
                match people.iter_mut().find(|known| known.user == row.user && known.role == row.role) {
                    Some(known) => known.intervals.extend(row.intervals),
                    None => people.push(row),
                }
            }
            Ok(people)
        })
        .await
    }
}

pub(super) fn seated(connection: &Connection, participant: ParticipantId, at: UnixMillis) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_participants
               SET joined_at = coalesce(joined_at, ?2), left_at = NULL, online = 1, standing = 'admitted' WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![participant, at])?;
    end_interval(connection, participant, at, AttendanceEnd::Replaced)?;
    begin_interval(connection, participant, at)
}

pub(super) fn dropped(connection: &Connection, participant: ParticipantId, at: UnixMillis) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE video_call_participants SET online = 0 WHERE id = ?1")?.execute([participant])?;
    end_interval(connection, participant, at, AttendanceEnd::Dropped)
}

pub(super) fn left(
    connection: &Connection,
    participant: ParticipantId,
    at: UnixMillis,
    why: AttendanceEnd,
) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_participants SET left_at = max(joined_at, ?2), online = 0 WHERE id = ?1 AND left_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![participant, at])?;
    if why == AttendanceEnd::Kicked {
        let sql = "UPDATE video_call_participants SET standing = 'kicked', moderator = NULL WHERE id = ?1";
        connection.prepare_cached(sql)?.execute([participant])?;
        members::expel_guest(connection, participant)?;
    }
    end_interval(connection, participant, at, why)
}

/// Ends what runs in a room. Whoever was there when the staff ended it left at that very time, and that is why.
pub(super) fn end_intervals_of(connection: &Connection, room: RoomId, reason: EndReason, at: UnixMillis) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_attendance SET ended_at = coalesce(ended_at, max(began_at, ?2)), end_reason = ?3
               WHERE participant_id IN (SELECT id FROM video_call_participants WHERE room_id = ?1)
                 AND (ended_at IS NULL OR (?4 AND ended_at = ?2 AND end_reason = 'left'))";
    let by_staff = reason == EndReason::EndedByStaff;
    connection.prepare_cached(sql)?.execute(params![room, at, AttendanceEnd::Ended, by_staff]).map(drop)
}

fn begin_interval(connection: &Connection, participant: ParticipantId, at: UnixMillis) -> rusqlite::Result<()> {
    let sql = "INSERT INTO video_call_attendance (participant_id, began_at)
               SELECT ?1, max(?2, coalesce((SELECT max(began_at + 1, ended_at) FROM video_call_attendance
                                            WHERE participant_id = ?1 ORDER BY began_at DESC LIMIT 1), ?2))";
    connection.prepare_cached(sql)?.execute(params![participant, at])?;
    note_alive(connection, at)
}

fn end_interval(connection: &Connection, participant: ParticipantId, at: UnixMillis, why: AttendanceEnd) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_attendance SET ended_at = max(began_at, ?2), end_reason = ?3
               WHERE participant_id = ?1 AND ended_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![participant, at, why])?;
    note_alive(connection, at)
}

/// Whatever is written down proves that the daemon ran then.
fn note_alive(connection: &Connection, at: UnixMillis) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE daemon_heartbeat SET alive_at = ?1")?.execute([at]).map(drop)
}

fn attendance(row: &Row<'_>) -> rusqlite::Result<Attendance> {
    let ended_at: Option<UnixMillis> = row.get("ended_at")?;
    let why: Option<AttendanceEnd> = row.get("end_reason")?;
    Ok(Attendance {
        user: row.get("user_id")?,
        display_name: row.get("display_name")?,
        role: row.get("role")?,
        intervals: vec![Interval { began_at: row.get("began_at")?, end: ended_at.zip(why) }],
    })
}

pub(super) const END_CRASHED: [&str; 2] = [
    "UPDATE video_call_attendance SET ended_at = max(began_at, (SELECT alive_at FROM daemon_heartbeat)), end_reason = 'crash'
     WHERE ended_at IS NULL",
    "UPDATE video_call_participants SET online = 0, left_at = coalesce(
         (SELECT max(joined_at, ended_at) FROM video_call_attendance a WHERE a.participant_id = id ORDER BY began_at DESC LIMIT 1),
         joined_at)
     WHERE joined_at IS NOT NULL AND left_at IS NULL",
];
