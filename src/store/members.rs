//! Table `mentoring_session_members`: who belongs to a session besides its mentor and its student.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, UnixMillis};
use crate::proto::id::{InvitationId, ParticipantId, SessionId, UserId};
use crate::proto::signal::Role;

/// Somebody more in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account, or the guest.
    pub id: UserId,
    /// Rendered as text.
    pub display_name: String,
    /// In this session.
    pub role: Role,
}

impl Store {
    /// Adds a member, or gives them another role; false if the session has `members_max` already.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn add_member(&self, session: SessionId, user: UserId, role: Role, members_max: u32) -> Result<bool, StoreError> {
        self.write(move |connection| {
            if is_full(connection, session, user, members_max)? {
                return Ok(false);
            }
            insert(connection, session, user, role, None)?;
            Ok(true)
        })
        .await
    }

    /// Whether there was such a member; their invitation, if they came by one, is left as it is.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn remove_member(&self, session: SessionId, user: UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM mentoring_session_members WHERE session_id = ?1 AND user_id = ?2";
        self.write(move |connection| Ok(connection.execute(sql, params![session, user])? == 1)).await
    }
}

/// Whether the session has `members_max` others already.
pub(super) fn is_full(connection: &Connection, session: SessionId, user: UserId, members_max: u32) -> rusqlite::Result<bool> {
    let others = "SELECT count(*) FROM mentoring_session_members WHERE session_id = ?1 AND user_id <> ?2";
    let others: u32 = connection.prepare_cached(others)?.query_row(params![session, user], |row| row.get(0))?;
    Ok(others >= members_max)
}

pub(super) fn insert(
    connection: &Connection,
    session: SessionId,
    user: UserId,
    role: Role,
    invitation: Option<InvitationId>,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO mentoring_session_members (session_id, user_id, role, invitation_id, added_at) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET role = excluded.role";
    connection.prepare_cached(sql)?.execute(params![session, user, role, invitation, UnixMillis::now()]).map(drop)
}

/// Whether somebody belongs to a session, in whichever role.
pub(super) fn belongs(connection: &Connection, session: SessionId, user: UserId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM mentoring_sessions WHERE id = ?1 AND ?2 IN (mentor_id, student_id)
               UNION ALL SELECT 1 FROM mentoring_session_members WHERE session_id = ?1 AND user_id = ?2";
    connection.prepare_cached(sql)?.exists(params![session, user])
}

/// A guest who was sent out: signed out everywhere, and the invitation they came by lets nobody in any more.
pub(super) fn expel_guest(connection: &Connection, participant: ParticipantId) -> rusqlite::Result<()> {
    let guest = "SELECT p.user_id, r.session_id FROM video_call_participants p
                 JOIN users u ON u.id = p.user_id AND u.role = 'guest'
                 JOIN video_call_rooms r ON r.id = p.room_id WHERE p.id = ?1";
    let guest = connection.prepare_cached(guest)?.query_row([participant], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((user, session)): Option<(UserId, SessionId)> = guest else { return Ok(()) };
    connection.prepare_cached("DELETE FROM login_sessions WHERE user_id = ?1")?.execute([user])?;
    let revoke = "UPDATE invitations SET revoked_at = ?3 WHERE revoked_at IS NULL AND id =
                  (SELECT invitation_id FROM mentoring_session_members WHERE session_id = ?1 AND user_id = ?2)";
    connection.prepare_cached(revoke)?.execute(params![session, user, UnixMillis::now()]).map(drop)
}

/// Members of one session besides its mentor and its student: a few more than a room has seats.
pub const MEMBERS_MAX: u32 = 30;
