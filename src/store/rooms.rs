//! Tables `video_call_rooms` and `video_call_participants`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, UnixMillis, attendance};
use crate::proto::id::{ParticipantId, RoomId, SessionId, UserId};
use crate::proto::room::Standing;
use crate::proto::signal::{EndReason, Role};

/// A video-call room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Never changes.
    pub id: RoomId,
    /// The mentoring session it belongs to.
    pub session: SessionId,
    /// How far it is.
    pub status: RoomStatus,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When the second participant came.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
    /// A moderator locked it.
    pub locked: bool,
    /// Everybody who asked to join.
    pub participants: Vec<RoomParticipant>,
}

/// How far a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStatus {
    /// Fewer than two have come.
    Waiting,
    /// Two have met.
    Active,
    /// Over.
    Ended,
}

/// Somebody in a room's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomParticipant {
    /// Of this room alone.
    pub id: ParticipantId,
    /// The account.
    pub user: UserId,
    /// As shown to others.
    pub display_name: String,
    /// In this room.
    pub role: Role,
    /// First taken seat.
    pub joined_at: Option<UnixMillis>,
    /// Last freed seat.
    pub left_at: Option<UnixMillis>,
    /// A socket holds the seat.
    pub online: bool,
    /// Whether they were let in, or sent out.
    pub standing: Standing,
    /// What a moderator made of them; `None`: what their role says.
    pub moderator: Option<bool>,
}

impl Store {
    /// The standing room of a session, made with this id if there is none; true if it was made.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn standing_room(&self, session: SessionId, id: RoomId) -> Result<(Room, bool), StoreError> {
        self.write(move |connection| {
            let sql = "INSERT INTO video_call_rooms (id, session_id, status, created_at) VALUES (?1, ?2, 'waiting', ?3)
                       ON CONFLICT DO NOTHING";
            let made = connection.execute(sql, params![id, session, UnixMillis::now()])? == 1;
            let room = latest(connection, session)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok((room, made))
        })
        .await
    }

    /// # Errors
    /// What the query failed with.
    pub async fn room(&self, id: RoomId) -> Result<Option<Room>, StoreError> {
        self.read(move |connection| find(connection, id)).await
    }

    /// The standing room of a session, else its last one.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn room_of_session(&self, session: SessionId) -> Result<Option<Room>, StoreError> {
        self.read(move |connection| latest(connection, session)).await
    }

    /// Rooms that ended at `since` or later, and when; the earliest first.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn rooms_ended_since(&self, since: UnixMillis) -> Result<Vec<(RoomId, UnixMillis)>, StoreError> {
        self.read(move |connection| {
            connection.prepare_cached(ENDED_SINCE)?.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// The person's participant in a standing room, made with this id if there is none, and in this role from now on; `None` if the room
    /// is over.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn participant(
        &self,
        room: RoomId,
        user: UserId,
        role: Role,
        id: ParticipantId,
    ) -> Result<Option<RoomParticipant>, StoreError> {
        self.write(move |connection| {
            let sql = "INSERT INTO video_call_participants (id, room_id, user_id, role)
                       SELECT ?1, r.id, ?3, ?4 FROM video_call_rooms r WHERE r.id = ?2 AND r.status <> 'ended'
                       ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role";
            connection.execute(sql, params![id, room, user, role])?;
            let room = find(connection, room)?.filter(|room| room.status != RoomStatus::Ended);
            Ok(room.and_then(|room| room.participants.into_iter().find(|participant| participant.user == user)))
        })
        .await
    }

    /// Ends a room and closes what its participants left open; false if it was over already.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn end_room(&self, room: RoomId, reason: EndReason, at: UnixMillis) -> Result<bool, StoreError> {
        self.write(move |connection| end(connection, room, reason, at)).await
    }
}

pub(super) fn moderator(connection: &Connection, participant: ParticipantId, moderator: bool) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_participants SET moderator = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![participant, moderator]).map(drop)
}

pub(super) fn locked(connection: &Connection, room: RoomId, locked: bool) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE video_call_rooms SET locked = ?2 WHERE id = ?1")?.execute(params![room, locked]).map(drop)
}

pub(super) fn active(connection: &Connection, room: RoomId, at: UnixMillis) -> rusqlite::Result<()> {
    let sql = "UPDATE video_call_rooms SET status = 'active', started_at = coalesce(started_at, ?2) WHERE id = ?1 AND status = 'waiting'";
    connection.prepare_cached(sql)?.execute(params![room, at]).map(drop)
}

/// False if it was over already.
pub(super) fn end(connection: &Connection, room: RoomId, reason: EndReason, at: UnixMillis) -> rusqlite::Result<bool> {
    let sql = "UPDATE video_call_rooms SET status = 'ended', ended_at = ?2, end_reason = ?3 WHERE id = ?1 AND status <> 'ended'";
    let ended = connection.prepare_cached(sql)?.execute(params![room, at, reason])? == 1;
    // Somebody may have sat down between the end's row and the end's word to the live room.
    let close = "UPDATE video_call_participants SET left_at = max(joined_at, ?2), online = 0
                 WHERE room_id = ?1 AND joined_at IS NOT NULL AND left_at IS NULL";
    connection.prepare_cached(close)?.execute(params![room, at])?;
    attendance::end_intervals_of(connection, room, reason, at)?;
    Ok(ended)
}

fn find(connection: &Connection, id: RoomId) -> rusqlite::Result<Option<Room>> {
    let row = connection.prepare_cached("SELECT * FROM video_call_rooms WHERE id = ?1")?.query_row([id], room).optional()?;
    row.map(|room| with_participants(connection, room)).transpose()
}

fn latest(connection: &Connection, session: SessionId) -> rusqlite::Result<Option<Room>> {
    let sql = "SELECT * FROM video_call_rooms WHERE session_id = ?1 ORDER BY status = 'ended', created_at DESC LIMIT 1";
    let row = connection.prepare_cached(sql)?.query_row([session], room).optional()?;
    row.map(|room| with_participants(connection, room)).transpose()
}

fn with_participants(connection: &Connection, room: Room) -> rusqlite::Result<Room> {
    let sql = "SELECT p.id, p.user_id, p.role, p.joined_at, p.left_at, p.online, p.standing, p.moderator, u.display_name
               FROM video_call_participants p JOIN users u ON u.id = p.user_id WHERE p.room_id = ?1 ORDER BY p.joined_at IS NULL, p.joined_at, p.id";
    let participants = connection.prepare_cached(sql)?.query_map([room.id], participant)?.collect::<rusqlite::Result<_>>()?;
    Ok(Room { participants, ..room })
}

fn room(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: row.get("id")?,
        session: row.get("session_id")?,
        status: row.get("status")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
        locked: row.get("locked")?,
        participants: Vec::new(),
    })
}

fn participant(row: &Row<'_>) -> rusqlite::Result<RoomParticipant> {
    Ok(RoomParticipant {
        id: row.get("id")?,
        user: row.get("user_id")?,
        display_name: row.get("display_name")?,
        role: row.get("role")?,
        joined_at: row.get("joined_at")?,
        left_at: row.get("left_at")?,
        online: row.get("online")?,
        standing: row.get("standing")?,
        moderator: row.get("moderator")?,
    })
}

pub(super) const ENDED_SINCE: &str = "SELECT id, ended_at FROM video_call_rooms WHERE ended_at >= ?1 ORDER BY ended_at";
