//! The API and the socket's door, through a real daemon over TLS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod accounts;
mod attendance;
mod calls;
mod certificates;
mod clock;
mod disk;
mod edge;
mod exposition;
mod guests;
mod harness;
mod health;
mod lobby;
mod login;
mod members;
mod monitoring;
mod process;
mod proxied;
mod setup;
mod slowness;
mod sockets;
