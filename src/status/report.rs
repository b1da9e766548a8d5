//! `/status`: what `visavis status` shows, as JSON.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Snapshot, VERSION};
use crate::proto::turn::Transport;

/// The daemon at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Of the program that runs.
    pub version: String,
    /// Seconds since its start.
    pub uptime_seconds: u64,
    /// Whether everybody is served.
    pub ready: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Rooms that somebody is in; `null` if the rooms do not answer.
    pub rooms: Option<usize>,
    /// Their participants.
    pub people: Option<usize>,
    /// Who waits in a lobby.
    pub waiting: Option<usize>,
    /// Relayed addresses that stand; `null` if the relay does not answer.
    pub allocations: Option<Allocations>,
    /// Data relayed since the start, both ways.
    pub relayed_bytes: Option<u64>,
    /// When the certificate ends (RFC 3339); `null` without one.
    pub certificate_expires: Option<String>,
    /// The database with its write-ahead log.
    pub database_bytes: u64,
    /// What is free on its disk.
    pub disk_free_bytes: Option<u64>,
    /// What an admin should see to, such as `disk_low`.
    pub warnings: Vec<String>,
}

/// Relayed addresses by the transport of their clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub struct Allocations {
    pub udp: u64,
    pub tcp: u64,
    pub tls: u64,
}

impl From<&Snapshot> for Report {
    fn from(snapshot: &Snapshot) -> Self {
        let reasons = snapshot.reasons();
        let live = |transport| snapshot.relay.as_ref().map_or(0, |counters| counters.allocations(transport).live);
        let allocations = Allocations { udp: live(Transport::Udp), tcp: live(Transport::Tcp), tls: live(Transport::Tls) };
        let relayed = snapshot.relay.as_ref().map(|counters| counters.relayed_in_all());
        let expires = snapshot.certificate_expires.and_then(|at| OffsetDateTime::from(at).format(&Rfc3339).ok());
        let warnings = snapshot.database.warnings.iter().filter(|warning| warning.holds);
        Self {
            version: VERSION.to_owned(),
            uptime_seconds: snapshot.uptime.as_secs(),
            ready: reasons.is_empty(),
            reasons,
            rooms: snapshot.census.map(|census| census.rooms),
            people: snapshot.census.map(|census| census.seats),
            waiting: snapshot.census.map(|census| census.waiting),
            allocations: relayed.map(|_| allocations),
            relayed_bytes: relayed.map(|relayed| relayed.to_peers.bytes + relayed.to_clients.bytes),
            certificate_expires: expires,
            database_bytes: snapshot.database.bytes,
            disk_free_bytes: snapshot.database.free_bytes,
            warnings: warnings.map(|warning| warning.name.to_owned()).collect(),
        }
    }
}
