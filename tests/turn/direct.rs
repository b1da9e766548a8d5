//! The relay through messages put together by hand: what no client at hand asks for.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stun::attributes::{ATTR_DONT_FRAGMENT, ATTR_ERROR_CODE, ATTR_EVEN_PORT, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_CREATE_PERMISSION, METHOD_SEND, Message, MessageType,
    Method, Setter,
};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqtrans::RequestedTransport;
use turn::proto::rsrvtoken::ReservationToken;
use visavis::proto::credential::CredentialSecret;

use crate::{SHARED_SECRET, daemon};

#[tokio::test(flavor = "multi_thread")]
async fn icmp_reaches_the_client_and_costs_its_other_peers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = peer.local_addr().unwrap();
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut client = Client::new(address);
    client.allocate(&[]);
    assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    for n in 0..20 {
        client.send(nobody, b"anybody there?", &[]);
        client.send(to, &[n], &[]);
        let mut buffer = [0; 8];
        assert_eq!((peer.recv(&mut buffer).unwrap(), buffer[0]), (1, n), "nothing is lost");
        let told = client.receive();
        assert_eq!(told.message.typ, MessageType::new(stun::message::METHOD_DATA, CLASS_INDICATION));
        assert_eq!(told.message.get(ICMP).unwrap(), [0, 0, 3 << 1, 3, 0, 0, 0, 0]);
        assert_eq!(told.read::<PeerAddress>(), peer_address(nobody));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_fragmented_leaves_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = peer.local_addr().unwrap();
    let mut client = Client::new(address);
    client.allocate(&[&Raw(ATTR_DONT_FRAGMENT, &[])]);
    assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    for n in 0..20 {
        let whole: &[&dyn Setter] = if n % 3 == 0 { &[&Raw(ATTR_DONT_FRAGMENT, &[])] } else { &[] };
        client.send(to, &[n; 1200], whole);
    }
    for n in 0..20 {
        let mut buffer = [0; 2000];
        assert_eq!((peer.recv(&mut buffer).unwrap(), buffer[0]), (1200, n));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_port_is_kept_for_another_five_tuple() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let (mut first, mut second) = (Client::new(address), Client::new(address));
    let even = first.allocate(&[&Raw(ATTR_EVEN_PORT, &[0x80])]);
    let token: ReservationToken = even.read();
    let odd = second.allocate(&[&token]);
    let (even, odd): (RelayedAddress, RelayedAddress) = (even.read(), odd.read());
    assert_eq!((even.ip, even.port % 2, even.port + 1), (odd.ip, 0, odd.port));
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    assert_eq!(second.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    peer.send_to(b"hello", (odd.ip, odd.port)).unwrap();
    assert_eq!(second.receive().read::<Data>().0, b"hello");
    app.stop().await;
}

/// A client of the shared secret that waits for each answer.
struct Client {
    socket: UdpSocket,
    username: String,
    nonce: String,
    transactions: u8,
}

/// What the relay sent.
struct Told {
    message: Message,
    /// `None` unless it is a refusal.
    code: Option<Vec<u8>>,
}

impl Told {
    fn read<T: Getter + Default>(&self) -> T {
        let mut value = T::default();
        value.get_from(&self.message).unwrap();
        value
    }
}

impl Client {
    fn new(relay: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(relay).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600);
        Self { socket, username: format!("{}:alice", expiry.as_secs()), nonce: String::new(), transactions: 0 }
    }

    fn allocate(&mut self, attributes: &[&dyn Setter]) -> Told {
        self.socket.send(&message(METHOD_ALLOCATE, &[]).raw).unwrap();
        self.nonce = String::from_utf8(self.receive().message.get(ATTR_NONCE).unwrap()).unwrap();
        let transport: &dyn Setter = &RequestedTransport { protocol: PROTO_UDP };
        let told = self.ask(METHOD_ALLOCATE, &[&[transport], attributes].concat());
        assert_eq!(told.code, None);
        told
    }

    fn ask(&mut self, method: Method, attributes: &[&dyn Setter]) -> Told {
        self.transactions += 1;
        let mut message = message(method, attributes);
        message.transaction_id.0 = [self.transactions; 12];
        message.write_transaction_id();
        for (attr, text) in [(ATTR_USERNAME, &*self.username), (ATTR_REALM, "visavis"), (ATTR_NONCE, &self.nonce)] {
            TextAttribute { attr, text: text.to_owned() }.add_to(&mut message).unwrap();
        }
        let password = CredentialSecret::new(SHARED_SECRET.as_bytes()).password(&self.username);
        let key = MessageIntegrity::new_long_term_integrity(self.username.clone(), "visavis".to_owned(), password);
        key.add_to(&mut message).unwrap();
        self.socket.send(&message.raw).unwrap();
        self.receive()
    }

    fn send(&self, peer: SocketAddr, data: &[u8], attributes: &[&dyn Setter]) {
        let peer: &dyn Setter = &peer_address(peer);
        let mut message = message(METHOD_SEND, &[&[peer, &Data(data.to_vec())], attributes].concat());
        message.set_type(MessageType::new(METHOD_SEND, CLASS_INDICATION));
        self.socket.send(&message.raw).unwrap();
    }

    fn receive(&self) -> Told {
        let mut buffer = [0; 2000];
        let length = self.socket.recv(&mut buffer).unwrap();
        let mut message = Message::new();
        message.write(&buffer[..length]).unwrap();
        Told { code: message.get(ATTR_ERROR_CODE).ok(), message }
    }
}

/// An attribute as its bytes.
struct Raw(AttrType, &'static [u8]);

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

fn peer_address(peer: SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}

const ICMP: AttrType = AttrType(0x8004);
