//! What programs ask of the daemon: on a listener of their own in full, on the page's whether it is there.

use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::hosts::Hosts;
use super::problem::Problem;
use super::{Answer, json};
use crate::status::{Report, Snapshot, metrics};

/// Answers on the listener of `metrics.listen`: `/metrics`, `/status`, `/healthz` and `/readyz`. Nothing but that it lives is told to whoever
/// asks for a name that is not the box's: a page in a browser nearby may have made its own name lead here.
pub async fn monitoring<B, F>(hosts: &Hosts, request: Request<B>, snapshot: impl FnOnce() -> F) -> Answer
where
    F: Future<Output = Snapshot>,
{
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::method_not_allowed("GET, HEAD").into_answer();
    }
    let path = request.uri().path();
    if let Err(refused) = hosts.of(&request)
        && path != "/healthz"
    {
        return refused.into_answer();
    }
    match path {
        "/healthz" => text(StatusCode::OK, "ok\n", PLAIN),
        "/readyz" => match snapshot().await.reasons().as_slice() {
            [] => text(StatusCode::OK, "ok\n", PLAIN),
            reasons => text(StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n", PLAIN),
        },
        "/metrics" => text(StatusCode::OK, metrics(&snapshot().await), EXPOSITION),
        "/status" => json(StatusCode::OK, &Report::from(&snapshot().await)),
        _ => Problem::not_found().into_answer(),
    }
}

/// Answers on the page's listener, where anybody may ask: yes or no.
pub(super) fn whether(ready: bool) -> Answer {
    match ready {
        true => text(StatusCode::OK, "ok\n", PLAIN),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n", PLAIN),
    }
}

fn text(status: StatusCode, body: impl Into<String>, kind: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

const PLAIN: &str = "text/plain; charset=utf-8";
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
