//! Errors as `application/problem+json` (RFC 9457), each with a stable `code` for programs.

use std::time::Duration;

use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::Answer;
use crate::accounts::{AccountError, SignInError};
use crate::mentoring::MentoringError;
use crate::signaling::AcceptError;
use crate::store::StoreError;

/// A refusal, as the client sees it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, allow: None }
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "sign in first")
    }

    pub(super) fn password_needed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "password_needed", "choose a password of your own first")
    }

    pub(super) fn internal() -> Self {
        let detail = "the box made a mistake: the admin finds it in the log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here for you")
    }

    /// `detail` begins with the field's name.
    pub(super) fn invalid_field(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail)
    }

    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("this path takes {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail) }
    }

    pub(super) fn into_answer(self) -> Answer {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let body = serde_json::json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(), "code": self.code, "detail": self.detail,
        });
        let mut answer = Response::new(Full::new(body.to_string().into()));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }

    pub(super) fn later(status: StatusCode, code: &'static str, detail: String, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(status, code, detail) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::DiskFull => Self::later(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail, DISK_WAIT),
            StoreError::ReadOnly => Self::later(StatusCode::SERVICE_UNAVAILABLE, "read_only", detail, DISK_WAIT),
            StoreError::Busy | StoreError::Closed => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, "busy", detail, Duration::from_secs(2))
            }
            StoreError::Conflict => Self::new(StatusCode::CONFLICT, "conflict", detail),
            StoreError::TooNew { .. } | StoreError::Damaged { .. } | StoreError::Sqlite(_) | StoreError::File { .. } => {
                log::error!(event = "store_failed", cause = detail.as_str(); "a request failed in the database");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the database failed: the admin finds the cause in the log",
                )
            }
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let detail = error.to_string();
        match error {
            SignInError::InvalidCredentials => Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", detail),
            SignInError::TooManyAttempts { retry_after } => {
                Self::later(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail, retry_after)
            }
            SignInError::SamePassword => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "same_password", detail),
            SignInError::Account(error) => error.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let detail = error.to_string();
        match error {
            AccountError::UsernameTaken(_) => Self::new(StatusCode::CONFLICT, "username_taken", detail),
            AccountError::Unknown(_) => Self::not_found(),
            AccountError::Busy => Self::later(StatusCode::TOO_MANY_REQUESTS, "busy", detail, Duration::from_secs(2)),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<MentoringError> for Problem {
    fn from(error: MentoringError) -> Self {
        let detail = error.to_string();
        match error {
            MentoringError::NotFound => Self::not_found(),
            MentoringError::ForbiddenRole(_) => Self::new(StatusCode::FORBIDDEN, "forbidden_role", detail),
            MentoringError::InvalidField { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail),
            MentoringError::AlreadyAnswered => Self::new(StatusCode::CONFLICT, "already_answered", detail),
            MentoringError::SessionNotAccepted => Self::new(StatusCode::CONFLICT, "session_not_accepted", detail),
            MentoringError::TooManyRequests => Self::new(StatusCode::CONFLICT, "too_many_requests", detail),
            MentoringError::SessionFull => Self::new(StatusCode::CONFLICT, "session_full", detail),
            MentoringError::RoomEnded => Self::new(StatusCode::GONE, "room_ended", detail),
            MentoringError::Store(error) => error.into(),
        }
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        let detail = error.to_string();
        match error {
            AcceptError::NotWebSocket => Self::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", detail),
            AcceptError::ForeignOrigin => Self::new(StatusCode::FORBIDDEN, "foreign_origin", detail),
            AcceptError::TooManySockets => Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets", detail),
        }
    }
}

/// Somebody has to see to the disk first.
const DISK_WAIT: Duration = Duration::from_secs(30);
