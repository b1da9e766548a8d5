//! The web client, embedded in the binary, compressed when it was built.

use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Answer;
use super::problem::Problem;

/// `make web` fills the folder; debug builds read it from disk, release builds carry it.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/web/dist"]
#[allow_missing = true]
struct WebClient;

/// A file of the web client; its pages for every other path, since they route by themselves.
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Result<Answer, Problem> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    let name = path.trim_start_matches('/');
    let is_file = name.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let name = if is_file { name } else { PAGE };
    let (file, encoding) = best(name, headers).ok_or_else(|| missing(name))?;
    let etag = HeaderValue::try_from(format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]))).map_err(|_| missing(name))?;
    let unchanged = headers.get(header::IF_NONE_MATCH) == Some(&etag);
    let body = if unchanged || *method == Method::HEAD { Full::default() } else { Full::from(file.data.into_owned()) };
    let mut answer = Response::new(body);
    if unchanged {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let answer_headers = answer.headers_mut();
    answer_headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    answer_headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(name)));
    answer_headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer_headers.insert(header::ETAG, etag);
    if let Some(encoding) = encoding {
        answer_headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(answer)
}

/// The smallest form that the browser reads; the page itself as it is: it fits in a packet, and whoever scans for compressed pages (BREACH)
/// need not ask whether this one holds a secret.
fn best(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts =
        |encoding: &str| accepted.split(',').any(|part| part.split(';').next().is_some_and(|part| part.trim() == encoding));
    let compressed = ENCODINGS.iter().filter(|(encoding, _)| name != PAGE && accepts(encoding));
    compressed
        .filter_map(|(encoding, suffix)| Some((WebClient::get(&format!("{name}{suffix}"))?, Some(*encoding))))
        .next()
        .or_else(|| Some((WebClient::get(name)?, None)))
}

fn missing(name: &str) -> Problem {
    if name == PAGE {
        let detail = "this build carries no web client: build it with `make`, which runs the web build first";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_web_client", detail);
    }
    Problem::not_found()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Files below `assets/` carry a hash of their content in their name.
fn caching(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const PAGE: &str = "index.html";
const ENCODINGS: &[(&str, &str)] = &[("br", ".br"), ("gzip", ".gz")];
