//! WebSockets of rooms: let in, kept alive, kept within bounds.
//!
//! Owns sockets and their tasks; what is said goes to `hub` and comes from there. Driven by `http`, which has proved login, host
//! and membership before. Knows nothing of rooms beyond their names.

mod accept;
mod connection;
mod rate;
mod socket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::hub::HubHandle;
use crate::proto::id::UserId;

pub use accept::{AcceptError, Upgrading, upgrade};
pub use socket::{Ended, Socket};

/// The bounds of a socket.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a message; one more closes with 1009.
    pub message_bytes_max: usize,
    /// Sustained rate.
    pub messages_per_second: u32,
    /// At once.
    pub messages_burst: u32,
    /// Sockets of one person.
    pub sockets_per_user: usize,
    /// How often the server pings.
    pub ping_interval: Duration,
    /// Silence after which a socket is dead.
    pub dead_after: Duration,
}

/// Lets sockets in and keeps them; clones share everything.
#[derive(Clone)]
pub struct Signaling {
    hub: HubHandle,
    limits: Arc<Mutex<Limits>>,
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Signaling {
    /// Sockets for this hub.
    pub fn new(hub: HubHandle, limits: Limits) -> Self {
        Self { hub, limits: Arc::new(Mutex::new(limits)), open: Arc::default(), tasks: Arc::default() }
    }

    /// Other bounds, for sockets that open from here on.
    pub fn reconfigure(&self, limits: Limits) {
        *lock(&self.limits) = limits;
    }

    /// Waits for every socket's task; the hub's shutdown has closed them before.
    pub async fn shutdown(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        let joined = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_MAX, joined).await.is_err() {
            log::warn!(event = "sockets_cut"; "some sockets did not close in time");
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Counts a socket of this person until the place is dropped; `None` if there are too many.
    fn take_place(&self, user: UserId) -> Option<Place> {
        let max = lock(&self.limits).sockets_per_user;
        let mut open = lock(&self.open);
        let count = open.entry(user).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Place { user, open: Arc::clone(&self.open) })
    }
}

/// One of the sockets a person may hold.
struct Place {
    user: UserId,
    open: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHUTDOWN_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
