//! Tables `users` and `one_time_passwords` as admins manage them: pages of accounts, passwords set for others, removal.

use rusqlite::{Connection, params};

use super::{NewUser, Store, StoreError, TokenHash, UnixMillis, User, users};
use crate::proto::id::{ParticipantId, RoomId, UserId};

/// Some accounts, by username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// At most as many as were asked for.
    pub accounts: Vec<ListedAccount>,
    /// Whether there are more after the last of these.
    pub more: bool,
}

/// An account as admins see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAccount {
    /// Who.
    pub user: User,
    /// Whether they have not chosen a password of their own yet.
    pub one_time_password: bool,
}

impl Store {
    /// At most `count` accounts whose names contain `search` (all, if it is empty) after the username `after`; no guests.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn account_page(&self, search: String, after: String, count: u32) -> Result<AccountPage, StoreError> {
        let sql = "SELECT u.id, u.username, u.display_name, u.role,
                          EXISTS (SELECT 1 FROM one_time_passwords o WHERE o.user_id = u.id) AS one_time
                   FROM users u WHERE u.username > ?1 AND u.role <> 'guest'
                     AND (?2 = '' OR instr(u.username, lower(?2)) > 0 OR instr(lower(u.display_name), lower(?2)) > 0)
                   ORDER BY u.username LIMIT ?3";
        self.read(move |connection| {
            let listed =
                |row: &rusqlite::Row<'_>| Ok(ListedAccount { user: users::user(row)?, one_time_password: row.get("one_time")? });
            let mut accounts: Vec<_> = connection
                .prepare_cached(sql)?
                .query_map(params![after, search, count.saturating_add(1)], listed)?
                .collect::<rusqlite::Result<_>>()?;
            let more = accounts.len() > count as usize;
            accounts.truncate(count as usize);
            Ok(AccountPage { accounts, more })
        })
        .await
    }

    /// Inserts an account whose password is for the first sign-in alone.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the username is taken.
    pub async fn insert_user_with_one_time_password(&self, new: NewUser) -> Result<(), StoreError> {
        self.write(move |connection| {
            users::insert(connection, &new)?;
            mark_one_time(connection, new.user.id)
        })
        .await
    }

    /// Sets a password for the next sign-in alone, and signs the person out everywhere; false if there is no such account.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn set_one_time_password(&self, user: UserId, password_hash: String) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let found = set_hash(connection, user, &password_hash)?;
            if found {
                connection.execute("DELETE FROM login_sessions WHERE user_id = ?1", [user])?;
                mark_one_time(connection, user)?;
            }
            Ok(found)
        })
        .await
    }

    /// Sets the password somebody chose for themselves, and ends their logins but `kept`; false if that has ended meanwhile.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn set_own_password(&self, user: UserId, password_hash: String, kept: TokenHash) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let is_kept = "SELECT 1 FROM login_sessions WHERE user_id = ?1 AND token_hash = ?2";
            if !connection.prepare_cached(is_kept)?.exists(params![user, kept])? {
                return Ok(false);
            }
            set_hash(connection, user, &password_hash)?;
            connection.execute("DELETE FROM login_sessions WHERE user_id = ?1 AND token_hash <> ?2", params![user, kept])?;
            connection.execute("DELETE FROM one_time_passwords WHERE user_id = ?1", [user])?;
            Ok(true)
        })
        .await
    }

    /// Deletes an account with its sessions and what was recorded of it, and returns who it was in rooms that have not ended; `None` if
    /// there is no such account, or no other admin.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn delete_account(&self, user: UserId) -> Result<Option<Vec<(RoomId, ParticipantId)>>, StoreError> {
        let places = "SELECT p.room_id, p.id FROM video_call_participants p JOIN video_call_rooms r ON r.id = p.room_id
                      WHERE p.user_id = ?1 AND r.ended_at IS NULL";
        let sql = "DELETE FROM users WHERE id = ?1 AND role <> 'guest'
                   AND (role <> 'admin' OR EXISTS (SELECT 1 FROM users other WHERE other.role = 'admin' AND other.id <> ?1))";
        self.write(move |connection| {
            let place = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let places = connection.prepare_cached(places)?.query_map([user], place)?.collect::<rusqlite::Result<_>>()?;
            Ok((connection.execute(sql, [user])? == 1).then_some(places))
        })
        .await
    }
}

fn set_hash(connection: &Connection, user: UserId, password_hash: &str) -> rusqlite::Result<bool> {
    let sql = "UPDATE users SET password_hash = ?2 WHERE id = ?1 AND role <> 'guest'";
    Ok(connection.execute(sql, params![user, password_hash])? == 1)
}

fn mark_one_time(connection: &Connection, user: UserId) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO one_time_passwords (user_id, made_at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET made_at = excluded.made_at";
    connection.execute(sql, params![user, UnixMillis::now()]).map(drop)
}
