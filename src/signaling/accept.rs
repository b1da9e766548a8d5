//! The opening handshake (RFC 6455 section 4.2).

use std::pin::Pin;

use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Signaling, Socket, connection};
use crate::hub::Member;
use crate::proto::id::RoomId;

/// Why a socket was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// No opening handshake.
    #[error("this path is a WebSocket: ask for an upgrade, version 13")]
    NotWebSocket,
    /// `Origin` is missing or another site's.
    #[error("only this box's own pages may open a socket")]
    ForeignOrigin,
    /// The person holds as many as they may.
    #[error("too many sockets: close another tab of yours")]
    TooManySockets,
}

impl Signaling {
    /// Upgrades the request to a socket of `member` in `room`. The caller has proved login and membership; `origin` is the page's own.
    ///
    /// # Errors
    /// See [`AcceptError`]; nothing was opened.
    pub fn accept(
        &self,
        mut request: Request<Incoming>,
        room: RoomId,
        member: Member,
        origin: &str,
    ) -> Result<Response<Full<Bytes>>, AcceptError> {
        if opening_key(&request).is_none() {
            return Err(AcceptError::NotWebSocket);
        }
        if !is_from(request.headers(), origin) {
            return Err(AcceptError::ForeignOrigin);
        }
        let place = self.take_place(member.user).ok_or(AcceptError::TooManySockets)?;
        let (hub, limits) = (self.hub.clone(), super::lock(&self.limits).clone());
        let (answer, socket) = upgrade(&mut request, limits.message_bytes_max).ok_or(AcceptError::NotWebSocket)?;
        self.spawn(async move {
            let Some(socket) = socket.await else { return };
            let opened = Instant::now();
            connection::run(socket, room, member, &hub, &limits).await;
            tokio::select! {
                () = sleep_until(opened + PLACE_MIN) => {}
                () = hub.stopped() => {}
            }
            drop(place);
        });
        Ok(answer)
    }
}

/// The answer to an opening handshake, and the socket, which comes once the answer is out; `None` if this is none.
pub fn upgrade(request: &mut Request<Incoming>, message_bytes_max: usize) -> Option<(Response<Full<Bytes>>, Upgrading)> {
    let key = opening_key(request)?;
    let upgrade = hyper::upgrade::on(request);
    let socket = async move { Some(Socket::new(TokioIo::new(upgrade.await.ok()?), message_bytes_max).await) };
    Some((switching(&derive_accept_key(key.as_bytes())), Box::pin(socket)))
}

/// `None` if the connection breaks off before.
pub type Upgrading = Pin<Box<dyn Future<Output = Option<Socket<TokioIo<Upgraded>>>> + Send>>;

/// The client's key, if this is an opening handshake of version 13.
fn opening_key(request: &Request<Incoming>) -> Option<String> {
    let headers = request.headers();
    let has = |name, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    let opening = *request.method() == Method::GET
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    opening.then(|| key.to_owned())
}

fn is_from(headers: &HeaderMap, origin: &str) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    matches!((origins.next(), origins.next()), (Some(only), None) if only == origin)
}

fn switching(accept: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::from_str(accept).expect("invariant: base64 is a header value");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

/// A closed socket still counts until it is this old: every one that comes and goes is written down, and the disk is everybody's.
const PLACE_MIN: Duration = Duration::from_secs(1);
