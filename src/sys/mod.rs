//! The operating system: randomness, limits, log, readiness, signals, the box's names. Knows no sibling.

pub mod entropy;
pub mod limits;
pub mod log;
pub mod memory;
pub mod names;
pub mod notify;
pub mod signals;
