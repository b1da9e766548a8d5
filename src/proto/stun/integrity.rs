//! Keys of long-term credentials and what they sign (RFC 8489 sections 9.2.2, 14.5, 14.6, 18.5).

use std::fmt;

use ring::{digest, hmac};
use stun::attributes::{ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_PASSWORD_ALGORITHMS};
use stun::integrity::MessageIntegrity;
use stun::message::{Message, Setter};
use subtle::ConstantTimeEq;

use super::view::{ATTRIBUTE_HEADER, HEADER};

/// How a password becomes a key (RFC 8489 section 18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordAlgorithm {
    /// 1
    Md5,
    /// 2
    Sha256,
}

/// The key of a username and password in a realm, and how answers are signed with it; its `Debug` shows nothing.
#[derive(Clone)]
pub struct IntegrityKey {
    pub(super) bytes: MessageIntegrity,
    negotiated: Option<PasswordAlgorithm>,
}

/// PASSWORD-ALGORITHMS as this server sends it (RFC 8489 section 14.11): the better one first, neither has parameters.
///
/// ```text
/// | SHA-256 = 2 (16) | no parameters (16) | MD5 = 1 (16) | no parameters (16) |
/// ```
#[derive(Debug)]
pub(super) struct PasswordAlgorithms;

impl PasswordAlgorithm {
    /// The algorithm of PASSWORD-ALGORITHM's value (RFC 8489 section 14.12).
    pub(super) const fn read(value: &[u8]) -> Option<Self> {
        match value {
            [0, 1, 0, 0] => Some(Self::Md5),
            [0, 2, 0, 0] => Some(Self::Sha256),
            _ => None,
        }
    }
}

impl PasswordAlgorithms {
    pub(super) const VALUE: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];
}

impl Setter for PasswordAlgorithms {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(ATTR_PASSWORD_ALGORITHMS, &Self::VALUE);
        Ok(())
    }
}

impl IntegrityKey {
    /// The key under the algorithm that was negotiated; `None` is MD5 and MESSAGE-INTEGRITY, as browsers have it.
    ///
    /// Passwords are base64 here, which OpaqueString (RFC 8265 section 4.2) leaves as it is; the realm is taken as configured.
    pub fn long_term(negotiated: Option<PasswordAlgorithm>, username: &str, realm: &str, password: &str) -> Self {
        let bytes = match negotiated {
            Some(PasswordAlgorithm::Sha256) => {
                let text = [username, realm, password].join(":");
                MessageIntegrity(digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec())
            }
            Some(PasswordAlgorithm::Md5) | None => {
                MessageIntegrity::new_long_term_integrity(username.to_owned(), realm.to_owned(), password.to_owned())
            }
        };
        Self { bytes, negotiated }
    }

    /// What it was made under.
    pub const fn negotiated(&self) -> Option<PasswordAlgorithm> {
        self.negotiated
    }

    /// Whether MESSAGE-INTEGRITY-SHA256, of this value and at the end of `message`, was made with this key; compares in constant time.
    pub(super) fn holds_sha256(&self, message: &[u8], value: &[u8]) -> bool {
        let sound = (SHA256_MIN..=SHA256).contains(&value.len()) && value.len().is_multiple_of(4);
        let Some(before) = message.len().checked_sub(ATTRIBUTE_HEADER + value.len()).filter(|_| sound) else { return false };
        self.sha256(&message[..before]).as_ref()[..value.len()].ct_eq(value).into()
    }

    /// HMAC-SHA256 over what comes before the attribute, whose header's length already counts it (RFC 8489 section 14.6).
    fn sha256(&self, before: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.bytes.0), before)
    }
}

impl Setter for IntegrityKey {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        if self.negotiated.is_none() {
            // RFC 8489 section 9.2.4: MESSAGE-INTEGRITY for who negotiated nothing, MESSAGE-INTEGRITY-SHA256 for everybody else.
            return self.bytes.add_to(message);
        }
        let length = u16::try_from(message.raw.len() - HEADER + ATTRIBUTE_HEADER + SHA256).unwrap_or(u16::MAX);
        message.raw[2..4].copy_from_slice(&length.to_be_bytes());
        let tag = self.sha256(&message.raw);
        message.add(ATTR_MESSAGE_INTEGRITY_SHA256, tag.as_ref());
        Ok(())
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(..)")
    }
}

/// Whole; what is sent always is.
const SHA256: usize = 32;
/// The least that a truncated one may have.
const SHA256_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8489 appendix B.1 as erratum 6268 mends it.
    const SHA256_REQUEST: &str = "000100902112a44278ad3433c6ad72c029da412e001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704\
        001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473410000000014000b6578616d706c652e6f726700\
        001d000400020000001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65";
    const USERNAME: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";

    #[test]
    fn the_sha_256_vector_of_rfc_8489_holds() {
        let message = unhex(SHA256_REQUEST);
        let value = &message[message.len() - 32..];
        assert!(key("TheMatrIX").holds_sha256(&message, value));
        assert!(!key("TheMatrIY").holds_sha256(&message, value));
    }

    #[test]
    fn the_userhash_of_the_vector_is_of_username_and_realm() {
        let hash = digest::digest(&digest::SHA256, [USERNAME, "example.org"].join(":").as_bytes());
        assert_eq!(hash.as_ref(), &unhex(SHA256_REQUEST)[24..56]);
    }

    #[test]
    fn what_this_key_signs_it_holds_for() {
        let mut message = Message::new();
        message.write_header();
        key("TheMatrIX").add_to(&mut message).unwrap();
        let value = message.get(ATTR_MESSAGE_INTEGRITY_SHA256).unwrap();
        assert_eq!((value.len(), message.raw[2..4].to_vec()), (32, vec![0, 36]));
        assert!(key("TheMatrIX").holds_sha256(&message.raw, &value));
    }

    fn key(password: &str) -> IntegrityKey {
        IntegrityKey::long_term(Some(PasswordAlgorithm::Sha256), USERNAME, "example.org", password)
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }
}
