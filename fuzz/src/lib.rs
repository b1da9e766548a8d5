//! What the targets share. The protocols are compiled by themselves: they import nobody, so neither SQLite nor the web client need be
//! built to fuzz them.

#[path = "../../src/proto/mod.rs"]
pub mod proto;

pub mod client;
pub mod model;
pub mod range;
pub mod script;
pub mod world;
