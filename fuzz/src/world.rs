//! A server with its driver, held against the model after every step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::client::{self, CLIENTS, Request, number, tuple};
use crate::model::{Model, Standing, Way};
use crate::proto::credential::{Credential, CredentialSecret};
use crate::proto::rate::Rate;
use crate::proto::stun::Packet;
use crate::proto::turn::{
    AddressFamily, AllocationId, Config, DataLimits, Effect, Limits, Now, PeerAddr, PeerPolicy, RelayAddr, Route, Server,
};
use crate::script::{Ask, Peer, Script, Signed, Step, Twist, Who};
use crate::world::answer::{Answer, Asked};
use stun::attributes::{ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN, AttrType};
use turn::proto::chandata::ChannelData;

mod answer;

/// Everything there is.
pub struct World {
    server: Server,
    started: Instant,
    elapsed: Duration,
    model: Model,
    sockets: BTreeMap<AllocationId, RelayAddr>,
    /// What the driver is asked to bind.
    waiting: VecDeque<(AllocationId, AddressFamily)>,
    /// Allocations that are over: a peer's packet may still be on its way to one.
    gone: Vec<AllocationId>,
    nonces: [Option<(Duration, String)>; CLIENTS],
    last: [Option<Sent>; CLIENTS],
    transactions: u64,
}

/// A request as it goes on its way.
#[derive(Clone)]
struct Sent {
    bytes: Vec<u8>,
    /// Whose credential proves it; `None` if nothing does.
    signer: Option<(usize, Credential)>,
}

impl World {
    pub fn new() -> Self {
        let policy = PeerPolicy { own: vec![RELAY_V4.into(), relay_v6(0).ip()], ..PeerPolicy::default() };
        let config = Config {
            realm: client::REALM.to_owned(),
            own_secret: CredentialSecret::new(client::OWN_SECRET),
            shared_secret: Some(CredentialSecret::new(client::SHARED_SECRET)),
            nonce_key: [7; 32],
            policy,
            limits: LIMITS,
            families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
        };
        let started = Instant::now();
        Self {
            server: Server::new(config, started),
            started,
            elapsed: Duration::ZERO,
            model: Model::default(),
            sockets: BTreeMap::new(),
            waiting: VecDeque::new(),
            gone: Vec::new(),
            nonces: Default::default(),
            last: Default::default(),
            transactions: 0,
        }
    }

    /// Plays a script; panics where the server does not do what it ought to.
    pub fn play(&mut self, script: &Script<'_>) {
        for step in &script.steps {
            self.step(step);
            self.prove();
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Request { who, ask, signed, twist } => {
                let sent = self.write(index(who), ask, signed, twist);
                self.last[index(who)] = Some(sent.clone());
                self.request(index(who), &sent);
            }
            Step::Repeat { who } => {
                if let Some(sent) = self.last[index(who)].clone() {
                    self.request(index(who), &sent);
                }
            }
            Step::Indication { who, peer, length } => {
                let peer = self.address(peer);
                let way = self.model.outward(self.now().instant, tuple(index(who)), peer);
                let bytes = client::send_indication(peer, &vec![7; length.into()]);
                assert_eq!(self.send(index(who), &bytes), way);
            }
            Step::ChannelData { who, channel, length } => {
                let bytes = client::channel_data(number(channel), &vec![7; length.into()]);
                let way = self.way_by_channel(index(who), &bytes);
                assert_eq!(self.send(index(who), &bytes), way);
            }
            Step::Bytes { who, bytes } => self.bytes(index(who), bytes),
            Step::FromPeer { whose, peer, length } => self.from_peer(index(whose), peer, length),
            Step::Bound { granted } => self.bound(granted),
            Step::Pass { seconds } => self.pass(Duration::from_secs(seconds.into())),
            Step::Observe { of, at } => {
                let Some((room, participant)) = client::seat(index(of)) else { return };
                self.server.ledger().observe(room, participant, client::private(at).into());
                self.model.seats.insert((room, participant), client::private(at).into());
            }
            Step::RevokeRoom { room } => {
                let room = client::room(1 + u8::from(room));
                self.server.revoke_room(self.now(), room);
                self.server.ledger().vacate_room(room);
                self.model.seats.retain(|seat, _| seat.0 != room);
                self.ended(|standing| standing.seat.is_some_and(|seat| seat.0 == room));
            }
            Step::RevokeSeat { of } => {
                let Some((room, participant)) = client::seat(index(of)) else { return };
                self.server.revoke_seat(self.now(), room, participant);
                self.server.ledger().vacate_seat(room, participant);
                self.model.seats.remove(&(room, participant));
                self.ended(|standing| standing.seat == Some((room, participant)));
            }
            Step::Disconnect { who } => {
                self.server.handle_disconnected(tuple(index(who)));
                self.ended(|standing| standing.tuple == tuple(index(who)));
            }
        }
    }

