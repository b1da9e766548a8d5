//! Pairs who meet: their accounts, logins, sessions and rooms, written into the database without 2,000 passwords to hash.

use std::path::Path;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, Transaction, params};
use visavis::store::{Store, UnixMillis};

/// One of a pair: where they sit, and what proves who they are.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) cookie: String,
    pub(crate) socket_path: String,
}

impl Person {
    /// Mentors have even numbers, and the student of the same room the next.
    pub(crate) fn numbered(n: usize) -> Self {
        let token = BASE64_URL_SAFE_NO_PAD.encode(token(n));
        Self {
            cookie: format!("__Host-sid={token}; sessionid={}", "b".repeat(32)),
            socket_path: format!("/ws/video-call/{}/", id(ROOM, n / 2)),
        }
    }
}

/// Makes a database with so many pairs in rooms of their own, and so many who are never there.
pub(crate) fn furnish(data_dir: &Path, pairs: usize, absent: usize) -> Result<()> {
    std::fs::create_dir_all(data_dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Store::open(data_dir).context("the database cannot be made")?.close().await;
        anyhow::Ok(())
    })?;
    let mut database = Connection::open(data_dir.join("visavis.db"))?;
    database.pragma_update(None, "synchronous", "OFF")?;
    let rows = database.transaction()?;
    let now = UnixMillis::now();
    for pair in 0..pairs {
        for n in [2 * pair, 2 * pair + 1] {
            user(&rows, n, now)?;
            let hash = digest(&SHA256, &token(n));
            rows.prepare_cached(
                "INSERT INTO login_sessions (token_hash, user_id, created_at, last_seen_at) VALUES (?1, ?2, ?3, ?3)",
            )?
            .execute(params![hash.as_ref(), id(USER, n), now])?;
        }
        meeting(&rows, pair, now)?;
    }
    for n in 2 * pairs..2 * pairs + absent {
        user(&rows, n, now)?;
    }
    rows.commit()?;
    database.close().map_err(|(_, cause)| cause)?;
    Ok(())
}

fn user(rows: &Transaction<'_>, n: usize, now: UnixMillis) -> Result<()> {
    let sql = "INSERT INTO users (id, username, display_name, role, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, '-', ?5)";
    rows.prepare_cached(sql)?.execute(params![id(USER, n), format!("person{n}"), format!("Person {n}"), role(n), now])?;
    Ok(())
}

fn meeting(rows: &Transaction<'_>, pair: usize, now: UnixMillis) -> Result<()> {
    let (mentor, student, session, room) = (id(USER, 2 * pair), id(USER, 2 * pair + 1), id(SESSION, pair), id(ROOM, pair));
    rows.prepare_cached(
        "INSERT INTO mentoring_sessions (id, mentor_id, student_id, topic, status, requested_at, answered_at)
         VALUES (?1, ?2, ?3, 'algebra', 'accepted', ?4, ?4)",
    )?
    .execute(params![session, mentor, student, now])?;
    rows.prepare_cached("INSERT INTO video_call_rooms (id, session_id, status, created_at) VALUES (?1, ?2, 'waiting', ?3)")?
        .execute(params![room, session, now])?;
    for n in [2 * pair, 2 * pair + 1] {
        rows.prepare_cached("INSERT INTO video_call_participants (id, room_id, user_id, role) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id(PARTICIPANT, n), room, id(USER, n), role(n)])?;
    }
    Ok(())
}

const fn role(n: usize) -> &'static str {
    if n.is_multiple_of(2) { "mentor" } else { "student" }
}

fn id(kind: u64, n: usize) -> String {
    format!("{kind:016x}{n:016x}")
}

fn token(n: usize) -> [u8; 32] {
    let mut token = [7; 32];
    token[..8].copy_from_slice(&n.to_be_bytes());
    token
}

const USER: u64 = 1;
const SESSION: u64 = 2;
const ROOM: u64 = 3;
const PARTICIPANT: u64 = 4;
