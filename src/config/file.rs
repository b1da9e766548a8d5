//! The file as it is written: a serde mirror of the TOML, key by key, with the built-in defaults.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::error::Problem;
use super::shards::Shards;
pub use super::tls::{Tls, TlsSource};
use crate::proto::room::LobbyPolicy;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// What the box is.
    pub server: Server,
    /// The page, the API and the signaling.
    pub http: Http,
    /// Where the certificate comes from.
    pub tls: Tls,
    /// The relay.
    pub turn: Turn,
    /// The calls.
    pub rooms: Rooms,
    /// What one person or one source may use.
    pub limits: Limits,
    /// What is written down.
    pub log: Log,
    /// What monitoring reads.
    pub metrics: Metrics,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Host name under which browsers reach the box; empty: the machine's own.
    pub public_name: String,
    /// Database, keys and certificates.
    pub data_dir: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// HTTPS and WSS.
    pub listen: Vec<SocketAddr>,
    /// The port that browsers use, where a router or a proxy turns it into that of `listen`; 0: they are the same.
    pub public_port: u16,
    /// Plain HTTP that only sends browsers to HTTPS.
    pub redirect_listen: Vec<SocketAddr>,
    /// Whose word on browsers behind them is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// `[turn]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Turn {
    /// STUN and TURN over UDP.
    pub listen_udp: Vec<SocketAddr>,
    /// TURN over TCP.
    pub listen_tcp: Vec<SocketAddr>,
    /// TURN over TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// RFC 8489 section 14.9.
    pub realm: String,
    /// What the relay's addresses look like from outside a router.
    pub external_addresses: Vec<IpAddr>,
    /// Ports of relayed addresses.
    pub relay_ports: PortRange,
    /// Signs credentials of other software; empty: none accepted.
    pub shared_secret: Secret,
    /// Holds it instead, in its first line.
    pub shared_secret_file: PathBuf,
    /// Opens ranges as peers.
    pub allow_peers: Vec<IpNet>,
    /// Closes ranges as peers; wins over `allow-peers`.
    pub deny_peers: Vec<IpNet>,
    /// Longest wait that gathers packets under load.
    pub max_delay: HumanDuration,
    /// Threads of the relay.
    pub shards: Shards,
    /// Browsers use the relay alone.
    pub relay_only: bool,
}

/// `[rooms]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rooms {
    /// Seats of a room.
    pub participants_max: usize,
    /// How long a dropped socket's seat is kept.
    pub reconnect_grace: HumanDuration,
    /// How long the others keep theirs once nobody moderates.
    pub unattended_grace: HumanDuration,
    /// Which students wait for a moderator.
    pub lobby: LobbyPolicy,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// TCP connections at once.
    pub connections_max: usize,
    /// Connections of one source that have said nothing yet.
    pub half_open_per_source: usize,
    /// Time for the TLS handshake, for a request's head and for its body.
    pub header_timeout: HumanDuration,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Sockets of one person.
    pub sockets_per_user: usize,
    /// Bytes of a signaling message.
    pub message_bytes_max: usize,
    /// Sustained rate of one socket.
    pub messages_per_second: u32,
    /// Burst of one socket.
    pub messages_burst: u32,
    /// Refused messages after which a socket is closed.
    pub refused_messages_max: u32,
    /// Bytes that may wait for a slow reader.
    pub outbox_bytes_max: usize,
    /// Relayed addresses at once.
    pub allocations_max: usize,
    /// Relayed addresses of one seat.
    pub allocations_per_seat: usize,
    /// Relayed addresses of one source.
    pub allocations_per_source: usize,
    /// Peers' addresses that one relayed address may permit.
    pub permissions_per_allocation: usize,
    /// Channels of one relayed address.
    pub channels_per_allocation: usize,
    /// Sustained rate of peers that one relayed address permits anew.
    pub new_peers_per_second: u32,
    /// Burst of the same.
    pub new_peers_burst: u32,
    /// Packets one relayed address carries a second, each way.
    pub relayed_packets_per_second: u32,
    /// Bits of the same.
    pub relayed_bits_per_second: u64,
    /// How long a time's worth of either may come at once.
    pub relayed_burst: HumanDuration,
    /// Sustained rate of requests to the relay from a source without an allocation.
    pub relay_requests_per_second: u32,
    /// Burst of the same.
    pub relay_requests_burst: u32,
    /// Sustained rate of answers to a source whose proofs do not hold.
    pub relay_failures_per_second: u32,
    /// Burst of the same.
    pub relay_failures_burst: u32,
}

/// `[log]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// The least important level that is written.
    pub level: LogLevel,
    /// Where it is written.
    pub target: LogTarget,
}

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Metrics {
    /// Plain HTTP for programs of this box: metrics, health, status.
    pub listen: Vec<SocketAddr>,
}

