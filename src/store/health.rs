//! Whether the database takes writes, as an admin should know it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{Store, StoreError};

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

/// What the writer knows of the disk.
pub(super) struct Health {
    folder: PathBuf,
    /// The trouble that the last group of writes met.
    trouble: Mutex<Option<Warning>>,
}

impl Store {
    /// What keeps the database from storing anything, or soon will.
    pub fn warnings(&self) -> Vec<Warning> {
        self.health.warnings()
    }
}

impl Health {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), trouble: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps how the last group of writes ended.
    pub(super) fn note(&self, trouble: Option<&StoreError>) {
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

const LOW_BYTES: u64 = 64 * 1024 * 1024;
const FULL_BYTES: u64 = 64 * 1024;
