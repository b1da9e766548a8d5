//! From live rooms to the relay and the records: whoever is out loses the relay at once, and what happened is written down.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::tasks::ticks;
use crate::hub::{RoomEvent, RoomEventKind};
use crate::mentoring::{Mentoring, Occurrence};
use crate::proto::id::RoomId;
use crate::proto::signal::LeaveReason;
use crate::relay::RelayHandle;
use crate::store::{StoreError, UnixMillis};

/// Tells the relay, which never makes anybody wait, and hands what happened on to be written down; runs until the hub is gone.
pub(super) async fn watch(relay: RelayHandle, mut events: mpsc::Receiver<RoomEvent>, records: mpsc::Sender<RoomEvent>) {
    while let Some(event) = events.recv().await {
        let RoomEvent { room, at, kind, source } = event;
        match (kind, source) {
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

/// Writes down what happens in order, at the time it happened, and every [`HEARTBEAT`] that the daemon runs; until nothing more can
/// happen and everything that did is written. While the disk refuses it tries again; once the daemon stops, one attempt more.
///
/// It begins with what the last run left open, since nothing new may be written before.
pub(super) async fn keep(mentoring: Mentoring, mut records: mpsc::Receiver<RoomEvent>) {
    if let Err(cause) = persist(|| mentoring.forget_presence(), || records.is_closed()).await {
        log::error!(event = "record_failed", cause:% = cause; "what the last run left open was not ended");
    }
    let mut heartbeat = ticks(Instant::now(), HEARTBEAT);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            taken = records.recv_many(&mut batch, BATCH_MAX) => {
                if taken == 0 || !write(&mentoring, &mut batch, &records).await {
                    return;
                }
            }
            _ = heartbeat.tick() => {
                // A disk that refuses says so elsewhere.
                let _ = mentoring.record_alive(UnixMillis::now()).await;
            }
        }
    }
}

/// Writes these down, in one commit; false if the daemon stops before the disk takes them.
async fn write(mentoring: &Mentoring, batch: &mut Vec<RoomEvent>, waiting: &mpsc::Receiver<RoomEvent>) -> bool {
    let happened: Vec<_> = batch.drain(..).map(happened).collect();
    let failed = match persist(|| mentoring.record(&happened), || waiting.is_closed()).await {
        Ok(failed) => failed,
        Err(cause) => {
            let gives_up = cause.is_passing();
            let lost = happened.len() + if gives_up { waiting.len() } else { 0 };
            log::error!(event = "records_lost", count = lost, cause:% = cause; "what happened in rooms was not written down");
            return !gives_up;
        }
    };
    for (place, cause) in failed {
        let (room, ..) = happened[place];
        log::error!(event = "record_failed", room:% = room, cause:% = cause; "what happened in a room was not written down");
    }
    true
}

/// Tries until it succeeds or fails for good; gives up at the first failure after `stopping`.
async fn persist<T, F>(write: impl Fn() -> F, stopping: impl Fn() -> bool) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait = RETRY_FIRST;
    loop {
        let last = stopping();
        match write().await {
            Err(cause) if cause.is_passing() && !last => {
                log::warn!(event = "record_waits", cause:% = cause; "what happened in a room waits for the disk");
            }
            written => return written,
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_MAX);
    }
}

fn happened(RoomEvent { room, at, kind, .. }: RoomEvent) -> (RoomId, UnixMillis, Occurrence) {
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
    (room, at.into(), occurrence)
}

/// What may wait for the disk: hours of a school's comings and goings.
pub(super) const RECORDS_MAX: usize = 65_536;
/// So many are written in one commit: a school that comes back at once waits for a few syncs, not for thousands.
const BATCH_MAX: usize = 256;
/// A crash costs an interval no more than this.
const HEARTBEAT: Duration = Duration::from_secs(15);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::SystemTime;

    use super::*;
    use crate::proto::id::{ConnectionId, ParticipantId, RoomId, SessionId, UserId};
    use crate::proto::signal::Role;
    use crate::store::{NewUser, Store, User};

    #[tokio::test(start_paused = true)]
    async fn a_record_is_tried_until_the_disk_takes_it() {
        let tries = Cell::new(0);
        let taken = || async {
            tries.set(tries.get() + 1);
            if tries.get() < 20 { Err(StoreError::DiskFull) } else { Ok(()) }
        };
        persist(taken, || false).await.unwrap();
        assert_eq!(tries.get(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_gives_a_refused_record_one_try_more_and_a_broken_record_has_one() {
        let tries = Cell::new(0);
        let refused = || async {
            tries.set(tries.get() + 1);
            assert!(tries.get() < 100, "tried for ever");
            Err::<(), _>(StoreError::Busy)
        };
        assert!(matches!(persist(refused, || tries.get() >= 3).await, Err(StoreError::Busy)));
        assert_eq!(tries.get(), 4);
        let broken = || async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Conflict)
        };
        assert!(matches!(persist(broken, || false).await, Err(StoreError::Conflict)));
        assert_eq!(tries.get(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_is_there_the_heartbeat_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (room, participant) = a_participant(&store).await;
        let (records, recorded) = mpsc::channel(8);
        let keeping = tokio::spawn(keep(Mentoring::new(store.clone()), recorded));
        let kind = RoomEventKind::Joined { participant, connection: ConnectionId::from_random([5; 16]) };
        records.send(RoomEvent { room, at: SystemTime::UNIX_EPOCH, kind, source: None }).await.unwrap();
        let mut seen = std::collections::BTreeSet::new();
        // Time is virtual, but for the disk's, which may take its own.
        let patience = std::time::Instant::now() + Duration::from_secs(60);
        while std::time::Instant::now() < patience {
            tokio::time::sleep(HEARTBEAT).await;
            let sql = "SELECT alive_at FROM daemon_heartbeat";
            seen.insert(store.read(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0))).await.unwrap());
            if seen.len() > 3 {
                break;
            }
        }
        assert!(seen.len() > 3, "{seen:?}");
        drop(records);
        keeping.await.unwrap();
    }

    async fn a_participant(store: &Store) -> (RoomId, ParticipantId) {
        let id = UserId::from_random([1; 16]);
        let user = User { id, username: "mara".to_owned(), display_name: "Mara".to_owned(), role: Role::Mentor };
        store.insert_user(NewUser { user, password_hash: String::new() }).await.unwrap();
        let session = SessionId::from_random([2; 16]);
        store.insert_session(session, id, id, "algebra".to_owned()).await.unwrap();
        let (room, _) = store.standing_room(session, RoomId::from_random([3; 16])).await.unwrap();
        let participant = ParticipantId::from_random([4; 16]);
        store.participant(room.id, id, Role::Mentor, participant).await.unwrap();
        (room.id, participant)
    }
}
