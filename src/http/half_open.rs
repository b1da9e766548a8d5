//! Connections that have said nothing yet: no TLS handshake, no request. Whoever opens many of them loses the oldest of their own.
//!
//! A source may be a whole school, so what counts is not how many connections it has, but how many have stood there silently for a while.
//! Refusing newcomers instead would let one pupil lock out all the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// The silent connections of some listeners; clones share them.
#[derive(Clone)]
pub struct HalfOpen {
    silent: Arc<Mutex<Silent>>,
    per_source_max: usize,
}

/// A connection that has said nothing; dropped once it has.
pub(super) struct Newcomer {
    number: u64,
    silent: Arc<Mutex<Silent>>,
}

/// Comes if the connection has to make room.
pub(super) struct Eviction(oneshot::Receiver<()>);

#[derive(Default)]
struct Silent {
    next: u64,
    /// By number, so the oldest first.
    connections: BTreeMap<u64, Connection>,
    by_source: HashMap<IpAddr, BTreeSet<u64>>,
}

struct Connection {
    source: IpAddr,
    since: Instant,
    evict: oneshot::Sender<()>,
}

impl HalfOpen {
    /// A source may have `per_source_max` connections that have been silent for longer than a moment.
    pub fn new(per_source_max: usize) -> Self {
        Self { silent: Arc::default(), per_source_max }
    }

    /// A connection was accepted; where its source has too many, the oldest of them goes.
    pub(super) fn enter(&self, source: IpAddr, now: Instant) -> (Newcomer, Eviction) {
        let source = network(source);
        let mut silent = lock(&self.silent);
        if silent.by_source.get(&source).is_some_and(|own| own.len() >= self.per_source_max) {
            let oldest = silent.by_source.get(&source).and_then(|own| own.first().copied());
            silent.evict(oldest, now);
        }
        let number = silent.next;
        silent.next += 1;
        let (evict, evicted) = oneshot::channel();
        silent.connections.insert(number, Connection { source, since: now, evict });
        silent.by_source.entry(source).or_default().insert(number);
        (Newcomer { number, silent: Arc::clone(&self.silent) }, Eviction(evicted))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        lock(&self.silent).connections.len()
    }

    /// Makes room for others when places or file descriptors run out: the oldest of all goes. False if none has been silent for long.
    pub(super) fn evict_oldest(&self, now: Instant) -> bool {
        let mut silent = lock(&self.silent);
        let oldest = silent.connections.first_key_value().map(|(number, _)| *number);
        silent.evict(oldest, now)
    }
}

impl Eviction {
    /// Never comes once the connection has said something.
    pub(super) async fn evicted(self) {
        if self.0.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Silent {
    fn evict(&mut self, number: Option<u64>, now: Instant) -> bool {
        let of_age = |connection: &Connection| now.saturating_duration_since(connection.since) >= MOMENT;
        let Some(number) = number.filter(|number| self.connections.get(number).is_some_and(of_age)) else { return false };
        self.remove(number).is_some_and(|evict| evict.send(()).is_ok())
    }

    fn remove(&mut self, number: u64) -> Option<oneshot::Sender<()>> {
        let Connection { source, evict, .. } = self.connections.remove(&number)?;
        if let Some(own) = self.by_source.get_mut(&source) {
            own.remove(&number);
            if own.is_empty() {
                self.by_source.remove(&source);
            }
        }
        Some(evict)
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        lock(&self.silent).remove(self.number);
    }
}

/// An IPv6 site has a /56 to choose addresses from.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !0 << 72).into(),
    }
}

fn lock(silent: &Mutex<Silent>) -> MutexGuard<'_, Silent> {
    silent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handshake and a request that are on their way have this long; who is younger is never sent away.
const MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_a_source_makes_room_for_its_next() {
        let (half_open, now) = (HalfOpen::new(2), Instant::now());
        let (_first, mut first) = half_open.enter(source("192.0.2.1"), now);
        let (_second, mut second) = half_open.enter(source("192.0.2.1"), now);
        let (_other, mut other) = half_open.enter(source("192.0.2.2"), now);
        let (_third, mut third) = half_open.enter(source("192.0.2.1"), now + MOMENT);
        assert_eq!(first.0.try_recv(), Ok(()));
        for standing in [&mut second, &mut other, &mut third] {
            assert_eq!(standing.0.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        }
    }

    #[test]
    fn a_class_that_comes_at_once_is_let_in() {
        let (half_open, now) = (HalfOpen::new(2), Instant::now());
        let mut class: Vec<_> = (0..300).map(|_| half_open.enter(source("192.0.2.1"), now)).collect();
        assert!(class.iter_mut().all(|(_, eviction)| eviction.0.try_recv() == Err(oneshot::error::TryRecvError::Empty)));
    }

    #[test]
    fn who_has_said_something_counts_no_more() {
        let (half_open, now) = (HalfOpen::new(1), Instant::now());
        let (newcomer, mut eviction) = half_open.enter(source("192.0.2.1"), now);
        drop(newcomer);
        let _next = half_open.enter(source("192.0.2.1"), now + MOMENT);
        assert_eq!(eviction.0.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(lock(&half_open.silent).connections.len(), 1);
    }

    #[test]
    fn when_everything_is_taken_the_oldest_of_all_goes() {
        let (half_open, now) = (HalfOpen::new(9), Instant::now());
        let (_first, mut first) = half_open.enter(source("192.0.2.1"), now);
        let (_second, _) = half_open.enter(source("192.0.2.2"), now + MOMENT);
        assert!(!half_open.evict_oldest(now), "nobody has been silent for long");
        assert!(half_open.evict_oldest(now + MOMENT));
        assert_eq!(first.0.try_recv(), Ok(()));
        assert!(!half_open.evict_oldest(now + MOMENT));
    }

    #[test]
    fn addresses_of_one_ipv6_site_are_one_source() {
        let (half_open, now) = (HalfOpen::new(1), Instant::now());
        let (_first, mut first) = half_open.enter(source("2001:db8:0:1::1"), now);
        let _second = half_open.enter(source("2001:db8:0:ff::2"), now + MOMENT);
        assert_eq!(first.0.try_recv(), Ok(()));
    }

    fn source(ip: &str) -> IpAddr {
        ip.parse().unwrap()
    }
}
