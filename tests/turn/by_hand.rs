//! A client whose messages are put together by hand.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stun::attributes::{ATTR_ERROR_CODE, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_SEND, Message, MessageType, Method, Setter,
};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqtrans::RequestedTransport;
use visavis::proto::credential::{Credential, CredentialSecret};

use crate::SHARED_SECRET;

/// A client that waits for each answer.
pub(crate) struct Client {
    socket: UdpSocket,
    credential: Credential,
    nonce: String,
    transactions: u8,
}

/// What the relay sent.
pub(crate) struct Told {
    pub(crate) message: Message,
    /// `None` unless it is a refusal.
    pub(crate) code: Option<u16>,
}

impl Told {
    pub(crate) fn read<T: Getter + Default>(&self) -> T {
        let mut value = T::default();
        value.get_from(&self.message).unwrap();
        value
    }
}

impl Client {
    /// Of the shared secret.
    pub(crate) fn new(relay: SocketAddr) -> Self {
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600);
        let username = format!("{}:alice", expiry.as_secs());
        let password = CredentialSecret::new(SHARED_SECRET.as_bytes()).password(&username);
        Self::with(relay, Credential { username, password })
    }

    pub(crate) fn with(relay: SocketAddr, credential: Credential) -> Self {
        let socket = UdpSocket::bind((relay.ip(), 0)).unwrap();
        socket.connect(relay).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, credential, nonce: String::new(), transactions: 0 }
    }

    /// The socket goes on to another of the relay's listeners.
    pub(crate) fn connect(&self, relay: SocketAddr) {
        self.socket.connect(relay).unwrap();
    }

    /// Asks without a credential, to be given a nonce.
    pub(crate) fn challenge(&mut self) {
        self.socket.send(&message(METHOD_ALLOCATE, &[]).raw).unwrap();
        self.nonce = String::from_utf8(self.receive().message.get(ATTR_NONCE).unwrap()).unwrap();
    }

    pub(crate) fn allocate(&mut self, attributes: &[&dyn Setter]) -> Told {
        let told = self.try_allocate(attributes);
        assert_eq!(told.code, None);
        told
    }

    pub(crate) fn try_allocate(&mut self, attributes: &[&dyn Setter]) -> Told {
        self.challenge();
        self.allocate_unchallenged(attributes)
    }

    pub(crate) fn allocate_unchallenged(&mut self, attributes: &[&dyn Setter]) -> Told {
        let transport: &dyn Setter = &RequestedTransport { protocol: PROTO_UDP };
        self.ask(METHOD_ALLOCATE, &[&[transport], attributes].concat())
    }

    pub(crate) fn ask(&mut self, method: Method, attributes: &[&dyn Setter]) -> Told {
        self.say(method, attributes);
        self.receive()
    }

    /// Asks, and waits for no answer.
    pub(crate) fn say(&mut self, method: Method, attributes: &[&dyn Setter]) {
        self.transactions += 1;
        let mut message = message(method, attributes);
        message.transaction_id.0 = [self.transactions; 12];
        message.write_transaction_id();
        for (attr, text) in [(ATTR_USERNAME, &*self.credential.username), (ATTR_REALM, "visavis"), (ATTR_NONCE, &self.nonce)] {
            TextAttribute { attr, text: text.to_owned() }.add_to(&mut message).unwrap();
        }
        let Credential { username, password } = self.credential.clone();
        let key = MessageIntegrity::new_long_term_integrity(username, "visavis".to_owned(), password);
        key.add_to(&mut message).unwrap();
        self.socket.send(&message.raw).unwrap();
    }

    pub(crate) fn send(&self, peer: SocketAddr, data: &[u8], attributes: &[&dyn Setter]) {
        let peer: &dyn Setter = &peer_address(peer);
        let mut message = message(METHOD_SEND, &[&[peer, &Data(data.to_vec())], attributes].concat());
        message.set_type(MessageType::new(METHOD_SEND, CLASS_INDICATION));
        self.socket.send(&message.raw).unwrap();
    }

    pub(crate) fn receive(&self) -> Told {
        let mut buffer = [0; 2000];
        let length = self.socket.recv(&mut buffer).unwrap();
        let mut message = Message::new();
        message.write(&buffer[..length]).unwrap();
        let mut code = ErrorCodeAttribute::default();
        let refused = message.contains(ATTR_ERROR_CODE) && code.get_from(&message).is_ok();
        Told { code: refused.then_some(code.code.0), message }
    }
}

/// An attribute as its bytes.
pub(crate) struct Raw(pub(crate) AttrType, pub(crate) &'static [u8]);

impl Setter for Raw {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(self.0, self.1);
        Ok(())
    }
}

fn message(method: Method, attributes: &[&dyn Setter]) -> Message {
    let mut message = Message::new();
    message.set_type(MessageType::new(method, CLASS_REQUEST));
    message.write_header();
    for attribute in attributes {
        attribute.add_to(&mut message).unwrap();
    }
    message
}

pub(crate) fn peer_address(peer: SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}
