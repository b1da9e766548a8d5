//! The relay: sockets and a thread around [`crate::proto::turn`].
//!
//! One shard owns the UDP listeners, every stream, every allocation and its socket; nothing is shared and nothing locked. Driven by
//! `app`, which starts it, hands it streams that were accepted elsewhere, and tells it through [`RelayHandle`] who is out. Knows no
//! sibling.

mod ports;
mod ready;
mod shard;
mod stream;
mod streams;
mod udp;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use crate::proto::credential::CredentialSecret;
use crate::proto::id::{ParticipantId, RoomId};
pub use crate::proto::turn::{Counters, DataLimits, Limits};
use shard::Shard;
pub use stream::NewStream;

/// How the relay is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// STUN and TURN over UDP.
    pub listen_udp: Vec<SocketAddr>,
    /// RFC 8489 section 14.9.
    pub realm: String,
    /// What a router in front shows of this box.
    pub external_addresses: Vec<IpAddr>,
    /// The box's own addresses, whose services are no peers.
    pub own_addresses: Vec<IpAddr>,
    /// The networks this box stands in.
    pub own_networks: Vec<ipnet::IpNet>,
    /// Ports of relayed addresses.
    pub relay_ports: RangeInclusive<u16>,
    /// Opens ranges as peers.
    pub allow_peers: Vec<ipnet::IpNet>,
    /// Closes ranges as peers; wins over `allow_peers`.
    pub deny_peers: Vec<ipnet::IpNet>,
    /// Longest wait that gathers packets under load.
    pub max_delay: Duration,
    /// What may be used.
    pub limits: Limits,
}

/// What signs credentials.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// This box's own.
    pub own: CredentialSecret,
    /// Other software's.
    pub shared: Option<CredentialSecret>,
}

/// A running relay.
pub struct Relay {
    udp: Vec<SocketAddr>,
    handle: RelayHandle,
    thread: JoinHandle<()>,
}

/// Tells the relay what it must know; clones share it.
#[derive(Clone)]
pub struct RelayHandle {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
}

/// What the shard is told between datagrams.
enum Command {
    Adopt(Box<NewStream>),
    Observe(RoomId, ParticipantId, IpAddr),
    RevokeRoom(Duration, RoomId),
    RevokeSeat(Duration, RoomId, ParticipantId),
    Count(oneshot::Sender<Counters>),
    Stop,
}

impl Relay {
    /// Binds and starts.
    ///
    /// # Errors
    /// A listener's address cannot be had, or the system gives no thread.
    pub fn start(config: Config, secrets: Secrets) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let (shard, waker) = Shard::new(config, secrets, received)?;
        let udp = shard.addresses().to_vec();
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || shard.run())?;
        Ok(Self { udp, handle: RelayHandle { commands, waker: Arc::new(waker) }, thread })
    }

    /// A door to it.
    pub fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }

    /// Where it listens over UDP.
    pub fn udp_addrs(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// Closes every allocation and waits for the thread.
    pub fn shutdown(self) {
        self.handle.tell(Command::Stop);
        if self.thread.join().is_err() {
            log::error!(event = "relay_died"; "the relay's thread had died");
        }
    }
}

impl RelayHandle {
    /// Serves a client over a stream that was accepted for it.
    pub fn adopt(&self, stream: NewStream) {
        self.tell(Command::Adopt(Box::new(stream)));
    }

    /// A member's signaling comes from there, so the room's other members may have data relayed there, private or not.
    pub fn observe(&self, room: RoomId, participant: ParticipantId, ip: IpAddr) {
        self.tell(Command::Observe(room, participant, ip));
    }

    /// Ends every allocation of a room that was over at `at`, and every credential.
    pub fn revoke_room(&self, at: SystemTime, room: RoomId) {
        self.tell(Command::RevokeRoom(since_epoch(at), room));
    }

    /// Ends every allocation of a seat that was given up at `at`, and every credential minted before.
    pub fn revoke_seat(&self, at: SystemTime, room: RoomId, participant: ParticipantId) {
        self.tell(Command::RevokeSeat(since_epoch(at), room, participant));
    }

    /// What was relayed, dropped and allocated since the start; `None` once the relay is gone. The shard answers between two turns, so
    /// that relaying pays nothing for being counted.
    pub async fn counters(&self) -> Option<Counters> {
        let (answer, answered) = oneshot::channel();
        self.tell(Command::Count(answer));
        answered.await.ok()
    }

    fn tell(&self, command: Command) {
        // A relay that is gone has closed every allocation.
        let _ = self.commands.send(command);
        if let Err(cause) = self.waker.wake() {
            log::error!(event = "relay_deaf", cause:% = cause; "the relay could not be woken");
        }
    }
}

fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}
