//! Table `login_failures`.

use std::time::Duration;

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
    /// Counts an attempt as failed under each key, unless `wait` asks one of them to wait: then counts nothing and says how long.
    ///
    /// Counting before the password is checked leaves no gap for parallel guesses; a success is forgotten afterwards.
    ///
    /// # Errors
    /// What the write failed with.
    pub async fn count_login_attempt(
        &self,
        keys: Vec<String>,
        now: UnixMillis,
        forget_after: Duration,
        wait: impl Fn(usize, Failures) -> Option<Duration> + Send + 'static,
    ) -> Result<Option<Duration>, StoreError> {
        self.write(move |connection| {
            connection.execute("DELETE FROM login_failures WHERE last_failed_at < ?1", [now.before(forget_after)])?;
            for (index, key) in keys.iter().enumerate() {
                let sql = "SELECT failures, last_failed_at FROM login_failures WHERE key = ?1";
                let failures = |row: &rusqlite::Row<'_>| Ok(Failures { count: row.get(0)?, last_at: row.get(1)? });
                let known = connection.prepare_cached(sql)?.query_row([key], failures).optional()?;
                if let Some(wait) = known.and_then(|known| wait(index, known)) {
                    return Ok(Some(wait));
                }
            }
            let sql = "INSERT INTO login_failures (key, failures, last_failed_at) VALUES (?1, 1, ?2)
                       ON CONFLICT (key) DO UPDATE SET failures = failures + 1, last_failed_at = ?2";
            for key in &keys {
                connection.execute(sql, params![key, now])?;
            }
            Ok(None)
        })
        .await
    }

    /// # Errors
    /// What the write failed with.
    pub async fn forget_login_failures(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.write(move |connection| {
            keys.iter().try_for_each(|key| connection.execute("DELETE FROM login_failures WHERE key = ?1", [key]).map(drop))
        })
        .await
    }
}
