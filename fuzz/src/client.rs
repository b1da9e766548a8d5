//! The clients of a script: their addresses and credentials, and their messages, built by the `stun` and `turn` crates.

use std::net::SocketAddr;
use std::time::Duration;

use stun::attributes::{ATTR_EVEN_PORT, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_USERNAME, AttrType};
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION,
    METHOD_REFRESH, METHOD_SEND, Message, MessageClass, MessageType, Method, Setter,
};
use stun::textattrs::TextAttribute;
use turn::proto::Protocol;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqtrans::RequestedTransport;

use crate::proto::credential::{Credential, CredentialSecret};
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::turn::{ClientAddr, FiveTuple, Transport};
use crate::script::Channel;

/// Clients 0 and 1 share a seat, 2 shares their room, 3 and 4 sit in another, 5 has a credential of other software.
pub const CLIENTS: usize = 6;
pub const REALM: &str = "visavis";
pub const OWN_SECRET: &[u8] = b"own";
pub const SHARED_SECRET: &[u8] = b"shared";

/// The seat of a client.
pub fn seat(client: usize) -> Option<(RoomId, ParticipantId)> {
    let (room_of, participant) = [(1, 1), (1, 1), (1, 2), (2, 3), (2, 4)].get(client).copied()?;
    Some((room(room_of), ParticipantId::from_random([participant; 16])))
}

pub const fn room(number: u8) -> RoomId {
    RoomId::from_random([number; 16])
}

pub fn tuple(client: usize) -> FiveTuple {
    let address = match client {
        // One of them stands in the box's own network.
        1 => SocketAddr::from((private(1), 5001)),
        4 => SocketAddr::from(([0x2a00, 0, 0, 0, 0, 0, 0, 4], 5004)),
        _ => SocketAddr::from(([5, 5, client as u8, 5], 5000 + client as u16)),
    };
    let transport = [Transport::Udp, Transport::Tcp, Transport::Tls][client % 3];
    FiveTuple { client: ClientAddr(address), server: SocketAddr::from(([9, 9, 9, 9], 3478)), transport }
}

/// One of a few private addresses.
pub const fn private(n: u8) -> [u8; 4] {
    [192, 168, 1, n % 4]
}

pub fn credential(client: usize, unix: Duration) -> Credential {
    match seat(client) {
        Some((room, participant)) => CredentialSecret::new(OWN_SECRET).mint(unix, room, participant),
        None => {
            let username = format!("{}:somebody", (unix + Duration::from_secs(3600)).as_secs());
            Credential { password: CredentialSecret::new(SHARED_SECRET).password(&username), username }
        }
    }
}

/// What is asked for, as a method and its attributes; peers are addresses by now.
pub enum Request {
    Binding,
    Allocate { transport: Option<u8>, lifetime: Option<u16>, family: Option<u8>, even: Option<u8> },
    Refresh { lifetime: Option<u16> },
    CreatePermission { peers: Vec<SocketAddr> },
    ChannelBind { number: u16, peer: SocketAddr },
}

impl Request {
    /// The message, not signed yet.
    pub fn message(&self, transaction: u64) -> Message {
        let mut attributes: Vec<Box<dyn Setter>> = Vec::new();
        let lifetime = |seconds: u16| Box::new(Lifetime(Duration::from_secs(seconds.into())));
        let method = match self {
            Self::Binding => METHOD_BINDING,
            Self::Allocate { transport, lifetime: asked, family, even } => {
                if let Some(transport) = transport {
                    attributes.push(Box::new(RequestedTransport { protocol: Protocol(*transport) }));
                }
                if let Some(asked) = asked {
                    attributes.push(lifetime(*asked));
                }
                if let Some(family) = family {
                    attributes.push(Box::new(Bytes(ATTR_REQUESTED_ADDRESS_FAMILY, vec![*family, 0, 0, 0])));
                }
                if let Some(even) = even {
                    attributes.push(Box::new(Bytes(ATTR_EVEN_PORT, vec![*even])));
                }
                METHOD_ALLOCATE
            }
            Self::Refresh { lifetime: asked } => {
                if let Some(asked) = asked {
                    attributes.push(lifetime(*asked));
                }
                METHOD_REFRESH
            }
            Self::CreatePermission { peers } => {
                attributes.extend(peers.iter().map(|peer| Box::new(to(*peer)) as Box<dyn Setter>));
                METHOD_CREATE_PERMISSION
            }
            Self::ChannelBind { number, peer } => {
                attributes.push(Box::new(ChannelNumber(*number)));
                attributes.push(Box::new(to(*peer)));
                METHOD_CHANNEL_BIND
            }
        };
        message(method, CLASS_REQUEST, transaction, &attributes.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }
}

/// Signs a message with a credential over a nonce.
pub fn sign(message: &mut Message, credential: &Credential, nonce: &str) {
    let Credential { username, password } = credential.clone();
    for (attr, text) in [(ATTR_USERNAME, &*username), (ATTR_REALM, REALM), (ATTR_NONCE, nonce)] {
        TextAttribute { attr, text: text.to_owned() }.add_to(message).expect("short texts");
    }
    MessageIntegrity::new_long_term_integrity(username, REALM.to_owned(), password).add_to(message).expect("a whole message");
}

pub fn message(method: Method, class: MessageClass, transaction: u64, attributes: &[&dyn Setter]) -> Message {
    let mut message = Message::new();
    message.transaction_id.0[4..].copy_from_slice(&transaction.to_be_bytes());
    message.typ = MessageType::new(method, class);
    message.write_header();
    for attribute in attributes {
        attribute.add_to(&mut message).expect("an attribute within limits");
    }
    message
}

pub fn send_indication(peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    message(METHOD_SEND, CLASS_INDICATION, 1, &[&to(peer), &Data(data.to_vec())]).raw
}

pub fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

/// The number a script means.
pub const fn number(channel: Channel) -> u16 {
    match channel {
        Channel::Usual(n) => 0x4000 + (n % 4) as u16,
        Channel::Any(number) => number,
    }
}

const fn to(peer: SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}

/// An attribute as its bytes.
struct Bytes(AttrType, Vec<u8>);

impl Setter for Bytes {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(self.0, &self.1);
        Ok(())
    }
}
