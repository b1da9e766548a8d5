//! From live rooms to the records and the relay: what happened is written down, and whoever is out loses the relay.

use tokio::sync::mpsc;

use crate::hub::{RoomEvent, RoomEventKind};
use crate::mentoring::{Mentoring, Occurrence};
use crate::relay::RelayHandle;
use crate::store::UnixMillis;

/// Runs until the hub is gone and everything it said is written. Where sockets are `proxied`, all come from the proxy, so it is not told
/// where members are.
pub(super) async fn keep(mentoring: Mentoring, relay: RelayHandle, proxied: bool, mut events: mpsc::Receiver<RoomEvent>) {
    while let Some(RoomEvent { room, at, kind, source }) = events.recv().await {
        let source = source.filter(|_| !proxied);
        if let (Some(ip), RoomEventKind::Joined { participant, .. } | RoomEventKind::Resumed { participant, .. }) = (source, kind)
        {
            relay.observe(room, participant, ip);
        }
        let occurrence = match kind {
            RoomEventKind::Joined { participant, .. } => Occurrence::Joined(participant),
            RoomEventKind::Disconnected { participant } => Occurrence::Online(participant, false),
            RoomEventKind::Resumed { participant, .. } => Occurrence::Online(participant, true),
            RoomEventKind::Left { participant, .. } => {
                relay.revoke_seat(at, room, participant);
                Occurrence::Left(participant)
            }
            RoomEventKind::Active => Occurrence::Active,
            RoomEventKind::Ended { reason } => {
                relay.revoke_room(at, room);
                Occurrence::Ended(reason)
            }
        };
        log::info!(event = "room", room:% = room, occurrence:? = occurrence; "a room changed");
        if let Err(cause) = mentoring.record(room, UnixMillis::from(at), occurrence).await {
            log::error!(event = "record_failed", room:% = room, cause:% = cause; "what happened in a room was not written down");
        }
    }
}
