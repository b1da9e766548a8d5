//! visavis, the library behind the daemon. In reading order:
pub mod config;
pub mod proto;
pub mod store;
