//! Table `login_failures`.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, UnixMillis};

/// Failed sign-ins under one key since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// The latest.
    pub last_at: UnixMillis,
}

impl Store {
    /// # Errors
    /// What the query failed with.
    pub async fn login_failures(&self, key: String) -> Result<Option<Failures>, StoreError> {
        let sql = "SELECT failures, last_failed_at FROM login_failures WHERE key = ?1";
        self.read(move |connection| {
            connection
                .prepare_cached(sql)?
                .query_row([key], |row| Ok(Failures { count: row.get(0)?, last_at: row.get(1)? }))
                .optional()
        })
        .await
    }

    /// # Errors
    /// What the write failed with.
    pub async fn count_login_failure(&self, key: String, now: UnixMillis, forget_before: UnixMillis) -> Result<(), StoreError> {
        let sql = "INSERT INTO login_failures (key, failures, last_failed_at) VALUES (?1, 1, ?2)
                   ON CONFLICT (key) DO UPDATE SET failures = failures + 1, last_failed_at = ?2";
        self.write(move |connection| {
            connection.execute("DELETE FROM login_failures WHERE last_failed_at < ?1", [forget_before])?;
            connection.execute(sql, params![key, now])
        })
        .await
        .map(drop)
    }

    /// # Errors
    /// What the write failed with.
    pub async fn forget_login_failures(&self, key: String) -> Result<(), StoreError> {
        self.write(move |connection| connection.execute("DELETE FROM login_failures WHERE key = ?1", [key])).await.map(drop)
    }
}
