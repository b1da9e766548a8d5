//! What systemd is told (`sd_notify`); without systemd, nothing happens.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use sd_notify::NotifyState;

/// Start-up is done: sockets answer.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is read again; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(cause) => warn(Err(cause)),
    }
}

/// Within which time systemd wants to hear of life again and again; `None`: it does not.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// The daemon has just seen that it lives.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Shutdown has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Has this socket kept over a restart of the daemon, under a name; one that is kept already stays once (sd_pid_notify_with_fds(3)).
pub fn keep(name: &str, socket: BorrowedFd<'_>) {
    // Whether a socket still serves is for the daemon to say: an error on it is no reason to drop it.
    let states = [NotifyState::FdStore, NotifyState::FdName(name), NotifyState::Custom("FDPOLL=0")];
    warn(sd_notify::notify_with_fds(&states, &[socket]));
}

/// Has no socket of this name kept any more.
pub fn forget(name: &str) {
    tell(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)]);
}

fn tell(states: &[NotifyState<'_>]) {
    warn(sd_notify::notify(states));
}

fn warn(told: std::io::Result<()>) {
    if let Err(cause) = told {
        log::warn!(event = "notify_failed", cause:% = cause; "systemd could not be told");
    }
}
