//! The composition root: binds, wires, spawns, and waits for the shutdown. The only place that knows everyone.
//!
//! [`App::start_on`] is the table of contents: the data folder, then who the box is ([`identity`]), where it listens ([`listeners`]), what
//! calls are made of ([`calls`]), what browsers are answered from ([`site`]), and who lets them in ([`reception`]). Whatever runs beside
//! them is one of the [`tasks`].

mod addresses;
mod authority;
mod calls;
mod care;
mod certificate;
mod data_folder;
mod examination;
mod identity;
mod listeners;
mod observation;
mod reception;
mod records;
mod reload;
mod renewal;
mod sections;
mod setup;
mod site;
mod tasks;
mod watchdog;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::config::Config;
use crate::data::Lock;
use crate::doctor::Doctor;
use crate::relay::RelayHandle;
use crate::store::Store;
use crate::sys::handover::Handover;
use crate::tls::acme::Evidence;
use calls::Calls;
use identity::Identity;
use listeners::{Addresses, Listeners};
use observation::Observed;
use reception::Reception;
use setup::Shown;
use site::Site;
use tasks::Tasks;

pub use data_folder::make_data_dir;
pub use examination::subject;
pub use sections::relay_limits;
pub use setup::setup_links;

/// A daemon whose sockets answer.
pub struct App {
    addresses: Addresses,
    identity: Identity,
    calls: Calls,
    doctor: Doctor,
    tasks: Tasks,
    /// Last of all: another program may use the folder once everything is written.
    lock: Lock,
    /// What it was started with, and what it runs with now.
    started_with: Config,
    config: Config,
}

impl App {
    /// Brings everything up; once this returns, every socket answers.
    ///
    /// # Errors
    /// What could not be had, with its remedy; nothing is left running.
    pub async fn start(config: &Config) -> Result<Self> {
        Self::start_on(config, Handover::default()).await
    }

    /// The same, on the sockets that were handed over as far as the configuration names their addresses.
    ///
    /// # Errors
    /// As above.
    pub async fn start_on(config: &Config, mut handover: Handover) -> Result<Self> {
        let data_dir = &config.server.data_dir;
        make_data_dir(data_dir)?;
        let lock = Lock::take(data_dir)?;
        let evidence = Evidence::collect(data_dir);
        let identity = Identity::load(config)?;
        let tls = identity.tls()?;

        let listeners = Listeners::bind(config, &mut handover)?;
        let store = Store::open(data_dir)?;
        let secret = data_folder::credential_secret(data_dir)?;
        let relay = calls::start_relay(config, secret.clone(), &mut handover)?;
        handover.settle();

        let mut tasks = Tasks::new();
        let calls = Calls::start(config, store, relay, &mut tasks).await?;
        let addresses = listeners.addresses(calls.relay.udp_addrs());
        let site = Arc::new(Site::new(config, &identity, &calls, secret, &addresses));
        let reception = Reception::new(config, tls, calls.relay.handle(), tasks.stopping());
        let observed = Arc::new(Observed::new(config, &identity, &calls, &site, &reception));
        Shown::new(&site, &identity, &addresses).start(&mut tasks).await;
        watchdog::start(&calls, &reception, &addresses, &mut tasks)?;

        // From here on nothing can fail.
        identity.keep(config, evidence, !addresses.redirect.is_empty(), &mut tasks);
        reception.open(listeners, &site, &observed, &mut tasks);
        let (started_with, config) = (config.clone(), config.clone());
        let app = Self { addresses, identity, calls, doctor: site.page.doctor.clone(), tasks, lock, started_with, config };
        app.announce(&site);
        Ok(app)
    }

    /// Where the page, the API and the signaling answer.
    pub fn http_addresses(&self) -> &[SocketAddr] {
        &self.addresses.http
    }

    /// Where STUN and TURN answer over UDP.
    pub fn turn_addresses(&self) -> &[SocketAddr] {
        &self.addresses.turn_udp
    }

    /// The relay's door.
    pub fn relay(&self) -> RelayHandle {
        self.calls.relay.handle()
    }

    /// Where TURN answers over TCP.
    pub fn turn_tcp_addresses(&self) -> &[SocketAddr] {
        &self.addresses.turn_tcp
    }

    /// Where TURN answers over TLS, besides the addresses of the page.
    pub fn turn_tls_addresses(&self) -> &[SocketAddr] {
        &self.addresses.turn_tls
    }

    /// Where monitoring may ask.
    pub fn metrics_addresses(&self) -> &[SocketAddr] {
        &self.addresses.metrics
    }

    /// Looks at the certificate now, instead of within a minute. One that does not serve changes nothing.
    pub async fn renew_certificate(&self) {
        self.identity.renew().await;
    }

    /// Stops within [`SHUTDOWN_MAX`]: sockets are closed with a code that says why, times are written, the database is closed.
    pub async fn stop(self) {
        let _lock = self.lock;
        if tokio::time::timeout(SHUTDOWN_MAX, self.calls.stop(self.tasks)).await.is_err() {
            log::warn!(event = "shutdown_cut"; "the shutdown took too long and was cut short");
        }
    }

    fn announce(&self, site: &Site) {
        log::info!(event = "relay", shards = self.calls.relay.shards(); "the relay has so many threads");
        listeners::announce(&self.addresses);
        authority::announce(site.page.trust.as_deref(), self.identity.public_name.as_ref(), &self.identity.names());
    }
}

/// What systemd and the admin are promised.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(5);
const HTTPS: u16 = 443;
