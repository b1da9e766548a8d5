//! Table `mentoring_sessions`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::members::Member;
use super::rooms::RoomStatus;
use super::{Store, StoreError, UnixMillis};
use crate::proto::id::{RoomId, SessionId, UserId};

/// What a student asked a mentor for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentoringSession {
    /// Never changes.
    pub id: SessionId,
    /// In the student's words.
    pub topic: String,
    /// Whether the mentor answered, and how.
    pub status: SessionStatus,
    /// Who was asked.
    pub mentor: Person,
    /// Who asked.
    pub student: Person,
    /// When.
    pub requested_at: UnixMillis,
    /// When the mentor answered.
    pub answered_at: Option<UnixMillis>,
    /// Who else belongs to it, in the order they were added.
    pub members: Vec<Member>,
    /// The standing room, if there is one.
    pub room: Option<(RoomId, RoomStatus)>,
}

/// Who somebody is, as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Rendered as text.
    pub display_name: String,
}

/// How far a mentoring session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// The mentor has not answered.
    Requested,
    /// Both may meet.
    Accepted,
    /// They will not meet.
    Declined,
}

impl Store {
    /// # Errors
    /// What the write failed with.
    pub async fn insert_session(&self, id: SessionId, mentor: UserId, student: UserId, topic: String) -> Result<(), StoreError> {
        let sql = "INSERT INTO mentoring_sessions (id, mentor_id, student_id, topic, status, requested_at)
                   VALUES (?1, ?2, ?3, ?4, 'requested', ?5)";
        self.write(move |connection| connection.execute(sql, params![id, mentor, student, topic, UnixMillis::now()]))
            .await
            .map(drop)
    }

    /// A session that nobody has to accept any more.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn insert_accepted_session(
        &self,
        id: SessionId,
        mentor: UserId,
        student: UserId,
        topic: String,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO mentoring_sessions (id, mentor_id, student_id, topic, status, requested_at, answered_at)
                   VALUES (?1, ?2, ?3, ?4, 'accepted', ?5, ?5)";
        self.write(move |connection| connection.execute(sql, params![id, mentor, student, topic, UnixMillis::now()]))
            .await
            .map(drop)
    }

    /// How many requests of this student no mentor has answered.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn open_requests(&self, student: UserId) -> Result<u32, StoreError> {
        let sql = "SELECT count(*) FROM mentoring_sessions WHERE student_id = ?1 AND status = 'requested'";
        self.read(move |connection| connection.query_row(sql, [student], |row| row.get(0))).await
    }

    /// # Errors
    /// What the query failed with.
    pub async fn session(&self, id: SessionId) -> Result<Option<MentoringSession>, StoreError> {
        self.read(move |connection| find(connection, id)).await
    }

    /// Newest first: those of one person, or all.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn sessions(&self, of: Option<UserId>) -> Result<Vec<MentoringSession>, StoreError> {
        self.read(move |connection| {
            let of_one = "WHERE s.id IN (SELECT id FROM mentoring_sessions WHERE mentor_id = ?1
                UNION SELECT id FROM mentoring_sessions WHERE student_id = ?1
                UNION SELECT session_id FROM mentoring_session_members WHERE user_id = ?1)";
            let which = if of.is_some() { of_one } else { "WHERE ?1 IS NULL" };
            let sql = format!("{SELECT} {which} ORDER BY s.requested_at DESC, s.id LIMIT {LIST_MAX}");
            connection.prepare_cached(&sql)?.query_map([of], session)?.collect()
        })
        .await
    }

    /// Records the mentor's answer; false if there was one already.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn answer_session(&self, id: SessionId, answer: SessionStatus) -> Result<bool, StoreError> {
        let sql = "UPDATE mentoring_sessions SET status = ?2, answered_at = ?3 WHERE id = ?1 AND status = 'requested'";
        self.write(move |connection| Ok(connection.execute(sql, params![id, answer, UnixMillis::now()])? == 1)).await
    }
}

fn find(connection: &Connection, id: SessionId) -> rusqlite::Result<Option<MentoringSession>> {
    connection.prepare_cached(&format!("{SELECT} WHERE s.id = ?1"))?.query_row([id], session).optional()
}

fn session(row: &Row<'_>) -> rusqlite::Result<MentoringSession> {
    let room: Option<RoomId> = row.get("room_id")?;
    let room_status: Option<RoomStatus> = row.get("room_status")?;
    Ok(MentoringSession {
        id: row.get("id")?,
        topic: row.get("topic")?,
        status: row.get("status")?,
        mentor: Person { id: row.get("mentor_id")?, display_name: row.get("mentor_name")? },
        student: Person { id: row.get("student_id")?, display_name: row.get("student_name")? },
        requested_at: row.get("requested_at")?,
        answered_at: row.get("answered_at")?,
        members: members(row)?,
        room: room.zip(room_status),
    })
}

/// SQLite gathers them as JSON, so that a list of sessions is one query.
fn members(row: &Row<'_>) -> rusqlite::Result<Vec<Member>> {
    let text: String = row.get("members")?;
    let invalid =
        |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error));
    serde_json::from_str(&text).map_err(invalid)
}

const SELECT: &str = "SELECT s.id, s.topic, s.status, s.mentor_id, s.student_id, s.requested_at, s.answered_at,
        m.display_name AS mentor_name, p.display_name AS student_name, r.id AS room_id, r.status AS room_status,
        (SELECT json_group_array(json_object('id', e.user_id, 'display_name', u.display_name, 'role', e.role) ORDER BY e.added_at, e.user_id)
         FROM mentoring_session_members e JOIN users u ON u.id = e.user_id WHERE e.session_id = s.id) AS members
    FROM mentoring_sessions s
    JOIN users m ON m.id = s.mentor_id
    JOIN users p ON p.id = s.student_id
    LEFT JOIN video_call_rooms r ON r.session_id = s.id AND r.status <> 'ended'";

const LIST_MAX: usize = 200;
