//! The protocols, pure: no tokio, socket, disk, clock or OS randomness. `now` and random bytes are arguments.
//!
//! Driven by `relay` (`stun`, `turn`) and `hub` (`room`); `rate` is for whoever bounds anything; the lints below and `tests/architecture.rs` keep it so.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod credential;
pub mod id;
pub mod rate;
pub mod room;
pub mod signal;
pub mod stun;
pub mod turn;
