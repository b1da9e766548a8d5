//! What attackers try; the table in docs/turn.md names the test of each row, and some stand elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stun::attributes::ATTR_XOR_PEER_ADDRESS;
use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use turn::proto::lifetime::Lifetime;
use turn::proto::reqfamily::REQUESTED_FAMILY_IPV6;

use super::*;

#[test]
fn no_special_address_is_reached_in_any_encoding_by_any_method() {
    let (mut v4, mut v6) = (Lab::new(), Lab::new());
    let mut by_v4 = v4.allocated(ALICE, 1).0;
    let mut by_v6 = v6.client(ALICE, 1);
    let effects = v6.request(&mut by_v6, METHOD_ALLOCATE, &[&UDP, &REQUESTED_FAMILY_IPV6]);
    let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
    v6.server.handle_bound(allocation, Some(RelayAddr(address("[2a00::9]:50001"))));
    v6.effects();

    let mut peers: Vec<IpAddr> = Vec::new();
    for (first, last) in IANA_V4.iter().map(|range| ends(range)) {
        for ip in [first, last] {
            let IpAddr::V4(ip) = ip else { panic!("{ip}") };
            peers.extend(encodings(ip));
        }
    }
    peers.extend(IANA_V6.iter().map(|range| ends(range)).flat_map(|(first, last)| [first, last]));
    assert!(peers.len() > 400, "{}", peers.len());
    for ip in peers {
        let (lab, client) = if ip.is_ipv4() { (&mut v4, &mut by_v4) } else { (&mut v6, &mut by_v6) };
        client.transactions = 0;
        let peer = SocketAddr::new(ip, 80);
        assert_eq!(lab.ask(client, METHOD_CREATE_PERMISSION, &[&to(peer)]).code, Some(403), "{ip}");
        assert_eq!(lab.channel(client, 0x4000, peer), Some(403), "{ip}");
        assert!(matches!(lab.send(client.tuple, &send_indication(peer, b"x")).0, Route::Dropped(_)), "{ip}");
        assert_eq!(lab.effects(), [], "silently");
    }
}

#[test]
fn a_peer_appended_to_a_signed_request_is_no_peer() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let (named, appended) = (address(PEER), address("8.8.8.9:80"));
    let mut request = Message::new();
    request.write(&client.request(METHOD_CREATE_PERMISSION, &[&to(named)])).unwrap();
    to(appended).add_to(&mut request).unwrap();
    assert_eq!(request.attributes.0.iter().filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS).count(), 2);
    lab.send(client.tuple, &request.raw);
    assert_eq!(reply(&lab.effects()).code, None);
    assert!(matches!(lab.send(client.tuple, &send_indication(named, b"x")).0, Route::Peer(..)));
    assert_eq!(lab.send(client.tuple, &send_indication(appended, b"x")).0, Route::Dropped(DropReason::NoPermission));
}

#[test]
fn a_stranger_is_hardly_sent_more_than_it_sent_and_at_a_rate() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    let unknown: Vec<Raw> = (0..60).map(|kind| Raw(AttrType(0x4001 + kind), &[])).collect();
    let unknown: Vec<&dyn Setter> = unknown.iter().map(|attribute| attribute as &dyn Setter).collect();
    let guessed = Client { nonce: client.nonce.clone(), ..lab.client_with(BOB, guess("1900000000:alice")) };
    let rows = [
        (message(METHOD_BINDING, CLASS_REQUEST, [1; 12], &[]).raw, 12),
        (message(METHOD_BINDING, CLASS_REQUEST, [1; 12], &unknown).raw, 0),
        (message(METHOD_ALLOCATE, CLASS_REQUEST, [1; 12], &[&UDP]).raw, 80),
        (message(METHOD_REFRESH, CLASS_REQUEST, [1; 12], &[]).raw, 88),
        (guessed.clone().request(METHOD_ALLOCATE, &[&UDP]), 16),
        (Client { nonce: "x".to_owned(), ..guessed }.request(METHOD_ALLOCATE, &[&UDP]), 16),
    ];
    for (request, more) in &rows {
        lab.send(client.tuple, request);
        let [Effect::Reply { message, .. }] = &lab.effects()[..] else { panic!("one answer") };
        assert!(message.len() <= request.len() + more, "{} bytes for {}", message.len(), request.len());
    }
    let flood = (0..10_000).flat_map(|n| rows.get(n % rows.len()));
    let sent: usize = flood
        .map(|(request, _)| {
            lab.send(client.tuple, request);
            lab.effects()
                .iter()
                .map(|effect| if let Effect::Reply { message, .. } = effect { message.len() } else { 0 })
                .sum::<usize>()
        })
        .sum();
    assert!(sent < 2000 * 200, "a burst of 2000, and no more: {sent} bytes");
}

