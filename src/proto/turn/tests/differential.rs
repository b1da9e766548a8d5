//! The same messages to this server and to `turn-server-proto`, which somebody else wrote: the same answers and the same data come out,
//! but for what [`DIFFERENCES`] lists.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use stun::attributes::{ATTR_LIFETIME, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS};
use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use stun::xoraddr::XorMappedAddress;
use turn::proto::Protocol;
use turn::proto::lifetime::Lifetime;
use turn_server_proto::api::{Transmit, TurnServerApi, TurnServerPollRet};
use turn_server_proto::server::TurnServer;
use turn_server_proto::stun::Instant as TheirInstant;
use turn_server_proto::stun::types::TransportType;
use turn_server_proto::types::AddressFamily as TheirFamily;

use super::*;

/// Where the two are meant to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Difference {
    /// Theirs relays to anybody; ours to no special address, nor to the box itself: 403.
    Policy,
    /// Theirs lets a number name two peers, and whoever comes first have it once it expired; RFC 8656 section 12 does not: 400.
    Bijection,
    /// RFC 8489 section 6.3.1 looks at unknown attributes before a method looks at anything: 420, theirs 437.
    UnknownFirst,
    /// RFC 8656 section 7.2: a transport that the server cannot do is 442; theirs does TCP, but not for a client over UDP: 400.
    Transport,
    /// RFC 8656 section 7.2: a family that the server does not know is 440; theirs takes it for a broken attribute: 400.
    Family,
    /// Of two faults in a ChannelBind ours names the number first, theirs the peer's family: 400 and 443.
    FirstFault,
    /// RFC 8656 section 9.2: all permissions or none; theirs has installed those before the refused one.
    AllOrNone,
}

/// Every difference, and whether the two remember different things from there on.
const DIFFERENCES: [(Difference, bool); 7] = [
    (Difference::Policy, true),
    (Difference::Bijection, true),
    (Difference::UnknownFirst, false),
    (Difference::Transport, false),
    (Difference::Family, false),
    (Difference::FirstFault, false),
    (Difference::AllOrNone, true),
];

#[derive(Debug, Clone)]
enum Step {
    Ask { who: usize, ask: Ask, signed: Signed, unknown: bool },
    SendByAddress { who: usize, peer: Peer },
    SendByNumber { who: usize, number: u16 },
    Receive { whose: usize, peer: Peer },
    Pass(u64),
}

#[derive(Debug, Clone)]
enum Ask {
    Binding,
    Allocate { transport: Option<u8>, lifetime: Option<u64>, family: Option<u8> },
    Refresh { lifetime: Option<u64>, family: Option<u8> },
    Permit(Vec<Peer>),
    Bind(Option<u16>, Option<Peer>),
}

#[derive(Debug, Clone, Copy)]
enum Signed {
    Rightly,
    ByTheOther,
    WithAGuess,
    WithAnOldNonce,
    Not,
}

#[derive(Debug, Clone, Copy)]
enum Peer {
    At(SocketAddr),
    RelayOf(usize),
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Answer { code: Option<u16>, mapped: Option<SocketAddr>, relayed: Option<SocketAddr>, lifetime: Option<Duration> },
    ToPeer { from: SocketAddr, to: SocketAddr, data: Vec<u8> },
    ByChannel { to: SocketAddr, bytes: Vec<u8> },
    ByIndication { to: SocketAddr, peer: SocketAddr, data: Vec<u8> },
    Nothing,
}

