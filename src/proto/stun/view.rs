//! A STUN message whose bounds are proved, read where it lies.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|     Message type          |         Message length        |
//! |                     Magic cookie 0x2112A442                   |
//! |                 Transaction id (96 bits)                      |
//! |        Type                   |         Length                |  attributes, each padded
//! |        Value ...                                              |  to four bytes
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use stun::attributes::{ATTR_FINGERPRINT, ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256};
use stun::fingerprint::fingerprint_value;

/// RFC 8489 section 5: 96 bits that the client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// Bytes are no STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a STUN message")]
pub struct Malformed;

/// A message with a whole header, whole attributes and, if it carries one, a true FINGERPRINT.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    bytes: &'a [u8],
}

/// One attribute, by its place in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u16,
    /// Of its header, from the message's first byte.
    pub(super) offset: usize,
    pub(super) value: &'a [u8],
}

impl<'a> MessageView<'a> {
    /// Proves the bounds of a datagram (RFC 8489 sections 5, 6.3 and 14.7).
    ///
    /// # Errors
    /// Whatever is not exactly one message.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or(Malformed)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let cookie = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let sound = header[0] < 64 && cookie == MAGIC_COOKIE && length.is_multiple_of(4) && bytes.len() == HEADER + length;
        if !sound {
            return Err(Malformed);
        }
        let view = Self { bytes };
        view.prove_attributes()?;
        Ok(view)
    }

    fn prove_attributes(&self) -> Result<(), Malformed> {
        let mut walk = Walk { bytes: self.bytes, offset: HEADER };
        for _ in 0..ATTRIBUTES_MAX {
            match walk.next() {
                Some(attribute) if attribute.kind == ATTR_FINGERPRINT.0 => return self.prove_fingerprint(&attribute),
                Some(_) => {}
                None if walk.offset == self.bytes.len() => return Ok(()),
                None => return Err(Malformed),
            }
        }
        Err(Malformed)
    }

    /// FINGERPRINT is the last attribute, over everything before it.
    fn prove_fingerprint(&self, attribute: &Attribute<'_>) -> Result<(), Malformed> {
        let is_last = attribute.offset + ATTRIBUTE_HEADER + 4 == self.bytes.len();
        let expected = fingerprint_value(&self.bytes[..attribute.offset]).to_be_bytes();
        if is_last && attribute.value == expected { Ok(()) } else { Err(Malformed) }
    }

    /// Method and class in their wire form (RFC 8489 section 5).
    pub fn message_type(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// Names the request that a reply answers.
    pub fn transaction_id(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER]);
        TransactionId(id)
    }

    /// Whether it carries a FINGERPRINT; it is true then.
    pub fn has_fingerprint(&self) -> bool {
        Walk { bytes: self.bytes, offset: HEADER }.any(|attribute| attribute.kind == ATTR_FINGERPRINT.0)
    }

    /// The attributes that count: after MESSAGE-INTEGRITY none does but MESSAGE-INTEGRITY-SHA256, after that none at all (RFC 8489
    /// sections 14.5 and 14.6).
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let (mut signed, mut over) = (false, false);
        let counting = move |attribute: &Attribute<'_>| {
            let is_last = attribute.kind == ATTR_MESSAGE_INTEGRITY_SHA256.0;
            let counts = !over && (!signed || is_last);
            signed |= attribute.kind == ATTR_MESSAGE_INTEGRITY.0;
            over |= is_last;
            counts
        };
        let before_fingerprint = |attribute: &Attribute<'_>| attribute.kind != ATTR_FINGERPRINT.0;
        Walk { bytes: self.bytes, offset: HEADER }.take_while(before_fingerprint).filter(counting)
    }

    /// The message up to and with the last attribute that counts; its length field still names the whole.
    pub(super) fn counting_bytes(&self) -> &'a [u8] {
        let end =
            self.attributes().last().map_or(HEADER, |last| last.offset + ATTRIBUTE_HEADER + last.value.len().next_multiple_of(4));
        &self.bytes[..end]
    }
}

