//! The watchdog: systemd is told that the daemon lives only after every part of it has answered (sd_notify(3), WATCHDOG=1).
//!
//! A disk that is full, read-only or locked is an answer: calls go on without it. A part that says nothing is a hang, which a restart ends.

mod doors;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use super::calls::Calls;
use super::listeners::Addresses;
use super::reception::Reception;
use super::tasks::Tasks;
use crate::http::Listening;
use crate::hub::HubHandle;
use crate::relay::RelayHandle;
use crate::store::Store;
use crate::sys::notify;
use crate::sys::signals::stopped;
use crate::tls;
use doors::{Door, For};

/// A part of the daemon that must answer.
struct Part {
    name: String,
    ask: Ask,
    /// How long it may say nothing before the daemon counts as hung.
    patience: Duration,
    answered: Instant,
}

type Ask = Arc<dyn Fn() -> Answer + Send + Sync>;
type Answer = std::pin::Pin<Box<dyn Future<Output = bool> + Send>>;

impl Part {
    fn new<F>(name: impl Into<String>, patience: Duration, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Self { name: name.into(), ask: Arc::new(move || Box::pin(ask())), patience, answered: Instant::now() }
    }
}

/// Watches over the daemon until it stops, if systemd wants to hear of it.
///
/// # Errors
/// The cryptography does not have what is asked of it.
pub(super) fn start(calls: &Calls, reception: &Reception, addresses: &Addresses, tasks: &mut Tasks) -> Result<()> {
    let Some(period) = notify::watchdog() else { return Ok(()) };
    let parts = parts(&calls.hub, &calls.relay.handle(), &calls.store, doors(reception, addresses, period)?);
    tasks.spawn(watch(parts, period, notify::alive, tasks.stopping()));
    Ok(())
}

/// One of each kind of listener that there is.
fn doors(reception: &Reception, addresses: &Addresses, period: Duration) -> Result<Vec<Door>> {
    let own = TlsConnector::from(tls::client_of_anybody()?);
    let doors = [
        (&addresses.http, For::Http, &reception.page),
        (&addresses.redirect, For::Http, &reception.plain),
        (&addresses.turn_tcp, For::Turn, &reception.turn_tcp),
        (&addresses.turn_tls, For::Turn, &reception.turn_tls),
    ];
    let door = |(addresses, speaks, listening): (&Vec<_>, _, &Listening)| {
        let tls = listening.tls.as_ref().map(|_| own.clone());
        Door::first(addresses, tls, speaks, &listening.connections, period)
    };
    Ok(doors.into_iter().filter_map(door).collect())
}

/// What the daemon is made of: rooms, relay, database, and the doors that browsers come in by.
fn parts(hub: &HubHandle, relay: &RelayHandle, store: &Store, doors: Vec<Door>) -> Vec<Part> {
    let (hub, relay, writer, reader) = (hub.clone(), relay.clone(), store.clone(), store.clone());
    let mut parts = vec![
        Part::new("rooms", Duration::ZERO, move || {
            let hub = hub.clone();
            async move { hub.census().await.is_some() }
        }),
        Part::new("relay", Duration::ZERO, move || {
            let relay = relay.clone();
            async move { relay.counters().await.is_some() }
        }),
        Part::new("database writer", DISK_PATIENCE, move || {
            let store = writer.clone();
            async move { store.writer_answers().await }
        }),
        Part::new("database readers", DISK_PATIENCE, move || {
            let store = reader.clone();
            async move { store.reader_answers().await }
        }),
    ];
    for door in doors {
        let door = Arc::new(door);
        parts.push(Part::new(door.to_string(), LOAD_PATIENCE, move || Arc::clone(&door).answers()));
    }
    parts
}

