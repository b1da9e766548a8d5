//! Mentoring sessions and the rooms that belong to them; rules over `store`, which keeps them.
//!
//! Driven by `http` and by `app`, which reports what happens in live rooms. Whoever is no member learns nothing: for them
//! a session or room that exists is [`MentoringError::NotFound`] like one that does not.

mod attendance;
mod members;
mod records;
mod rooms;
mod sessions;

use crate::store::{Store, StoreError};

pub use records::Occurrence;
pub use rooms::Seat;
pub use sessions::Answer;

/// The rules about sessions and rooms.
#[derive(Clone)]
pub struct Mentoring {
    store: Store,
}

/// Why something was refused.
#[derive(Debug, thiserror::Error)]
pub enum MentoringError {
    /// There is none, or the person is no member of it.
    #[error("there is nothing here for you")]
    NotFound,
    /// The person is a member, but this is for another role.
    #[error("{0}")]
    ForbiddenRole(&'static str),
    /// A field's value cannot be.
    #[error("{field}: {remedy}")]
    InvalidField {
        /// As in the request.
        field: &'static str,
        /// What it must be.
        remedy: &'static str,
    },
    /// The mentor answered before.
    #[error("this request was answered already")]
    AlreadyAnswered,
    /// The mentor has not accepted.
    #[error("the mentor has not accepted this session")]
    SessionNotAccepted,
    /// The student asked too often.
    #[error("too many requests wait for an answer: wait until a mentor answers one")]
    TooManyRequests,
    /// As many belong to it as may.
    #[error("this session has as many members as it may: remove one first")]
    SessionFull,
    /// The room is over.
    #[error("this room has ended")]
    RoomEnded,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mentoring {
    /// Rules over this database.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}
