//! The proved configuration: what the rest of the daemon is given.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::error::Problem;
use super::file::{File, Limits, Lines, Log, Metrics, Secret, TlsSource};
use super::shards::Shards;
use crate::proto::room::LobbyPolicy;
use crate::sys::credential;

/// A configuration without a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[http]`
    pub http: Http,
    /// `[tls]`
    pub tls: Tls,
    /// `[turn]`
    pub turn: Turn,
    /// `[rooms]`
    pub rooms: Rooms,
    /// `[limits]`
    pub limits: Limits,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
    /// As it was written.
    pub written: File,
}

impl Config {
    /// The port of the page's address, as browsers are to use it: what is configured, else that of HTTPS where a proxy is in front, else the
    /// first of those that the daemon listens on.
    pub fn page_port(&self, listening: &[SocketAddr]) -> u16 {
        let own = listening.first().filter(|_| self.tls != Tls::Off);
        self.http.public_port.or(own.map(SocketAddr::port)).unwrap_or(HTTPS)
    }
}

/// What the box is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A DNS name in lower case; `None`: the machine's own.
    pub public_name: Option<String>,
    /// Database, keys and certificates.
    pub data_dir: PathBuf,
}

/// Where the page, the API and the signaling are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// At least one.
    pub listen: Vec<SocketAddr>,
    /// What browsers use instead of the first port of `listen`.
    pub public_port: Option<u16>,
    /// Where plain HTTP is sent on to HTTPS.
    pub redirect_listen: Vec<SocketAddr>,
    /// Whose word on browsers behind them is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// This box's own authority.
    LocalCa,
    /// PEM files.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// An ACME server.
    Acme(Acme),
    /// A reverse proxy in front does it.
    Off,
}

/// An ACME server, and what it certifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The one name of the certificate: the box's public one.
    pub name: String,
    /// Its directory: an `https` URL.
    pub directory: String,
    /// A mail address.
    pub contact: Option<String>,
    /// PEM certificates of a private server's authority; `None`: the system's.
    pub ca_file: Option<PathBuf>,
}

/// The relay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "config/visavis.toml explains each key")]
pub struct Turn {
    pub listen_udp: Vec<SocketAddr>,
    pub listen_tcp: Vec<SocketAddr>,
    pub listen_tls: Vec<SocketAddr>,
    pub realm: String,
    pub external_addresses: Vec<IpAddr>,
    pub relay_ports: RangeInclusive<u16>,
    pub shared_secret: Option<Secret>,
    pub shared_secret_file: Option<PathBuf>,
    pub allow_peers: Vec<IpNet>,
    pub deny_peers: Vec<IpNet>,
    pub max_delay: Duration,
    pub shards: Shards,
    pub relay_only: bool,
}

/// The calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooms {
    /// 2 to 12.
    pub participants_max: usize,
    /// 1 s to 10 min.
    pub reconnect_grace: Duration,
    /// 1 s to 1 h.
    pub unattended_grace: Duration,
    /// Which students wait for a moderator.
    pub lobby: LobbyPolicy,
}

/// Proves a file; `lines` says where its keys stand.
///
/// # Errors
/// Every problem at once.
pub fn check(file: &File, lines: &Lines) -> Result<Config, Vec<Problem>> {
    let mut checker = Checker { lines, problems: Vec::new() };
    let config = Config {
        server: checker.server(file),
        http: checker.http(file),
        tls: checker.tls(file),
        turn: checker.turn(file),
        rooms: checker.rooms(file),
        limits: checker.limits(&file.limits),
        log: file.log.clone(),
        metrics: file.metrics.clone(),
        written: file.clone(),
    };
    checker.listeners_are_distinct(file);
    if checker.problems.is_empty() { Ok(config) } else { Err(checker.problems) }
}

