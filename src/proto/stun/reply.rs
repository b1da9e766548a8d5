//! Answers to requests, encoded by the `stun` and `turn` crates.

use std::net::SocketAddr;
use std::time::Duration;

use stun::attributes::{ATTR_NONCE, ATTR_REALM, AttrType};
use stun::error_code::ErrorCode;
use stun::fingerprint::FINGERPRINT;
use stun::message::{CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, Message, MessageClass, MessageType, Setter};
use stun::textattrs::TextAttribute;
use stun::uattrs::UnknownAttributes;
use stun::xoraddr::XorMappedAddress;
use turn::proto::lifetime::Lifetime;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::rsrvtoken::ReservationToken;

use super::attributes::AddressErrorCode;
use super::integrity::PasswordAlgorithms;
use super::{IntegrityKey, Request};

/// An answer that is being built.
#[derive(Debug)]
pub struct Reply {
    message: Message,
    with_fingerprint: bool,
}

impl Reply {
    /// A success.
    pub fn success(request: &Request) -> Self {
        Self::to(request, CLASS_SUCCESS_RESPONSE)
    }

    /// A refusal with its code and the code's standard phrase.
    pub fn error(request: &Request, code: ErrorCode) -> Self {
        Self::to(request, CLASS_ERROR_RESPONSE).with(&code)
    }

    fn to(request: &Request, class: MessageClass) -> Self {
        let mut message = Message::new();
        message.typ = MessageType::new(request.method(), class);
        message.transaction_id = request.message.transaction_id;
        message.write_header();
        Self { message, with_fingerprint: request.has_fingerprint }
    }

    /// XOR-MAPPED-ADDRESS: where the request came from.
    pub fn mapped(self, address: SocketAddr) -> Self {
        self.with(&XorMappedAddress { ip: address.ip(), port: address.port() })
    }

    /// XOR-RELAYED-ADDRESS.
    pub fn relayed(self, address: SocketAddr) -> Self {
        self.with(&RelayedAddress { ip: address.ip(), port: address.port() })
    }

    /// ADDRESS-ERROR-CODE: why an address of this family, by its number, is missing.
    pub fn address_error(self, family: u8, code: ErrorCode) -> Self {
        self.with(&AddressErrorCode { family, code })
    }

    /// RESERVATION-TOKEN.
    pub fn reservation(self, token: [u8; 8]) -> Self {
        self.with(&ReservationToken(token.to_vec()))
    }

    /// LIFETIME in whole seconds.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        self.with(&Lifetime(lifetime))
    }

    /// REALM, NONCE and PASSWORD-ALGORITHMS: what the client is to sign its next request with.
    pub fn challenge(self, realm: &str, nonce: &str) -> Self {
        let text = |attr, text: &str| TextAttribute { attr, text: text.to_owned() };
        self.with(&text(ATTR_REALM, realm)).with(&text(ATTR_NONCE, nonce)).with(&PasswordAlgorithms)
    }

    /// UNKNOWN-ATTRIBUTES.
    pub fn unknown(self, attributes: Vec<AttrType>) -> Self {
        self.with(&UnknownAttributes(attributes))
    }

    /// The bytes, signed as the request was if there is a key, and with FINGERPRINT if the request had one.
    pub fn encode(self, key: Option<&IntegrityKey>) -> Vec<u8> {
        let signed = match key {
            Some(key) => self.with(key),
            None => self,
        };
        let whole = if signed.with_fingerprint { signed.with(&FINGERPRINT) } else { signed };
        whole.message.raw
    }

    fn with(mut self, attribute: &impl Setter) -> Self {
        attribute.add_to(&mut self.message).expect("invariant: realm, nonce and phrases are far below an attribute's limit");
        self
    }
}