    /// What holds whatever happened.
    fn prove(&mut self) {
        assert_eq!(self.server.poll_effect(), None);
        assert_eq!(self.server.allocations(), self.model.standing.len());
        let bound = self.model.standing.iter().filter_map(|standing| Some((standing.id, standing.relay?)));
        assert_eq!(bound.collect::<BTreeMap<_, _>>(), self.sockets, "one socket an allocation");
        assert!(self.model.standing.len() <= LIMITS.allocations_max);
        for one in &self.model.standing {
            let same =
                |other: &&Standing| if one.seat.is_some() { other.seat == one.seat } else { other.username == one.username };
            assert!(self.model.standing.iter().filter(same).count() <= LIMITS.allocations_per_seat);
        }
        for client in 0..CLIENTS {
            assert_eq!(self.server.has_allocation(tuple(client)), self.model.of(tuple(client)).is_some());
        }
        let timeout = self.server.poll_timeout();
        assert_eq!(timeout.is_some(), !self.model.standing.is_empty(), "every allocation has its end");
    }

    fn write(&mut self, who: usize, ask: Ask, signed: Signed, twist: Twist<'_>) -> Sent {
        self.transactions += 1;
        let transaction = self.transactions;
        let mut message = match ask {
            Ask::Binding => Request::Binding,
            Ask::Allocate { transport, lifetime, family, even } => {
                Request::Allocate { transport, lifetime, family, even: even.map(|even| even & 0x7F) }
            }
            Ask::Refresh { lifetime } => Request::Refresh { lifetime },
            Ask::CreatePermission { peers } => {
                Request::CreatePermission { peers: peers.into_iter().flatten().map(|peer| self.address(peer)).collect() }
            }
            Ask::ChannelBind { channel, peer } => Request::ChannelBind { number: number(channel), peer: self.address(peer) },
        }
        .message(transaction);
        // The model knows one relayed address a client: neither pairs nor both families at once.
        if let Twist::More(kind, value) = twist
            && ![ATTR_EVEN_PORT.0, ATTR_RESERVATION_TOKEN.0, ADDITIONAL_ADDRESS_FAMILY].contains(&kind)
        {
            message.add(AttrType(kind), value);
        }
        let mut signer = match signed {
            Signed::ByItself | Signed::WithWrongPassword | Signed::WithStaleNonce => Some(who),
            Signed::ByAnother(other) => Some(index(other)),
            Signed::Not => None,
        }
        .map(|signer| (signer, client::credential(signer, self.now().unix)));
        if let Some((_, credential)) = &mut signer {
            if matches!(signed, Signed::WithWrongPassword) {
                credential.password.push('x');
            }
            let stale = matches!(signed, Signed::WithStaleNonce);
            let nonce = if stale { "AAAAAAAAAAAAAAAAAAAAAAAA".to_owned() } else { self.nonce(who) };
            client::sign(&mut message, credential, &nonce);
        }
        if let Twist::Appended(kind, value) = twist {
            message.add(AttrType(kind), value);
        }
        let mut bytes = message.raw;
        match twist {
            Twist::Flipped(bit) => bytes[usize::from(bit) / 8 % 20.max(message.length as usize)] ^= 1 << (bit % 8),
            Twist::Cut(length) => bytes.truncate(bytes.len().saturating_sub(length.into())),
            _ => {}
        }
        let spoilt = matches!(signed, Signed::WithWrongPassword | Signed::WithStaleNonce)
            || matches!(twist, Twist::Flipped(_) | Twist::Cut(1..));
        Sent { bytes, signer: signer.filter(|_| !spoilt) }
    }

