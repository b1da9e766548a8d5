//! The composition root: binds, wires, spawns, and waits for the shutdown. The only place that knows everyone.

mod authority;
mod care;
mod certificate;
mod examination;
mod observation;
mod records;
mod reload;
mod renewal;
mod sections;
mod setup;
mod watchdog;

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::accounts::{Accounts, Setup};
use crate::config::Config;
use crate::config::checked::Tls;
use crate::data::Lock;
use crate::doctor::{Doctor, Listeners};
use crate::http::{self, Counted, Diverted, HalfOpen, Hosts, Http, IceServers, Listener, Listening};
use crate::hub::{self, HubHandle};
use crate::mentoring::Mentoring;
use crate::proto::credential::{self, CredentialSecret};
use crate::relay::{self, Relay, RelayHandle};
use crate::signaling::Signaling;
use crate::store::{Store, UnixMillis};
use crate::sys::handover::Handover;
use crate::sys::{entropy, names, notify};
use crate::tls::{self, Certificates, acme};
use observation::Observed;
use watchdog::{Door, For};

pub use examination::subject;
pub use sections::relay_limits;
use sections::{hub_config, relay_config, shared_secret, signaling_limits};
pub use setup::setup_links;

/// A daemon whose sockets answer.
pub struct App {
    http: Vec<SocketAddr>,
    redirect: Vec<SocketAddr>,
    turn_tcp: Vec<SocketAddr>,
    turn_tls: Vec<SocketAddr>,
    metrics: Vec<SocketAddr>,
    certificates: Option<Arc<Certificates>>,
    public_name: Option<String>,
    /// Has the ACME task look at once.
    hurry: Arc<Notify>,
    relay: Relay,
    store: Store,
    /// Last of all: another program may use the folder once everything is written.
    lock: Lock,
    doctor: Doctor,
    hub: HubHandle,
    signaling: Signaling,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
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
        let public_name = config.server.public_name.clone();
        let names = certificate::names(public_name.as_ref());
        make_data_dir(&config.server.data_dir)?;
        let lock = Lock::take(&config.server.data_dir)?;
        let evidence = acme::Evidence::collect(&config.server.data_dir);
        let certificates =
            certificate::source(config).map(|source| Certificates::load(source, &names).map(Arc::new)).transpose()?;
        let tls = certificates.as_ref().map(|certificates| certificates.server_config()).transpose()?;
        let http_listeners = bind(&config.http.listen, "http.listen", &mut handover)?;
        let redirect_listeners = bind(&config.http.redirect_listen, "http.redirect-listen", &mut handover)?;
        let turn_tcp_listeners = bind(&config.turn.listen_tcp, "turn.listen-tcp", &mut handover)?;
        let turn_tls_listeners = bind(&config.turn.listen_tls, "turn.listen-tls", &mut handover)?;
        let https_port = config.http.public_port.or_else(|| first_port(&http_listeners)).unwrap_or(HTTPS);
        let metrics_listeners = observation::bind(&config.metrics.listen, &mut handover);
        let store = Store::open(&config.server.data_dir)?;
        let secret = CredentialSecret::new(&credential_secret(&config.server.data_dir)?);
        let relay = start_relay(config, secret.clone(), &mut handover)?;
        handover.settle();

