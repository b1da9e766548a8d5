//! What is seen to now and then: sockets of logins that have ended elsewhere, logins that are stale, guests whose names are to be forgotten.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::accounts::Accounts;
use crate::hub::HubHandle;

/// Runs until the daemon stops.
pub(super) async fn take(accounts: Accounts, hub: HubHandle, mut stopping: watch::Receiver<bool>) {
    let every = |period| {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let (mut logins, mut leftovers) = (every(LOGINS_EVERY), every(LEFTOVERS_EVERY));
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = logins.tick() => close_ended_logins(&accounts, &hub).await,
            _ = leftovers.tick() => forget_leftovers(&accounts).await,
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A password changed on the command line, a guest sent out, a login that expired: their sockets are nobody's.
async fn close_ended_logins(accounts: &Accounts, hub: &HubHandle) {
    // A disk that cannot be read says nothing against anybody.
    for login in accounts.ended_logins(hub.logins().await).await.unwrap_or_default() {
        hub.close_login(login).await;
    }
}

async fn forget_leftovers(accounts: &Accounts) {
    let forgotten = async {
        accounts.forget_stale_logins().await?;
        accounts.forget_guests().await
    };
    match forgotten.await {
        Ok(0) => {}
        Ok(guests) => log::info!(event = "guests_forgotten", count = guests; "the names of guests were forgotten"),
        Err(cause) => log::warn!(event = "leftovers_kept", cause:% = cause; "logins and guests were not tidied up"),
    }
}

const LOGINS_EVERY: Duration = Duration::from_secs(15);
const LEFTOVERS_EVERY: Duration = Duration::from_secs(3600);