    /// A nonce for a client, asked for when the last one is old.
    fn nonce(&mut self, who: usize) -> String {
        if let Some((at, nonce)) = &self.nonces[who]
            && *at + Duration::from_secs(600) >= self.elapsed
        {
            return nonce.clone();
        }
        let challenge = Request::Refresh { lifetime: None }.message(0).raw;
        assert_eq!(self.send(who, &challenge), Way::Nowhere);
        if let Some(Effect::Reply { message, .. }) = self.server.poll_effect() {
            self.nonces[who] = Answer::read(&message).nonce.map(|nonce| (self.elapsed, nonce));
        }
        self.nonces[who].as_ref().map_or_else(String::new, |(_, nonce)| nonce.clone())
    }

    fn request(&mut self, who: usize, sent: &Sent) {
        assert_eq!(self.send(who, &sent.bytes), Way::Nowhere);
        let effects = self.effects();
        assert!(effects.len() <= 2, "{effects:?}");
        for effect in effects {
            match effect {
                Effect::Bind { allocation, family, reached, .. } => {
                    assert_eq!(reached, tuple(who).server.ip());
                    self.begin(who, sent, allocation);
                    self.waiting.push_back((allocation, family));
                }
                Effect::BindPair { .. } => panic!("no client asks for a pair"),
                Effect::Release { allocation } => {
                    assert_eq!(Asked::read(&sent.bytes).lifetime, Some(Duration::ZERO), "only a Refresh to zero ends one");
                    self.release(allocation);
                    self.model.end(|standing| standing.id == allocation);
                }
                Effect::Reply { to, message } => {
                    assert_eq!(to, tuple(who));
                    assert!(message.len() <= sent.bytes.len() + 256, "{} for {}", message.len(), sent.bytes.len());
                    self.succeeded(who, sent, &Answer::read(&message));
                }
            }
        }
    }

    fn begin(&mut self, who: usize, sent: &Sent, id: AllocationId) {
        let (signer, credential) = sent.signer.as_ref().expect("nobody is given anything without a credential");
        assert!(self.model.of(tuple(who)).is_none(), "one five-tuple, one allocation");
        let asked = Asked::read(&sent.bytes).lifetime.unwrap_or_default();
        let lifetime = asked.clamp(Duration::from_secs(600), Duration::from_secs(3600));
        let expires = self.now().instant + lifetime;
        let standing = Standing::new(id, tuple(who), client::seat(*signer), credential.username.clone(), expires);
        self.model.standing.push(standing);
    }

    /// What a success says is so from now on.
    fn succeeded(&mut self, who: usize, sent: &Sent, answer: &Answer) {
        let (now, asked) = (self.now().instant, Asked::read(&sent.bytes));
        if !answer.success || asked.method == stun::message::METHOD_BINDING {
            assert!(!answer.success || answer.mapped == Some(tuple(who).client.0));
            return;
        }
        let (_, credential) = sent.signer.as_ref().expect("nobody is given anything without a credential");
        if asked.method == stun::message::METHOD_REFRESH && answer.lifetime == Some(Duration::ZERO) {
            self.model.end(|standing| standing.tuple == tuple(who));
            return;
        }
        for peer in &asked.peers {
            let standing = self.model.of(tuple(who)).expect("a success is about an allocation");
            assert_eq!(standing.username, credential.username, "RFC 8656 section 5: 441");
            let channel = asked.method == stun::message::METHOD_CHANNEL_BIND;
            if channel {
                let number = asked.number.expect("a channel has a number");
                standing.bound(now, number, *peer);
            } else {
                standing.permitted(now, peer.ip());
            }
            let standing = self.model.standing.iter().find(|standing| standing.tuple == tuple(who)).expect("it stands");
            assert!(self.model.may_permit(standing, peer.ip()) && (!channel || self.model.allows(standing, *peer)), "{peer}");
        }
        let standing = self.model.of(tuple(who)).expect("a success is about an allocation");
        if asked.method == stun::message::METHOD_REFRESH {
            let lifetime = answer.lifetime.expect("a Refresh is answered with a lifetime");
            assert!((600..=3600).contains(&lifetime.as_secs()), "{lifetime:?}");
            standing.expires = now + lifetime;
        } else if asked.method == stun::message::METHOD_ALLOCATE {
            assert_eq!(answer.relayed, standing.relay.map(|relay| relay.0), "a retransmission is answered alike");
        }
    }

