//! A request of the API: its cookie and its JSON.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Request, StatusCode};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::accounts::LoginToken;

/// A request whose body has not been read.
pub(super) struct ApiRequest {
    request: Request<Incoming>,
    body_bytes_max: usize,
    body_timeout: Duration,
}

impl ApiRequest {
    pub(super) fn new(request: Request<Incoming>, body_bytes_max: usize, body_timeout: Duration) -> Self {
        Self { request, body_bytes_max, body_timeout }
    }

    pub(super) fn login_token(&self) -> Option<LoginToken> {
        login_token(self.request.headers())
    }

    /// A parameter of the query, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether `Accept` names this media type; weights are not weighed.
    pub(super) fn accepts(&self, media_type: &str) -> bool {
        let accepted = self.request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut types = accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
        types.any(|found| found.trim().eq_ignore_ascii_case(media_type))
    }

    /// The body as JSON, read within its bounds of size and time.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let content_type = self.request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
        if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
            let detail = "send the body as application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        let body = Limited::new(self.request.into_body(), self.body_bytes_max).collect();
        let read = tokio::time::timeout(self.body_timeout, body).await;
        let too_slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body took too long");
        let bytes = read.map_err(too_slow)?.map_err(|error| match error.downcast_ref::<http_body_util::LengthLimitError>() {
            Some(_) => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("a body has at most {} bytes", self.body_bytes_max),
            ),
            None => Problem::new(StatusCode::BAD_REQUEST, "malformed_body", "the body broke off"),
        })?;
        serde_json::from_slice(&bytes.to_bytes()).map_err(|error| {
            let (status, code) = if error.is_data() {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field")
            } else {
                (StatusCode::BAD_REQUEST, "malformed_json")
            };
            Problem::new(status, code, error.to_string())
        })
    }
}

/// The login cookie's token, if there is one of its form.
pub(super) fn login_token(headers: &HeaderMap) -> Option<LoginToken> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == LOGIN_COOKIE).and_then(|(_, value)| LoginToken::parse(value))
}

/// `__Host-`: Secure, this host alone, path `/` (RFC 6265bis section 4.1.3.2).
pub(super) const LOGIN_COOKIE: &str = "__Host-sid";
