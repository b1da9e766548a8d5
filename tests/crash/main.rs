//! What is acknowledged stays: through kills, power cuts and failing disks.
//!
//! Each harness runs a slice by default and as many rounds as `VISAVIS_CRASH_ROUNDS` says (`make test-crash`). A failure prints its
//! seed; `VISAVIS_CRASH_SEED` runs that one again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod child;
mod dice;
mod io_errors;
mod kill;
mod power_cut;
mod trace;

use std::collections::BTreeSet;
use std::path::Path;

/// How many rounds to run, where a slice of them belongs to every test run.
fn rounds(slice: u32) -> u32 {
    std::env::var("VISAVIS_CRASH_ROUNDS").map_or(slice, |rounds| rounds.parse().unwrap())
}

/// Opens what a crash left as the daemon does, and says which of the acknowledged writes are gone.
///
/// # Errors
/// What SQLite found damaged.
fn lost(folder: &Path, acknowledged: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    drop(visavis::store::Store::open(folder).map_err(|error| error.to_string())?);
    let rows = rusqlite::Connection::open(folder.join(DATABASE)).map_err(|error| error.to_string())?;
    let check: String = rows.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|error| error.to_string())?;
    if check != "ok" {
        return Err(check);
    }
    let mut select = rows.prepare("SELECT username FROM users").map_err(|error| error.to_string())?;
    let stored = select.query_map([], |row| row.get(0)).and_then(Iterator::collect::<Result<BTreeSet<String>, _>>);
    Ok(acknowledged - &stored.map_err(|error| error.to_string())?)
}

const DATABASE: &str = "visavis.db";
