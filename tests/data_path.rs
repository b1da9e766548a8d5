//! What is relayed takes nothing from the heap: counted by an allocator of its own, on the thread that relays.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "an allocator is unsafe by nature; this one counts and hands on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use stun::integrity::MessageIntegrity;
use stun::message::{CLASS_REQUEST, METHOD_ALLOCATE, METHOD_CHANNEL_BIND, Message, MessageType, Method, Setter};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqtrans::RequestedTransport;
use visavis::proto::credential::CredentialSecret;
use visavis::proto::id::{ParticipantId, RoomId};
use visavis::proto::stun::Packet;
use visavis::proto::turn::{
    AddressFamily, AllocationId, ClientAddr, Config, Effect, FiveTuple, Ledger, Now, PeerAddr, PeerPolicy, RelayAddr, Route,
    Server, Transport,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn nothing_is_taken_from_the_heap_whichever_way_data_goes() {
    let mut lab = Lab::new();
    let (alice, alice_id, alice_relay) = lab.allocated("5.5.5.5:5000", 1);
    let (bob, _, bob_relay) = lab.allocated("6.6.6.6:6000", 2);
    let peer = PeerAddr("8.8.8.8:8000".parse().unwrap());
    lab.bind(alice, 0x4000, peer.0);
    lab.bind(alice, 0x4001, bob_relay);
    lab.bind(bob, 0x4001, alice_relay);

    let by_channel = [&[0x40, 0x00, 0x04, 0xB0][..], &[7; 1200]].concat();
    let by_hairpin = [&[0x40, 0x01, 0x04, 0xB0][..], &[7; 1200]].concat();
    let by_indication = indication(peer.0, &[7; 1200]);
    let to_peer = Route::Peer(alice_id, peer);
    for (datagram, route) in [(by_channel, to_peer), (by_indication, to_peer), (by_hairpin, Route::Client(bob))] {
        assert_eq!(lab.relay(&datagram, |server, now, packet| server.handle_client(now, alice, packet)), (route, 0));
    }
    let inbound = lab.relay(&[7; 1200], |server, now, packet| server.handle_peer(now.instant, alice_id, peer, packet));
    assert_eq!(inbound, (Route::Client(alice), 0));
    let other_port = PeerAddr("8.8.8.8:9".parse().unwrap());
    let inbound = lab.relay(&[7; 1200], |server, now, packet| server.handle_peer(now.instant, alice_id, other_port, packet));
    assert_eq!(inbound, (Route::Client(alice), 0), "as an indication");
}

#[test]
fn nor_by_the_second_of_two_families() {
    let mut lab = Lab::new();
    let (alice, ids) = lab.dual("5.5.5.5:5000", 1);
    let peer = PeerAddr("[2a00::8]:8000".parse().unwrap());
    lab.bind(alice, 0x4000, peer.0);
    let by_channel = [&[0x40, 0x00, 0x04, 0xB0][..], &[7; 1200]].concat();
    for datagram in [by_channel, indication(peer.0, &[7; 1200])] {
        let sent = lab.relay(&datagram, |server, now, packet| server.handle_client(now, alice, packet));
        assert_eq!(sent, (Route::Peer(ids[1], peer), 0));
    }
    let inbound = lab.relay(&[7; 1200], |server, now, packet| server.handle_peer(now.instant, ids[1], peer, packet));
    assert_eq!(inbound, (Route::Client(alice), 0));
}

#[test]
fn nor_between_two_shards_nor_to_a_member_inside() {
    let [mut one, mut other] = Lab::shards();
    let (alice, alice_id, alice_relay) = one.allocated("5.5.5.5:5000", 1);
    let (bob, bob_id, bob_relay) = other.allocated("192.168.1.6:6000", 2);
    one.bind(alice, 0x4000, bob_relay);
    other.bind(bob, 0x4000, alice_relay);
    let inside = |relay: SocketAddr| PeerAddr(SocketAddr::new([127, 0, 0, 1].into(), relay.port()));
    let datagram = [&[0x40, 0x00, 0x04, 0xB0][..], &[7; 1200]].concat();
    let sent = one.relay(&datagram, |server, now, packet| server.handle_client(now, alice, packet));
    assert_eq!(sent, (Route::Peer(alice_id, inside(bob_relay)), 0));
    let heard =
        other.relay(&[7; 1200], |server, now, packet| server.handle_peer(now.instant, bob_id, inside(alice_relay), packet));
    assert_eq!(heard, (Route::Client(bob), 0));
    let home = "192.168.1.6:60000".parse().unwrap();
    one.bind(alice, 0x4001, home);
    let datagram = [&[0x40, 0x01, 0x04, 0xB0][..], &[7; 1200]].concat();
    let sent = one.relay(&datagram, |server, now, packet| server.handle_client(now, alice, packet));
    assert_eq!(sent, (Route::Peer(alice_id, PeerAddr(home)), 0));
}

#[test]
fn a_screen_shared_with_four_never_meets_the_limits_that_are_shipped() {
    let mut lab = Lab::new();
    let (client, id, _) = lab.allocated("5.5.5.5:5000", 1);
    let peers = [1, 2, 3, 4].map(|n| SocketAddr::new([8, 8, 8, n].into(), 8000));
    for (peer, number) in peers.iter().zip(0x4000..) {
        lab.bind(client, number, *peer);
    }
    // 30 frames a second of 8 Mbit/s; every two seconds one of a megabyte, which nobody paces.
    for frame in 0..600 {
        let packets = if frame % 60 == 0 { 834 } else { 28 };
        for (peer, number) in peers.iter().zip(0x4000_u16..) {
            let datagram = [&number.to_be_bytes()[..], &[0x04, 0xB0], &[7; 1200]].concat();
            for _ in 0..packets {
                let out = lab.relay(&datagram, |server, now, packet| server.handle_client(now, client, packet));
                assert_eq!(out.0, Route::Peer(id, PeerAddr(*peer)), "frame {frame}");
                let back =
                    lab.relay(&[7; 1200], |server, now, packet| server.handle_peer(now.instant, id, PeerAddr(*peer), packet));
                assert_eq!(back.0, Route::Client(client), "frame {frame}");
            }
        }
        lab.now.instant += Duration::from_millis(33);
    }
}

struct Lab {
    server: Server,
    now: Now,
    buffer: Vec<u8>,
    port: u16,
}

impl Lab {
    fn new() -> Self {
        let now = now();
        Self { server: Server::new(config(), now.instant), now, buffer: vec![0; 4096], port: 50_000 }
    }

    /// Two shards of one relay.
    fn shards() -> [Self; 2] {
        let (now, ledger) = (now(), Arc::new(Ledger::new(&config(), 2)));
        [0, 1].map(|shard| {
            let server = Server::sharing(config(), Arc::clone(&ledger), shard, now.instant);
            Self { server, now, buffer: vec![0; 4096], port: 50_000 + 1000 * u16::from(shard) }
        })
    }

    /// Where a datagram goes, and how often that asked the heap.
    fn relay(&mut self, datagram: &[u8], act: impl FnOnce(&mut Server, Now, &mut Packet<'_>) -> Route) -> (Route, usize) {
        let end = Packet::HEAD_ROOM + datagram.len();
        self.buffer[Packet::HEAD_ROOM..end].copy_from_slice(datagram);
        let mut packet = Packet::new(&mut self.buffer, Packet::HEAD_ROOM, end);
        let mut route = None;
        let count = allocations(|| route = Some(act(&mut self.server, self.now, &mut packet)));
        (route.unwrap(), count)
    }

    fn allocated(&mut self, at: &str, participant: u8) -> (FiveTuple, AllocationId, SocketAddr) {
        let client = ClientAddr(at.parse().unwrap());
        let tuple = FiveTuple { client, server: "9.9.9.9:3478".parse().unwrap(), transport: Transport::Udp };
        self.ask(tuple, participant, METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }]);
        let Some(Effect::Bind { allocation, .. }) = self.server.poll_effect() else { panic!("nothing is bound") };
        self.port += 1;
        let relay = SocketAddr::new([9, 9, 9, 9].into(), self.port);
        self.server.handle_bound(allocation, Some(RelayAddr(relay)));
        self.server.poll_effect();
        (tuple, allocation, relay)
    }

    /// An allocation of each family.
    fn dual(&mut self, at: &str, participant: u8) -> (FiveTuple, Vec<AllocationId>) {
        let tuple = FiveTuple {
            client: ClientAddr(at.parse().unwrap()),
            server: "9.9.9.9:3478".parse().unwrap(),
            transport: Transport::Udp,
        };
        self.ask(tuple, participant, METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }, &Additional]);
        let binds: Vec<_> = std::iter::from_fn(|| self.server.poll_effect()).collect();
        let mut ids = Vec::new();
        for (bind, relay) in binds.iter().zip(["9.9.9.9:50001", "[2a00::9]:50001"]) {
            let Effect::Bind { allocation, .. } = bind else { panic!("{bind:?}") };
            self.server.handle_bound(*allocation, Some(RelayAddr(relay.parse().unwrap())));
            ids.push(*allocation);
        }
        self.server.poll_effect();
        (tuple, ids)
    }

    fn bind(&mut self, tuple: FiveTuple, number: u16, peer: SocketAddr) {
        let participant = if tuple.client.0.port() == 5000 { 1 } else { 2 };
        let peer = PeerAddress { ip: peer.ip(), port: peer.port() };
        self.ask(tuple, participant, METHOD_CHANNEL_BIND, &[&ChannelNumber(number), &peer]);
        self.server.poll_effect();
    }

    /// A request that is asked twice: to be given a nonce, and with it.
    fn ask(&mut self, tuple: FiveTuple, participant: u8, method: Method, attributes: &[&dyn Setter]) {
        self.send(tuple, &request(method, attributes));
        let Some(Effect::Reply { message, .. }) = self.server.poll_effect() else { panic!("no challenge") };
        let mut challenge = Message::new();
        challenge.write(&message).unwrap();
        let nonce = String::from_utf8(challenge.get(ATTR_NONCE).unwrap()).unwrap();
        let (room, seat) = (RoomId::from_random([1; 16]), ParticipantId::from_random([participant; 16]));
        let credential = CredentialSecret::new(b"own").mint(self.now.unix, room, seat);
        let mut message = request(method, attributes);
        for (attr, text) in [(ATTR_USERNAME, &credential.username), (ATTR_REALM, &"visavis".to_owned()), (ATTR_NONCE, &nonce)] {
            TextAttribute { attr, text: text.clone() }.add_to(&mut message).unwrap();
        }
        let key = MessageIntegrity::new_long_term_integrity(credential.username, "visavis".to_owned(), credential.password);
        key.add_to(&mut message).unwrap();
        self.send(tuple, &message);
    }

    fn send(&mut self, tuple: FiveTuple, message: &Message) {
        let raw = message.raw.clone();
        let (route, _) = self.relay(&raw, |server, now, packet| server.handle_client(now, tuple, packet));
        assert_eq!(route, Route::Handled);
    }
}