#[test]
fn another_author_s_server_answers_and_relays_alike() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() });
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    runner
        .run(&proptest::collection::vec(step(), 1..60), |steps| {
            let mut pair = Pair::new();
            for (at, step) in steps.iter().enumerate() {
                // No moment is the very last of a lease, on which the two need not agree.
                pair.pass(Duration::from_millis(1));
                let Some(difference) = pair.step(step).map_err(|outcomes| {
                    let [ours, theirs] = *outcomes;
                    TestCaseError::fail(format!("step {at}, {step:?}\n  ours: {ours:?}\ntheirs: {theirs:?}"))
                })?
                else {
                    continue;
                };
                seen.borrow_mut().insert(difference);
                if DIFFERENCES.contains(&(difference, true)) {
                    break;
                }
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(seen.into_inner(), DIFFERENCES.iter().map(|(difference, _)| *difference).collect(), "every difference is met");
}

/// Both servers, and who is bound to whom in either.
struct Pair {
    ours: Lab,
    theirs: TurnServer,
    clients: [Client; 2],
    relays: [Option<SocketAddr>; 2],
    bound: Vec<(usize, u16, SocketAddr, Duration)>,
    port: u16,
}

impl Pair {
    fn new() -> Self {
        let own = vec![server_address().ip(), relay_v6(0).ip()];
        let mut ours = Lab::with(PeerPolicy { own, ..PeerPolicy::default() }, &[AddressFamily::Ipv4, AddressFamily::Ipv6]);
        let mut theirs = TurnServer::new(TransportType::Udp, server_address(), REALM.to_owned());
        let clients = [(ALICE, "alice"), (BOB, "bob")].map(|(at, name)| {
            let username = format!("1900000000:{name}");
            let password = CredentialSecret::new(b"shared").password(&username);
            theirs.add_user(username.clone(), password.clone());
            ours.client_with(at, Credential { username, password })
        });
        Self { ours, theirs, clients, relays: [None; 2], bound: Vec::new(), port: 50_000 }
    }

    fn pass(&mut self, time: Duration) {
        self.ours.pass(time);
        self.their_effects();
        for who in [0, 1] {
            if !self.ours.server.has_allocation(self.clients[who].tuple) {
                self.relays[who] = None;
                self.bound.retain(|(whose, ..)| *whose != who);
            }
        }
    }

    /// What a step does to both, unless it differs in no way that is meant.
    fn step(&mut self, step: &Step) -> Result<Option<Difference>, Box<[Outcome; 2]>> {
        let (ours, theirs) = match step {
            Step::Pass(seconds) => {
                // Two seconds past what leases add up to: ends are met on a clock of whole ticks.
                self.pass(Duration::from_secs(*seconds + 2));
                return Ok(None);
            }
            Step::Ask { who, ask, signed, unknown } => return self.ask(*who, ask, *signed, *unknown),
            Step::SendByAddress { who, peer } => {
                let bytes = send_indication(self.address(*peer), b"hello");
                (self.ours(*who, &bytes), self.theirs(*who, &bytes))
            }
            Step::SendByNumber { who, number } => {
                let bytes = channel_data(*number, b"hello");
                (self.ours(*who, &bytes), self.theirs(*who, &bytes))
            }
            Step::Receive { whose, peer } => {
                let (Some(relay), peer) = (self.relays[*whose], self.address(*peer)) else { return Ok(None) };
                let standing = self.ours.server.allocations.of_client(self.clients[*whose].tuple);
                let id = standing.and_then(|standing| standing.of(AddressFamily::of(relay.ip())));
                let id = id.expect("whoever has a relayed address has an allocation");
                let (route, bytes) = self.ours.receive(id, &peer.to_string(), b"hello");
                (self.routed(route, &bytes), self.their_datagram(peer, relay, b"hello"))
            }
        };
        if ours == theirs { Ok(None) } else { Err(Box::new([ours, theirs])) }
    }

    fn ask(&mut self, who: usize, ask: &Ask, signed: Signed, unknown: bool) -> Result<Option<Difference>, Box<[Outcome; 2]>> {
        self.port += 1;
        let challenge = message(METHOD_REFRESH, CLASS_REQUEST, [9; 12], &[]).raw;
        let nonces = [answer_to(|| self.ours_raw(who, &challenge)), answer_to(|| self.theirs_raw(who, &challenge))];
        let [ours, theirs] = nonces.map(|nonce| {
            let bytes = self.write(who, ask, signed, unknown, &nonce);
            (bytes, nonce)
        });
        let (ours, theirs) = (self.ours(who, &ours.0), self.theirs(who, &theirs.0));
        let difference = self.difference(who, ask, unknown, &ours, &theirs);
        if ours != theirs && difference.is_none() {
            return Err(Box::new([ours, theirs]));
        }
        match (ask, &ours) {
            (Ask::Allocate { .. }, Outcome::Answer { code: None, relayed, .. }) => self.relays[who] = *relayed,
            (Ask::Bind(Some(number), Some(peer)), Outcome::Answer { code: None, .. }) => {
                self.bound.push((who, *number, self.address(*peer), self.ours.elapsed));
            }
            _ => {}
        }
        Ok(difference)
    }

    fn difference(&self, who: usize, ask: &Ask, unknown: bool, ours: &Outcome, theirs: &Outcome) -> Option<Difference> {
        let code = |outcome: &Outcome| if let Outcome::Answer { code, .. } = outcome { *code } else { Some(0) };
        match (ask, code(ours), code(theirs)) {
            (Ask::Permit(peers), Some(403 | 443), Some(443)) if peers.len() > 1 => Some(Difference::AllOrNone),
            (Ask::Permit(_) | Ask::Bind(..), Some(403), None) => Some(Difference::Policy),
            (Ask::Bind(Some(number), Some(peer)), Some(400), None) => {
                let peer = self.address(*peer);
                let held = |at: &Duration| self.ours.elapsed < *at + Duration::from_secs(900);
                let mut bound = self.bound.iter().filter(|(whose, .., at)| *whose == who && held(at));
                bound.any(|(_, n, p, _)| (n == number) != (*p == peer)).then_some(Difference::Bijection)
            }
            (Ask::Bind(..), Some(400), Some(443)) => Some(Difference::FirstFault),
            (_, Some(420), Some(437)) if unknown => Some(Difference::UnknownFirst),
            (Ask::Allocate { transport: Some(6), .. }, Some(442), Some(400)) => Some(Difference::Transport),
            (Ask::Allocate { family: Some(3), .. }, Some(440), Some(400)) => Some(Difference::Family),
            _ => None,
        }
    }

    /// The bytes of a request, over the nonce of one of the servers.
    fn write(&self, who: usize, ask: &Ask, signed: Signed, unknown: bool, nonce: &str) -> Vec<u8> {
        let family = |family: &u8| match family {
            1 => Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]),
            2 => Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]),
            _ => Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0]),
        };
        let mut attributes: Vec<Box<dyn Setter>> = Vec::new();
        let seconds = |seconds: &u64| Box::new(Lifetime(Duration::from_secs(*seconds))) as Box<dyn Setter>;
        let method = match ask {
            Ask::Binding => METHOD_BINDING,
            Ask::Allocate { transport, lifetime, family: asked } => {
                attributes.extend(
                    transport.map(|protocol| Box::new(RequestedTransport { protocol: Protocol(protocol) }) as Box<dyn Setter>),
                );
                attributes.extend(lifetime.as_ref().map(seconds));
                attributes.extend(asked.as_ref().map(|asked| Box::new(family(asked)) as Box<dyn Setter>));
                METHOD_ALLOCATE
            }
            Ask::Refresh { lifetime, family: asked } => {
                attributes.extend(lifetime.as_ref().map(seconds));
                attributes.extend(asked.as_ref().map(|asked| Box::new(family(asked)) as Box<dyn Setter>));
                METHOD_REFRESH
            }
            Ask::Permit(peers) => {
                attributes.extend(peers.iter().map(|peer| Box::new(to(self.address(*peer))) as Box<dyn Setter>));
                METHOD_CREATE_PERMISSION
            }
            Ask::Bind(number, peer) => {
                attributes.extend(number.map(|number| Box::new(ChannelNumber(number)) as Box<dyn Setter>));
                attributes.extend(peer.map(|peer| Box::new(to(self.address(peer))) as Box<dyn Setter>));
                METHOD_CHANNEL_BIND
            }
        };
        if unknown {
            attributes.push(Box::new(Raw(AttrType(0x4FFF), &[])));
        }
        let attributes: Vec<&dyn Setter> = attributes.iter().map(AsRef::as_ref).collect();
        let mut client = Client { nonce: nonce.to_owned(), ..self.clients[who].clone() };
        match signed {
            _ if matches!(ask, Ask::Binding) => return message(method, CLASS_REQUEST, [8; 12], &attributes).raw,
            Signed::Not => return message(method, CLASS_REQUEST, [8; 12], &attributes).raw,
            Signed::Rightly => {}
            Signed::ByTheOther => client.credential = self.clients[1 - who].credential.clone(),
            Signed::WithAGuess => client.credential.password = "guess".to_owned(),
            Signed::WithAnOldNonce => client.nonce = "AAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        }
        // Every request is another transaction: a retransmitted Allocate is a success here, and 437 there.
        client.transactions = u8::try_from(self.port % 200).unwrap();
        client.request(method, &attributes)
    }

    fn ours(&mut self, who: usize, bytes: &[u8]) -> Outcome {
        let (route, bytes) = self.ours_raw(who, bytes);
        self.routed(route, &bytes)
    }

    /// A datagram to our server, its sockets bound; what comes out, an answer in place of what was handled.
    fn ours_raw(&mut self, who: usize, bytes: &[u8]) -> (Route, Vec<u8>) {
        let tuple = self.clients[who].tuple;
        let (route, bytes) = self.ours.send(tuple, bytes);
        let mut effects = self.ours.effects();
        if let [Effect::Bind { allocation, family, .. }] = effects[..] {
            let relay = self.relay(family == AddressFamily::Ipv4);
            self.ours.server.handle_bound(allocation, Some(RelayAddr(relay)));
            effects = self.ours.effects();
        }
        match effects.pop() {
            Some(Effect::Reply { to, message }) => (Route::Client(to), message),
            _ => (route, bytes),
        }
    }

    fn routed(&self, route: Route, bytes: &[u8]) -> Outcome {
        match route {
            Route::Peer(id, PeerAddr(peer)) | Route::PeerUnfragmented(id, PeerAddr(peer)) => {
                let from = self.ours.server.allocations.get(id).unwrap().tuple;
                let who = self.clients.iter().position(|client| client.tuple == from).unwrap();
                Outcome::ToPeer { from: self.relays[who].unwrap(), to: peer, data: bytes.to_vec() }
            }
            Route::Client(tuple) => to_client(tuple.client.0, bytes),
            Route::Handled | Route::Dropped(_) => Outcome::Nothing,
        }
    }

    fn theirs(&mut self, who: usize, bytes: &[u8]) -> Outcome {
        let at = self.clients[who].tuple.client.0;
        self.their_datagram(at, server_address(), bytes)
    }

    fn theirs_raw(&mut self, who: usize, bytes: &[u8]) -> (Route, Vec<u8>) {
        let tuple = self.clients[who].tuple;
        let now = self.their_now();
        let datagram = Transmit::new(bytes.to_vec(), TransportType::Udp, tuple.client.0, server_address());
        let answer = self.theirs.recv(datagram, now).unwrap().build();
        (Route::Client(tuple), answer.data)
    }

    fn their_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Outcome {
        let now = self.their_now();
        let sent = self.theirs.recv(Transmit::new(bytes.to_vec(), TransportType::Udp, from, to), now).map(|sent| sent.build());
        let Some(sent) = sent.or_else(|| self.their_effects()) else { return Outcome::Nothing };
        if sent.from == server_address() {
            // Its answers to Binding name itself as the receiver.
            return to_client(if sent.to == server_address() { from } else { sent.to }, &sent.data);
        }
        if [server_address().ip(), relay_v6(0).ip()].contains(&sent.to.ip()) {
            // It hands everything to the kernel, which would bring this back; ours keeps it.
            return self.their_datagram(sent.from, sent.to, &sent.data);
        }
        Outcome::ToPeer { from: sent.from, to: sent.to, data: sent.data }
    }

    /// Their sockets are bound where ours are; what they send then.
    fn their_effects(&mut self) -> Option<Transmit<Vec<u8>>> {
        let now = self.their_now();
        loop {
            match self.theirs.poll(now) {
                TurnServerPollRet::AllocateSocket { transport, listen_addr, client_addr, allocation_transport, family } => {
                    let relay = self.relay(family == TheirFamily::IPV4);
                    self.theirs.allocated_socket(
                        transport,
                        listen_addr,
                        client_addr,
                        allocation_transport,
                        family,
                        Ok(relay),
                        now,
                    );
                }
                TurnServerPollRet::WaitUntil(_) => return self.theirs.poll_transmit(now),
                _ => {}
            }
        }
    }

    fn their_now(&self) -> TheirInstant {
        TheirInstant::ZERO + self.ours.elapsed
    }

    fn relay(&self, v4: bool) -> SocketAddr {
        if v4 { SocketAddr::new(server_address().ip(), self.port) } else { relay_v6(self.port) }
    }

    fn address(&self, peer: Peer) -> SocketAddr {
        match peer {
            Peer::At(address) => address,
            Peer::RelayOf(who) => self.relays[who].unwrap_or(SocketAddr::new(server_address().ip(), 49_999)),
        }
    }
}