        // Credentials outlive a restart, so the ends of rooms do too.
        for (room, at) in store.rooms_ended_since(UnixMillis::now().before(credential::LIFETIME)).await? {
            relay.handle().revoke_room(at.into(), room);
        }
        let mentoring = Mentoring::new(store.clone());
        let accounts = Accounts::new(store.clone());
        // A disk that takes no writes now may take them later, and meanwhile there are calls to be made.
        match mentoring.forget_presence().await {
            Err(cause) if cause.is_passing() => {
                log::warn!(event = "disk_refuses", cause:% = cause; "starting without tidying up")
            }
            tidied => tidied?,
        }
        let (events, happened) = mpsc::channel(EVENTS_MAX);
        let (records, recorded) = mpsc::channel(records::RECORDS_MAX);
        let (hub, hub_task) = hub::spawn(hub_config(config), events);
        let records_waiting = records.downgrade();
        let watching = tokio::spawn(records::watch(relay.handle(), happened, records));
        let recording = tokio::spawn(records::keep(mentoring.clone(), recorded));
        let signaling = Signaling::new(hub.clone(), signaling_limits(config));
        let hosts = Hosts::new(names.dns.clone());
        let (stopping, stopped) = watch::channel(false);
        let caring = tokio::spawn(care::take(accounts.clone(), hub.clone(), stopped.clone()));
        let counted = Arc::<Counted>::default();
        let addresses = |listeners: &[Listener]| listeners.iter().map(Listener::address).collect::<Vec<_>>();
        let (http, redirect) = (addresses(&http_listeners), addresses(&redirect_listeners));
        let (turn_tcp, turn_tls) = (addresses(&turn_tcp_listeners), addresses(&turn_tls_listeners));
        let listeners = Listeners {
            http: http.clone(),
            redirect: redirect.clone(),
            turn_udp: relay.udp_addrs().to_vec(),
            turn_tcp: turn_tcp.clone(),
            turn_tls: turn_tls.clone(),
            metrics: config.metrics.listen.clone(),
        };
        let setup = Setup::new(accounts.clone(), &config.server.data_dir);
        let trust = authority::trust(certificates.as_ref(), https_port, first_port(&redirect_listeners));
        let doctor = examination::doctor(config, listeners);
        let service = Arc::new(Http {
            counted: Arc::clone(&counted),
            accounts,
            setup: setup.clone(),
            mentoring,
            hub: hub.clone(),
            signaling: signaling.clone(),
            hosts: hosts.clone(),
            doctor: doctor.clone(),
            proxies: http::Proxies { trusted: config.http.trusted_proxies.clone(), required: matches!(config.tls, Tls::Off) },
            https_port: if matches!(config.tls, Tls::Off) { config.http.public_port.unwrap_or(HTTPS) } else { https_port },
            trust: trust.clone(),
            ice: IceServers {
                secret,
                tls_name: certificate::tls_name(config),
                udp_ports: udp_ports(relay.udp_addrs()),
                tcp_port: first_port(&turn_tcp_listeners),
                tls_port: tls.as_ref().and(Some(https_port)),
                relay_only: config.turn.relay_only,
            },
            https_alone: certificate::https_alone(certificates.as_ref()),
            body_bytes_max: config.limits.body_bytes_max,
            body_timeout: config.limits.header_timeout.0,
        });

