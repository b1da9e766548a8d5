//! Listening sockets and their connections: accepted within bounds, TLS first; then each request is handed to a service, or the
//! whole connection on to whoever speaks what it speaks: a network that leaves only port 443 gets HTTP and TURN there.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::Answer;
use super::half_open::{HalfOpen, Newcomer};
use super::paced::Paced;
use crate::sys::signals::stopped;
use crate::tls::{SecureChannel, SecureStream};

/// A bound socket that does not accept yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// How connections are treated.
#[derive(Clone)]
pub struct Listening {
    /// TLS comes first; `None`: plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// For the handshake, and for a request's head.
    pub header_timeout: Duration,
    /// Connections at once, over all listeners that share it; the rest waits in the kernel.
    pub connections: Arc<Semaphore>,
    /// Those of them that have said nothing yet.
    pub half_open: HalfOpen,
    /// Who gets the connections that speak STUN within TLS; `None`: HTTP alone.
    pub divert: Option<Divert>,
    /// Becomes true when the daemon stops.
    pub stopping: watch::Receiver<bool>,
}

/// Takes a connection that is not for HTTP.
pub type Divert = Arc<dyn Fn(Diverted) + Send + Sync>;

/// A connection that is handed on: its TLS, if there is any, has shaken hands.
pub struct Diverted {
    /// Not blocking.
    pub socket: std::net::TcpStream,
    /// The TLS within it.
    pub tls: Option<SecureChannel>,
    /// What was said within it already.
    pub said: Vec<u8>,
    /// Its place among the connections there may be; dropped when it closes.
    pub place: OwnedSemaphorePermit,
}

/// What [`Diverted`] is made of: the socket, its TLS, and what was said.
type Parts = (TcpStream, Option<SecureChannel>, Vec<u8>);

/// An accepted connection.
struct Connection {
    stream: TcpStream,
    source: IpAddr,
    place: OwnedSemaphorePermit,
    newcomer: Newcomer,
}

impl Listening {
    /// The same, with other places.
    pub fn with_places(self, connections: &Arc<Semaphore>, half_open: &HalfOpen) -> Self {
        Self { connections: Arc::clone(connections), half_open: half_open.clone(), ..self }
    }
}

impl Listener {
    /// Binds; IPv6 sockets take IPv6 alone, so that `0.0.0.0` and `[::]` stand side by side.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Self::adopt(socket.into())
    }

    /// Takes over a socket that listens already, and does not block.
    ///
    /// # Errors
    /// The runtime cannot wait for it.
    pub fn adopt(socket: std::net::TcpListener) -> io::Result<Self> {
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where it listens; the true port if 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket, to be kept over a restart.
    pub fn socket(&self) -> &TcpListener {
        &self.socket
    }

    /// Serves HTTP until the daemon stops, then lets running requests finish.
    pub async fn serve<S, F>(self, listening: Listening, service: S)
    where
        S: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        self.accept_all(listening, move |connection, listening| serve_connection(connection, listening, service.clone())).await;
    }

    /// Hands every connection on until the daemon stops, once its TLS, if there is any, stands.
    pub async fn divert(self, listening: Listening, to: Divert) {
        self.accept_all(listening, move |connection, listening| divert_connection(connection, listening, Arc::clone(&to))).await;
    }

    async fn accept_all<H, F>(self, listening: Listening, handle: H)
    where
        H: Fn(Connection, Listening) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        let mut stopping = listening.stopping.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listening) => accepted,
                () = stopped(&mut stopping) => break,
                Some(_) = connections.join_next() => continue,
            };
            let Some((stream, source, place)) = accepted else { break };
            let (newcomer, eviction) = listening.half_open.enter(source, Instant::now());
            let handled = handle(Connection { stream, source, place, newcomer }, listening.clone());
            connections.spawn(async move {
                tokio::select! {
                    () = handled => {}
                    () = eviction.evicted() => log::debug!(event = "half_open", source:% = source; "a silent connection made room"),
                }
            });
        }
        drop(self.socket);
        // Whoever takes longer, or says nothing at all, is cut off: the rest of the daemon waits.
        let finished = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_MAX, finished).await.is_err() {
            connections.shutdown().await;
        }
    }

    /// The next connection, once there is a place for it. Running out of file descriptors is waited out.
    async fn accept(&self, listening: &Listening) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
        let place = place(listening).await?;
        let mut failing = false;
        loop {
            match self.socket.accept().await {
                Ok((stream, source)) => {
                    let _ = stream.set_nodelay(true);
                    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(USER_TIMEOUT));
                    return Some((stream, source.ip().to_canonical(), place));
                }
                // It was gone before it was accepted.
                Err(cause) if cause.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(cause) => {
                    if !std::mem::replace(&mut failing, true) {
                        log::warn!(event = "accept_failed", cause:% = cause; "connections cannot be accepted: raise LimitNOFILE if it recurs");
                    }
                    listening.half_open.evict_oldest(Instant::now());
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// A place among the connections there may be; silent ones make room when all are taken.
async fn place(listening: &Listening) -> Option<OwnedSemaphorePermit> {
    loop {
        let free = Arc::clone(&listening.connections).acquire_owned();
        match tokio::time::timeout(ACCEPT_PAUSE, free).await {
            Ok(place) => return place.ok(),
            Err(_) => drop(listening.half_open.evict_oldest(Instant::now())),
        }
    }
}

async fn serve_connection<S, F>(connection: Connection, listening: Listening, service: S)
where
    S: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let Connection { stream, source, place, newcomer } = connection;
    let Some(tls) = &listening.tls else { return serve_http(stream, source, newcomer, listening, service).await };
    let Some(mut stream) = shake_hands(tls, stream, source, listening.header_timeout).await else { return };
    match &listening.divert {
        Some(divert) if speaks_stun(&mut stream, listening.header_timeout).await => hand_on(secure(stream), place, divert),
        _ => serve_http(stream, source, newcomer, listening, service).await,
    }
}

async fn divert_connection(connection: Connection, listening: Listening, to: Divert) {
    let Connection { stream, source, place, newcomer: _newcomer } = connection;
    match &listening.tls {
        None => hand_on((stream, None, Vec::new()), place, &to),
        Some(tls) => {
            if let Some(stream) = shake_hands(tls, stream, source, listening.header_timeout).await {
                hand_on(secure(stream), place, &to);
            }
        }
    }
}

async fn shake_hands(
    tls: &Arc<ServerConfig>,
    stream: TcpStream,
    source: IpAddr,
    within: Duration,
) -> Option<SecureStream<TcpStream>> {
    match tokio::time::timeout(within, SecureStream::accept(Arc::clone(tls), stream)).await {
        // An ACME challenge is over with its handshake (RFC 8737 section 3).
        Ok(Ok(mut stream)) if stream.alpn_protocol() == Some(b"acme-tls/1") => drop(stream.shutdown().await),
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(cause)) => log::debug!(event = "tls_failed", source:% = source, cause:% = cause; "a TLS handshake failed"),
        Err(_) => log::debug!(event = "tls_timeout", source:% = source; "a TLS handshake took too long"),
    }
    None
}

