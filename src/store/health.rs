//! Whether the database takes writes, as an admin should know it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Store, StoreError};
use crate::sys::histogram::{Distribution, Histogram};

/// Something an admin should see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The last write found no space.
    DiskFull,
    /// Less than 64 MiB are free.
    DiskLow,
    /// The disk refused the last write.
    ReadOnly,
    /// Somebody else held the database too long for the last write.
    DatabaseBusy,
}

/// What has become of writes since the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Commits {
    /// How long groups took that were stored, the sync included.
    pub latency: Distribution,
    /// Groups of which nothing was stored, and statements refused for want of a writable disk.
    pub refused: u64,
}

/// What the writer knows of the disk.
pub(super) struct Health {
    folder: PathBuf,
    latency: Histogram,
    refused: AtomicU64,
    /// The trouble that the last group of writes met.
    trouble: Mutex<Option<Warning>>,
}

impl Store {
    /// What keeps the database from storing anything, or soon will.
    pub fn warnings(&self) -> Vec<Warning> {
        self.health.warnings()
    }

    /// How writes have fared since the start.
    pub fn commits(&self) -> Commits {
        Commits { latency: self.health.latency.distribution(), refused: self.health.refused.load(Ordering::Relaxed) }
    }

    /// Bytes of the database, of its write-ahead log too; 0 if the files cannot be seen.
    pub fn bytes(&self) -> u64 {
        let folder = self.health.folder();
        let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
        size(super::FILE_NAME) + size(&format!("{}-wal", super::FILE_NAME))
    }

    /// Bytes that are free on the disk; `None` if it cannot be asked.
    pub fn free_bytes(&self) -> Option<u64> {
        free_bytes(self.health.folder())
    }
}

impl Warning {
    /// Its name, as in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::DiskLow => "disk_low",
            Self::ReadOnly => "read_only",
            Self::DatabaseBusy => "database_busy",
        }
    }

    /// Whether nothing is stored while it holds.
    pub const fn stops_writes(self) -> bool {
        !matches!(self, Self::DiskLow)
    }

    /// Every warning there is.
    pub const ALL: [Self; 4] = [Self::DiskFull, Self::DiskLow, Self::ReadOnly, Self::DatabaseBusy];
}

impl Health {
    pub(super) fn new(folder: &Path) -> Self {
        let (latency, refused) = (Histogram::new(&LATENCIES), AtomicU64::default());
        Self { folder: folder.to_owned(), latency, refused, trouble: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps how the last group of writes ended, and how long it took.
    pub(super) fn note(&self, trouble: Option<&StoreError>, took: Duration) {
        match trouble {
            None => self.latency.note(took),
            Some(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        let trouble = trouble.map(|error| match error {
            StoreError::DiskFull => Warning::DiskFull,
            StoreError::Busy => Warning::DatabaseBusy,
            _ => Warning::ReadOnly,
        });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn warnings(&self) -> Vec<Warning> {
        let low = free_bytes(&self.folder).is_some_and(|free| free < LOW_BYTES);
        match *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            // Nobody may have written since space was made.
            Some(Warning::DiskFull) if !low => Vec::new(),
            Some(Warning::DiskFull) => vec![Warning::DiskFull],
            trouble => trouble.into_iter().chain(low.then_some(Warning::DiskLow)).collect(),
        }
    }
}

/// Whether the disk of `folder` has no room for another page and its companions.
pub(super) fn is_full(folder: &Path) -> bool {
    free_bytes(folder).is_some_and(|free| free < FULL_BYTES)
}

/// What a program without privileges may still take.
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// A disk of flash syncs in about a millisecond, a memory card in tens; a second is trouble to come.
const LATENCIES: [Duration; 8] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
const LOW_BYTES: u64 = 64 * 1024 * 1024;
const FULL_BYTES: u64 = 64 * 1024;
