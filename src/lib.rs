#![doc = include_str!("../ARCHITECTURE.md")]
//! # Modules, in reading order

pub mod cli;

pub mod app;

pub mod http;

pub mod status;

pub mod signaling;

pub mod hub;

pub mod mentoring;

pub mod accounts;

pub mod doctor;

pub mod data;

pub mod store;

pub mod relay;

pub mod tls;

pub mod config;

pub mod sys;

pub mod proto;