    /// Whatever a client sends: what is relayed of it went where a view of the `turn` crate says.
    fn bytes(&mut self, who: usize, bytes: &[u8]) {
        let by_channel = self.way_by_channel(who, bytes);
        let by_indication =
            Asked::of_indication(bytes).map_or(Way::Nowhere, |peer| self.model.outward(self.now().instant, tuple(who), peer));
        let way = self.send(who, bytes);
        assert!(way == Way::Nowhere || way == by_channel || way == by_indication, "{way:?}");
        for effect in self.effects() {
            let Effect::Reply { to, message } = effect else { panic!("{effect:?} for bytes that nobody signed") };
            assert_eq!(to, tuple(who));
            assert!(message.len() <= bytes.len() + 256);
        }
    }

    fn way_by_channel(&self, who: usize, bytes: &[u8]) -> Way {
        let mut data = ChannelData { raw: bytes.to_vec(), ..ChannelData::default() };
        if data.decode().is_err() {
            return Way::Nowhere;
        }
        let now = self.now().instant;
        let standing = self.model.standing.iter().find(|standing| standing.tuple == tuple(who));
        let peer = standing.and_then(|standing| standing.peer(now, data.number.0));
        peer.map_or(Way::Nowhere, |peer| self.model.outward(now, tuple(who), peer))
    }

    fn from_peer(&mut self, whose: usize, peer: Peer, length: u16) {
        let peer = self.address(peer);
        let standing = self.model.of(tuple(whose)).filter(|standing| standing.relay.is_some()).map(|standing| standing.id);
        let Some(id) = standing.or_else(|| self.gone.last().copied()) else { return };
        let now = self.now().instant;
        let (way, _) = in_place(&vec![7; length.into()], |packet| self.server.handle_peer(now, id, PeerAddr(peer), packet));
        // What its length field cannot name is dropped.
        assert!(way == self.model.inward(now, id, peer) || (length > 65_000 && way == Way::Nowhere), "{way:?}");
    }

    fn bound(&mut self, granted: bool) {
        let Some((id, family)) = self.waiting.pop_front() else { return };
        let free = (0..).map(|n| relay(family, n)).find(|relay| !self.sockets.values().any(|taken| taken == relay));
        let relay = free.filter(|_| granted);
        self.server.handle_bound(id, relay);
        let effects = self.effects();
        let Some(standing) = self.model.by_id(id) else {
            let released = relay.map(|_| Effect::Release { allocation: id });
            assert_eq!(effects, Vec::from_iter(released), "its allocation is over");
            return;
        };
        standing.relay = relay;
        let tuple = standing.tuple;
        let [Effect::Reply { to, message }] = &effects[..] else { panic!("{effects:?}") };
        let answer = Answer::read(message);
        assert_eq!((*to, answer.success, answer.relayed), (tuple, granted, relay.map(|relay| relay.0)));
        match relay {
            Some(relay) => drop(self.sockets.insert(id, relay)),
            None => drop(self.model.end(|standing| standing.id == id)),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.elapsed += time;
        let now = self.now().instant;
        self.server.handle_timeout(now);
        self.ended(|standing| standing.expires <= now);
        assert!(self.server.poll_timeout().is_none_or(|next| next > now), "what was due is done");
    }

    /// Those that are over have their sockets closed, and nobody else.
    fn ended(&mut self, over: impl Fn(&Standing) -> bool) {
        let ended = self.model.end(over);
        let closed: BTreeSet<_> = ended.iter().filter(|standing| standing.relay.is_some()).map(|standing| standing.id).collect();
        let mut released = BTreeSet::new();
        for effect in self.effects() {
            let Effect::Release { allocation } = effect else { panic!("{effect:?}") };
            self.release(allocation);
            released.insert(allocation);
        }
        assert_eq!(released, closed);
    }

    fn release(&mut self, id: AllocationId) {
        assert!(self.sockets.remove(&id).is_some(), "a socket is closed once");
        self.gone.push(id);
    }

    fn send(&mut self, who: usize, bytes: &[u8]) -> Way {
        let now = self.now();
        in_place(bytes, |packet| self.server.handle_client(now, tuple(who), packet)).0
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.server.poll_effect()).collect()
    }