/// Asks every part twice in each `period` and calls `alive` when all have answered, until the daemon stops. What says nothing is named in
/// the log, and asked again soon.
async fn watch(mut parts: Vec<Part>, period: Duration, alive: impl Fn(), mut stopping: watch::Receiver<bool>) {
    loop {
        let begun = Instant::now();
        let silent = tokio::select! {
            silent = silent(&mut parts, period / 3) => silent,
            () = stopped(&mut stopping) => return,
        };
        for name in &silent {
            log::error!(event = "self_check_failed", part = name.as_str(); "a part of the daemon does not answer: systemd restarts it unless it soon does");
        }
        if silent.is_empty() {
            alive();
        }
        let pause = if silent.is_empty() { (period / 2).saturating_sub(begun.elapsed()) } else { period / 15 };
        tokio::select! {
            () = sleep(pause) => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

/// The names of those that have said nothing for longer than may be.
async fn silent(parts: &mut [Part], limit: Duration) -> Vec<String> {
    let mut asked = JoinSet::new();
    for (place, part) in parts.iter().enumerate() {
        let ask = Arc::clone(&part.ask);
        asked.spawn(async move { (place, timeout(limit, ask()).await.unwrap_or(false)) });
    }
    let mut silent = Vec::new();
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok((place, true)) => parts[place].answered = Instant::now(),
            Ok((place, false)) if parts[place].answered.elapsed() >= parts[place].patience => {
                silent.push(parts[place].name.clone())
            }
            Ok(_) => {}
            Err(_) => silent.push("a self-check".to_owned()),
        }
    }
    silent
}

/// Whoever floods the doors with handshakes has a small box answer late, and a restart would end the calls that go on beside.
const LOAD_PATIENCE: Duration = Duration::from_secs(60);
/// A memory card may be busy with itself for many seconds, and no restart makes it faster.
const DISK_PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_daemon_whose_parts_answer_is_alive_twice_a_period() {
        assert_eq!(signs_of_life(vec![answering(), answering()], 10).await, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_hangs_or_is_gone_is_no_life() {
        let hanging = Part::new("hanging", Duration::ZERO, std::future::pending);
        let gone = Part::new("gone", Duration::ZERO, || std::future::ready(false));
        let broken = Part::new("broken", Duration::ZERO, || async { panic!("on purpose") });
        for part in [hanging, gone, broken] {
            assert_eq!(signs_of_life(vec![answering(), part], 10).await, 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_may_be_silent_for_as_long_as_its_patience() {
        let slow = Part::new("slow", 3 * PERIOD, std::future::pending);
        let signs = signs_of_life(vec![answering(), slow], 10).await;
        assert!((4..=6).contains(&signs), "{signs}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_recovers_is_alive_again_within_a_period() {
        let well = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&well);
        let part = Part::new("recovering", Duration::ZERO, move || std::future::ready(asked.load(Ordering::Relaxed)));
        let signs = Arc::new(AtomicUsize::new(0));
        let (_stop, stopping) = watch::channel(false);
        let counted = Arc::clone(&signs);
        let watching = tokio::spawn(watch(vec![part], PERIOD, move || count(&counted), stopping));
        sleep(3 * PERIOD).await;
        assert_eq!(signs.load(Ordering::Relaxed), 0);
        well.store(true, Ordering::Relaxed);
        sleep(PERIOD / 10).await;
        assert_eq!(signs.load(Ordering::Relaxed), 1);
        watching.abort();
    }

    fn answering() -> Part {
        Part::new("answering", Duration::ZERO, || std::future::ready(true))
    }

    /// How often such a daemon says that it lives, in so many periods.
    async fn signs_of_life(parts: Vec<Part>, periods: u32) -> usize {
        let signs = AtomicUsize::new(0);
        let (_stop, stopping) = watch::channel(false);
        let watching = watch(parts, PERIOD, || count(&signs), stopping);
        let _ = timeout(periods * PERIOD - Duration::from_millis(1), watching).await;
        signs.load(Ordering::Relaxed)
    }

    fn count(signs: &AtomicUsize) {
        signs.fetch_add(1, Ordering::Relaxed);
    }

    const PERIOD: Duration = Duration::from_secs(15);
}
