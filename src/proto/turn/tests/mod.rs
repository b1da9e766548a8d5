//! A client as the RFCs describe it, against the pure server; the `stun` and `turn` crates build and read its messages.

mod algorithms;
mod allocations;
mod attacks;
mod bookkeeping;
mod counters;
mod data;
mod differential;
mod families;
mod icmp;
mod model;
mod peers;
mod quotas;
mod reconfigured;
mod refusals;
mod reservations;
mod shards;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::attributes::{ATTR_ERROR_CODE, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_SEND,
    Message, MessageClass, MessageType, Method, Setter,
};
use stun::textattrs::TextAttribute;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqtrans::RequestedTransport;

use super::*;
use crate::proto::credential::Credential;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::rate::Rate;
use crate::proto::stun::Packet;

const REALM: &str = "visavis";
const START: Duration = Duration::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A server with its driver: sockets are bound where the next port is.
struct Lab {
    server: Server,
    started: Instant,
    elapsed: Duration,
    port: u16,
}

/// A client: its address, its credential and the nonce it was given.
#[derive(Clone)]
struct Client {
    tuple: FiveTuple,
    credential: Credential,
    nonce: String,
    transactions: u8,
}

impl Lab {
    fn new() -> Self {
        Self::with(
            PeerPolicy { own: vec![server_address().ip()], ..PeerPolicy::default() },
            &[AddressFamily::Ipv4, AddressFamily::Ipv6],
        )
    }

    fn with(policy: PeerPolicy, families: &[AddressFamily]) -> Self {
        Self::of(policy, families, LIMITS)
    }

    fn limited(limits: Limits) -> Self {
        Self::of(PeerPolicy::default(), &[AddressFamily::Ipv4, AddressFamily::Ipv6], limits)
    }

    fn of(policy: PeerPolicy, families: &[AddressFamily], limits: Limits) -> Self {
        let started = instant();
        let server = Server::new(config(policy, families, limits), started);
        Self { server, started, elapsed: Duration::ZERO, port: 50_000 }
    }

    /// Two shards of one relay.
    fn shards(policy: PeerPolicy, limits: Limits) -> [Self; 2] {
        let (config, started) = (config(policy, &[AddressFamily::Ipv4, AddressFamily::Ipv6], limits), instant());
        let ledger = Arc::new(Ledger::new(&config, 2));
        [0, 1].map(|shard| Self {
            server: Server::sharing(config.clone(), Arc::clone(&ledger), shard, started),
            started,
            elapsed: Duration::ZERO,
            port: 50_000 + 1000 * u16::from(shard),
        })
    }

    fn now(&self) -> Now {
        Now { instant: self.started + self.elapsed, unix: START + self.elapsed }
    }

    /// Time passes, and what is due happens.
    fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.elapsed += time;
        self.server.handle_timeout(self.now().instant);
        self.effects()
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.server.poll_effect()).collect()
    }

    /// A datagram from a client: where it goes, and what it is by then.
    fn send(&mut self, tuple: FiveTuple, bytes: &[u8]) -> (Route, Vec<u8>) {
        let now = self.now();
        in_place(bytes, |packet| self.server.handle_client(now, tuple, packet))
    }

    fn receive(&mut self, allocation: AllocationId, peer: &str, bytes: &[u8]) -> (Route, Vec<u8>) {
        let now = self.now().instant;
        in_place(bytes, |packet| self.server.handle_peer(now, allocation, PeerAddr(address(peer)), packet))
    }

    /// A request and its effects, none of them carried out.
    fn request(&mut self, client: &mut Client, method: Method, attributes: &[&dyn Setter]) -> Vec<Effect> {
        let bytes = client.request(method, attributes);
        assert_eq!(self.send(client.tuple, &bytes).0, Route::Handled);
        self.effects()
    }

    /// A request and the answer to it.
    fn ask(&mut self, client: &mut Client, method: Method, attributes: &[&dyn Setter]) -> Answered {
        let effects = self.request(client, method, attributes);
        match effects.as_slice() {
            [Effect::Reply { to, message }] if *to == client.tuple => answered(message),
            other => panic!("one answer was expected: {other:?}"),
        }
    }

    /// A client with a fresh nonce.
    fn client(&mut self, at: &str, participant: u8) -> Client {
        let credential = CredentialSecret::new(b"own").mint(START, room(1), seat(participant));
        self.client_with(at, credential)
    }

    fn client_with(&mut self, at: &str, credential: Credential) -> Client {
        let tuple = FiveTuple { client: ClientAddr(address(at)), server: server_address(), transport: Transport::Udp };
        let mut client = Client { tuple, credential, nonce: String::new(), transactions: 0 };
        self.challenge(&mut client);
        client
    }

    /// Asks without a credential, to be given a nonce.
    fn challenge(&mut self, client: &mut Client) {
        let bytes = message(METHOD_ALLOCATE, CLASS_REQUEST, [9; 12], &[]).raw;
        self.send(client.tuple, &bytes);
        let Some(Effect::Reply { message, .. }) = self.server.poll_effect() else { panic!("no challenge") };
        client.nonce = answered(&message).text(ATTR_NONCE);
    }

    /// A client whose allocation relays; where.
    fn allocated(&mut self, at: &str, participant: u8) -> (Client, AllocationId, RelayAddr) {
        let mut client = self.client(at, participant);
        let (id, relay) = self.allocate(&mut client);
        (client, id, relay)
    }

    fn allocate(&mut self, client: &mut Client) -> (AllocationId, RelayAddr) {
        let effects = self.request(client, METHOD_ALLOCATE, &[&UDP]);
        let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
        self.port += 1;
        let relay = RelayAddr(SocketAddr::new(server_address().ip(), self.port));
        self.server.handle_bound(allocation, Some(relay));
        assert_eq!(self.effects().len(), 1, "the client is told");
        (allocation, relay)
    }

    fn revoke_room(&mut self, room: RoomId) {
        let now = self.now();
        self.server.revoke_room(now, room);
        self.server.ledger().vacate_room(room);
    }

    fn revoke_seat(&mut self, room: RoomId, participant: ParticipantId) {
        let now = self.now();
        self.server.revoke_seat(now, room, participant);
        self.server.ledger().vacate_seat(room, participant);
    }

    fn permit(&mut self, client: &mut Client, peer: SocketAddr) {
        assert_eq!(self.ask(client, METHOD_CREATE_PERMISSION, &[&to(peer)]).code, None);
    }

    fn channel(&mut self, client: &mut Client, number: u16, peer: SocketAddr) -> Option<u16> {
        self.ask(client, METHOD_CHANNEL_BIND, &[&ChannelNumber(number), &to(peer)]).code
    }
}

