//! HTTP: the API, the embedded web client and the way to the signaling socket.
//!
//! Owns listeners, requests and answers; the rules are in `accounts` and `mentoring`, the live rooms in `hub`. Driven by `app`.
//! One file a resource; [`routes`] is the one table from paths to answers, [`problem`] the one from errors to status and code.

mod accounts;
pub mod acme;
mod assets;
mod attendance;
mod auth;
mod counted;
mod forwarded;
mod half_open;
mod health;
mod hosts;
mod ice;
mod listener;
mod members;
mod monitoring;
mod paced;
mod problem;
mod redirect;
mod request;
mod rooms;
mod routes;
mod sessions;
mod setup;
mod trust;
mod view;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::accounts::{Accounts, Login, LoginToken, Setup};
use crate::doctor::Doctor;
use crate::hub::HubHandle;
use crate::mentoring::Mentoring;
use crate::signaling::Signaling;

pub use counted::Counted;
use forwarded::Client;
pub use forwarded::Proxies;
pub use half_open::HalfOpen;
pub use hosts::{Hosts, https_origin};
pub use ice::{IceServers, TlsName};
pub use listener::{Divert, Diverted, Listener, Listening};
pub use monitoring::monitoring;
use problem::Problem;
pub use redirect::plain;
use request::ApiRequest;
pub use trust::Trust;

/// An answer, whole in memory: everything this API says is small.
pub type Answer = Response<Full<Bytes>>;

/// Whether browsers may be told never to come to this host name but by HTTPS (RFC 6797).
pub type HttpsAlone = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What every request is served from.
pub struct Http {
    /// People.
    pub accounts: Accounts,
    /// The first of them.
    pub setup: Setup,
    /// Sessions and rooms.
    pub mentoring: Mentoring,
    /// Live rooms.
    pub hub: HubHandle,
    /// Sockets.
    pub signaling: Signaling,
    /// The names this box answers to.
    pub hosts: Hosts,
    /// Who may speak for others.
    pub proxies: Proxies,
    /// Where browsers find this box over HTTPS.
    pub https_port: u16,
    /// Examines this box.
    pub doctor: Doctor,
    /// How devices come to trust the box, if it is its own authority.
    pub trust: Option<Arc<Trust>>,
    /// STUN and TURN, as handed to browsers.
    pub ice: IceServers,
    /// How requests were answered.
    pub counted: Arc<Counted>,
    /// For which host names browsers are told to come by HTTPS alone.
    pub https_alone: HttpsAlone,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Time for a request's body.
    pub body_timeout: Duration,
}

impl Http {
    /// Answers a request from `peer`; every error becomes a problem document. What changes something is done to its end, even if
    /// the browser has hung up meanwhile.
    pub async fn handle(self: Arc<Self>, peer: IpAddr, mut request: Request<Incoming>) -> Answer {
        let client = self.proxies.client(peer, &mut request);
        let (counted, is_sign_in) = (Arc::clone(&self.counted), counted::is_sign_in(&request));
        let answer = if request.method().is_safe() {
            self.answer(client, request).await
        } else {
            let task = tokio::spawn(async move { self.answer(client, request).await });
            task.await.unwrap_or_else(|_| secured(Problem::internal().into_answer(), None))
        };
        counted.count(answer.status(), is_sign_in);
        answer
    }

    async fn answer(&self, client: Client, request: Request<Incoming>) -> Answer {
        if client.insecure {
            return redirect::redirect(&self.hosts, self.https_port, &request);
        }
        let host = match self.hosts.of(&request) {
            Ok(host) => host,
            Err(refused) => return secured(refused.into_answer(), None),
        };
        if let Some(answer) = self.trust.as_ref().and_then(|trust| trust.answer_secure(&host, &request)) {
            return answer;
        }
        let path = request.uri().path().to_owned();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let answer = match segments.as_slice() {
            // An idle connection keeps room for its next answer: not for this one, of several kilobytes.
            ["api", resource @ ..] => Box::pin(self.api(client.source, &host, resource, request)).await,
            ["ws", "video-call", room] => self.socket(client.location, &host, room, request).await,
            ["healthz"] => Ok(monitoring::whether(true)),
            ["readyz"] => Ok(monitoring::whether(self.is_ready().await)),
            _ => assets::answer(request.method(), &path, request.headers()),
        };
        let mut answer = secured(answer.unwrap_or_else(Problem::into_answer), Some(&host));
        if hosts::without_port(&host).is_some_and(|name| (self.https_alone)(name)) {
            answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR);
        }
        answer
    }

    async fn is_ready(&self) -> bool {
        let rooms = tokio::time::timeout(READY_WITHIN, self.hub.census()).await;
        matches!(rooms, Ok(Some(_))) && self.accounts.takes_writes()
    }

    /// Who is asking; whoever has a one-time password chooses their own before they ask for anything.
    async fn login(&self, request: &ApiRequest) -> Result<Login, Problem> {
        self.own_login(request.login_token()).await
    }

    /// The same by the cookie's token, for sockets too.
    async fn own_login(&self, token: Option<LoginToken>) -> Result<Login, Problem> {
        let login = self.login_of(token).await?;
        if login.one_time_password { Err(Problem::password_needed()) } else { Ok(login) }
    }

    async fn any_login(&self, request: &ApiRequest) -> Result<Login, Problem> {
        self.login_of(request.login_token()).await
    }

    async fn login_of(&self, token: Option<LoginToken>) -> Result<Login, Problem> {
        let token = token.ok_or_else(Problem::unauthenticated)?;
        self.accounts.authenticate(&token).await?.ok_or_else(Problem::unauthenticated)
    }
}

fn no_content() -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Answer {
    let text = serde_json::to_vec(body).expect("invariant: the API's answers have string keys alone");
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The headers of every answer: what a page may load, where it may stand, what it may use.
fn secured(mut answer: Answer, host: Option<&str>) -> Answer {
    let headers = answer.headers_mut();
    let policy = host.and_then(|host| HeaderValue::try_from(CONTENT_SECURITY_POLICY.replace("HOST", host)).ok());
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static("default-src 'none'")));
    for (name, value) in SECURITY_HEADERS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    answer
}

/// Whoever asks does not wait for what hangs.
const READY_WITHIN: Duration = Duration::from_secs(2);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; font-src 'self'; connect-src 'self' wss://HOST; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Without the names below this one, which are others' (RFC 6797 section 6.1).
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

const SECURITY_HEADERS: &[(&str, &str)] = &[
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), geolocation=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];
