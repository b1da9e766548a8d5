//! How requests were answered, counted since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::{Request, StatusCode};

use crate::status::SignIns;

/// Counts of answers; shared by all listeners of the page.
#[derive(Debug, Default)]
pub struct Counted {
    classes: [AtomicU64; 5],
    accepted: AtomicU64,
    refused: AtomicU64,
    throttled: AtomicU64,
}

impl Counted {
    /// Requests by the class of their answer's status, from 1xx on.
    pub fn requests(&self) -> [u64; 5] {
        [0, 1, 2, 3, 4].map(|class: usize| self.classes[class].load(Ordering::Relaxed))
    }

    /// How sign-ins ended.
    pub fn sign_ins(&self) -> SignIns {
        let [accepted, refused, throttled] =
            [&self.accepted, &self.refused, &self.throttled].map(|count| count.load(Ordering::Relaxed));
        SignIns { accepted, refused, throttled }
    }

    pub(super) fn count(&self, status: StatusCode, is_sign_in: bool) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        let ended = match status {
            StatusCode::OK => &self.accepted,
            StatusCode::UNAUTHORIZED => &self.refused,
            StatusCode::TOO_MANY_REQUESTS => &self.throttled,
            _ => return,
        };
        if is_sign_in {
            ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(super) fn is_sign_in<B>(request: &Request<B>) -> bool {
    request.uri().path().trim_matches('/') == "api/auth/login"
}
