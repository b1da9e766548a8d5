//! Table `users`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, StoreError, TokenHash, UnixMillis, login_sessions};
use crate::proto::id::UserId;
use crate::proto::signal::Role;

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// Lower case, NFC.
    pub username: String,
    /// As shown to others.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
}

/// A row to insert.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Who.
    pub user: User,
    /// PHC string.
    pub password_hash: String,
}

impl Store {
    /// # Errors
    /// [`StoreError::Conflict`] if the username is taken.
    pub async fn insert_user(&self, new: NewUser) -> Result<(), StoreError> {
        self.write(move |connection| insert(connection, &new)).await
    }

    /// Whether there is such an account, and it has this role.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn has_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND role = ?2";
        self.read(move |connection| connection.prepare_cached(sql)?.exists(params![user, role])).await
    }

    /// Whether anybody is an admin.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        self.read(has_admin).await
    }

    /// Inserts the first admin and signs them in, all or nothing; false if there is an admin already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the username is taken.
    pub async fn insert_first_admin(&self, new: NewUser, login: TokenHash) -> Result<bool, StoreError> {
        self.write(move |connection| {
            if has_admin(connection)? {
                return Ok(false);
            }
            insert(connection, &new)?;
            login_sessions::insert(connection, login, new.user.id, UnixMillis::now())?;
            Ok(true)
        })
        .await
    }

    /// The account and its password hash.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn user_by_name(&self, username: String) -> Result<Option<(User, String)>, StoreError> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT id, username, display_name, role, password_hash FROM users WHERE username = ?1")?
                .query_row([username], |row| Ok((user(row)?, row.get("password_hash")?)))
                .optional()
        })
        .await
    }

    /// All accounts, or those of one role, by name.
    ///
    /// # Errors
    /// What the query failed with.
    pub async fn users(&self, role: Option<Role>) -> Result<Vec<User>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT id, username, display_name, role FROM users WHERE ?1 IS NULL OR role = ?1 ORDER BY display_name, username";
            connection.prepare_cached(sql)?.query_map([role], user)?.collect()
        })
        .await
    }

    /// Sets the password and signs the person out everywhere; false if there is no such account.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn change_password(&self, username: String, password_hash: String) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let changed = connection
                .execute("UPDATE users SET password_hash = ?2 WHERE username = ?1", params![username, password_hash])?;
            let sign_out = "DELETE FROM login_sessions WHERE user_id = (SELECT id FROM users WHERE username = ?1)";
            connection.execute(sign_out, [&username])?;
            let chosen = "DELETE FROM one_time_passwords WHERE user_id = (SELECT id FROM users WHERE username = ?1)";
            connection.execute(chosen, [&username])?;
            Ok(changed == 1)
        })
        .await
    }
}

pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        username: row.get("username")?,
        display_name: row.get("display_name")?,
        role: row.get("role")?,
    })
}

fn has_admin(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM users WHERE role = 'admin'")?.exists([])
}

pub(super) fn insert(connection: &Connection, NewUser { user, password_hash }: &NewUser) -> rusqlite::Result<()> {
    let sql = "INSERT INTO users (id, username, display_name, role, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let now = UnixMillis::now();
    connection.execute(sql, params![user.id, user.username, user.display_name, user.role, password_hash, now]).map(drop)
}