#[test]
fn every_guess_is_answered_alike_and_at_a_rate() {
    let mut lab = Lab::new();
    lab.revoke_room(room(2));
    let own = CredentialSecret::new(b"own");
    let wrong = Credential { password: "wrong".to_owned(), ..own.mint(START, room(1), seat(1)) };
    let (expired, void) = (own.mint(START - 2 * HOUR, room(1), seat(1)), own.mint(START, room(2), seat(1)));
    let mut answers = Vec::new();
    for credential in [wrong.clone(), expired, void, guess("nobody"), guess("1900000000:nobody"), guess(":::")] {
        let mut client = lab.client_with(ALICE, credential);
        let answer = lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP]);
        assert_eq!(answer.code, Some(401));
        answers.push(answer.message.raw);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "nothing tells a wrong password from a wrong name, an expired one or a void one");

    let mut client = lab.client_with(ALICE, wrong);
    let guess = client.request(METHOD_ALLOCATE, &[&UDP]);
    let answered = (0..5000).filter(|_| lab.send(client.tuple, &guess).0 == Route::Handled).count();
    assert!(answered <= 500, "{answered}");
    assert_eq!(lab.send(client.tuple, &guess).0, Route::Dropped(DropReason::TooManyFailures));
}

#[test]
fn a_hundred_thousand_allocations_come_and_go_and_leave_nothing() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let allocate = client.request(METHOD_ALLOCATE, &[&UDP]);
    let free = client.request(METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    let relay = RelayAddr(address("9.9.9.9:50001"));
    let mut used_ports = 0;
    for _ in 0..100_000 {
        for request in [&allocate, &free] {
            lab.send(client.tuple, request);
            for effect in lab.effects() {
                match effect {
                    Effect::Bind { allocation, .. } => {
                        used_ports += 1;
                        lab.server.handle_bound(allocation, Some(relay));
                    }
                    Effect::Release { .. } => used_ports -= 1,
                    Effect::Reply { .. } => {}
                    Effect::BindPair { .. } => panic!("nobody asked for a pair"),
                }
            }
            lab.effects();
        }
    }
    assert_eq!((used_ports, lab.server.allocations(), lab.server.poll_timeout()), (0, 0, None));
    let (id, _) = lab.allocate(&mut client);
    assert_eq!(id.index(), 0, "places are used again");
}

#[test]
fn no_loop_through_relayed_addresses_grows() {
    let mut lab = Lab::new();
    let (mut alice, alice_id, alice_relay) = lab.allocated(ALICE, 1);
    let (mut bob, _, bob_relay) = lab.allocated(BOB, 2);
    assert_eq!(lab.channel(&mut alice, 0x4000, alice_relay.0), None, "whoever likes may send to itself");
    assert_eq!(lab.channel(&mut alice, 0x4001, bob_relay.0), None);
    assert_eq!(lab.channel(&mut bob, 0x4000, alice_relay.0), None);
    // Each packet in is one packet out, to a client, of no more bytes: whoever wants the next round must send it.
    for (from, number, reached) in [(&alice, 0x4000, &alice), (&alice, 0x4001, &bob), (&bob, 0x4000, &alice)] {
        let sent = channel_data(number, b"round and round");
        let (route, bytes) = lab.send(from.tuple, &sent);
        assert_eq!((route, bytes.len(), lab.effects()), (Route::Client(reached.tuple), sent.len(), vec![]));
    }
    // Nor does the server answer itself: its own port is no peer, and what its answers are is nothing it would answer.
    assert_eq!(lab.channel(&mut alice, 0x4002, server_address()), Some(403));
    let (_, data) = lab.receive(alice_id, "9.9.9.9:50002", b"hello");
    lab.send(alice.tuple, &message(METHOD_BINDING, CLASS_REQUEST, [1; 12], &[]).raw);
    let [Effect::Reply { message, .. }] = &lab.effects()[..] else { panic!("one answer") };
    for answer in [message, &data] {
        assert!(matches!(lab.send(bob.tuple, answer).0, Route::Dropped(_) | Route::Client(_)));
        assert_eq!(lab.effects(), []);
    }
}

/// First and last address of a range.
fn ends(range: &str) -> (IpAddr, IpAddr) {
    let range: ipnet::IpNet = range.parse().unwrap();
    (range.network(), range.broadcast())
}

/// Every way to write an IPv4 address that some system takes for it: itself, mapped, compatible, translated (RFC 2765), NAT64 by the
/// well-known and by the local prefix, 6to4, Teredo and ISATAP.
fn encodings(ip: Ipv4Addr) -> Vec<IpAddr> {
    let [a, b] = [(ip.to_bits() >> 16) as u16, ip.to_bits() as u16];
    let v6 = [
        [0, 0, 0, 0, 0, 0xFFFF, a, b],
        [0, 0, 0, 0, 0, 0, a, b],
        [0, 0, 0, 0, 0xFFFF, 0, a, b],
        [0x64, 0xFF9B, 0, 0, 0, 0, a, b],
        [0x64, 0xFF9B, 1, 0, 0, 0, a, b],
        [0x2002, a, b, 0, 0, 0, 0, 1],
        [0x2001, 0, 0x808, 0x808, 0, 0, !a, !b],
        [0xFE80, 0, 0, 0, 0, 0x5EFE, a, b],
    ];
    std::iter::once(IpAddr::V4(ip)).chain(v6.into_iter().map(|segments| Ipv6Addr::from(segments).into())).collect()
}

fn guess(username: &str) -> Credential {
    Credential { username: username.to_owned(), password: "guess".to_owned() }
}

/// IANA's IPv4 special-purpose registry, multicast, and the metadata services of clouds; written down apart from the server's own table.
const IANA_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "169.254.169.254/32",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.8/32",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];
/// IANA's IPv6 special-purpose registry and multicast; what carries an IPv4 address is in [`encodings`].
const IANA_V6: &[&str] = &[
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fd00:ec2::254/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];
