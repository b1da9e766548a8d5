//! Time-limited TURN credentials (draft-uberti-behave-turn-rest-00).
//!
//! ```text
//! username = expiry ":" room ":" participant      minted by this box, keyed with its own secret
//! username = expiry ":" anything                  minted by other software, keyed with `turn.shared-secret`
//! password = base64(HMAC-SHA1(secret, username))
//! ```
//! `expiry` is in Unix seconds. Nothing is stored: the relay recomputes the password from the username.

use std::fmt;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ring::hmac;

use super::id::{ParticipantId, RoomId};

/// How long a minted credential makes allocations. What is allocated lives on: a long call survives its credential.
pub const LIFETIME: Duration = Duration::from_secs(3600);

/// The secret that signs credentials; its `Debug` shows nothing.
#[derive(Clone)]
pub struct CredentialSecret(hmac::Key);

/// A username and password for one allocation's lifetime.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:room:participant` or `expiry:anything`.
    pub username: String,
    /// base64 of 20 bytes.
    pub password: String,
}

/// What a username says once its form is proved. Who holds the password is proved by MESSAGE-INTEGRITY alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Since the Unix epoch; no Allocate is granted after it.
    pub expiry: Duration,
    /// The seat the credential belongs to; `None` for one minted by other software.
    pub seat: Option<(RoomId, ParticipantId)>,
}

impl CredentialSecret {
    /// A secret of any length; this box's own has 32 random bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, bytes))
    }

    /// The credential of a seat for [`LIFETIME`] from `now` (since the Unix epoch) on.
    pub fn mint(&self, now: Duration, room: RoomId, participant: ParticipantId) -> Credential {
        let username = format!("{}:{room}:{participant}", (now + LIFETIME).as_secs());
        let password = self.password(&username);
        Credential { username, password }
    }

    /// The password that belongs to `username`.
    pub fn password(&self, username: &str) -> String {
        BASE64_STANDARD.encode(hmac::sign(&self.0, username.as_bytes()))
    }
}

impl Claim {
    /// Reads a username; `None` if it has neither of the two forms.
    pub fn parse(username: &str) -> Option<Self> {
        let (expiry, rest) = username.split_once(':')?;
        let expiry = Duration::from_secs(expiry.parse().ok()?);
        let seat = rest.split_once(':').and_then(|(room, participant)| Some((room.parse().ok()?, participant.parse().ok()?)));
        Some(Self { expiry, seat })
    }
}

impl fmt::Debug for CredentialSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialSecret(..)")
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_username_names_its_expiry_and_seat() {
        let (room, participant) = (RoomId::from_random([1; 16]), ParticipantId::from_random([2; 16]));
        let credential = CredentialSecret::new(b"secret").mint(Duration::from_secs(1_700_000_000) - LIFETIME, room, participant);
        let claim = Claim { expiry: Duration::from_secs(1_700_000_000), seat: Some((room, participant)) };
        assert_eq!(Claim::parse(&credential.username), Some(claim));
    }

    #[test]
    fn the_password_is_that_of_the_rest_draft() {
        // printf %s 1700000000:alice | openssl dgst -sha1 -hmac secret -binary | base64
        assert_eq!(CredentialSecret::new(b"secret").password("1700000000:alice"), "d8soP47RbdIKLDUOpnJPVQyq5Ts=");
    }

    #[test]
    fn neither_form_is_no_claim() {
        for username in ["", "alice", ":alice", "soon:alice"] {
            assert_eq!(Claim::parse(username), None, "{username:?}");
        }
    }

    #[test]
    fn no_debug_shows_a_secret() {
        let secret = CredentialSecret::new(b"secret");
        let credential = secret.mint(Duration::ZERO, RoomId::from_random([1; 16]), ParticipantId::from_random([2; 16]));
        assert_eq!(format!("{secret:?}"), "CredentialSecret(..)");
        assert!(!format!("{credential:?}").contains(&credential.password));
    }
}
