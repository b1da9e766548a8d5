//! What keeps a box well, as programs: `visavis backup`, `restore` and `doctor`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backup;
mod doctor;
mod links;
mod place;