/// `log.level`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// `log.target`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogTarget {
    /// The journal when systemd started the daemon, else standard error.
    #[default]
    Auto,
    /// The journal.
    Journal,
    /// Standard error.
    Stderr,
}

/// A time such as `45s` or `500us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// Ports such as `49152-65535`, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRange(pub RangeInclusive<u16>);

/// Text that no log and no `Debug` shows.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

/// The line, counted from 1, of each `section.key` that the text sets.
pub type Lines = HashMap<String, usize>;

/// Reads what can be read: the file with defaults for every key that cannot, and a problem for each of those.
///
/// serde stops at a document's first mistake, so each key is read as a document of its own.
pub fn read(text: &str) -> (File, Lines, Vec<Problem>) {
    let (document, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        return (File::default(), Lines::new(), syntax.iter().map(|error| not_toml(text, error)).collect());
    }
    let mut sound = DeTable::new();
    let (mut lines, mut problems) = (Lines::new(), Vec::new());
    for (section, value) in document.into_inner() {
        let line = line_of(text, &section.span());
        let span = value.span();
        let DeValue::Table(keys) = value.into_inner() else {
            problems.push(refused(section.get_ref().to_string(), line, "stands outside every section", &section_names()));
            continue;
        };
        let mut sound_keys = DeTable::new();
        if keys.is_empty() {
            try_key(&section, None, &span, line, &mut problems);
        }
        for (key, value) in keys {
            let path = format!("{}.{}", section.get_ref(), key.get_ref());
            let line = line_of(text, &key.span());
            if try_key(&section, Some((&key, &value)), &span, line, &mut problems) {
                sound_keys.insert(key, value);
            }
            lines.insert(path, line);
        }
        let known = File::has_section(section.get_ref());
        if known {
            sound.insert(section, Spanned::new(span, DeValue::Table(sound_keys)));
        }
    }
    let file = File::deserialize(Deserializer::from(Spanned::new(0..text.len(), sound))).unwrap_or_default();
    (file, lines, problems)
}

/// Whether a document of this one key (or of its bare section) is a [`File`]; says why if not.
fn try_key(
    section: &Spanned<toml::de::DeString<'_>>,
    entry: Option<(&Spanned<toml::de::DeString<'_>>, &Spanned<DeValue<'_>>)>,
    span: &Range<usize>,
    line: usize,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut keys = DeTable::new();
    let mut path = section.get_ref().to_string();
    if let Some((key, value)) = entry {
        keys.insert(key.clone(), value.clone());
        path = format!("{path}.{}", key.get_ref());
    }
    let mut document = DeTable::new();
    document.insert(section.clone(), Spanned::new(span.clone(), DeValue::Table(keys)));
    match File::deserialize(Deserializer::from(Spanned::new(span.clone(), document))) {
        Ok(_) => true,
        Err(error) => {
            let remedy = remedy_for(&path);
            problems.push(refused(path, line, error.message(), &remedy));
            false
        }
    }
}

fn refused(key: String, line: usize, what: &str, remedy: &str) -> Problem {
    Problem { key, line: Some(line), what: what.to_owned(), remedy: remedy.to_owned() }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    Problem {
        key: String::new(),
        line: error.span().map(|span| line_of(text, &span)),
        what: format!("is not TOML: {}", error.message()),
        remedy: "mend the line; keys look like `name = \"text\"` below a `[section]`".to_owned(),
    }
}

/// The default of the key as an example, or the names that exist where it stands.
fn remedy_for(path: &str) -> String {
    let defaults = toml::Table::try_from(File::default()).unwrap_or_default();
    let (section, key) = path.split_once('.').unwrap_or((path, ""));
    match defaults.get(section).and_then(toml::Value::as_table) {
        None => section_names(),
        Some(keys) => match keys.get(key) {
            Some(default) => format!("write it like the default: {key} = {default}"),
            None => {
                let names: Vec<_> = keys.keys().map(String::as_str).collect();
                format!("[{section}] has the keys {}", names.join(", "))
            }
        },
    }
}

fn section_names() -> String {
    let defaults = toml::Table::try_from(File::default()).unwrap_or_default();
    let names: Vec<_> = defaults.keys().map(|name| format!("[{name}]")).collect();
    format!("the sections are {}", names.join(", "))
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

impl File {
    fn has_section(name: &str) -> bool {
        toml::Table::try_from(Self::default()).is_ok_and(|defaults| defaults.contains_key(name))
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text)
            .map(Self)
            .map_err(|cause| serde::de::Error::custom(format!("`{text}` is not a time such as 45s or 500us: {cause}")))
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends = text.split_once('-').and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        let (low, high) = ends.ok_or_else(|| format!("`{text}` is not a range of ports such as 49152-65535"))?;
        Ok(Self(low..=high))
    }
}

impl Serialize for PortRange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}-{}", self.0.start(), self.0.end()))
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(none)" } else { "Secret(..)" })
    }
}
