//! Tools that nobody here wrote, let loose on the program itself.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod autobahn;
mod daemon;
mod slow_clients;
