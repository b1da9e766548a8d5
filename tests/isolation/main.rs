//! Who hears what: whatever is said by whoever to whomever, no room hears of another, and what is forbidden changes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod generated;
mod hub;
mod matrix;
mod world;
