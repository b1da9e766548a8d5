//! A request of STUN or TURN, decoded by the `stun` and `turn` crates once its bounds are proved.

use std::net::SocketAddr;
use std::time::Duration;

use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DONT_FRAGMENT, ATTR_EVEN_PORT, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY,
    ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_NONCE, ATTR_PASSWORD_ALGORITHM, ATTR_PASSWORD_ALGORITHMS, ATTR_REALM,
    ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT, ATTR_RESERVATION_TOKEN, ATTR_USER_HASH, ATTR_USERNAME,
    ATTR_XOR_PEER_ADDRESS, AttrType,
};
use stun::message::{CLASS_REQUEST, Getter, Message};
use turn::proto::channum::ChannelNumber;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqfamily::RequestedAddressFamily;
use turn::proto::reqtrans::RequestedTransport;
use turn::proto::rsrvtoken::ReservationToken;

use super::attributes::ATTR_ADDITIONAL_ADDRESS_FAMILY;
use super::integrity::PasswordAlgorithms;
use super::view::{HEADER, MessageView, TransactionId};
use super::{IntegrityKey, Malformed, PasswordAlgorithm, address};

/// A decoded request; what stands after its integrity, and is none itself, is not in it.
#[derive(Debug)]
pub struct Request {
    pub(super) message: Message,
    pub(super) has_fingerprint: bool,
}

impl Request {
    /// Decodes a message; `None` if it is no request.
    pub fn decode(view: &MessageView<'_>) -> Option<Self> {
        let mut bytes = view.counting_bytes().to_vec();
        let length = u16::try_from(bytes.len() - HEADER).ok()?;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        let mut message = Message { raw: bytes, ..Message::default() };
        message.decode().ok()?;
        if let Some(signed) = message.attributes.0.iter().position(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY) {
            let after = message.attributes.0.split_off(signed + 1);
            message.attributes.0.extend(after.into_iter().filter(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY_SHA256));
        }
        (message.typ.class == CLASS_REQUEST).then(|| Self { message, has_fingerprint: view.has_fingerprint() })
    }

    /// What an answer needs of the request, and no more: so much may be kept for as long as it takes.
    pub fn head(&self) -> Self {
        let Message { typ, transaction_id, .. } = self.message;
        Self { message: Message { typ, transaction_id, ..Message::default() }, has_fingerprint: self.has_fingerprint }
    }

    /// What is asked for, one of the `METHOD_` constants of the `stun` crate.
    pub const fn method(&self) -> stun::message::Method {
        self.message.typ.method
    }

    /// See [`TransactionId`].
    pub const fn transaction_id(&self) -> TransactionId {
        TransactionId(self.message.transaction_id.0)
    }

    /// Whether the sender claims to know a key.
    pub fn has_integrity(&self) -> bool {
        self.message.contains(ATTR_MESSAGE_INTEGRITY) || self.message.contains(ATTR_MESSAGE_INTEGRITY_SHA256)
    }

    /// USERNAME, if it is UTF-8.
    pub fn username(&self) -> Option<String> {
        String::from_utf8(self.message.get(ATTR_USERNAME).ok()?).ok()
    }

    /// Whether USERHASH stands where USERNAME could.
    pub fn has_userhash(&self) -> bool {
        self.message.contains(ATTR_USER_HASH)
    }

    /// What the client chose of the PASSWORD-ALGORITHMS it was sent; `None` if it knows of none (RFC 8489 section 9.2.4).
    ///
    /// # Errors
    /// One of the two attributes is missing, the list is not what was sent, or the choice is not on it: somebody in between may
    /// have taken the better algorithm out.
    pub fn password_algorithm(&self) -> Result<Option<PasswordAlgorithm>, Malformed> {
        match (self.message.get(ATTR_PASSWORD_ALGORITHMS).ok(), self.message.get(ATTR_PASSWORD_ALGORITHM).ok()) {
            (None, None) => Ok(None),
            (Some(list), Some(choice)) if list == PasswordAlgorithms::VALUE => {
                PasswordAlgorithm::read(&choice).map(Some).ok_or(Malformed)
            }
            _ => Err(Malformed),
        }
    }

    /// NONCE.
    pub fn nonce(&self) -> Option<Vec<u8>> {
        self.message.get(ATTR_NONCE).ok()
    }

    /// Whether REALM is there; which one it is, the key proves.
    pub fn has_realm(&self) -> bool {
        self.message.contains(ATTR_REALM)
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 was made with `key`, or MESSAGE-INTEGRITY where that is all there is (RFC 8489 section
    /// 9.2.4); compares in constant time.
    pub fn is_authentic(&mut self, key: &IntegrityKey) -> bool {
        match self.message.get(ATTR_MESSAGE_INTEGRITY_SHA256) {
            Ok(value) => key.holds_sha256(&self.message.raw, &value),
            Err(_) => key.bytes.check(&mut self.message).is_ok(),
        }
    }

    /// The attributes that must be understood and are not (RFC 8489 section 14), each once.
    pub fn unknown_required(&self) -> Vec<AttrType> {
        let mut unknown: Vec<_> =
            self.message.attributes.0.iter().map(|a| a.typ).filter(|t| t.required() && !UNDERSTOOD.contains(t)).collect();
        unknown.sort_unstable_by_key(|t| t.0);
        unknown.dedup();
        unknown
    }

    /// LIFETIME in whole seconds; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn lifetime(&self) -> Result<Option<Duration>, Malformed> {
        Ok(self.read::<Lifetime>(ATTR_LIFETIME)?.map(|lifetime| lifetime.0))
    }

    /// The protocol number in REQUESTED-TRANSPORT; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn requested_transport(&self) -> Result<Option<u8>, Malformed> {
        Ok(self.read::<RequestedTransport>(ATTR_REQUESTED_TRANSPORT)?.map(|transport| transport.protocol.0))
    }

