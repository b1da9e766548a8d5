//! Attributes that the `stun` and `turn` crates have no codec for.

use stun::attributes::AttrType;
use stun::error_code::{ERROR_REASONS, ErrorCode};
use stun::message::{Message, Setter};

/// RFC 8656 section 18.11; like REQUESTED-ADDRESS-FAMILY.
pub(super) const ATTR_ADDITIONAL_ADDRESS_FAMILY: AttrType = AttrType(0x8000);
/// RFC 8656 section 18.12.
pub(super) const ATTR_ADDRESS_ERROR_CODE: AttrType = AttrType(0x8001);

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
