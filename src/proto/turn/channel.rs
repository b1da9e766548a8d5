//! Channels: short names for peers (RFC 8656 section 12). One number names one peer, one peer has one number.

use std::time::{Duration, Instant};

use super::PeerAddr;

/// The channels of one allocation. A call has a handful, so a walk beats a hash.
#[derive(Debug, Default, Clone)]
pub(super) struct Channels {
    entries: Vec<Channel>,
}

#[derive(Debug, Clone, Copy)]
struct Channel {
    number: u16,
    peer: PeerAddr,
    until: Instant,
}

/// Why a channel was not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BindError {
    /// The number names another peer, the peer has another number, or either did within [`HOLD`].
    Taken,
    /// Every place is taken.
    TableFull,
}

impl Channels {
    /// The peer a number names.
    pub(super) fn peer(&self, now: Instant, number: u16) -> Option<PeerAddr> {
        self.entries.iter().find(|channel| channel.number == number && channel.until > now).map(|channel| channel.peer)
    }

    /// The number that names a peer.
    pub(super) fn number(&self, now: Instant, peer: PeerAddr) -> Option<u16> {
        self.entries.iter().find(|channel| channel.peer == peer && channel.until > now).map(|channel| channel.number)
    }

    /// Whether a number names a peer, or did within [`HOLD`].
    pub(super) fn holds(&self, now: Instant, number: u16) -> bool {
        self.entries.iter().any(|channel| channel.number == number && channel.until + HOLD > now)
    }

    /// Binds or refreshes; no more than `max` are bound or held at once.
    pub(super) fn bind(&mut self, now: Instant, number: u16, peer: PeerAddr, max: usize) -> Result<(), BindError> {
        self.entries.retain(|channel| channel.until + HOLD > now);
        let full = self.entries.len() >= max;
        match self.entries.iter_mut().find(|channel| channel.number == number || channel.peer == peer) {
            Some(channel) if channel.number == number && channel.peer == peer => channel.until = now + LIFETIME,
            Some(_) => return Err(BindError::Taken),
            None if full => return Err(BindError::TableFull),
            None => self.entries.push(Channel { number, peer, until: now + LIFETIME }),
        }
        Ok(())
    }
}

/// RFC 8656 section 12 ends at 0x4FFF, but clients of RFC 5766, coturn's among them, take any up to 0x7FFF, and no listener of
/// this server carries what those first bytes could be taken for.
pub(super) const NUMBERS: std::ops::RangeInclusive<u16> = 0x4000..=0x7FFF;
/// RFC 8656 section 12.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);
/// How long an expired binding keeps number and peer from others (RFC 8656 section 12.1).
pub(super) const HOLD: Duration = Duration::from_secs(300);
