//! What is seen to now and then: sockets of logins that have ended elsewhere, logins that are stale, guests whose names are to be forgotten.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::tasks::ticks;
use crate::accounts::Accounts;
use crate::hub::HubHandle;
use crate::sys::signals::stopped;

/// Runs until the daemon stops.
pub(super) async fn take(accounts: Accounts, hub: HubHandle, mut stopping: watch::Receiver<bool>) {
    let now = Instant::now();
    let (mut logins, mut leftovers) = (ticks(now, LOGINS_EVERY), ticks(now, LEFTOVERS_EVERY));
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = logins.tick() => close_ended_logins(&accounts, &hub).await,
            _ = leftovers.tick() => forget_leftovers(&accounts).await,
        }
    }
}

/// A password changed on the command line, a guest sent out, a login that expired: their sockets are nobody's.
///
/// Only what has no row any more counts. A login that is too old loses its row when it is used or with the leftovers: a clock that
/// jumps ahead for a moment drops nobody from a call.
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::hub::{self, Entry, Inbox, LobbyPolicy, Member, Outgoing};
    use crate::proto::id::{LoginId, ParticipantId, RoomId, UserId};
    use crate::proto::signal::{ClientMessage, CloseCode, Participant, Role};
    use crate::store::{NewUser, Store, UnixMillis, User};

    #[tokio::test(start_paused = true)]
    async fn the_sockets_of_a_login_close_once_its_row_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = UserId::from_random([1; 16]);
        let user = User { id, username: "mara".to_owned(), display_name: "Mara".to_owned(), role: Role::Mentor };
        store.insert_user(NewUser { user, password_hash: String::new() }).await.unwrap();
        assert!(store.insert_login_session([1; 32], (id, String::new()), UnixMillis::now()).await.unwrap());
        let (events, _happened) = tokio::sync::mpsc::channel(64);
        let (hub, _task) = hub::spawn(config(), events);
        let (mut here, mut gone) = (seated(&hub, 1).await, seated(&hub, 2).await);
        let (stop, stopping) = watch::channel(false);
        let caring = tokio::spawn(take(Accounts::new(store.clone()), hub, stopping));
        assert_eq!(close_code(&mut gone).await, Some(CloseCode::SignedOut));
        tokio::time::sleep(3 * LOGINS_EVERY).await;
        assert_eq!(close_code(&mut here).now_or_never(), None, "its row is there");
        store.delete_login_session([1; 32]).await.unwrap();
        assert_eq!(close_code(&mut here).await, Some(CloseCode::SignedOut));
        stop.send(true).unwrap();
        caring.await.unwrap();
    }

    fn config() -> hub::Config {
        hub::Config {
            participants_max: 4,
            reconnect_grace: Duration::from_secs(45),
            unattended_grace: Duration::from_secs(120),
            lobby: LobbyPolicy::Off,
            refused_messages_max: 16,
            outbox_bytes_max: 65_536,
        }
    }

    /// Somebody in a room of their own, by a login whose token has the hash `[n; 32]`.
    async fn seated(hub: &HubHandle, n: u8) -> Inbox {
        let participant = Participant {
            participant_id: ParticipantId::from_random([n; 16]),
            display_name: "Mara".to_owned(),
            role: Role::Mentor,
        };
        let member = Member {
            participant,
            user: UserId::from_random([n; 16]),
            login: LoginId::from_random([n; 16]),
            source: Some([10, 0, 0, n].into()),
            entry: Entry::default(),
        };
        let (connection, inbox) = hub.open(RoomId::from_random([n; 16]), member).await.unwrap();
        hub.said(connection, Ok(ClientMessage::Hello { versions: vec![2] })).await;
        hub.said(connection, Ok(ClientMessage::Join { resume: None, takeover: false })).await;
        inbox
    }

    async fn close_code(inbox: &mut Inbox) -> Option<CloseCode> {
        loop {
            match inbox.next().await {
                Some(Outgoing::Text(_)) => {}
                Some(Outgoing::Close(code)) => return Some(code),
                None => return None,
            }
        }
    }
}
