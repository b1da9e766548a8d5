//! Whether every listener of the configuration answers as what it is; without a daemon, whether its port is free.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::subject::reachable;
use super::{Finding, State, Subject, handshake, side_by_side};
use crate::sys::entropy;
use crate::sys::names::is_without_ipv6;

pub(super) async fn check(subject: Arc<Subject>) -> Vec<Finding> {
    let listeners = configured(&subject);
    if !subject.daemon.is_running() {
        let free: Vec<_> = listeners.into_iter().filter_map(|(door, address)| taken(door, address)).collect();
        let all = Finding::ok("ports.free", "ports", "every port that the daemon needs is free");
        return if free.is_empty() { vec![all] } else { free };
    }
    let has_ipv6 = subject.names.addresses.iter().any(std::net::IpAddr::is_ipv6);
    let there = listeners.into_iter().filter(|(_, address)| has_ipv6 || address.is_ipv4());
    side_by_side(there.map(|(door, address)| async move {
        let began = Instant::now();
        let answered = tokio::time::timeout(PATIENCE, ask(door, reachable(address))).await;
        judge(door, address, answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())), began.elapsed())
    }))
    .await
}

/// What answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Https,
    /// The page without TLS: a proxy has the certificate.
    Http,
    Redirect,
    TurnUdp,
    TurnTcp,
    TurnTls,
    /// For programs on the box: calls work without it.
    Metrics,
}

impl Door {
    const fn check(self) -> &'static str {
        match self {
            Self::Https | Self::Http => "ports.page",
            Self::Redirect => "ports.redirect",
            Self::TurnUdp => "ports.turn-udp",
            Self::TurnTcp => "ports.turn-tcp",
            Self::TurnTls => "ports.turn-tls",
            Self::Metrics => "ports.metrics",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Https => "page (https)",
            Self::Http => "page (http, behind a proxy)",
            Self::Redirect => "way to the page (http)",
            Self::TurnUdp => "relay (UDP)",
            Self::TurnTcp => "relay (TCP)",
            Self::TurnTls => "relay (TLS)",
            Self::Metrics => "metrics (http, for programs)",
        }
    }

    /// How bad it is if it does not answer.
    const fn loss(self) -> State {
        if matches!(self, Self::Metrics) { State::Warning } else { State::Failure }
    }

    const fn is_udp(self) -> bool {
        matches!(self, Self::TurnUdp)
    }
}

fn configured(subject: &Subject) -> Vec<(Door, SocketAddr)> {
    let listeners = &subject.listeners;
    let page = if subject.certificate.is_some() { Door::Https } else { Door::Http };
    let all = [
        (page, &listeners.http),
        (Door::Redirect, &listeners.redirect),
        (Door::TurnUdp, &listeners.turn_udp),
        (Door::TurnTcp, &listeners.turn_tcp),
        (Door::TurnTls, &listeners.turn_tls),
        (Door::Metrics, &listeners.metrics),
    ];
    let each = all.into_iter().flat_map(|(door, addresses)| addresses.iter().map(move |address| (door, *address)));
    // Of a port that the kernel chose only the daemon knows.
    each.filter(|(_, address)| address.port() != 0).collect()
}

/// A finding if another program has the port. It is free again at once.
fn taken(door: Door, address: SocketAddr) -> Option<Finding> {
    let had = if door.is_udp() { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
    let cause = had.err().filter(|cause| !is_without_ipv6(address, cause) && cause.kind() != io::ErrorKind::PermissionDenied)?;
    let (what, tool) = if door.is_udp() { ("UDP", "ss -lnup") } else { ("TCP", "ss -lntp") };
    let meaning = match cause.kind() {
        io::ErrorKind::AddrInUse => format!("another program has this {what} port, so the daemon cannot have it"),
        _ => format!("the daemon cannot listen there: {cause}"),
    };
    let remedy = format!("`sudo {tool}` shows who has it: end that program, or choose another port in the configuration");
    Some(Finding::new(door.loss(), door.check(), format!("{} {address}", door.name()), meaning).remedy(remedy))
}

fn judge(door: Door, address: SocketAddr, answered: io::Result<()>, took: Duration) -> Finding {
    let shown = format!("{} {address}", door.name());
    match answered {
        Ok(()) => Finding::ok(door.check(), shown, format!("answers within {} ms", took.as_millis().max(1))),
        Err(cause) => {
            let why = match cause.kind() {
                io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
                io::ErrorKind::TimedOut => "no answer".to_owned(),
                _ => cause.to_string(),
            };
            let remedy = "if the configuration was changed, `sudo systemctl restart visavis`; else a firewall on this box closes it \
                (`sudo nft list ruleset`)";
            Finding::new(door.loss(), door.check(), shown, format!("does not answer: {why}")).remedy(remedy)
        }
    }
}

async fn ask(door: Door, address: SocketAddr) -> io::Result<()> {
    match door {
        Door::Https => get(handshake::connect(address).await?, address).await,
        Door::Http | Door::Redirect | Door::Metrics => get(TcpStream::connect(address).await?, address).await,
        Door::TurnUdp => bind_by_udp(address).await,
        Door::TurnTcp => bind_by_stream(TcpStream::connect(address).await?).await,
        Door::TurnTls => bind_by_stream(handshake::connect(address).await?).await,
    }
}

/// Any answer in HTTP will do.
async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin, address: SocketAddr) -> io::Result<()> {
    let request = format!("GET /api/auth/me/ HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut start = [0; 9];
    stream.read_exact(&mut start).await?;
    if &start == b"HTTP/1.1 " { Ok(()) } else { Err(io::Error::other("it speaks no HTTP: another program is there")) }
}

/// Three requests, since one may be lost (RFC 8489 section 6.2.1).
async fn bind_by_udp(address: SocketAddr) -> io::Result<()> {
    let socket = tokio::net::UdpSocket::bind(SocketAddr::new(unspecified(address), 0)).await?;
    socket.connect(address).await?;
    let request = binding_request();
    let mut answer = [0; 1500];
    for _ in 0..3 {
        socket.send(&request).await?;
        if let Ok(received) = tokio::time::timeout(PATIENCE / 4, socket.recv(&mut answer)).await {
            return answers(&request, &answer[..received?]);
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

async fn bind_by_stream(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let request = binding_request();
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut answer = [0; 20];
    stream.read_exact(&mut answer).await?;
    answers(&request, &answer)
}

/// A Binding request without attributes (RFC 8489 section 5).
fn binding_request() -> [u8; 20] {
    let mut request = [0; 20];
    request[..8].copy_from_slice(&[0x00, 0x01, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
    request[8..].copy_from_slice(&entropy::random::<12>());
    request
}

/// A success response to this very request.
fn answers(request: &[u8; 20], answer: &[u8]) -> io::Result<()> {
    let matches = answer.len() >= 20 && answer[..2] == [0x01, 0x01] && answer[4..20] == request[4..];
    if matches { Ok(()) } else { Err(io::Error::other("it speaks no STUN: another program is there")) }
}

fn unspecified(address: SocketAddr) -> std::net::IpAddr {
    if address.is_ipv4() { std::net::Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() }
}

const PATIENCE: Duration = Duration::from_secs(3);
