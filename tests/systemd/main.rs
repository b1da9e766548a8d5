//! The program under a double of the service manager: sockets kept over a restart, the watchdog, reloads.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod credentials;
mod manager;
mod reload;
mod restart;
mod unit;
mod watchdog;