    /// REQUESTED-ADDRESS-FAMILY, 1 for IPv4 and 2 for IPv6; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form, or names neither.
    pub fn requested_family(&self) -> Result<Option<u8>, Malformed> {
        Ok(self.read::<RequestedAddressFamily>(ATTR_REQUESTED_ADDRESS_FAMILY)?.map(|family| family.0))
    }

    /// Whether REQUESTED-ADDRESS-FAMILY is there, of whatever form.
    pub fn has_requested_family(&self) -> bool {
        self.message.contains(ATTR_REQUESTED_ADDRESS_FAMILY)
    }

    /// The family that ADDITIONAL-ADDRESS-FAMILY asks for, by its number; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn additional_family(&self) -> Result<Option<u8>, Malformed> {
        match self.message.get(ATTR_ADDITIONAL_ADDRESS_FAMILY).ok().as_deref() {
            None => Ok(None),
            Some([family, _, _, _]) => Ok(Some(*family)),
            Some(_) => Err(Malformed),
        }
    }

    /// Whether EVEN-PORT asks for the next higher port too; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn even_port(&self) -> Result<Option<bool>, Malformed> {
        // The turn crate's codec keeps the bit to itself.
        match self.message.get(ATTR_EVEN_PORT).ok().as_deref() {
            None => Ok(None),
            Some([bits]) => Ok(Some(bits & 0x80 != 0)),
            Some(_) => Err(Malformed),
        }
    }

    /// RESERVATION-TOKEN; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn reservation_token(&self) -> Result<Option<[u8; 8]>, Malformed> {
        let token = self.read::<ReservationToken>(ATTR_RESERVATION_TOKEN)?;
        token.map(|token| token.0.try_into().map_err(|_| Malformed)).transpose()
    }

    /// CHANNEL-NUMBER; `None` if it is missing.
    ///
    /// # Errors
    /// It has another form.
    pub fn channel_number(&self) -> Result<Option<u16>, Malformed> {
        Ok(self.read::<ChannelNumber>(ATTR_CHANNEL_NUMBER)?.map(|number| number.0))
    }

    /// Every XOR-PEER-ADDRESS, in order.
    ///
    /// # Errors
    /// One has another form.
    pub fn peers(&self) -> Result<Vec<SocketAddr>, Malformed> {
        let peers = self.message.attributes.0.iter().filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS);
        peers.map(|attribute| address::read(&attribute.value, self.transaction_id()).ok_or(Malformed)).collect()
    }

    fn read<T: Getter + Default>(&self, kind: AttrType) -> Result<Option<T>, Malformed> {
        if !self.message.contains(kind) {
            return Ok(None);
        }
        let mut value = T::default();
        value.get_from(&self.message).map_err(|_| Malformed)?;
        Ok(Some(value))
    }
}

const UNDERSTOOD: &[AttrType] = &[
    ATTR_USERNAME,
    ATTR_USER_HASH,
    ATTR_MESSAGE_INTEGRITY,
    ATTR_MESSAGE_INTEGRITY_SHA256,
    ATTR_REALM,
    ATTR_NONCE,
    ATTR_PASSWORD_ALGORITHM,
    ATTR_CHANNEL_NUMBER,
    ATTR_LIFETIME,
    ATTR_EVEN_PORT,
    ATTR_DONT_FRAGMENT,
    ATTR_XOR_PEER_ADDRESS,
    ATTR_REQUESTED_TRANSPORT,
    ATTR_REQUESTED_ADDRESS_FAMILY,
    ATTR_RESERVATION_TOKEN,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769 section 2.4: a request with long-term authentication.
    const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b\
        39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

    #[test]
    fn the_long_term_vector_of_rfc_5769_holds() {
        let bytes = unhex(LONG_TERM);
        let view = MessageView::parse(&bytes).unwrap();
        let mut request = Request::decode(&view).unwrap();
        let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
        assert_eq!(request.username().as_deref(), Some(username));
        assert!(request.is_authentic(&IntegrityKey::long_term(None, username, "example.org", "TheMatrIX")));
        assert!(!request.is_authentic(&IntegrityKey::long_term(None, username, "example.org", "TheMatrIY")));
    }

    #[test]
    fn a_changed_byte_is_not_authentic() {
        let bytes = unhex(LONG_TERM);
        let key = IntegrityKey::long_term(None, "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}", "example.org", "TheMatrIX");
        for index in 8..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let authentic = MessageView::parse(&changed)
                .is_ok_and(|view| Request::decode(&view).is_some_and(|mut request| request.is_authentic(&key)));
            assert!(!authentic, "byte {index}");
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }
}
