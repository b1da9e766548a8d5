//! The relay: sockets and threads around [`crate::proto::turn`].
//!
//! Each shard is a thread that owns a socket at each UDP address, the streams it was handed, its clients' allocations and their sockets; what
//! shards must agree on is in the [`Ledger`], which the path of data reads without a lock. Driven by `app`, which starts the relay, hands it
//! streams that were accepted elsewhere, and tells it through [`RelayHandle`] who is out. Knows no sibling.

mod listeners;
mod parting;
mod ports;
mod ready;
mod shard;
mod stream;
mod streams;
mod udp;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use crate::proto::credential::CredentialSecret;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::turn::{self, AddressFamily, Ledger, PeerPolicy, Server};
pub use crate::proto::turn::{Counters, DataLimits, Limits};
use crate::sys::entropy;
use crate::sys::handover::Handover;
use ports::Ports;
use shard::{Make, Shard};
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
    /// Over how many threads clients spread.
    pub shards: NonZeroU8,
    /// What may be used.
    pub limits: Limits,
}

impl Config {
    fn policy(&self) -> PeerPolicy {
        PeerPolicy {
            allow: self.allow_peers.clone(),
            deny: self.deny_peers.clone(),
            own: self.own_addresses.iter().chain(&self.external_addresses).copied().collect(),
            local: self.own_networks.clone(),
        }
    }
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
    threads: Vec<JoinHandle<()>>,
}

/// Tells the relay what it must know; clones share it.
#[derive(Clone)]
pub struct RelayHandle {
    shards: Arc<[Door]>,
    ledger: Arc<Ledger>,
    /// Secret, so that nobody crowds one shard by choosing ports.
    by_client: RandomState,
}

/// The way to one shard.
struct Door {
    commands: mpsc::Sender<Command>,
    waker: mio::Waker,
}

/// What a shard is told between datagrams.
enum Command {
    Adopt(Box<NewStream>),
    RevokeRoom(Duration, RoomId),
    RevokeSeat(Duration, RoomId, ParticipantId),
    Count(oneshot::Sender<Counters>),
    Reconfigure(Box<Change>),
    Move(Vec<IpAddr>, Vec<ipnet::IpNet>),
    Stop,
}

/// What may change while clients are served.
#[derive(Clone)]
struct Change {
    policy: PeerPolicy,
    limits: Limits,
    shared: Option<CredentialSecret>,
    external: Vec<IpAddr>,
    own: Vec<IpAddr>,
}

impl Relay {
    /// Takes what was handed over, binds the rest, and starts; where anything is not to be had, nothing is left running.
    ///
    /// # Errors
    /// A listener's address cannot be had, or the system gives no thread.
    pub fn start(config: Config, secrets: Secrets, handover: &mut Handover) -> io::Result<Self> {
        let policy = config.policy();
        let ports = Ports { range: config.relay_ports, external: config.external_addresses, own: config.own_addresses };
        let families = ports.families();
        let shards = shards_that_meet(config.shards, &families);
        let core = turn::Config {
            realm: config.realm,
            own_secret: secrets.own,
            shared_secret: secrets.shared,
            nonce_key: entropy::random(),
            policy,
            limits: config.limits,
            families,
        };
        let listeners = listeners::bind(&config.listen_udp, shards, handover)?;
        let udp = listeners[0].iter().map(UdpSocket::local_addr).collect::<io::Result<_>>()?;
        let (ledger, started) = (Arc::new(Ledger::new(&core, shards.get().into())), Instant::now());
        let linger = if shards == NonZeroU8::MIN { Duration::ZERO } else { LINGER };
        let (mut doors, mut ready) = (Vec::new(), Vec::new());
        for (listeners, number) in listeners.into_iter().zip(0..) {
            let server = Server::sharing(core.clone(), Arc::clone(&ledger), number, started);
            let (commands, received) = mpsc::channel();
            let make = Make { server, listeners, ports: ports.clone(), max_delay: config.max_delay, linger };
            let (shard, waker) = Shard::new(make, received)?;
            doors.push(Door { commands, waker });
            ready.push(shard);
        }
        let handle = RelayHandle { shards: doors.into(), ledger, by_client: RandomState::new() };
        let mut relay = Self { udp, handle, threads: Vec::new() };
        for (shard, number) in ready.into_iter().zip(1..) {
            match std::thread::Builder::new().name(format!("relay-{number}")).spawn(move || shard.run()) {
                Ok(thread) => relay.threads.push(thread),
                Err(cause) => {
                    relay.shutdown();
                    return Err(cause);
                }
            }
        }
        Ok(relay)
    }

