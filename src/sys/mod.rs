//! The operating system: randomness, log, readiness, shutdown, the box's names. Knows no sibling.

pub mod entropy;
pub mod log;
pub mod memory;
pub mod names;
pub mod notify;
pub mod shutdown;
