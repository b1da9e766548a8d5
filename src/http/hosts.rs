//! Which names this box answers to, and which pages may use it.
//!
//! A name an attacker made point here (DNS rebinding) is refused; an IP address cannot be made to.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};

use super::problem::Problem;

/// The host names that are served; IP addresses always are.
#[derive(Debug, Clone)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// Serves these names, in lower case.
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The request's host with its port, as it stands in the page's address.
    pub(super) fn of<B>(&self, request: &Request<B>) -> Result<String, Problem> {
        let unknown = || {
            let detail = format!(
                "this box answers to {}, and to its IP addresses: set server.public-name to add a name",
                self.names.join(", ")
            );
            Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail)
        };
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(unknown()) };
        let host = host.to_str().map_err(|_| unknown())?.to_ascii_lowercase();
        let name = without_port(&host).ok_or_else(unknown)?;
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        if is_address || self.names.iter().any(|known| known == name) { Ok(host) } else { Err(unknown()) }
    }
}

/// The host without its port; an IPv6 address keeps its brackets. `None` if it is neither.
pub(super) fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind(']') {
        Some(end) => (&host[..=end], &host[end + 1..]),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_is_sound = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (port_is_sound && !name.is_empty()).then_some(name)
}

/// The secure address of a name, or of an IP address as it stands in URLs.
pub fn https_origin(name: &str, port: u16) -> String {
    format!("https://{name}{}", with_port(port, 443))
}

/// A port as it stands in URLs: not at all where it is the scheme's usual one.
pub(super) fn with_port(port: u16, usual: u16) -> String {
    if port == usual { String::new() } else { format!(":{port}") }
}

/// Refuses what another site's page sends: an unsafe method needs `Sec-Fetch-Site: same-origin`, else exactly this box's `Origin`.
pub(super) fn prove_same_origin<B>(request: &Request<B>, host: &str) -> Result<(), Problem> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let same = match text(request.headers(), "sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text(request.headers(), "origin").is_some_and(|origin| origin == format!("https://{host}")),
    };
    if safe || same {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", "only this box's own pages may do this"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_addresses_are_served_and_no_other() {
        let hosts = Hosts::new(vec!["box.local".to_owned()]);
        let of = |host: &str| hosts.of(&Request::builder().header("host", host).body(()).unwrap()).ok();
        for host in ["box.local", "box.local:8443", "192.0.2.1", "192.0.2.1:443", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert_eq!(of(host).as_deref(), Some(host));
        }
        assert_eq!(of("BOX.local").as_deref(), Some("box.local"));
        for host in
            ["evil.example", "box.local.evil.example", "evil.example:443", "box.local:", "box.local:99999", "", "[::1", "a b"]
        {
            assert_eq!(of(host), None, "{host:?}");
        }
    }

    #[test]
    fn two_hosts_are_none() {
        let request = Request::builder().header("host", "192.0.2.1").header("host", "192.0.2.2").body(()).unwrap();
        assert!(Hosts::new(vec![]).of(&request).is_err());
    }

    #[test]
    fn unsafe_methods_need_this_box_s_own_page() {
        let allowed = |method: &str, headers: &[(&str, &str)]| {
            let request = headers.iter().fold(Request::builder().method(method), |r, (name, value)| r.header(*name, *value));
            prove_same_origin(&request.body(()).unwrap(), "box.local").is_ok()
        };
        assert!(allowed("GET", &[]));
        assert!(allowed("POST", &[("sec-fetch-site", "same-origin")]));
        assert!(allowed("POST", &[("origin", "https://box.local")]));
        assert!(!allowed("POST", &[]));
        assert!(!allowed("POST", &[("origin", "https://evil.example")]));
        assert!(!allowed("POST", &[("origin", "http://box.local")]));
        assert!(!allowed("POST", &[("origin", "null")]));
        assert!(!allowed("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://box.local")]));
        assert!(!allowed("DELETE", &[("sec-fetch-site", "same-site")]));
    }
}
