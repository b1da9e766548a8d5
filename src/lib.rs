//! visavis, the library behind the daemon. In reading order:
pub mod accounts;
pub mod config;
pub mod mentoring;
pub mod proto;
pub mod store;
pub mod sys;
pub mod tls;
