//! Table `invitations`, and the guests who come by them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::{Store, StoreError, TokenHash, UnixMillis, User, login_sessions, members};
use crate::proto::id::{InvitationId, SessionId, UserId};
use crate::proto::signal::Role;

/// A link that lets somebody ask to come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Never changes, and is no secret.
    pub id: InvitationId,
    /// To which session.
    pub session: SessionId,
    /// Until when.
    pub expires_at: UnixMillis,
    /// For how many more people.
    pub uses_left: u32,
    /// Whether somebody took it back.
    pub revoked: bool,
}

/// Who follows a link.
#[derive(Debug, Clone)]
pub enum Invitee {
    /// Somebody without an account, to be made a guest who is signed in.
    Guest(User, TokenHash),
    /// Somebody who is signed in already.
    Account(UserId),
}

/// What came of following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Redeemed {
    /// They belong to the session now, or did before.
    Welcome(SessionId),
    /// There is no such link, or it lets nobody in any more.
    Void,
    /// The session has as many people as it may.
    Full,
}

impl Store {
    /// # Errors
    /// What the write failed with.
    pub async fn insert_invitation(&self, new: Invitation, token_hash: TokenHash, by: UserId) -> Result<(), StoreError> {
        let sql = "INSERT INTO invitations (id, session_id, token_hash, created_by, created_at, expires_at, uses_left)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.write(move |connection| {
            let Invitation { id, session, expires_at, uses_left, .. } = new;
            connection.execute(sql, params![id, session, token_hash, by, UnixMillis::now(), expires_at, uses_left])
        })
        .await
        .map(drop)
    }

    /// Of a session, the newest first.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn invitations(&self, session: SessionId) -> Result<Vec<Invitation>, StoreError> {
        let sql = format!(
            "SELECT id, session_id, expires_at, uses_left, revoked_at IS NOT NULL AS revoked FROM invitations
             WHERE session_id = ?1 ORDER BY created_at DESC LIMIT {LIST_MAX}"
        );
        self.read(move |connection| connection.prepare_cached(&sql)?.query_map([session], invitation)?.collect()).await
    }

    /// How many links of a session still let somebody in.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn open_invitations(&self, session: SessionId) -> Result<u32, StoreError> {
        let sql = format!("SELECT count(*) FROM invitations WHERE session_id = ?1 AND {OPEN}");
        self.read(move |connection| connection.query_row(&sql, params![session, UnixMillis::now()], |row| row.get(0))).await
    }

    /// Whether the session has such a link; it lets nobody in any more.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn revoke_invitation(&self, session: SessionId, id: InvitationId) -> Result<bool, StoreError> {
        let sql = "UPDATE invitations SET revoked_at = coalesce(revoked_at, ?3) WHERE session_id = ?1 AND id = ?2";
        self.write(move |connection| Ok(connection.execute(sql, params![session, id, UnixMillis::now()])? == 1)).await
    }

    /// The names of the mentors of the session that a link leads to; none for a link that lets nobody in.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn staff_behind_invitation(&self, token_hash: TokenHash) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "WITH led AS (SELECT session_id AS id FROM invitations WHERE token_hash = ?1 AND {OPEN})
             SELECT u.display_name FROM led JOIN mentoring_sessions s ON s.id = led.id JOIN users u ON u.id = s.mentor_id
             UNION SELECT u.display_name FROM led JOIN mentoring_session_members m ON m.session_id = led.id AND m.role = 'mentor'
             JOIN users u ON u.id = m.user_id"
        );
        let now = UnixMillis::now();
        self.read(move |connection| {
            connection.prepare_cached(&sql)?.query_map(params![token_hash, now], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Uses a link once, all or nothing: whoever belongs to the session already uses up nothing.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn redeem(&self, token_hash: TokenHash, invitee: Invitee, members_max: u32) -> Result<Redeemed, StoreError> {
        self.write(move |connection| redeem(connection, token_hash, &invitee, members_max)).await
    }

    /// Forgets who the guests were whose last meeting was over before `ended_before`, or who were invited before `invited_before` and met
    /// nobody since. What they attended stays, without a name.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn forget_guests(&self, ended_before: UnixMillis, invited_before: UnixMillis) -> Result<usize, StoreError> {
        self.write(move |connection| {
            let mut forgotten = connection.prepare_cached(FORGETTABLE)?;
            let guests: Vec<UserId> =
                forgotten.query_map(params![ended_before, invited_before], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for guest in &guests {
                connection.prepare_cached("UPDATE users SET display_name = 'Guest' WHERE id = ?1")?.execute([guest])?;
                for table in ["login_sessions", "mentoring_session_members"] {
                    connection.execute(&format!("DELETE FROM {table} WHERE user_id = ?1"), [guest])?;
                }
            }
            Ok(guests.len())
        })
        .await
    }
}

fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: row.get("id")?,
        session: row.get("session_id")?,
        expires_at: row.get("expires_at")?,
        uses_left: row.get("uses_left")?,
        revoked: row.get("revoked")?,
    })
}

