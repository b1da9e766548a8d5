//! What calls are made of, apart from the listeners: people and sessions in the database, live rooms in the hub, their relay, their records.

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::addresses::Place;
use super::sections::{hub_config, relay_config, shared_secret, signaling_limits};
use super::tasks::Tasks;
use super::{addresses, care, records};
use crate::accounts::Accounts;
use crate::config::Config;
use crate::hub::{self, HubHandle, RoomEvent};
use crate::mentoring::Mentoring;
use crate::proto::credential::{self, CredentialSecret};
use crate::relay::{self, Relay};
use crate::signaling::Signaling;
use crate::store::{Store, UnixMillis};
use crate::sys::handover::Handover;

/// The parts, wired.
pub(super) struct Calls {
    pub(super) store: Store,
    pub(super) relay: Relay,
    pub(super) accounts: Accounts,
    pub(super) mentoring: Mentoring,
    pub(super) hub: HubHandle,
    pub(super) signaling: Signaling,
    /// What waits to be written down.
    pub(super) records: mpsc::WeakSender<RoomEvent>,
}

impl Calls {
    /// Takes up what the last run left, then opens the live rooms.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(super) async fn start(config: &Config, store: Store, relay: Relay, tasks: &mut Tasks) -> Result<Self> {
        revoke_ended_rooms(&store, &relay).await?;
        let (mentoring, accounts) = (Mentoring::new(store.clone()), Accounts::new(store.clone()));
        forget_presence(&mentoring).await?;
        let (events, happened) = mpsc::channel(EVENTS_MAX);
        let (records, recorded) = mpsc::channel(records::RECORDS_MAX);
        let waiting = records.downgrade();
        let (hub, hub_task) = hub::spawn(hub_config(config), events);
        tasks.adopt(hub_task);
        tasks.spawn(records::watch(relay.handle(), happened, records));
        tasks.spawn(records::keep(mentoring.clone(), recorded));
        let mover = relay.handle();
        let moved = move |place: Place| mover.moved(&place.addresses, &place.networks);
        tasks.spawn(addresses::keep(Place::now, moved, tasks.stopping()));
        tasks.spawn(care::take(accounts.clone(), hub.clone(), tasks.stopping()));
        let signaling = Signaling::new(hub.clone(), signaling_limits(config));
        Ok(Self { store, relay, accounts, mentoring, hub, signaling, records: waiting })
    }

    /// Calls first, with a code that says why; then the tasks, the last records among them; then what they wrote to.
    pub(super) async fn stop(self, tasks: Tasks) {
        self.hub.shutdown().await;
        self.signaling.shutdown().await;
        tasks.stop().await;
        let relay = self.relay;
        let _ = tokio::task::spawn_blocking(move || relay.shutdown()).await;
        self.store.close().await;
    }
}

/// Binds the relay's sockets; it answers from now on, and its credentials are signed with `own`.
///
/// # Errors
/// An address cannot be had, or the secret of other software cannot be read.
pub(super) fn start_relay(config: &Config, own: CredentialSecret, handover: &mut Handover) -> Result<Relay> {
    let secrets = relay::Secrets { own, shared: shared_secret(config)? };
    let remedy = "free the port (ss -lnup shows who holds it), or change turn.listen-udp";
    Relay::start(relay_config(config), secrets, handover).with_context(|| format!("cannot start the relay: {remedy}"))
}

/// Credentials outlive a restart, so the ends of rooms do too.
async fn revoke_ended_rooms(store: &Store, relay: &Relay) -> Result<()> {
    for (room, at) in store.rooms_ended_since(UnixMillis::now().before(credential::LIFETIME)).await? {
        relay.handle().revoke_room(at.into(), room);
    }
    Ok(())
}

/// Nobody is in a room yet. A disk that takes no writes now may take them later, and meanwhile there are calls to be made.
async fn forget_presence(mentoring: &Mentoring) -> Result<()> {
    match mentoring.forget_presence().await {
        Err(cause) if cause.is_passing() => {
            log::warn!(event = "disk_refuses", cause:% = cause; "starting without tidying up");
            Ok(())
        }
        tidied => Ok(tidied?),
    }
}

const EVENTS_MAX: usize = 4096;
