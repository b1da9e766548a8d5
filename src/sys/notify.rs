//! What systemd is told (`sd_notify`); without systemd, nothing happens.

use sd_notify::NotifyState;

/// Start-up is done: sockets answer.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Shutdown has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        log::warn!(event = "notify_failed", cause:% = cause; "systemd could not be told");
    }
}