/// Walks over attributes until the bytes end or break off.
struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let rest = self.bytes.get(self.offset..)?;
        let header: &[u8; ATTRIBUTE_HEADER] = rest.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let value = rest.get(ATTRIBUTE_HEADER..ATTRIBUTE_HEADER + length.next_multiple_of(4))?;
        let attribute =
            Attribute { kind: u16::from_be_bytes([header[0], header[1]]), offset: self.offset, value: &value[..length] };
        self.offset += ATTRIBUTE_HEADER + value.len();
        Some(attribute)
    }
}

pub(super) const MAGIC_COOKIE: u32 = 0x2112_A442;
pub(super) const HEADER: usize = 20;
pub(super) const ATTRIBUTE_HEADER: usize = 4;
/// More than any client sends; bounds the work for one datagram.
const ATTRIBUTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_exactly_its_length() {
        let message = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
        let view = MessageView::parse(&message).unwrap();
        assert_eq!((view.message_type(), view.transaction_id()), (1, TransactionId([7; 12])));
        assert!(MessageView::parse(&message[..19]).is_err());
        assert!(MessageView::parse(&[&message[..], &[0; 4]].concat()).is_err());
    }

    #[test]
    fn a_wrong_cookie_length_or_attribute_is_refused() {
        let with =
            |length: u8, cookie: u8, rest: &[u8]| [&[0, 1, 0, length, 0x21, 0x12, 0xA4, cookie][..], &[7; 12], rest].concat();
        assert!(MessageView::parse(&with(8, 0x42, &[0x80, 0x22, 0, 4, 1, 2, 3, 4])).is_ok());
        assert!(MessageView::parse(&with(8, 0x43, &[0x80, 0x22, 0, 4, 1, 2, 3, 4])).is_err(), "cookie");
        assert!(MessageView::parse(&with(8, 0x42, &[0x80, 0x22, 0, 5, 1, 2, 3, 4])).is_err(), "attribute past the end");
        assert!(MessageView::parse(&with(6, 0x42, &[0x80, 0x22, 0, 2, 1, 2])).is_err(), "no padding");
        assert!(MessageView::parse(&with(4, 0x42, &[0x80, 0x28, 0, 0])).is_err(), "empty fingerprint");
    }

    #[test]
    fn attributes_after_message_integrity_do_not_count() {
        let integrity = [&[0, 8, 0, 20][..], &[9; 20]].concat();
        let lifetime = [0, 0x0D, 0, 4, 0, 0, 0, 0];
        let length = (8 + 24 + 8) as u8;
        let head = [&[0, 4, 0, length, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
        let message = [&head[..], &[0x80, 0x22, 0, 4, 1, 2, 3, 4], &integrity, &lifetime].concat();
        let view = MessageView::parse(&message).unwrap();
        assert_eq!(view.attributes().map(|a| a.kind).collect::<Vec<_>>(), [0x8022, 8]);
        assert_eq!(view.counting_bytes().len(), 20 + 8 + 24);
    }

    #[test]
    fn between_the_two_integrities_and_after_the_second_nothing_counts() {
        let (one, two) = ([&[0, 8, 0, 20][..], &[9; 20]].concat(), [&[0, 0x1C, 0, 32][..], &[9; 32]].concat());
        let lifetime = [0, 0x0D, 0, 4, 0, 0, 0, 0];
        let kinds = |parts: &[&[u8]]| {
            let attributes = parts.concat();
            let head = [&[0, 4, 0, attributes.len() as u8, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
            let message = [head, attributes].concat();
            let view = MessageView::parse(&message).unwrap();
            (view.attributes().map(|a| a.kind).collect::<Vec<_>>(), view.counting_bytes().len() - 20)
        };
        assert_eq!(kinds(&[&lifetime, &one, &two, &lifetime]), (vec![0x0D, 8, 0x1C], 8 + 24 + 36));
        assert_eq!(kinds(&[&one, &lifetime, &two]), (vec![8, 0x1C], 24 + 8 + 36));
        assert_eq!(kinds(&[&two, &one, &lifetime]), (vec![0x1C], 36));
        assert_eq!(kinds(&[&one, &one, &lifetime]), (vec![8], 24));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_the_stun_crate_takes_too(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut bytes = bytes;
            if bytes.len() >= HEADER {
                let length = (bytes.len() - HEADER) as u16;
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
                bytes[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
            }
            if MessageView::parse(&bytes).is_ok() {
                prop_assert!(stun::message::Message::new().write(&bytes).is_ok());
            }
        }
    }
}
