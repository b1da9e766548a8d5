//! A relay of three shards through its sockets: so many clients that hardly ever a shard is without any, and that most pairs meet in
//! different ones.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stun::attributes::ATTR_EVEN_PORT;
use stun::message::{METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH};
use tempfile::TempDir;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::rsrvtoken::ReservationToken;
use visavis::app::App;
use visavis::config;
use visavis::proto::credential::{Credential, CredentialSecret};
use visavis::proto::id::{ParticipantId, RoomId};
use visavis::proto::turn::{Counters, DropReason, Transport};

use crate::by_hand::{Client, Raw, peer_address};
use crate::client::freed;
use crate::daemon_with;

#[tokio::test(flavor = "multi_thread")]
async fn room_mates_reach_one_another_and_nobody_else_whichever_shard_each_is_in() {
    for (listen, more) in [
        ("127.0.0.1:0", ""),
        ("[::1]:0", ""),
        // A box of two addresses.
        ("127.0.0.1:0\", \"127.0.0.2:0", ""),
        // An external address that no router turns around, and no kernel knows.
        ("127.0.0.1:0", "external-addresses = [\"203.0.113.5\"]"),
        ("127.0.0.1:0", OPENED),
    ] {
        let lab = Lab::new(listen, more).await;
        let mut mates: Vec<_> = (0..CLIENTS).map(|n| lab.seated(1, n)).collect();
        let mut strangers: Vec<_> = (0..4).map(|n| lab.seated(2, n)).collect();
        let shown: HashSet<_> = mates.iter().map(|(_, relay)| relay.ip()).collect();
        for (client, _) in mates.iter_mut().chain(&mut strangers) {
            for ip in &shown {
                assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(SocketAddr::new(*ip, 0))]).code, None);
            }
        }
        for (client, _) in &mut strangers {
            for (number, (_, mate)) in (0x4000..).zip(&mates) {
                assert_eq!(client.ask(METHOD_CHANNEL_BIND, &[&ChannelNumber(number), &peer_address(*mate)]).code, Some(403));
                client.send(*mate, b"let me in", &[]);
            }
        }
        let refused = usize::from(CLIENTS) * strangers.len();
        lab.counted(|counters| counters.dropped(DropReason::ForbiddenPeer) == refused as u64).await;
        for (from, (client, relay)) in mates.iter().enumerate() {
            for (to, (receiver, address)) in mates.iter().enumerate().filter(|(to, _)| *to != from) {
                client.send(*address, &[from as u8, to as u8], &[]);
                let told = receiver.receive();
                let heard = (told.read::<Data>().0, told.read::<PeerAddress>());
                assert_eq!(heard, (vec![from as u8, to as u8], peer_address(*relay)), "{listen} {more}");
            }
        }
        // From any port but a relay socket's, the loopback address is one peer more, which nobody has permitted unless it is shown.
        if !shown.contains(&lab.address.ip()) {
            let inside = UdpSocket::bind("127.0.0.1:0").unwrap();
            inside.send_to(b"x", ("127.0.0.1", mates[0].1.port())).unwrap();
            lab.counted(|counters| counters.dropped(DropReason::NoPermission) == 1).await;
        }
        lab.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_reaches_every_shard_within_a_second() {
    let lab = Lab::new("127.0.0.1:0", "").await;
    let seats: Vec<_> = (0..CLIENTS).map(|_| lab.seated(1, 1)).collect();
    let mates: Vec<_> = (0..CLIENTS).map(|n| lab.seated(1, 100 + n)).collect();
    let others = lab.seated(2, 1);
    let live = |counters: &Counters| counters.allocations(Transport::Udp).live;
    lab.app.relay().revoke_seat(SystemTime::now() + Duration::from_secs(1), room(1), seat(1));
    lab.within_a_second(|counters| live(counters) == 1 + u64::from(CLIENTS)).await;
    for (mut client, _) in seats {
        assert_eq!(client.try_allocate(&[]).code, Some(401), "its credential is void in each");
    }
    lab.app.relay().revoke_room(SystemTime::now(), room(1));
    lab.within_a_second(|counters| live(counters) == 1).await;
    for (mut client, relay) in mates {
        assert_eq!(client.try_allocate(&[]).code, Some(401));
        freed(relay).await;
    }
    assert!(UdpSocket::bind(others.1).is_err(), "another room's is not");
    lab.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_box_sees_is_a_private_peer_in_every_shard_until_the_seat_is_given_up() {
    let lab = Lab::new("127.0.0.1:0", "").await;
    let mut clients: Vec<_> = (0..CLIENTS).map(|n| lab.seated(1, n).0).collect();
    let mut stranger = lab.seated(2, 0).0;
    let home = peer_address("192.168.77.7:50000".parse().unwrap());
    let mut codes =
        || -> HashSet<_> { clients.iter_mut().map(|client| client.ask(METHOD_CREATE_PERMISSION, &[&home]).code).collect() };
    assert_eq!(codes(), [Some(403)].into());
    lab.app.relay().observe(room(1), seat(200), home.ip);
    assert_eq!(codes(), [None].into());
    assert_eq!(stranger.ask(METHOD_CREATE_PERMISSION, &[&home]).code, Some(403));
    lab.app.relay().revoke_seat(SystemTime::now(), room(1), seat(200));
    assert_eq!(codes(), [Some(403)].into());
    lab.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_quota_is_had_once_a_shard() {
    let same_seat = |_: u8| 1_u8;
    let seat_each = |n: u8| n;
    for (limits, who, granted, code) in [
        ("allocations-per-seat = 4", &same_seat as &dyn Fn(u8) -> u8, 4, 486),
        ("allocations-per-source = 16", &seat_each, 16, 486),
        ("allocations-max = 16", &seat_each, 16, 508),
    ] {
        let lab = Lab::new("127.0.0.1:0", &format!("[limits]\n{limits}")).await;
        let mut clients: Vec<_> = (0..32).map(|n| lab.client(1, who(n))).collect();
        let codes: Vec<_> = clients.iter_mut().map(|client| client.try_allocate(&[]).code).collect();
        assert_eq!(codes.iter().filter(|told| told.is_none()).count(), granted, "{limits}: {codes:?}");
        assert!(codes.iter().flatten().all(|told| *told == code), "{limits}: {codes:?}");
        // One goes, one may come, wherever.
        assert_eq!(clients[0].ask(METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]).code, None);
        let codes: Vec<_> = clients[16..].iter_mut().map(|client| client.try_allocate(&[]).code).collect();
        assert_eq!(codes.iter().filter(|told| told.is_none()).count(), 1, "{limits}: {codes:?}");
        lab.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_its_rates_once() {
    let lab = Lab::new("127.0.0.1:0", "[limits]\nrelay-failures-per-second = 1\nrelay-failures-burst = 10").await;
    let (sent, begun) = (64_u64, Instant::now());
    for _ in 0..sent {
        let mut client = Client::with(lab.address, Credential { password: "wrong".to_owned(), ..lab.credential(1, 1) });
        client.challenge();
        client.say(METHOD_ALLOCATE, &[]);
    }
    // Ten, and one a second for as long as it took.
    let refused = |counters: &Counters| counters.dropped(DropReason::TooManyFailures);
    let answered = 10 + begun.elapsed().as_secs() + 1;
    lab.counted(|counters| refused(counters) >= sent - answered).await;
    lab.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_of_one_shard_is_alive_at_every_other() {
    let lab = Lab::new("127.0.0.1:0\", \"127.0.0.1:0", "").await;
    let listeners = lab.app.turn_addresses();
    assert_eq!(listeners.len(), 2);
    for n in 0..4 * CLIENTS {
        let mut client = lab.client(1, n);
        client.challenge();
        client.connect(listeners[(usize::from(n) + 1) % 2]);
        assert_eq!(client.allocate_unchallenged(&[]).code, None);
    }
    lab.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_known_to_its_own_shard_alone() {
    let lab = Lab::new("127.0.0.1:0", "").await;
    let mut client = lab.client(1, 1);
    let token: ReservationToken = client.allocate(&[&Raw(ATTR_EVEN_PORT, &[0x80])]).read();
    let codes: Vec<_> = (0..63).map(|_| lab.client(1, 1).try_allocate(&[&token]).code).collect();
    assert_eq!(codes.iter().filter(|told| told.is_none()).count(), 1, "once: {codes:?}");
    assert!(codes.iter().flatten().all(|told| *told == 508), "{codes:?}");
    lab.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_cannot_have_all_its_addresses_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"{free}\", \"{}\"]\nlisten-tcp = []\nlisten-tls = []\nrelay-ports = \"10000-20000\"\nshards = 3\n",
        folder.path().display(),
        taken.local_addr().unwrap(),
    );
    assert!(App::start(&config::parse(&text).unwrap()).await.is_err());
    freed(free).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shard_ends_with_the_relay() {
    let lab = Lab::new("127.0.0.1:0", "").await;
    let clients: Vec<_> = (0..CLIENTS).map(|n| lab.seated(1, n)).collect();
    let (relay, address) = (lab.app.relay(), lab.address);
    assert_eq!(relay.counters().await.unwrap().allocations(Transport::Udp).live, u64::from(CLIENTS), "summed");
    lab.app.stop().await;
    assert_eq!(relay.counters().await, None);
    for at in clients.iter().map(|(_, relay)| *relay).chain([address]) {
        freed(at).await;
    }
}

/// A daemon whose relay has three shards.
struct Lab {
    app: App,
    address: SocketAddr,
    secret: CredentialSecret,
    _folder: TempDir,
}

impl Lab {
    /// `more` goes behind the `[turn]` section's keys.
    async fn new(listen: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, address) = daemon_with(&folder, listen, &format!("shards = 3\n{more}")).await;
        let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
        Self { app, address, secret, _folder: folder }
    }

    fn credential(&self, room_number: u8, participant: u8) -> Credential {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.secret.mint(now, room(room_number), seat(participant))
    }

    fn client(&self, room: u8, participant: u8) -> Client {
        let listeners = self.app.turn_addresses();
        Client::with(listeners[usize::from(participant) % listeners.len()], self.credential(room, participant))
    }

    /// A client with an allocation; its relayed address.
    fn seated(&self, room: u8, participant: u8) -> (Client, SocketAddr) {
        let mut client = self.client(room, participant);
        let RelayedAddress { ip, port } = client.allocate(&[]).read();
        (client, SocketAddr::new(ip, port))
    }

    async fn counted(&self, as_wanted: impl Fn(&Counters) -> bool) {
        self.soon(Duration::from_secs(10), as_wanted).await;
    }

    async fn within_a_second(&self, as_wanted: impl Fn(&Counters) -> bool) {
        self.soon(Duration::from_secs(1), as_wanted).await;
    }

    async fn soon(&self, time: Duration, as_wanted: impl Fn(&Counters) -> bool) {
        let wanted = async {
            while !as_wanted(&self.app.relay().counters().await.unwrap()) {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(time, wanted).await.is_err() {
            panic!("{:?}", self.app.relay().counters().await);
        }
    }
}

fn room(n: u8) -> RoomId {
    RoomId::from_random([n; 16])
}

fn seat(n: u8) -> ParticipantId {
    ParticipantId::from_random([n; 16])
}

/// Once in two hundred runs some shard has none of them, once in seven million one has all.
const CLIENTS: u8 = 16;
/// An admin who opens everything there is opens no other room.
const OPENED: &str = "external-addresses = [\"203.0.113.5\"]\nallow-peers = [\"203.0.113.5/32\", \"127.0.0.0/8\"]";