pub(super) struct Checker<'a> {
    lines: &'a Lines,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn server(&mut self, file: &File) -> Server {
        let name = file.server.public_name.to_ascii_lowercase();
        let sound = name.is_empty() || is_host_name(&name);
        self.require(
            sound,
            "server.public-name",
            format!("`{name}` is not a host name"),
            "write a DNS name such as calls.school.example, without scheme and port, or leave it empty",
        );
        self.require(
            file.server.data_dir.is_absolute(),
            "server.data-dir",
            "is not an absolute path",
            "write it from the root, such as /var/lib/visavis",
        );
        Server { public_name: (!name.is_empty()).then_some(name), data_dir: file.server.data_dir.clone() }
    }

    fn http(&mut self, file: &File) -> Http {
        self.require(
            !file.http.listen.is_empty(),
            "http.listen",
            "is empty, so no browser can connect",
            "name at least one address, such as 0.0.0.0:443",
        );
        self.require(
            file.http.trusted_proxies.iter().all(|network| network.prefix_len() > 0),
            "http.trusted-proxies",
            "holds everybody, so that anybody could claim to come from anywhere",
            "name the proxy alone, such as 127.0.0.1/32",
        );
        Http {
            listen: file.http.listen.clone(),
            public_port: (file.http.public_port != 0).then_some(file.http.public_port),
            redirect_listen: file.http.redirect_listen.clone(),
            trusted_proxies: file.http.trusted_proxies.clone(),
        }
    }

    fn turn(&mut self, file: &File) -> Turn {
        let turn = &file.turn;
        let without_tls = file.tls.source == TlsSource::Off;
        self.require(
            !without_tls || turn.listen_tls.is_empty() || !self.lines.contains_key("turn.listen-tls"),
            "turn.listen-tls",
            "needs a certificate, but tls.source is \"off\"",
            "leave it empty, or choose another tls.source",
        );
        let realm_fits = !turn.realm.is_empty() && turn.realm.len() <= 127 && !turn.realm.contains(['"', '\\']);
        self.require(realm_fits, "turn.realm", "is not 1 to 127 bytes without quotes", "write a short name, such as visavis");
        let ports = &turn.relay_ports.0;
        let span = usize::from(*ports.end()).saturating_sub(usize::from(*ports.start()));
        self.require(
            *ports.start() >= 1024 && ports.start() <= ports.end() && span >= 9,
            "turn.relay-ports",
            "is not a range of at least 10 ports from 1024 on",
            "write the lower port first, such as 49152-65535",
        );
        for listener in &turn.listen_udp {
            let apart = listener.port() == 0 || !ports.contains(&listener.port());
            self.require(
                apart,
                "turn.relay-ports",
                format!("holds port {} of turn.listen-udp", listener.port()),
                "move one of the two",
            );
        }
        let secret = &turn.shared_secret.0;
        self.require(
            secret.is_empty() || secret.len() >= 16,
            "turn.shared-secret",
            "is shorter than 16 bytes",
            "make one with: openssl rand -hex 32",
        );
        let secret_file = Some(&turn.shared_secret_file).filter(|path| !path.as_os_str().is_empty());
        self.require(
            secret.is_empty() || secret_file.is_none(),
            "turn.shared-secret-file",
            "is set beside turn.shared-secret",
            "leave one of the two out",
        );
        self.within("turn.max-delay", turn.max_delay.0, Duration::ZERO..=Duration::from_millis(5));
        Turn {
            listen_udp: turn.listen_udp.clone(),
            listen_tcp: turn.listen_tcp.clone(),
            listen_tls: if without_tls { Vec::new() } else { turn.listen_tls.clone() },
            realm: turn.realm.clone(),
            external_addresses: turn.external_addresses.clone(),
            relay_ports: ports.clone(),
            shared_secret: (!secret.is_empty()).then(|| turn.shared_secret.clone()),
            shared_secret_file: secret_file.map(|path| credential::path(path)),
            allow_peers: turn.allow_peers.clone(),
            deny_peers: turn.deny_peers.clone(),
            max_delay: turn.max_delay.0,
            shards: turn.shards,
            relay_only: turn.relay_only,
        }
    }

    fn rooms(&mut self, file: &File) -> Rooms {
        let rooms = &file.rooms;
        self.between("rooms.participants-max", rooms.participants_max, 2..=12);
        self.within("rooms.reconnect-grace", rooms.reconnect_grace.0, Duration::from_secs(1)..=Duration::from_secs(600));
        self.within("rooms.unattended-grace", rooms.unattended_grace.0, Duration::from_secs(1)..=Duration::from_secs(3600));
        Rooms {
            participants_max: rooms.participants_max,
            reconnect_grace: rooms.reconnect_grace.0,
            unattended_grace: rooms.unattended_grace.0,
            lobby: rooms.lobby,
        }
    }

    fn limits(&mut self, limits: &Limits) -> Limits {
        self.between("limits.connections-max", limits.connections_max, 16..=1_000_000);
        self.between("limits.half-open-per-source", limits.half_open_per_source, 8..=1_000_000);
        self.within("limits.header-timeout", limits.header_timeout.0, Duration::from_secs(1)..=Duration::from_secs(120));
        self.between("limits.body-bytes-max", limits.body_bytes_max, 4096..=16 << 20);
        self.between("limits.sockets-per-user", limits.sockets_per_user, 1..=100);
        self.between("limits.message-bytes-max", limits.message_bytes_max, 16 << 10..=1 << 20);
        self.between("limits.messages-per-second", limits.messages_per_second, 10..=10_000);
        self.between("limits.messages-burst", limits.messages_burst, 10..=100_000);
        self.between("limits.refused-messages-max", limits.refused_messages_max, 1..=10_000);
        let least = limits.message_bytes_max.saturating_mul(2);
        self.between("limits.outbox-bytes-max", limits.outbox_bytes_max, least..=64 << 20);
        self.between("limits.allocations-max", limits.allocations_max, 16..=60_000);
        self.between("limits.allocations-per-seat", limits.allocations_per_seat, 4..=1000);
        self.between("limits.allocations-per-source", limits.allocations_per_source, 16..=60_000);
        self.between("limits.permissions-per-allocation", limits.permissions_per_allocation, 16..=256);
        self.between("limits.channels-per-allocation", limits.channels_per_allocation, 16..=256);
        self.between("limits.new-peers-per-second", limits.new_peers_per_second, 1..=1000);
        self.between("limits.new-peers-burst", limits.new_peers_burst, 16..=1000);
        self.between("limits.relayed-packets-per-second", limits.relayed_packets_per_second, 500..=10_000_000);
        self.between("limits.relayed-bits-per-second", limits.relayed_bits_per_second, 1_000_000..=100_000_000_000);
        let burst = Duration::from_millis(100)..=Duration::from_secs(10);
        self.within("limits.relayed-burst", limits.relayed_burst.0, burst);
        self.between("limits.relay-requests-per-second", limits.relay_requests_per_second, 10..=1_000_000);
        self.between("limits.relay-requests-burst", limits.relay_requests_burst, 10..=1_000_000);
        self.between("limits.relay-failures-per-second", limits.relay_failures_per_second, 1..=1_000_000);
        self.between("limits.relay-failures-burst", limits.relay_failures_burst, 10..=1_000_000);
        limits.clone()
    }

    /// No two listeners of the same transport share an address.
    fn listeners_are_distinct(&mut self, file: &File) {
        let mut clashes = Vec::new();
        note_clashes("turn.listen-udp", &file.turn.listen_udp, &mut HashMap::new(), &mut clashes);
        let tcp = [
            ("http.listen", &file.http.listen),
            ("http.redirect-listen", &file.http.redirect_listen),
            ("turn.listen-tcp", &file.turn.listen_tcp),
            ("turn.listen-tls", &file.turn.listen_tls),
            ("metrics.listen", &file.metrics.listen),
        ];
        let mut seen = HashMap::new();
        for (key, addresses) in tcp {
            note_clashes(key, addresses, &mut seen, &mut clashes);
        }
        for (key, what) in clashes {
            self.require(false, key, what, "give each listener an address and port of its own");
        }
    }

    fn between<N: Copy + PartialOrd + Display>(&mut self, key: &str, value: N, range: RangeInclusive<N>) {
        let remedy = format!("choose a number from {} to {}", range.start(), range.end());
        self.require(range.contains(&value), key, format!("{value} is out of range"), &remedy);
    }

    fn within(&mut self, key: &str, value: Duration, range: RangeInclusive<Duration>) {
        let [low, high, given] = [*range.start(), *range.end(), value].map(humantime::format_duration);
        let remedy = format!("choose a time from {low} to {high}");
        self.require(range.contains(&value), key, format!("{given} is out of range"), &remedy);
    }

    pub(super) fn require(&mut self, sound: bool, key: &str, what: impl Into<String>, remedy: &str) {
        if !sound {
            let line = self.lines.get(key).copied();
            self.problems.push(Problem { key: key.to_owned(), line, what: what.into(), remedy: remedy.to_owned() });
        }
    }
}

fn note_clashes(
    key: &'static str,
    addresses: &[SocketAddr],
    seen: &mut HashMap<SocketAddr, &'static str>,
    clashes: &mut Vec<(&'static str, String)>,
) {
    for address in addresses.iter().filter(|address| address.port() != 0) {
        if let Some(other) = seen.insert(*address, key) {
            clashes.push((key, format!("{address} is already in {other}")));
        }
    }
}

/// RFC 1123 section 2.1, in lower case.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<IpAddr>().is_err()
}

/// The port that an address without one means (RFC 9110 section 4.2.2).
const HTTPS: u16 = 443;