fn config() -> Config {
    Config {
        realm: "visavis".to_owned(),
        own_secret: CredentialSecret::new(b"own"),
        shared_secret: None,
        nonce_key: [7; 32],
        policy: PeerPolicy::default(),
        limits: visavis::app::relay_limits(&visavis::config::parse("").unwrap().limits),
        families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
    }
}

fn now() -> Now {
    Now { instant: Instant::now(), unix: Duration::from_secs(1_800_000_000) }
}

/// ADDITIONAL-ADDRESS-FAMILY for IPv6.
struct Additional;

impl Setter for Additional {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(AttrType(0x8000), &[2, 0, 0, 0]);
        Ok(())
    }
}

fn request(method: Method, attributes: &[&dyn Setter]) -> Message {
    let mut message = Message::new();
    message.typ = MessageType::new(method, CLASS_REQUEST);
    message.write_header();
    for attribute in attributes {
        attribute.add_to(&mut message).unwrap();
    }
    message
}

fn indication(peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut message = Message::new();
    message.typ = turn::proto::send_indication();
    message.write_header();
    PeerAddress { ip: peer.ip(), port: peer.port() }.add_to(&mut message).unwrap();
    Data(data.to_vec()).add_to(&mut message).unwrap();
    message.raw
}

fn allocations(act: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    act();
    ALLOCATIONS.with(Cell::get) - before
}
