//! The operating system: randomness, log, readiness, limits, shutdown. Knows no sibling.

pub mod entropy;