impl Client {
    fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Vec<u8> {
        self.transactions += 1;
        let mut message = message(method, CLASS_REQUEST, [self.transactions; 12], attributes);
        let texts = [(ATTR_USERNAME, &*self.credential.username), (ATTR_REALM, REALM), (ATTR_NONCE, &self.nonce)];
        for (attr, text) in texts {
            TextAttribute { attr, text: text.to_owned() }.add_to(&mut message).unwrap();
        }
        let Credential { username, password } = self.credential.clone();
        MessageIntegrity::new_long_term_integrity(username, REALM.to_owned(), password).add_to(&mut message).unwrap();
        message.raw
    }

    fn key(&self) -> MessageIntegrity {
        let Credential { username, password } = self.credential.clone();
        MessageIntegrity::new_long_term_integrity(username, REALM.to_owned(), password)
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

/// An answer as a client reads it.
#[derive(Debug)]
struct Answered {
    message: Message,
    /// `None` for a success.
    code: Option<u16>,
}

impl Answered {
    fn read<T: Getter + Default>(&self) -> T {
        let mut value = T::default();
        value.get_from(&self.message).unwrap();
        value
    }

    fn text(&self, kind: AttrType) -> String {
        String::from_utf8(self.message.get(kind).unwrap()).unwrap()
    }
}

fn answered(bytes: &[u8]) -> Answered {
    let mut message = Message::new();
    message.write(bytes).unwrap();
    let mut error = ErrorCodeAttribute::default();
    let refused = message.contains(ATTR_ERROR_CODE) && error.get_from(&message).is_ok();
    Answered { code: refused.then_some(error.code.0), message }
}

fn config(policy: PeerPolicy, families: &[AddressFamily], limits: Limits) -> Config {
    Config {
        realm: REALM.to_owned(),
        own_secret: CredentialSecret::new(b"own"),
        shared_secret: Some(CredentialSecret::new(b"shared")),
        nonce_key: [7; 32],
        policy,
        limits,
        families: families.to_vec(),
    }
}

/// The one answer among effects.
fn reply(effects: &[Effect]) -> Answered {
    match effects {
        [Effect::Reply { message, .. }] => answered(message),
        other => panic!("{other:?}"),
    }
}

fn message(method: Method, class: MessageClass, id: [u8; 12], attributes: &[&dyn Setter]) -> Message {
    let mut message = Message::new();
    message.transaction_id = stun::agent::TransactionId(id);
    message.typ = MessageType::new(method, class);
    message.write_header();
    for attribute in attributes {
        attribute.add_to(&mut message).unwrap();
    }
    message
}

fn send_indication(peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    message(METHOD_SEND, CLASS_INDICATION, [1; 12], &[&to(peer), &Data(data.to_vec())]).raw
}

fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

fn in_place(bytes: &[u8], act: impl FnOnce(&mut Packet<'_>) -> Route) -> (Route, Vec<u8>) {
    let mut buffer = vec![0xEE; Packet::HEAD_ROOM + bytes.len() + Packet::TAIL_ROOM];
    let end = Packet::HEAD_ROOM + bytes.len();
    buffer[Packet::HEAD_ROOM..end].copy_from_slice(bytes);
    let mut packet = Packet::new(&mut buffer, Packet::HEAD_ROOM, end);
    let route = act(&mut packet);
    (route, packet.bytes().to_vec())
}

fn to(peer: SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server_address() -> SocketAddr {
    address("9.9.9.9:3478")
}

fn room(n: u8) -> RoomId {
    RoomId::from_random([n; 16])
}

fn seat(n: u8) -> ParticipantId {
    ParticipantId::from_random([n; 16])
}

#[expect(clippy::disallowed_methods, reason = "any instant will do, and there is no other way to have one")]
fn instant() -> Instant {
    Instant::now()
}

const LIMITS: Limits = Limits {
    allocations_max: 4,
    allocations_per_seat: 3,
    allocations_per_source: 4,
    permissions_per_allocation: 64,
    channels_per_allocation: 64,
    new_peers: Rate { per_second: 10, burst: 200 },
    data: DataLimits { packets_per_second: 1000, bits_per_second: 1_000_000, burst: Duration::from_millis(100) },
    requests: Rate { per_second: 10, burst: 2000 },
    failures: Rate { per_second: 10, burst: 500 },
};
const UDP: RequestedTransport = RequestedTransport { protocol: turn::proto::PROTO_UDP };
const ALICE: &str = "5.5.5.5:5000";
const BOB: &str = "6.6.6.6:6000";
const PEER: &str = "8.8.8.8:8000";
