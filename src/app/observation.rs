//! The daemon as monitoring sees it: asks every part for its numbers, on a listener of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::calls::Calls;
use super::identity::Identity;
use super::reception::Reception;
use super::site::Site;
use crate::config::Config;
use crate::http::{Counted, HalfOpen, Listener};
use crate::hub::{HubHandle, RoomEvent};
use crate::relay::RelayHandle;
use crate::status::{Database, Snapshot, Warning};
use crate::store::{self, Store};
use crate::sys::handover::Handover;
use crate::sys::process::Usage;
use crate::tls::Certificates;

/// Whom to ask.
pub(super) struct Observed {
    started: Instant,
    hub: HubHandle,
    relay: RelayHandle,
    store: Store,
    records: mpsc::WeakSender<RoomEvent>,
    counted: Arc<Counted>,
    places: Arc<Semaphore>,
    places_max: usize,
    half_open: Vec<HalfOpen>,
    certificates: Option<Arc<Certificates>>,
}

impl Observed {
    /// The daemon that these are parts of, started now.
    pub(super) fn new(config: &Config, identity: &Identity, calls: &Calls, site: &Site, reception: &Reception) -> Self {
        Self {
            started: Instant::now(),
            hub: calls.hub.clone(),
            relay: calls.relay.handle(),
            store: calls.store.clone(),
            records: calls.records.clone(),
            counted: Arc::clone(&site.page.counted),
            places: Arc::clone(&reception.plain.connections),
            places_max: config.limits.connections_max,
            half_open: vec![reception.plain.half_open.clone(), reception.turn_tcp.half_open.clone()],
            certificates: identity.certificates.clone(),
        }
    }

    /// The numbers of now; who does not answer soon is left out.
    pub(super) async fn snapshot(self: Arc<Self>) -> Snapshot {
        let census = timeout(SOON, self.hub.census());
        let relay = timeout(SOON, self.relay.counters());
        let (census, relay) = tokio::join!(census, relay);
        Snapshot {
            at: SystemTime::now(),
            uptime: self.started.elapsed(),
            census: census.ok().flatten(),
            relay: relay.ok().flatten(),
            requests: self.counted.requests(),
            sign_ins: self.counted.sign_ins(),
            connections: self.places_max.saturating_sub(self.places.available_permits()),
            connections_max: self.places_max,
            half_open: self.half_open.iter().map(HalfOpen::count).sum(),
            database: self.database(),
            records_waiting: self.records.upgrade().map_or(0, |records| records.max_capacity() - records.capacity()),
            certificate_expires: self.certificates.as_ref().and_then(|certificates| certificates.expires()),
            process: Usage::now(),
        }
    }

    fn database(&self) -> Database {
        let (commits, holding) = (self.store.commits(), self.store.warnings());
        let warning = |warning: store::Warning| Warning {
            name: warning.name(),
            holds: holding.contains(&warning),
            stops_writes: warning.stops_writes(),
        };
        Database {
            commits: commits.latency,
            refused: commits.refused,
            bytes: self.store.bytes(),
            free_bytes: self.store.free_bytes(),
            warnings: store::Warning::ALL.map(warning).to_vec(),
        }
    }
}

/// Listens where monitoring is to ask. What cannot be had is told and left out: calls do not depend on it.
pub(super) fn bind(addresses: &[SocketAddr], handover: &mut Handover) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for address in addresses {
        if !is_inside(address.ip()) {
            log::warn!(event = "metrics_open", address:% = address; "metrics.listen is neither a loopback nor a private address: everybody may read it");
        }
        match handover.tcp(*address).map_or_else(|| Listener::bind(*address), Listener::adopt) {
            Ok(listener) => {
                handover.keep(listener.socket());
                listeners.push(listener);
            }
            Err(cause) => {
                log::warn!(event = "no_metrics", address:% = address, cause:% = cause; "metrics.listen cannot be had, so nothing answers there: free the port, or change the key");
            }
        }
    }
    listeners
}

fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Whoever asks for numbers does not wait for what hangs.
const SOON: Duration = Duration::from_secs(2);
/// Connections of monitoring at once.
pub(super) const PLACES: usize = 32;
