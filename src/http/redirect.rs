//! Plain HTTP: sends browsers on to HTTPS, or tells them how they come to trust it first.

use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};

use super::Answer;
use super::hosts::{Hosts, https_origin, without_port};
use super::problem::Problem;
use super::trust::Trust;

/// What plain HTTP answers. A box that is its own authority shows pages alone how to trust it; everything else is sent on.
pub fn plain<B>(hosts: &Hosts, port: u16, trust: Option<&Trust>, request: &Request<B>) -> Answer {
    trust.and_then(|trust| trust.answer_plain(hosts, request)).unwrap_or_else(|| redirect(hosts, port, request))
}

/// Sends the browser to the same path over HTTPS on `port`.
pub(super) fn redirect<B>(hosts: &Hosts, port: u16, request: &Request<B>) -> Answer {
    redirected(hosts, port, request).unwrap_or_else(Problem::into_answer)
}

fn redirected<B>(hosts: &Hosts, port: u16, request: &Request<B>) -> Result<Answer, Problem> {
    let host = hosts.of(request)?;
    let name = without_port(&host).unwrap_or(&host);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    let location = HeaderValue::try_from(https_origin(name, port) + path).map_err(|_| Problem::not_found())?;
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_page_over_https_and_never_another_host() {
        let hosts = Hosts::new(vec!["box.local".to_owned()]);
        let location = |host: &str, path: &str, port| {
            let answer = redirect(&hosts, port, &Request::builder().uri(path).header("host", host).body(()).unwrap());
            answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            location("box.local", "/video-call?session=1", 443).as_deref(),
            Some("https://box.local/video-call?session=1")
        );
        assert_eq!(location("192.0.2.1:80", "/", 8443).as_deref(), Some("https://192.0.2.1:8443/"));
        assert_eq!(location("box.local", "http://evil.example/x", 443).as_deref(), Some("https://box.local/x"));
        assert_eq!(location("evil.example", "/", 443), None);
    }
}
