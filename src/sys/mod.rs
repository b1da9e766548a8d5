//! The operating system: clock, randomness, credentials, limits, log, readiness, sockets handed over, signals, rights, the box's names. Knows no sibling.

pub mod clock;
pub mod credential;
pub mod entropy;
pub mod handover;
pub mod histogram;
pub mod limits;
pub mod log;
pub mod memory;
pub mod names;
pub mod notify;
pub mod owner;
pub mod process;
pub mod signals;
