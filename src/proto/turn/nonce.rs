//! Stateless nonces: a time and a signature over it and the client's address, so that nothing is kept for a source
//! that has proved nothing (RFC 8489 section 9.2).
//!
//! ```text
//! "obMatJos2" | base64(security features (3)) | base64url( seconds since start (4) | HMAC-SHA256(key, seconds, ip, port) cut to 14 )
//! ```

use std::net::IpAddr;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::hmac;

use super::ClientAddr;

/// Makes and proves nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    key: hmac::Key,
    started: Instant,
}

impl Nonces {
    pub(super) fn new(key: &[u8; 32], started: Instant) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), started }
    }

    /// A nonce for this client alone.
    pub(super) fn issue(&self, now: Instant, client: ClientAddr) -> String {
        let seconds = self.seconds(now);
        let mut nonce = [0; BYTES];
        nonce[..4].copy_from_slice(&seconds.to_be_bytes());
        nonce[4..].copy_from_slice(&self.signature(seconds, client));
        COOKIE.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(nonce)
    }

    /// Whether this server issued the nonce to this client within [`LIFETIME`].
    pub(super) fn is_fresh(&self, now: Instant, client: ClientAddr, nonce: &[u8]) -> bool {
        // A cookie with a bit taken out is no longer this server's: who bids security down is noticed (RFC 8489 section 9.2.1).
        let Some(nonce) = nonce.strip_prefix(COOKIE.as_bytes()) else { return false };
        let Ok(nonce) = BASE64_URL_SAFE_NO_PAD.decode(nonce) else { return false };
        let Ok(nonce) = <[u8; BYTES]>::try_from(nonce) else { return false };
        let seconds = u32::from_be_bytes([nonce[0], nonce[1], nonce[2], nonce[3]]);
        let age = self.seconds(now).checked_sub(seconds);
        let expected = self.signature(seconds, client);
        // No secret is compared: whoever guesses a signature gains a nonce, which anybody is given for the asking.
        nonce[4..] == expected && age.is_some_and(|age| u64::from(age) <= LIFETIME.as_secs())
    }

    fn seconds(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.started).as_secs()).unwrap_or(u32::MAX)
    }

    fn signature(&self, seconds: u32, client: ClientAddr) -> [u8; BYTES - 4] {
        let mut text = [0; 22];
        text[..4].copy_from_slice(&seconds.to_be_bytes());
        let ip = match client.0.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        text[4..20].copy_from_slice(&ip.octets());
        text[20..].copy_from_slice(&client.0.port().to_be_bytes());
        let tag = hmac::sign(&self.key, &text);
        let mut signature = [0; BYTES - 4];
        signature.copy_from_slice(&tag.as_ref()[..BYTES - 4]);
        signature
    }
}

/// The nonce cookie with one security feature, password algorithms: bit 0, counted from the right as erratum 6290 has it.
/// Username anonymity, bit 1, is not set, since no username can be told from its hash here.
const COOKIE: &str = "obMatJos2AAAB";
/// 24 characters.
const BYTES: usize = 18;
/// A refresh later than this costs one more round trip.
const LIFETIME: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_holds_for_its_client_and_its_time() {
        let start = instant();
        let nonces = Nonces::new(&[1; 32], start);
        let client = ClientAddr("192.0.2.1:1000".parse().unwrap());
        let nonce = nonces.issue(start, client);
        assert_eq!((nonce.len(), &nonce[..13]), (37, COOKIE));
        assert!(nonces.is_fresh(start + LIFETIME, client, nonce.as_bytes()));
        assert!(!nonces.is_fresh(start + LIFETIME + Duration::from_secs(1), client, nonce.as_bytes()), "too old");
        for other in ["192.0.2.2:1000", "192.0.2.1:1001", "[2001:db8::1]:1000"] {
            assert!(!nonces.is_fresh(start, ClientAddr(other.parse().unwrap()), nonce.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_nonce_whose_security_features_were_changed_is_stale() {
        let start = instant();
        let client = ClientAddr("192.0.2.1:1000".parse().unwrap());
        let nonces = Nonces::new(&[1; 32], start);
        let nonce = nonces.issue(start, client);
        for changed in [nonce.replacen("AAAB", "AAAA", 1), nonce.replacen("AAAB", "AAAD", 1), nonce[13..].to_owned()] {
            assert!(!nonces.is_fresh(start, client, changed.as_bytes()), "{changed}");
        }
    }

    #[test]
    fn another_server_s_nonce_and_no_nonce_at_all_are_stale() {
        let start = instant();
        let client = ClientAddr("192.0.2.1:1000".parse().unwrap());
        let nonce = Nonces::new(&[1; 32], start).issue(start, client);
        let other = Nonces::new(&[2; 32], start);
        for nonce in [nonce.as_bytes(), b"", b"!!!", &[0xFF; 24], b"AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(!other.is_fresh(start, client, nonce));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do, and there is no other way to have one")]
    fn instant() -> Instant {
        Instant::now()
    }
}
