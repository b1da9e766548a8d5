//! How a device comes to trust a box that is its own authority: a page that explains it per system, the certificate in the forms that
//! systems take, and a path that only a device which trusts the box can reach.
//!
//! The page is reached over plain HTTP, since it must be read before HTTPS works; over HTTPS it is there to be shown to others.

mod page;
mod profile;
mod qr;
mod system;

use std::fmt;
use std::fmt::Write;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use ring::digest::{SHA256, digest};

use super::Answer;
use super::hosts::{Hosts, https_origin, with_port, without_port};
use super::problem::Problem;
use page::Page;
use system::System;

/// The box's own authority, and where devices meet it.
pub struct Trust {
    authority: Authority,
    https_port: u16,
    plain_port: Option<u16>,
    page: Page,
}

/// Answers the certificate of the authority in use, in DER; `None` while there is none.
type Authority = Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>;

/// SHA-256 of a certificate, in groups that two people can read to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Where the visitor came from, and where they want to go.
struct Visit<'a> {
    /// The host name by which the box was reached, without a port.
    name: &'a str,
    /// Over HTTPS already.
    secure: bool,
    /// The path that was asked for, with its query.
    path: &'a str,
    system: Option<System>,
}

impl Trust {
    /// `authority` answers its certificate in DER. HTTPS is on `https_port`, plain HTTP on `plain_port`, if anywhere.
    pub fn new(authority: Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>, https_port: u16, plain_port: Option<u16>) -> Self {
        Self { authority, https_port, plain_port, page: Page::new() }
    }

    /// Of the authority in use.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        (self.authority)().map(|der| Fingerprint::of(&der))
    }

    /// Where a device that does not trust the box yet reads how to, if it reaches the box as `name`.
    pub fn address(&self, name: &str) -> String {
        match self.plain_port {
            Some(port) => format!("http://{name}{}{PAGE}", with_port(port, 80)),
            None => format!("{}{PAGE}", self.secure_origin(name)),
        }
    }

    /// What plain HTTP answers to a request for a page, whichever it is: a browser that trusts the box is taken on to the same page over
    /// HTTPS by the script, any other reads how to. `None`: this is no browser looking for a page, and is sent on like everywhere.
    pub(super) fn answer_plain<B>(&self, hosts: &Hosts, request: &Request<B>) -> Option<Answer> {
        let host = match hosts.of(request) {
            Ok(host) => host,
            Err(refused) => return Some(refused.into_answer()),
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let looks = is_read(request.method()) && accepts_html(request.headers()) && path.starts_with('/');
        self.answer(request, &host, false)
            .or_else(|| looks.then(|| self.page(visit(&host, false, path, request.headers()))).flatten())
    }

    /// What HTTPS answers on this module's own paths.
    pub(super) fn answer_secure<B>(&self, host: &str, request: &Request<B>) -> Option<Answer> {
        self.answer(request, host, true)
    }

    fn answer<B>(&self, request: &Request<B>, host: &str, secure: bool) -> Option<Answer> {
        let path = request.uri().path();
        let path = path.strip_suffix('/').unwrap_or(path);
        if ![PAGE, CHECK, CRT, PEM, PROFILE].contains(&path) || (path == CHECK && !secure) {
            return None;
        }
        if !is_read(request.method()) {
            return Some(Problem::method_not_allowed("GET, HEAD").into_answer());
        }
        match path {
            PAGE => self.page(visit(host, secure, PAGE, request.headers())),
            CHECK => Some(checked()),
            _ => {
                let der = (self.authority)()?;
                let name = without_port(host).unwrap_or(host);
                Some(match path {
                    CRT => download("application/x-x509-ca-cert", der),
                    PEM => download("application/x-pem-file", pem(&der).into_bytes()),
                    _ => download("application/x-apple-aspen-config", profile::of(&der, name).into_bytes()),
                })
            }
        }
    }

    fn page(&self, visit: Visit<'_>) -> Option<Answer> {
        let origin = self.secure_origin(visit.name);
        let html = self.page.render(&visit, self.fingerprint()?, &origin, &self.address(visit.name));
        let mut answer = download("text/html; charset=utf-8", html.into_bytes());
        let policy = HeaderValue::try_from(self.page.policy(&origin)).ok()?;
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, user-agent"));
        Some(answer)
    }

    fn secure_origin(&self, name: &str) -> String {
        https_origin(name, self.https_port)
    }
}

impl Fingerprint {
    fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// Sixteen groups of four hexadecimal digits.
    fn groups(self) -> Vec<String> {
        self.0.chunks(2).map(|pair| pair.iter().map(|byte| format!("{byte:02X}")).collect()).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.groups().join(" "))
    }
}

fn visit<'a>(host: &'a str, secure: bool, path: &'a str, headers: &HeaderMap) -> Visit<'a> {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Visit { name: without_port(host).unwrap_or(host), secure, path, system: System::of(agent) }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with("text/html"))
}

/// Nothing at all, to whoever can hear it: the page over plain HTTP is another origin, and learns that the answer came.
fn checked() -> Answer {
    let mut answer = download("text/plain", Vec::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().remove(header::CONTENT_TYPE);
    answer.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    answer
}

fn download(content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in base64(der).as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text + "-----END CERTIFICATE-----\n"
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

const PAGE: &str = "/trust";
const CHECK: &str = "/trust-check";
const CRT: &str = "/ca.crt";
const PEM: &str = "/ca.pem";
const PROFILE: &str = "/visavis.mobileconfig";

/// An authority may be made anew, so nothing is kept.
const HEADERS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

#[cfg(test)]
mod tests;
