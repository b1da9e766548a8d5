#![doc = include_str!("../ARCHITECTURE.md")]
//! # Modules, in reading order

pub mod signaling;

pub mod hub;

pub mod mentoring;

pub mod accounts;

pub mod store;

pub mod tls;

pub mod config;

pub mod sys;

pub mod proto;
