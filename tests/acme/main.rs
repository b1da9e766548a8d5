//! Certificates by ACME, from pebble, for the program as it is installed.
//!
//! Every world has an address of loopback to itself, so that pebble's ports collide with nobody's.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod daemon;
mod front;
#[path = "../api/harness.rs"]
#[allow(dead_code, reason = "the API's tests use more of it")]
mod harness;
mod issue;
mod refusals;
mod renew;
mod trust;
mod world;