fn to_client(to: SocketAddr, bytes: &[u8]) -> Outcome {
    if bytes[0] >= 0x40 {
        return Outcome::ByChannel { to, bytes: bytes.to_vec() };
    }
    let read = answered(bytes);
    if read.message.typ.class == CLASS_INDICATION {
        let peer: PeerAddress = read.read();
        return Outcome::ByIndication { to, peer: SocketAddr::new(peer.ip, peer.port), data: read.read::<Data>().0 };
    }
    let address = |kind| {
        let mut address = XorMappedAddress::default();
        address.get_from_as(&read.message, kind).ok().map(|()| SocketAddr::new(address.ip, address.port))
    };
    let lifetime = read.message.contains(ATTR_LIFETIME).then(|| read.read::<Lifetime>().0);
    let (mapped, relayed) = (address(ATTR_XORMAPPED_ADDRESS), address(ATTR_XOR_RELAYED_ADDRESS));
    Outcome::Answer { code: read.code, mapped, relayed, lifetime }
}

/// The nonce that a server challenges with.
fn answer_to(ask: impl FnOnce() -> (Route, Vec<u8>)) -> String {
    let answer = answered(&ask().1);
    assert_eq!(answer.code, Some(401));
    answer.text(ATTR_NONCE)
}

fn step() -> impl Strategy<Value = Step> {
    let signed = prop_oneof![
        12 => Just(Signed::Rightly), 1 => Just(Signed::ByTheOther), 1 => Just(Signed::WithAGuess),
        1 => Just(Signed::WithAnOldNonce), 1 => Just(Signed::Not)
    ];
    let number = || select(vec![0x4000, 0x4001, 0x7FFF]);
    prop_oneof![
        12 => (0usize..2, ask(), signed, proptest::bool::weighted(0.05))
            .prop_map(|(who, ask, signed, unknown)| Step::Ask { who, ask, signed, unknown }),
        3 => (0usize..2, peer()).prop_map(|(who, peer)| Step::SendByAddress { who, peer }),
        3 => (0usize..2, number()).prop_map(|(who, number)| Step::SendByNumber { who, number }),
        3 => (0usize..2, peer()).prop_map(|(whose, peer)| Step::Receive { whose, peer }),
        2 => select(vec![1, 100, 299, 300, 301, 600, 900, 3600]).prop_map(Step::Pass),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let lifetime = || proptest::option::of(select(vec![1u64, 600, 1000, 3600, 100_000]));
    let transport = prop_oneof![12 => Just(Some(17)), 1 => Just(Some(6)), 1 => Just(Some(99)), 1 => Just(None)];
    let family = prop_oneof![12 => Just(None), 2 => Just(Some(1)), 2 => Just(Some(2)), 1 => Just(Some(3))];
    let known_family = prop_oneof![8 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(2))];
    let number =
        prop_oneof![12 => (0x4000u16..0x4002).prop_map(Some), 1 => Just(Some(0x3FFF)), 1 => Just(Some(0x8000)), 1 => Just(None)];
    prop_oneof![
        1 => Just(Ask::Binding),
        4 => (transport, lifetime(), family).prop_map(|(transport, lifetime, family)| Ask::Allocate { transport, lifetime, family }),
        2 => (prop_oneof![6 => lifetime(), 1 => Just(Some(0))], known_family)
            .prop_map(|(lifetime, family)| Ask::Refresh { lifetime, family }),
        4 => proptest::collection::vec(peer(), 0..3).prop_map(Ask::Permit),
        4 => (number, peer()).prop_map(|(number, peer)| Ask::Bind(number, Some(peer))),
        1 => Just(Ask::Bind(Some(0x4000), None)),
    ]
}

fn peer() -> impl Strategy<Value = Peer> {
    let public = (1u8..3, 8000u16..8002).prop_map(|(host, port)| Peer::At(SocketAddr::new([8, 8, 8, host].into(), port)));
    prop_oneof![
        12 => public,
        2 => (0usize..2).prop_map(Peer::RelayOf),
        1 => Just(Peer::At(address("[2a00::1]:8000"))),
        1 => select(vec!["10.0.0.1:80", "127.0.0.1:22", "9.9.9.9:22"]).prop_map(|special| Peer::At(address(special))),
    ]
}

fn relay_v6(port: u16) -> SocketAddr {
    SocketAddr::new([0x2a00u16, 9, 0, 0, 0, 0, 0, 9].into(), port)
}
