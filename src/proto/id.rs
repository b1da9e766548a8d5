//! Identifiers: 128 random bits each, written as 32 lower-case hexadecimal digits.
//!
//! Unguessable, but never a secret: every access is checked against membership, whoever knows an id.

use std::fmt;
use std::str::FromStr;

/// Text is not the 32 lower-case hexadecimal digits of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 lower-case hexadecimal digits")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The identifier made of 16 random bytes.
            pub const fn from_random(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }

            /// Its 16 bytes.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(/// A person with an account.
    UserId);
id!(/// A mentoring session: what a student requests and a mentor accepts.
    SessionId);
id!(/// A video-call room of a mentoring session.
    RoomId);
id!(/// A person's membership of one room: stable over tabs, sockets and reconnections.
    ParticipantId);
id!(/// A login session: the first half of the SHA-256 of its token.
    LoginId);
id!(/// A link by which guests come to a session; its token is another thing.
    InvitationId);
id!(/// One WebSocket: new with every connection.
    ConnectionId);

fn parse(text: &str) -> Result<u128, InvalidId> {
    let canonical = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !canonical {
        return Err(InvalidId);
    }
    u128::from_str_radix(text, 16).map_err(|_| InvalidId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_own_text() {
        let id = RoomId::from_random([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn only_the_canonical_text_is_an_id() {
        let canonical = RoomId::from_random([0xab; 16]).to_string();
        for text in ["", "ab", "+b", &canonical.to_uppercase(), &format!("{canonical}0"), &format!("+{}", &canonical[1..])] {
            assert_eq!(text.parse::<RoomId>(), Err(InvalidId), "{text:?}");
        }
    }
}