    /// A door to it.
    pub fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }

    /// Where it listens over UDP.
    pub fn udp_addrs(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// How many threads relay.
    pub fn shards(&self) -> usize {
        self.threads.len()
    }

    /// Closes every allocation and waits for the threads.
    pub fn shutdown(self) {
        self.handle.tell_all(|| Command::Stop);
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!(event = "relay_died"; "a thread of the relay had died");
            }
        }
    }
}

impl RelayHandle {
    /// Serves a client over a stream that was accepted for it; one that comes back from the same port is served by the same shard.
    pub fn adopt(&self, stream: NewStream) {
        let client = stream.socket.peer_addr().ok();
        let shard = self.by_client.hash_one(client) % self.shards.len() as u64;
        self.shards[shard as usize].tell(Command::Adopt(Box::new(stream)));
    }

    /// A member's signaling comes from there, so the room's other members may have data relayed there, private or not.
    pub fn observe(&self, room: RoomId, participant: ParticipantId, ip: IpAddr) {
        self.ledger.observe(room, participant, ip);
    }

    /// Ends every allocation of a room that was over at `at`, and every credential.
    pub fn revoke_room(&self, at: SystemTime, room: RoomId) {
        self.ledger.vacate_room(room);
        self.tell_all(|| Command::RevokeRoom(since_epoch(at), room));
    }

    /// Ends every allocation of a seat that was given up at `at`, and every credential minted before.
    pub fn revoke_seat(&self, at: SystemTime, room: RoomId, participant: ParticipantId) {
        self.ledger.vacate_seat(room, participant);
        self.tell_all(|| Command::RevokeSeat(since_epoch(at), room, participant));
    }

    /// Takes over what may change while clients are served: peers, addresses, the quotas and rates of allocations, and the secret of other
    /// software. The rest of `config` needs a new relay.
    pub fn reconfigure(&self, config: Config, shared: Option<CredentialSecret>) {
        self.ledger.set_limits(config.limits);
        let policy = config.policy();
        let (limits, external, own) = (config.limits, config.external_addresses, config.own_addresses);
        let change = Change { policy, limits, shared, external, own };
        self.tell_all(|| Command::Reconfigure(Box::new(change.clone())));
    }

    /// The box has other addresses now, or stands in other networks.
    pub fn moved(&self, addresses: &[IpAddr], networks: &[ipnet::IpNet]) {
        self.tell_all(|| Command::Move(addresses.to_vec(), networks.to_vec()));
    }

    /// What was relayed, dropped and allocated since the start; `None` once the relay is gone. Each shard answers between two turns, so
    /// that relaying pays nothing for being counted.
    pub async fn counters(&self) -> Option<Counters> {
        let mut answers = Vec::new();
        for shard in &*self.shards {
            let (answer, answered) = oneshot::channel();
            shard.tell(Command::Count(answer));
            answers.push(answered);
        }
        let mut sum = Counters::default();
        for answered in answers {
            sum = sum.plus(&answered.await.ok()?);
        }
        Some(sum)
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        self.shards.iter().for_each(|shard| shard.tell(command()));
    }
}

impl Door {
    fn tell(&self, command: Command) {
        // A shard that is gone has closed every allocation.
        let _ = self.commands.send(command);
        if let Err(cause) = self.waker.wake() {
            log::error!(event = "relay_deaf", cause:% = cause; "the relay could not be woken");
        }
    }
}

/// Data between shards goes by way of the loopback addresses: a box that lacks one of a family it relays has one shard.
fn shards_that_meet(asked: NonZeroU8, families: &[AddressFamily]) -> NonZeroU8 {
    let meet = |family: &AddressFamily| {
        let loopback: IpAddr = match family {
            AddressFamily::Ipv4 => Ipv4Addr::LOCALHOST.into(),
            AddressFamily::Ipv6 => Ipv6Addr::LOCALHOST.into(),
        };
        UdpSocket::bind((loopback, 0)).is_ok()
    };
    if asked == NonZeroU8::MIN || families.iter().all(meet) {
        return asked;
    }
    log::warn!(event = "no_loopback"; "this box has no loopback address of a family that it relays, so the relay has one thread");
    NonZeroU8::MIN
}

fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A packet leaves its shard at the end of the turn it came in, far sooner.
const LINGER: Duration = Duration::from_millis(20);
