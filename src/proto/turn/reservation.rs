//! Reservations: the odd port of a pair, kept for whoever brings its token (RFC 8656 sections 7.2 and 18.10).

use std::fmt;
use std::time::Duration;

use ring::hmac;

use super::authentication::Identity;
use super::{AddressFamily, RelayAddr};

/// What names a reservation; nobody guesses it, and its `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ReservationToken(pub(super) [u8; 8]);

/// A relayed address without a client.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) token: ReservationToken,
    /// Who made it; nobody else may have it.
    pub(super) identity: Identity,
    pub(super) family: AddressFamily,
    /// `None` while the driver binds it.
    pub(super) relay: Option<RelayAddr>,
}

/// Makes tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    key: hmac::Key,
    shard: u8,
    issued: u64,
}

impl Tokens {
    pub(super) fn new(key: &[u8; 32], shard: u8) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), shard, issued: 0 }
    }

    /// One that was never issued before, by no shard.
    pub(super) fn issue(&mut self) -> ReservationToken {
        self.issued += 1;
        // The words keep it apart from what else the key signs.
        let tag = hmac::sign(&self.key, &[b"reservation token", &[self.shard][..], &self.issued.to_be_bytes()].concat());
        let mut token = [0; 8];
        token.copy_from_slice(&tag.as_ref()[..8]);
        ReservationToken(token)
    }
}

impl fmt::Debug for ReservationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReservationToken(..)")
    }
}

/// The least that RFC 8656 section 7.2 allows, and enough for the second Allocate of a pair.
pub(super) const LIFETIME: Duration = Duration::from_secs(30);
