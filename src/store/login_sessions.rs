//! Table `login_sessions`.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError, UnixMillis, User, users};
use crate::proto::id::{LoginId, UserId};

/// SHA-256 of a login token; the token itself is stored nowhere.
pub type TokenHash = [u8; 32];

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// Whose.
    pub user: User,
    /// Whether they must choose a password of their own first.
    pub one_time_password: bool,
    /// When they signed in.
    pub created_at: UnixMillis,
    /// When the browser was last heard, to within a minute.
    pub last_seen_at: UnixMillis,
}

impl Store {
    /// Signs in whoever has proved the password of this hash; false if they have another one by now, or no account.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn insert_login_session(
        &self,
        token_hash: TokenHash,
        (user, password_hash): (UserId, String),
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let stands = "SELECT 1 FROM users WHERE id = ?1 AND password_hash = ?2";
            if !connection.prepare_cached(stands)?.exists(params![user, password_hash])? {
                return Ok(false);
            }
            insert(connection, token_hash, user, now)?;
            Ok(true)
        })
        .await
    }

    /// # Errors
    /// What the query failed with.
    pub async fn login_session(&self, token_hash: TokenHash) -> Result<Option<LoginSession>, StoreError> {
        let sql = "SELECT u.id, u.username, u.display_name, u.role, s.created_at, s.last_seen_at,
                          EXISTS (SELECT 1 FROM one_time_passwords o WHERE o.user_id = u.id) AS one_time
                   FROM login_sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?1";
        self.read(move |connection| {
            connection
                .prepare_cached(sql)?
                .query_row([token_hash], |row| {
                    let (created_at, last_seen_at) = (row.get("created_at")?, row.get("last_seen_at")?);
                    Ok(LoginSession {
                        user: users::user(row)?,
                        one_time_password: row.get("one_time")?,
                        created_at,
                        last_seen_at,
                    })
                })
                .optional()
        })
        .await
    }

    /// # Errors
    /// What the write failed with.
    pub async fn touch_login_session(&self, token_hash: TokenHash, now: UnixMillis) -> Result<(), StoreError> {
        let sql = "UPDATE login_sessions SET last_seen_at = ?2 WHERE token_hash = ?1";
        self.write(move |connection| connection.execute(sql, params![token_hash, now])).await.map(drop)
    }

    /// # Errors
    /// What the write failed with.
    pub async fn delete_login_session(&self, token_hash: TokenHash) -> Result<(), StoreError> {
        let sql = "DELETE FROM login_sessions WHERE token_hash = ?1";
        self.write(move |connection| connection.execute(sql, [token_hash])).await.map(drop)
    }

    /// Which of these logins there are no more; each is the first half of a token's hash.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn ended_logins(&self, logins: Vec<LoginId>) -> Result<Vec<LoginId>, StoreError> {
        let sql = "SELECT 1 FROM login_sessions WHERE token_hash >= ?1 AND token_hash <= ?2";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut ended = Vec::new();
            for login in logins {
                let bytes = login.to_bytes();
                let (first, last) = ([bytes, [0; 16]].concat(), [bytes, [0xff; 16]].concat());
                if !statement.exists(params![first, last])? {
                    ended.push(login);
                }
            }
            Ok(ended)
        })
        .await
    }

    /// Deletes what was last seen or made too long ago.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn delete_stale_logins(&self, seen_before: UnixMillis, made_before: UnixMillis) -> Result<usize, StoreError> {
        self.write(move |connection| {
            Ok(connection.execute(DELETE_UNSEEN, [seen_before])? + connection.execute(DELETE_OLD, [made_before])?)
        })
        .await
    }
}

pub(super) fn insert(connection: &Connection, token_hash: TokenHash, user: UserId, now: UnixMillis) -> rusqlite::Result<()> {
    let sql = "INSERT INTO login_sessions (token_hash, user_id, created_at, last_seen_at) VALUES (?1, ?2, ?3, ?3)";
    connection.execute(sql, params![token_hash, user, now]).map(drop)
}

/// Apart: joined by OR they would find no index.
pub(super) const DELETE_UNSEEN: &str = "DELETE FROM login_sessions WHERE last_seen_at < ?1";
pub(super) const DELETE_OLD: &str = "DELETE FROM login_sessions WHERE created_at < ?1";