fn secure(stream: SecureStream<TcpStream>) -> Parts {
    let (stream, tls, said) = stream.into_parts();
    (stream, Some(tls), said)
}

fn hand_on((stream, tls, said): Parts, place: OwnedSemaphorePermit, to: &Divert) {
    // A stream that the runtime cannot let go of is closed.
    if let Ok(socket) = stream.into_std() {
        to(Diverted { socket, tls, said, place });
    }
}

/// Whether the first byte within TLS is a STUN request's: no HTTP method begins with it, and no TURN client with another.
async fn speaks_stun(stream: &mut SecureStream<TcpStream>, within: Duration) -> bool {
    let first = tokio::time::timeout(within, stream.fill_buf()).await;
    matches!(first, Ok(Ok([0..=3, ..])))
}

async fn serve_http<T, S, F>(stream: T, source: IpAddr, newcomer: Newcomer, mut listening: Listening, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(IpAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let newcomer = Cell::new(Some(newcomer));
    let asked = Arc::new(Notify::new());
    let asking = Arc::clone(&asked);
    let service = service_fn(move |request| {
        drop(newcomer.take());
        asking.notify_one();
        let answer = service(source, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(listening.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Paced::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(&mut listening.stopping) => {
            // Whoever was accepted just now has not been refused, and asks in a moment.
            let asked = tokio::time::timeout(FIRST_REQUEST, asked.notified());
            tokio::select! {
                served = connection.as_mut() => served,
                _ = asked => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(cause) = served {
        log::debug!(event = "connection_failed", source:% = source, cause:% = cause; "a connection broke off");
    }
}

/// For running requests, once the daemon stops.
const DRAIN_MAX: Duration = Duration::from_secs(1);
/// For the first request of a connection, once the daemon stops.
const FIRST_REQUEST: Duration = Duration::from_millis(300);
const BACKLOG: i32 = 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Unacknowledged data this old means the peer is gone (RFC 5482).
const USER_TIMEOUT: Duration = Duration::from_secs(30);
const HEAD_BYTES_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[tokio::test]
    async fn whoever_was_accepted_before_the_daemon_stops_is_answered() {
        for _ in 0..20 {
            let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = listener.address();
            let (stop, stopping) = watch::channel(false);
            let (connections, half_open) = (Arc::new(Semaphore::new(8)), HalfOpen::new(8));
            let listening = Listening {
                tls: None,
                header_timeout: Duration::from_secs(10),
                connections,
                half_open: half_open.clone(),
                divert: None,
                stopping,
            };
            let serving = tokio::spawn(listener.serve(listening, |_, _| std::future::ready(Answer::default())));
            let mut client = std::net::TcpStream::connect(address).unwrap();
            while half_open.count() == 0 {
                tokio::task::yield_now().await;
            }
            // Nothing runs in between, so that the daemon learns of both at once.
            client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
            stop.send(true).unwrap();
            serving.await.unwrap();
            let mut answer = String::new();
            let _ = client.read_to_string(&mut answer);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
}
