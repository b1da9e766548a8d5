//! HTTP-01: what an ACME server asks for over plain HTTP (RFC 8555 section 8.3).

use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response};

use super::Answer;

/// The key authorization for a token that somebody waits for, whatever name the server came by; `None` if the request is for anything
/// else.
pub fn challenge<B>(request: &Request<B>, key_authorization: impl Fn(&str) -> Option<String>) -> Option<Answer> {
    let token = request.uri().path().strip_prefix(WELL_KNOWN)?;
    let mut answer = Response::new(Full::new(key_authorization(token)?.into()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Some(answer)
}

const WELL_KNOWN: &str = "/.well-known/acme-challenge/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_that_is_pending_is_answered() {
        let pending = |token: &str| (token == "pending").then(|| "pending.thumb".to_owned());
        let asked = |path: &str| challenge(&Request::builder().uri(path).body(()).unwrap(), pending).is_some();
        assert!(asked("/.well-known/acme-challenge/pending"));
        for path in ["/.well-known/acme-challenge/other", "/.well-known/acme-challenge/", "/pending", "/"] {
            assert!(!asked(path), "{path}");
        }
    }
}
