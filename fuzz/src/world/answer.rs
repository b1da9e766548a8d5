//! Messages as the `stun` and `turn` crates read them, for the model to learn from.

use std::net::SocketAddr;
use std::time::Duration;

use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_NONCE, ATTR_XOR_PEER_ADDRESS,
    ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS, AttrType,
};
use stun::message::{CLASS_INDICATION, CLASS_SUCCESS_RESPONSE, Getter, METHOD_SEND, Message, Method};
use stun::xoraddr::XorMappedAddress;
use turn::proto::channum::ChannelNumber;
use turn::proto::lifetime::Lifetime;

/// What a client asked for.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) lifetime: Option<Duration>,
    pub(super) number: Option<u16>,
    pub(super) peers: Vec<SocketAddr>,
}

/// What it was told.
pub(super) struct Answer {
    pub(super) success: bool,
    pub(super) nonce: Option<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) mapped: Option<SocketAddr>,
    pub(super) relayed: Option<SocketAddr>,
}

impl Asked {
    /// A request that was answered, so it has its form; what follows MESSAGE-INTEGRITY is not in it.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut message = decoded(bytes).expect("what was answered is a message");
        if let Some(last) = message.attributes.0.iter().position(|attribute| INTEGRITY.contains(&attribute.typ)) {
            message.attributes.0.truncate(last + 1);
        }
        let lifetime = message.contains(ATTR_LIFETIME).then(|| of::<Lifetime>(&message)).flatten().map(|lifetime| lifetime.0);
        let number =
            message.contains(ATTR_CHANNEL_NUMBER).then(|| of::<ChannelNumber>(&message)).flatten().map(|number| number.0);
        let mut peers = Vec::new();
        while message.contains(ATTR_XOR_PEER_ADDRESS) {
            peers.extend(address(&message, ATTR_XOR_PEER_ADDRESS));
            let first = message.attributes.0.iter().position(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS);
            first.map(|first| message.attributes.0.remove(first));
        }
        Self { method: message.typ.method, lifetime, number, peers }
    }

    /// The peer of a Send indication.
    pub(super) fn of_indication(bytes: &[u8]) -> Option<SocketAddr> {
        let message = decoded(bytes)?;
        let sent = message.typ.method == METHOD_SEND && message.typ.class == CLASS_INDICATION;
        sent.then(|| address(&message, ATTR_XOR_PEER_ADDRESS)).flatten()
    }
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let message = decoded(bytes).expect("an answer is a message");
        Self {
            success: message.typ.class == CLASS_SUCCESS_RESPONSE,
            nonce: message.get(ATTR_NONCE).ok().map(|nonce| String::from_utf8(nonce).expect("a nonce is text")),
            lifetime: of::<Lifetime>(&message).map(|lifetime| lifetime.0),
            mapped: address(&message, ATTR_XORMAPPED_ADDRESS),
            relayed: address(&message, ATTR_XOR_RELAYED_ADDRESS),
        }
    }
}

fn decoded(bytes: &[u8]) -> Option<Message> {
    let mut message = Message::new();
    message.write(bytes).ok()?;
    Some(message)
}

fn of<T: Getter + Default>(message: &Message) -> Option<T> {
    let mut value = T::default();
    value.get_from(message).ok()?;
    Some(value)
}

fn address(message: &Message, kind: AttrType) -> Option<SocketAddr> {
    let mut address = XorMappedAddress::default();
    address.get_from_as(message, kind).ok()?;
    Some(SocketAddr::new(address.ip, address.port))
}

/// What stands after one of them does not count, the other aside.
const INTEGRITY: [AttrType; 2] = [ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256];
