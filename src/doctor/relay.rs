//! A call's media on its way through the relay: two ends of one room, over every transport, as browsers do it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::{TcpStream, UdpSocket};
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use super::streams::Framed;
use super::{Finding, Subject, handshake, side_by_side};
use crate::proto::credential::{Credential, CredentialSecret};
use crate::proto::id::{ParticipantId, RoomId};
use crate::sys::{entropy, owner};

pub(super) async fn check(subject: Arc<Subject>) -> Vec<Finding> {
    if !subject.daemon.is_running() {
        return vec![Finding::note("relay", "relay", "not tried, because the daemon does not run")];
    }
    let data_dir = &subject.config.server.data_dir;
    let key = data_dir.join("turn.key");
    // What leaves this box is signed with it, so it must not be another file's content.
    let secret = match owner::assume(data_dir).and_then(|_owner| std::fs::read(&key)) {
        Ok(secret) => CredentialSecret::new(&secret),
        Err(cause) => {
            let meaning = format!("not tried, because its key cannot be read: {cause}");
            return vec![Finding::note("relay", key.display().to_string(), meaning).remedy("run `sudo visavis doctor`")];
        }
    };
    side_by_side(ways(&subject).into_iter().map(|(way, server)| {
        let (secret, realm) = (secret.clone(), subject.config.turn.realm.clone());
        async move {
            let tried = tokio::time::timeout(PATIENCE, round_trip(way, server, &secret, &realm)).await;
            judge(way, server, tried.unwrap_or_else(|_| Err("no answer".to_owned())))
        }
    }))
    .await
}

/// How browsers reach the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Udp,
    Tcp,
    /// On the port of the page.
    Tls,
}

impl Way {
    const fn check(self) -> &'static str {
        match self {
            Self::Udp => "relay.udp",
            Self::Tcp => "relay.tcp",
            Self::Tls => "relay.tls",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Udp => "relay over UDP",
            Self::Tcp => "relay over TCP",
            Self::Tls => "relay over TLS on the page's port",
        }
    }
}

fn ways(subject: &Subject) -> Vec<(Way, SocketAddr)> {
    let listeners = &subject.listeners;
    let tls = if subject.certificate.is_some() { &listeners.http[..] } else { &[] };
    let all = [(Way::Udp, &listeners.turn_udp[..]), (Way::Tcp, &listeners.turn_tcp), (Way::Tls, tls)];
    all.into_iter().filter_map(|(way, addresses)| Some((way, outside(subject, addresses)?))).collect()
}

/// The listener, preferably of IPv4, at an address that others use too: what is relayed leaves from there.
fn outside(subject: &Subject, listeners: &[SocketAddr]) -> Option<SocketAddr> {
    let listener = listeners.iter().find(|address| address.is_ipv4()).or(listeners.first())?;
    let own = subject.addresses().into_iter().find(|ip| ip.is_ipv4() == listener.is_ipv4());
    let reachable = super::subject::reachable(*listener);
    Some(match own {
        Some(ip) if listener.ip().is_unspecified() => SocketAddr::new(ip, listener.port()),
        _ => reachable,
    })
}

fn judge(way: Way, server: SocketAddr, tried: Result<Duration, String>) -> Finding {
    let shown = format!("{}, {server}", way.name());
    match tried {
        Ok(took) => {
            let meaning = format!("a packet went through and one came back in {:.1} ms", took.as_secs_f64() * 1000.0);
            Finding::ok(way.check(), shown, meaning)
        }
        Err(why) => Finding::failure(way.check(), shown, format!("no packet went through: {why}")).remedy(
            "see that a firewall on this box lets the port through (`sudo nft list ruleset`), and read `journalctl -u visavis`",
        ),
    }
}

/// Two allocations of one room; one sends to the other, which answers. How long that took.
async fn round_trip(way: Way, server: SocketAddr, secret: &CredentialSecret, realm: &str) -> Result<Duration, String> {
    let room = RoomId::from_random(entropy::random());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut ends = Vec::new();
    for _ in 0..2 {
        let credential = secret.mint(now, room, ParticipantId::from_random(entropy::random()));
        ends.push(client(way, server, credential, realm).await?);
    }
    let (near, far) = (ends[0].allocate().await.map_err(text)?, ends[1].allocate().await.map_err(text)?);
    let took = exchange(&near, &far).await;
    for relayed in [&near as &(dyn Conn + Send + Sync), &far] {
        // What is not given back now ends with its credential.
        let _ = relayed.close().await;
    }
    for end in ends {
        let _ = end.close().await;
    }
    took
}

async fn exchange(near: &(dyn Conn + Send + Sync), far: &(dyn Conn + Send + Sync)) -> Result<Duration, String> {
    let (here, there) = (near.local_addr().map_err(text)?, far.local_addr().map_err(text)?);
    // Whoever has not sent to the other hears nothing of it; this first packet may be lost.
    far.send_to(OPENING, here).await.map_err(text)?;
    near.send_to(OPENING, there).await.map_err(text)?;
    let began = Instant::now();
    for (from, to, at) in [(near, far, there), (far, near, here)] {
        from.send_to(QUESTION, at).await.map_err(text)?;
        let mut buffer = [0; 1500];
        loop {
            let (length, _) = to.recv_from(&mut buffer).await.map_err(text)?;
            if &buffer[..length] == QUESTION {
                break;
            }
        }
    }
    Ok(began.elapsed() / 2)
}

async fn client(way: Way, server: SocketAddr, credential: Credential, realm: &str) -> Result<Client, String> {
    let conn: Arc<dyn Conn + Send + Sync> = match way {
        Way::Udp => {
            let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
            Arc::new(UdpSocket::bind(any).await.map_err(text)?)
        }
        Way::Tcp => {
            let stream = TcpStream::connect(server).await.map_err(text)?;
            stream.set_nodelay(true).map_err(text)?;
            Arc::new(Framed::new(stream, server))
        }
        Way::Tls => Arc::new(Framed::new(handshake::connect(server).await.map_err(text)?, server)),
    };
    let client = Client::new(ClientConfig {
        stun_serv_addr: server.to_string(),
        turn_serv_addr: server.to_string(),
        username: credential.username,
        password: credential.password,
        realm: realm.to_owned(),
        software: String::new(),
        rto_in_ms: 0,
        conn,
        vnet: None,
    });
    let client = client.await.map_err(text)?;
    client.listen().await.map_err(text)?;
    Ok(client)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const OPENING: &[u8] = b"visavis doctor opens";
const QUESTION: &[u8] = b"visavis doctor asks";
const PATIENCE: Duration = Duration::from_secs(5);
