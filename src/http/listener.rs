//! Listening sockets and their connections: accepted within bounds, TLS first, each request handed to a service.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Answer;

/// A bound socket that does not accept yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// How connections are treated.
#[derive(Clone)]
pub struct Listening {
    /// TLS comes first; `None`: plain.
    pub tls: Option<TlsAcceptor>,
    /// For the handshake, and for a request's head.
    pub header_timeout: Duration,
    /// Connections at once, over all listeners that share it; the rest waits in the kernel.
    pub connections: Arc<Semaphore>,
    /// Becomes true when the daemon stops.
    pub stopping: watch::Receiver<bool>,
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
        let socket = TcpListener::from_std(socket.into())?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where it listens; the true port if 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves connections until the daemon stops, then lets running requests finish.
    pub async fn serve<S, F>(self, listening: Listening, service: S)
    where
        S: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        let mut stopping = listening.stopping.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listening) => accepted,
                () = stopped(&mut stopping) => break,
                Some(_) = connections.join_next() => continue,
            };
            let Some((stream, source, permit)) = accepted else { break };
            let (listening, service) = (listening.clone(), service.clone());
            connections.spawn(async move {
                serve_stream(stream, source, listening, service).await;
                drop(permit);
            });
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }

    /// The next connection, once there is room for it. Running out of file descriptors is waited out.
    async fn accept(&self, listening: &Listening) -> Option<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
        let permit = Arc::clone(&listening.connections).acquire_owned().await.ok()?;
        loop {
            match self.socket.accept().await {
                Ok((stream, source)) => return Some((stream, source.ip().to_canonical(), permit)),
                Err(cause) => {
                    log::warn!(event = "accept_failed", cause:% = cause; "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn serve_stream<S, F>(stream: TcpStream, source: IpAddr, listening: Listening, service: S)
where
    S: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(USER_TIMEOUT));
    match &listening.tls {
        None => serve_http(stream, source, listening, service).await,
        Some(tls) => match tokio::time::timeout(listening.header_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve_http(stream, source, listening, service).await,
            Ok(Err(cause)) => log::debug!(event = "tls_failed", source:% = source, cause:% = cause; "a TLS handshake failed"),
            Err(_) => log::debug!(event = "tls_timeout", source:% = source; "a TLS handshake took too long"),
        },
    }
}

async fn serve_http<T, S, F>(stream: T, source: IpAddr, mut listening: Listening, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(IpAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = service(source, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(listening.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(&mut listening.stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = served {
        log::debug!(event = "connection_failed", source:% = source, cause:% = cause; "a connection broke off");
    }
}

const BACKLOG: i32 = 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Unacknowledged data this old means the peer is gone (RFC 5482).
const USER_TIMEOUT: Duration = Duration::from_secs(30);
const HEAD_BYTES_MAX: usize = 32 * 1024;