fn redeem(connection: &Connection, token_hash: TokenHash, invitee: &Invitee, members_max: u32) -> rusqlite::Result<Redeemed> {
    let now = UnixMillis::now();
    let session = "SELECT session_id FROM invitations WHERE token_hash = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    let session: Option<SessionId> = connection.query_row(session, params![token_hash, now], |row| row.get(0)).optional()?;
    let Some(session) = session else { return Ok(Redeemed::Void) };
    if let Invitee::Account(user) = invitee
        && members::belongs(connection, session, *user)?
    {
        return Ok(Redeemed::Welcome(session));
    }
    let user = match invitee {
        Invitee::Account(user) => *user,
        Invitee::Guest(user, _) => user.id,
    };
    if members::is_full(connection, session, user, members_max)? {
        return Ok(Redeemed::Full);
    }
    let used = format!("UPDATE invitations SET uses_left = uses_left - 1 WHERE token_hash = ?1 AND {OPEN} RETURNING id");
    let used: Option<InvitationId> = connection.query_row(&used, params![token_hash, now], |row| row.get(0)).optional()?;
    let Some(invitation) = used else { return Ok(Redeemed::Void) };
    if let Invitee::Guest(user, login) = invitee {
        let sql =
            "INSERT INTO users (id, username, display_name, role, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, '', ?5)";
        connection.execute(sql, params![user.id, user.username, user.display_name, user.role, now])?;
        login_sessions::insert(connection, *login, user.id, now)?;
    }
    members::insert(connection, session, user, Role::Guest, Some(invitation))?;
    Ok(Redeemed::Welcome(session))
}

/// When everybody had left a room: a day far off while somebody is there, NULL while nobody has been.
macro_rules! end_of_room {
    () => {
        "coalesce(r.ended_at, (SELECT max(coalesce(p.left_at, 9223372036854775807)) FROM video_call_participants p
                               WHERE p.room_id = r.id AND p.joined_at IS NOT NULL))"
    };
}

/// Guests with a name or a session, whom neither keeps: no session they belong to has a meeting that is recent or, since they were
/// invited, still to come; and no room they came into was left recently.
const FORGETTABLE: &str = concat!(
    "SELECT u.id FROM (SELECT user_id AS id FROM mentoring_session_members
                       UNION SELECT id FROM users WHERE role = 'guest' AND display_name <> 'Guest') known
     JOIN users u ON u.id = known.id AND u.role = 'guest'
     WHERE NOT EXISTS (SELECT 1 FROM mentoring_session_members m WHERE m.user_id = u.id AND coalesce(
               (SELECT max(",
    end_of_room!(),
    ") FROM video_call_rooms r WHERE r.session_id = m.session_id AND ",
    end_of_room!(),
    " >= m.added_at) >= ?1, m.added_at >= ?2))
       AND NOT EXISTS (SELECT 1 FROM video_call_participants own JOIN video_call_rooms r ON r.id = own.room_id
                       WHERE own.user_id = u.id AND ",
    end_of_room!(),
    " >= ?1)"
);

/// What lets somebody in at the time `?2`.
const OPEN: &str = "uses_left > 0 AND revoked_at IS NULL AND expires_at > ?2";
const LIST_MAX: usize = 200;