        let plain = Listening {
            tls: None,
            header_timeout: config.limits.header_timeout.0,
            connections: Arc::new(Semaphore::new(config.limits.connections_max)),
            half_open: HalfOpen::new(config.limits.half_open_per_source),
            divert: None,
            stopping: stopped.clone(),
        };
        let to_relay = divert_to(relay.handle());
        let secure = Listening { tls, divert: Some(Arc::clone(&to_relay)), ..plain.clone() };
        let mut shown = setup::Shown::new(setup, public_name.clone(), http.clone(), https_port);
        // Before systemd is told that the daemon is ready, so that the console can be drawn anew then.
        shown.look().await;
        let showing = tokio::spawn(shown.keep(stopped.clone()));
        let mut tasks = vec![hub_task, watching, recording, caring, showing];
        if let Some(certificates) = &certificates {
            let public_name = public_name.clone();
            let names = move || certificate::names(public_name.as_ref());
            tasks.push(tokio::spawn(renewal::keep(Arc::clone(certificates), names, stopped.clone())));
        }
        let hurry = Arc::new(Notify::new());
        let challenges = certificates.as_ref().map(|certificates| certificates.challenges()).unwrap_or_default();
        if let (Tls::Acme(acme), Some(certificates)) = (&config.tls, &certificates) {
            let settings = certificate::acme_settings(acme, &config.server.data_dir, !redirect.is_empty());
            let certificates = Arc::clone(certificates);
            tasks.push(tokio::spawn(certificate::issue(settings, certificates, evidence, Arc::clone(&hurry), stopped)));
        }
        for listener in http_listeners {
            let service = Arc::clone(&service);
            tasks.push(tokio::spawn(
                listener.serve(secure.clone(), move |source, request| Arc::clone(&service).handle(source, request)),
            ));
        }
        for listener in redirect_listeners {
            let (hosts, challenges, trust) = (hosts.clone(), Arc::clone(&challenges), trust.clone());
            let answer = move |_, request| {
                let challenge = http::acme::challenge(&request, |token| challenges.key_authorization(token));
                std::future::ready(challenge.unwrap_or_else(|| http::plain(&hosts, https_port, trust.as_deref(), &request)))
            };
            tasks.push(tokio::spawn(listener.serve(plain.clone(), answer)));
        }
        // Streams to the relay have places of their own: whoever takes them all leaves the page alone.
        let places = Arc::new(Semaphore::new(config.limits.connections_max / 2));
        let half_open = HalfOpen::new(config.limits.half_open_per_source);
        if let Some(period) = notify::watchdog() {
            let own = TlsConnector::from(tls::client_of_itself()?);
            let by_tls = |has_tls: bool| has_tls.then(|| own.clone());
            let doors = [
                Door::first(&http, by_tls(secure.tls.is_some()), For::Http, &plain.connections, period),
                Door::first(&redirect, None, For::Http, &plain.connections, period),
                Door::first(&turn_tcp, None, For::Turn, &places, period),
                Door::first(&turn_tls, by_tls(true), For::Turn, &places, period),
            ];
            let parts = watchdog::parts(&hub, &relay.handle(), &store, doors.into_iter().flatten().collect());
            tasks.push(tokio::spawn(watchdog::watch(parts, period, notify::alive, plain.stopping.clone())));
        }
        let observed = Arc::new(Observed {
            started: Instant::now(),
            hub: hub.clone(),
            relay: relay.handle(),
            store: store.clone(),
            records: records_waiting,
            counted,
            places: Arc::clone(&plain.connections),
            places_max: config.limits.connections_max,
            half_open: vec![plain.half_open.clone(), half_open.clone()],
            certificates: certificates.clone(),
        });
        let metrics = addresses(&metrics_listeners);
        for listener in metrics_listeners {
            let (observed, own) = (Arc::clone(&observed), HalfOpen::new(observation::PLACES));
            let listening = plain.clone().with_places(&Arc::new(Semaphore::new(observation::PLACES)), &own);
            let service = move |_, request| {
                let observed = Arc::clone(&observed);
                http::monitoring(request, || observed.snapshot())
            };
            tasks.push(tokio::spawn(listener.serve(listening, service)));
        }
        let (plain, secure) = (plain.with_places(&places, &half_open), secure.with_places(&places, &half_open));
        for (listeners, listening) in [(turn_tcp_listeners, plain), (turn_tls_listeners, secure)] {
            for listener in listeners {
                tasks.push(tokio::spawn(listener.divert(listening.clone(), Arc::clone(&to_relay))));
            }
        }
        let (started_with, config) = (config.clone(), config.clone());
        let app = Self {
            http,
            redirect,
            turn_tcp,
            turn_tls,
            metrics,
            certificates,
            public_name,
            hurry,
            relay,
            store,
            lock,
            doctor,
            hub,
            signaling,
            stopping,
            tasks,
            started_with,
            config,
        };
        app.announce();
        let public_name = app.public_name.as_ref();
        authority::announce(trust.as_deref(), public_name, &certificate::names(public_name));
        Ok(app)
    }

    /// Where the page, the API and the signaling answer.
    pub fn http_addresses(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Where STUN and TURN answer over UDP.
    pub fn turn_addresses(&self) -> &[SocketAddr] {
        self.relay.udp_addrs()
    }

    /// The relay's door.
    pub fn relay(&self) -> RelayHandle {
        self.relay.handle()
    }

    /// Where TURN answers over TCP.
    pub fn turn_tcp_addresses(&self) -> &[SocketAddr] {
        &self.turn_tcp
    }

    /// Where TURN answers over TLS, besides the addresses of the page.
    pub fn turn_tls_addresses(&self) -> &[SocketAddr] {
        &self.turn_tls
    }

    /// Where monitoring may ask.
    pub fn metrics_addresses(&self) -> &[SocketAddr] {
        &self.metrics
    }

    /// Looks at the certificate now, instead of within a minute. One that does not serve changes nothing.
    pub async fn renew_certificate(&self) {
        if let Some(certificates) = &self.certificates {
            renewal::renew(certificates, certificate::names(self.public_name.as_ref())).await;
            self.hurry.notify_one();
        }
    }

    /// Stops within [`SHUTDOWN_MAX`]: sockets are closed with a code that says why, times are written, the database is closed.
    pub async fn stop(self) {
        let _lock = self.lock;
        let orderly = async {
            self.hub.shutdown().await;
            self.signaling.shutdown().await;
            let _ = self.stopping.send(true);
            for task in self.tasks {
                let _ = task.await;
            }
            let relay = self.relay;
            let _ = tokio::task::spawn_blocking(move || relay.shutdown()).await;
            self.store.close().await;
        };
        if tokio::time::timeout(SHUTDOWN_MAX, orderly).await.is_err() {
            log::warn!(event = "shutdown_cut"; "the shutdown took too long and was cut short");
        }
    }

    fn announce(&self) {
        let listening = |what: &str, addresses: &[SocketAddr]| {
            for address in addresses {
                log::info!(event = "listening", what = what, address:% = address; "listening");
            }
        };
        log::info!(event = "relay", shards = self.relay.shards(); "the relay has so many threads");
        listening("https", &self.http);
        listening("redirect", &self.redirect);
        listening("turn-udp", self.relay.udp_addrs());
        listening("turn-tcp", &self.turn_tcp);
        listening("turn-tls", &self.turn_tls);
        listening("metrics", &self.metrics);
    }
}

