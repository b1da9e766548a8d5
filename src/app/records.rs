//! From live rooms to the relay and the records: whoever is out loses the relay at once, and what happened is written down.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::hub::{RoomEvent, RoomEventKind};
use crate::mentoring::{Mentoring, Occurrence};
use crate::proto::signal::LeaveReason;
use crate::relay::RelayHandle;
use crate::store::UnixMillis;

/// Tells the relay, which never makes anybody wait, and hands what happened on to be written down; runs until the hub is gone. Where
/// sockets are `proxied`, all come from the proxy, so the relay is not told where members are.
pub(super) async fn watch(
    relay: RelayHandle,
    proxied: bool,
    mut events: mpsc::Receiver<RoomEvent>,
    records: mpsc::Sender<RoomEvent>,
) {
    while let Some(event) = events.recv().await {
        let RoomEvent { room, at, kind, source } = event;
        match (kind, source.filter(|_| !proxied)) {
            (RoomEventKind::Joined { participant, .. } | RoomEventKind::Resumed { participant, .. }, Some(ip)) => {
                relay.observe(room, participant, ip);
            }
            // Credentials tell seconds apart; whoever is sent out must not have one of this very second left.
            (RoomEventKind::Left { participant, reason: LeaveReason::Kicked | LeaveReason::Unattended }, _) => {
                relay.revoke_seat(at + Duration::from_secs(1), room, participant);
            }
            (RoomEventKind::Left { participant, .. }, _) => relay.revoke_seat(at, room, participant),
            (RoomEventKind::Ended { .. }, _) => relay.revoke_room(at, room),
            _ => {}
        }
        if let Err(cause) = records.try_send(event) {
            log::error!(event = "records_behind", room:% = room, cause:% = cause; "what happened in a room was not written down");
        }
    }
}

/// Runs until nothing more can happen and everything that did is written.
pub(super) async fn keep(mentoring: Mentoring, mut records: mpsc::Receiver<RoomEvent>) {
    while let Some(RoomEvent { room, at, kind, .. }) = records.recv().await {
        let occurrence = match kind {
            RoomEventKind::Joined { participant, .. } => Occurrence::Joined(participant),
            RoomEventKind::Disconnected { participant } => Occurrence::Online(participant, false),
            RoomEventKind::Resumed { participant, .. } => Occurrence::Online(participant, true),
            RoomEventKind::Left { participant, reason } => Occurrence::Left(participant, reason),
            RoomEventKind::Moderator { participant, moderator } => Occurrence::Moderator(participant, moderator),
            RoomEventKind::Locked { locked } => Occurrence::Locked(locked),
            RoomEventKind::Active => Occurrence::Active,
            RoomEventKind::Ended { reason } => Occurrence::Ended(reason),
        };
        log::info!(event = "room", room:% = room, occurrence:? = occurrence; "a room changed");
        if let Err(cause) = mentoring.record(room, UnixMillis::from(at), occurrence).await {
            log::error!(event = "record_failed", room:% = room, cause:% = cause; "what happened in a room was not written down");
        }
    }
}