    fn address(&self, peer: Peer) -> SocketAddr {
        match peer {
            Peer::Public(n) => SocketAddr::from(([8, 8, 8, n % 3], 8000 + u16::from(n / 128))),
            Peer::PublicV6(n) => SocketAddr::from(([0x2a00, 1, 0, 0, 0, 0, 0, u16::from(n % 3)], 8000)),
            Peer::RelayOf(who) => {
                let relay =
                    self.model.standing.iter().find(|standing| standing.tuple == tuple(index(who))).and_then(|it| it.relay);
                relay.unwrap_or_else(|| relay_v4(usize::from(who.0) % 8)).0
            }
            Peer::Own(port) => SocketAddr::from((RELAY_V4, port)),
            Peer::Private(n) => SocketAddr::from((client::private(n), if n < 128 { 80 } else { 40_000 })),
            Peer::Any4(ip, port) => SocketAddr::from((ip, port)),
            Peer::Mapped(n) => SocketAddr::from((Ipv4Addr::new(127, 0, 0, n).to_ipv6_mapped(), 80)),
        }
    }

    fn now(&self) -> Now {
        Now { instant: self.started + self.elapsed, unix: Duration::from_secs(1_800_000_000) + self.elapsed }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A datagram with room around it, and where it went.
fn in_place(bytes: &[u8], act: impl FnOnce(&mut Packet<'_>) -> Route) -> (Way, Vec<u8>) {
    let end = Packet::HEAD_ROOM + bytes.len();
    let mut buffer = vec![0xEE; end + Packet::TAIL_ROOM];
    buffer[Packet::HEAD_ROOM..end].copy_from_slice(bytes);
    let mut packet = Packet::new(&mut buffer, Packet::HEAD_ROOM, end);
    let way = match act(&mut packet) {
        Route::Peer(id, peer) | Route::PeerUnfragmented(id, peer) => Way::Peer(id, peer),
        Route::Client(tuple) => Way::Client(tuple),
        Route::Handled | Route::Dropped(_) => Way::Nowhere,
    };
    (way, packet.bytes().to_vec())
}

const fn index(who: Who) -> usize {
    who.0 as usize % CLIENTS
}

fn relay(family: AddressFamily, n: usize) -> RelayAddr {
    match family {
        AddressFamily::Ipv4 => relay_v4(n),
        AddressFamily::Ipv6 => RelayAddr(relay_v6(n)),
    }
}

const fn relay_v4(n: usize) -> RelayAddr {
    RelayAddr(SocketAddr::new(std::net::IpAddr::V4(RELAY_V4), 50_000 + n as u16))
}

fn relay_v6(n: usize) -> SocketAddr {
    SocketAddr::from(([0x2a00, 9, 0, 0, 0, 0, 0, 9], 50_000 + n as u16))
}

/// RFC 8656 section 18.11.
const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
const RELAY_V4: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
/// Few places, and rates of data, peers and failures that no script meets: the model does not know those.
const LIMITS: Limits = Limits {
    allocations_max: 4,
    allocations_per_seat: 2,
    allocations_per_source: 4,
    permissions_per_allocation: 64,
    channels_per_allocation: 64,
    new_peers: UNBOUND,
    data: DataLimits { packets_per_second: u32::MAX, bits_per_second: u64::MAX >> 16, burst: Duration::from_secs(3600) },
    requests: Rate { per_second: 10, burst: 200 },
    failures: UNBOUND,
};
const UNBOUND: Rate = Rate { per_second: 1_000_000, burst: 1_000_000 };