/// Makes the data folder, for its owner alone, if there is none.
///
/// # Errors
/// What could not be made, with its remedy.
pub fn make_data_dir(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| {
        format!("cannot make {}: make it and give it to the daemon's user, or set server.data-dir", path.display())
    })
}

/// Listens everywhere it was asked to; a box without IPv6 does without its IPv6 listeners.
fn bind(addresses: &[SocketAddr], key: &str, handover: &mut Handover) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        match handover.tcp(*address).map_or_else(|| Listener::bind(*address), Listener::adopt) {
            Ok(listener) => {
                handover.keep(listener.socket());
                listeners.push(listener);
            }
            Err(cause) if names::is_without_ipv6(*address, &cause) => {
                log::warn!(event = "no_ipv6", address:% = address; "this box has no IPv6, so nothing listens there");
            }
            Err(cause) => {
                let remedy = "free the port (ss -lntp shows who holds it), or change the key";
                return Err(cause).with_context(|| format!("cannot listen on {address} ({key}): {remedy}"));
            }
        }
    }
    Ok(listeners)
}

/// The first port, and 443 where it is another one: more would slow browsers down.
fn udp_ports(addresses: &[SocketAddr]) -> Vec<u16> {
    let ports = || addresses.iter().map(SocketAddr::port);
    let first = ports().next();
    first.into_iter().chain(ports().find(|port| *port == HTTPS && first != Some(HTTPS))).collect()
}

fn first_port(listeners: &[Listener]) -> Option<u16> {
    listeners.first().map(|listener| listener.address().port())
}

/// Streams that speak TURN go to the relay, whichever listener accepted them.
fn divert_to(relay: RelayHandle) -> http::Divert {
    Arc::new(move |Diverted { socket, tls, said, place }| {
        relay.adopt(relay::NewStream { socket, tls, said, place: Box::new(place) })
    })
}

/// The secret that signs TURN credentials: made once, so that they outlive a restart.
fn credential_secret(data_dir: &Path) -> Result<Vec<u8>> {
    let path = data_dir.join("turn.key");
    let context = || format!("cannot use {}: give it to the daemon's user, or delete it to have it made anew", path.display());
    match std::fs::read(&path) {
        Ok(secret) if secret.len() >= SECRET_BYTES => Ok(secret),
        _ => {
            let secret: [u8; SECRET_BYTES] = entropy::random();
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)
                .with_context(context)?;
            std::io::Write::write_all(&mut file, &secret).with_context(context)?;
            Ok(secret.to_vec())
        }
    }
}

fn start_relay(config: &Config, own: CredentialSecret, handover: &mut Handover) -> Result<Relay> {
    let secrets = relay::Secrets { own, shared: shared_secret(config)? };
    let remedy = "free the port (ss -lnup shows who holds it), or change turn.listen-udp";
    Relay::start(relay_config(config), secrets, handover).with_context(|| format!("cannot start the relay: {remedy}"))
}

/// What systemd and the admin are promised.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(5);
const EVENTS_MAX: usize = 4096;
const HTTPS: u16 = 443;
const SECRET_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_the_first_udp_port_and_443() {
        for (listening, told) in [
            (&["0.0.0.0:3478", "[::]:3478"][..], &[3478][..]),
            (&["0.0.0.0:3478", "0.0.0.0:5000", "0.0.0.0:443", "[::]:443"], &[3478, 443]),
            (&["0.0.0.0:443", "0.0.0.0:3478"], &[443]),
            (&[], &[]),
        ] {
            let addresses: Vec<SocketAddr> = listening.iter().map(|address| address.parse().unwrap()).collect();
            assert_eq!(udp_ports(&addresses), told, "{listening:?}");
        }
    }
}
