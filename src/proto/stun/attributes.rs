//! Attributes that the `stun` and `turn` crates have no codec for.

use stun::attributes::AttrType;
use stun::error_code::{ERROR_REASONS, ErrorCode};
use stun::message::{Message, Setter};

/// RFC 8656 section 18.11; like REQUESTED-ADDRESS-FAMILY.
pub(super) const ATTR_ADDITIONAL_ADDRESS_FAMILY: AttrType = AttrType(0x8000);
/// RFC 8656 section 18.12.
pub(super) const ATTR_ADDRESS_ERROR_CODE: AttrType = AttrType(0x8001);
/// RFC 8656 section 18.13.
pub(super) const ATTR_ICMP: AttrType = AttrType(0x8004);

/// Why a relayed address of a family could not be had (RFC 8656 section 18.12).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Family       |    Reserved             |Class|     Number    |
/// |  Reason phrase ...
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
pub(super) struct AddressErrorCode {
    pub(super) family: u8,
    pub(super) code: ErrorCode,
}

impl Setter for AddressErrorCode {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        let phrase = ERROR_REASONS.get(&self.code).ok_or(stun::Error::ErrNoDefaultReason)?;
        let [class, number] = [self.code.0 / 100, self.code.0 % 100].map(|part| part.to_be_bytes()[1]);
        message.add(ATTR_ADDRESS_ERROR_CODE, &[&[self.family, 0, class, number], &phrase[..]].concat());
        Ok(())
    }
}

/// What an ICMP message said of a datagram to a peer (RFC 8656 section 18.13).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Reserved                     |  Type       |  Code           |
/// |                          Error data                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// RFC 792 or, from an IPv6 peer's side, RFC 4443; seven bits.
    pub kind: u8,
    /// Of that type.
    pub code: u8,
    /// The MTU that a datagram was too long for, else 0.
    pub data: u32,
}

impl Setter for Icmp {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        let kind_and_code = u32::from(self.kind & 0x7F) << 9 | u32::from(self.code);
        message.add(ATTR_ICMP, &[kind_and_code.to_be_bytes(), self.data.to_be_bytes()].concat());
        Ok(())
    }
}
