//! Two shards of one relay: to clients and peers they are one, and no quota is had twice.

use stun::attributes::ATTR_EVEN_PORT;
use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use turn::proto::lifetime::Lifetime;
use turn::proto::rsrvtoken::ReservationToken;

use super::*;

#[test]
fn a_room_mate_s_relayed_address_in_another_shard_is_a_peer() {
    let [mut one, mut other] = shards();
    let (mut alice, alice_id, RelayAddr(alice_relay)) = one.allocated(ALICE, 1);
    let (mut bob, bob_id, RelayAddr(bob_relay)) = other.allocated(BOB, 2);
    one.permit(&mut alice, bob_relay);
    let sent = one.send(alice.tuple, &send_indication(bob_relay, b"hello"));
    assert_eq!(sent, (Route::Peer(alice_id, PeerAddr(inside(bob_relay))), b"hello".to_vec()), "from socket to socket");
    let from_alice = inside(alice_relay).to_string();
    assert_eq!(other.receive(bob_id, &from_alice, b"hello").0, Route::Dropped(DropReason::NoPermission));
    other.permit(&mut bob, alice_relay);
    let (route, told) = other.receive(bob_id, &from_alice, b"hello");
    let told = answered(&told);
    assert_eq!((route, told.read::<PeerAddress>()), (Route::Client(bob.tuple), to(alice_relay)));
    assert_eq!(other.channel(&mut bob, 0x4001, alice_relay), None);
    let by_channel = (Route::Client(bob.tuple), channel_data(0x4001, b"hello"));
    assert_eq!(other.receive(bob_id, &from_alice, b"hello"), by_channel);
    let back = other.send(bob.tuple, &channel_data(0x4001, b"hello"));
    assert_eq!(back.0, Route::Peer(bob_id, PeerAddr(inside(alice_relay))));
    other.request(&mut bob, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    let sent = one.send(alice.tuple, &send_indication(bob_relay, b"hello"));
    assert_eq!(sent.0, Route::Dropped(DropReason::ForbiddenPeer), "it is gone");
}

#[test]
fn nobody_else_s_is_in_either_direction_whatever_the_admin_opened() {
    let own = "9.9.9.9/32".parse().unwrap();
    let policies =
        [PeerPolicy::default(), PeerPolicy { allow: vec![own, "127.0.0.0/8".parse().unwrap()], ..PeerPolicy::default() }];
    for policy in policies {
        let [mut one, mut other] = Lab::shards(policy, LIMITS);
        let (mut alice, alice_id, RelayAddr(alice_relay)) = one.allocated(ALICE, 1);
        let credentials = [
            CredentialSecret::new(b"own").mint(START, room(2), seat(2)),
            Credential {
                username: "1900000000:x".to_owned(),
                password: CredentialSecret::new(b"shared").password("1900000000:x"),
            },
        ];
        for credential in credentials {
            let mut stranger = other.client_with(BOB, credential);
            let (stranger_id, RelayAddr(strange_relay)) = other.allocate(&mut stranger);
            one.permit(&mut alice, strange_relay);
            other.permit(&mut stranger, alice_relay);
            assert_eq!(one.channel(&mut alice, 0x4000, strange_relay), Some(403));
            assert_eq!(other.channel(&mut stranger, 0x4000, alice_relay), Some(403));
            for (lab, client, to) in [(&mut one, &alice, strange_relay), (&mut other, &stranger, alice_relay)] {
                assert_eq!(lab.send(client.tuple, &send_indication(to, b"x")).0, Route::Dropped(DropReason::ForbiddenPeer));
            }
            for (lab, id, from) in [(&mut one, alice_id, strange_relay), (&mut other, stranger_id, alice_relay)] {
                let heard = lab.receive(id, &inside(from).to_string(), b"x").0;
                assert_eq!(heard, Route::Dropped(DropReason::ForbiddenPeer), "the port may have changed hands on the way");
            }
            other.request(&mut stranger, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
        }
    }
}

#[test]
fn whoever_sends_as_a_room_mate_s_relayed_address_from_outside_is_not_heard() {
    let [mut one, mut other] = shards();
    let (_, _, RelayAddr(alice_relay)) = one.allocated(ALICE, 1);
    let (mut bob, bob_id, _) = other.allocated(BOB, 2);
    other.permit(&mut bob, alice_relay);
    assert_eq!(other.receive(bob_id, &alice_relay.to_string(), b"x").0, Route::Dropped(DropReason::ForbiddenPeer));
    assert_eq!(other.receive(bob_id, &inside(alice_relay).to_string(), b"x").0, Route::Client(bob.tuple));
}

#[test]
fn a_member_seen_by_one_shard_is_seen_by_all_until_the_seat_or_the_allocation_ends() {
    let [mut one, mut other] = shards();
    let (mut alice, _, _) = one.allocated(ALICE, 1);
    let home = address("192.168.1.20:50000");
    one.permit(&mut alice, PEER.parse().unwrap());
    assert_eq!(one.channel(&mut alice, 0x4000, home), Some(403), "nobody was seen there");
    let (mut bob, ..) = other.allocated("192.168.1.20:50123", 2);
    assert_eq!(one.channel(&mut alice, 0x4000, home), None);
    other.request(&mut bob, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    let closed = Route::Dropped(DropReason::ForbiddenPeer);
    assert_eq!(one.send(alice.tuple, &channel_data(0x4000, b"x")).0, closed);
    let given_up: [&dyn Fn(&Ledger); 2] = [&|ledger| ledger.vacate_seat(room(1), seat(2)), &|ledger| ledger.vacate_room(room(1))];
    for give_up in given_up {
        other.server.ledger().observe(room(1), seat(2), home.ip());
        assert!(matches!(one.send(alice.tuple, &channel_data(0x4000, b"x")).0, Route::Peer(..)));
        give_up(one.server.ledger());
        assert_eq!(one.send(alice.tuple, &channel_data(0x4000, b"x")).0, closed);
    }
}

#[test]
fn a_nonce_of_one_is_alive_at_the_other() {
    let [mut one, mut other] = shards();
    let mut client = one.client(ALICE, 1);
    other.allocate(&mut client);
}

#[test]
fn quotas_of_seats_sources_and_of_the_relay_are_had_once() {
    let free = Limits { allocations_max: 100, allocations_per_seat: 100, allocations_per_source: 100, ..LIMITS };
    for (limits, code) in [
        (Limits { allocations_max: 2, ..free }, 508),
        (Limits { allocations_per_seat: 2, ..free }, 486),
        (Limits { allocations_per_source: 2, ..free }, 486),
    ] {
        let mut labs = Lab::shards(PeerPolicy::default(), limits);
        let (mut first, ..) = labs[0].allocated("5.5.5.5:5000", 1);
        labs[1].allocated("5.5.5.5:5001", 1);
        for lab in &mut labs {
            let mut late = lab.client("5.5.5.5:5002", 1);
            assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP]).code, Some(code));
        }
        labs[0].request(&mut first, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
        labs[1].allocated("5.5.5.5:5002", 1);
    }
}

#[test]
fn the_rates_of_strangers_and_of_failures_are_had_once() {
    let mut labs = shards();
    let binding = message(METHOD_BINDING, CLASS_REQUEST, [3; 12], &[]).raw;
    let tuple = FiveTuple { client: ClientAddr(address(ALICE)), server: server_address(), transport: Transport::Udp };
    let mut answered = |bytes: &[u8]| {
        let both = labs.each_mut().map(|lab| (0..3000).filter(|_| lab.send(tuple, bytes).0 == Route::Handled).count());
        both.iter().sum::<usize>()
    };
    assert_eq!(answered(&binding), 2000);
    let mut wrong = shards()[0].client(ALICE, 1);
    wrong.credential.password = "wrong".to_owned();
    assert_eq!(answered(&wrong.request(METHOD_ALLOCATE, &[&UDP])), 500);
}

#[test]
fn a_reservation_is_claimed_in_its_own_shard_and_no_token_is_minted_twice() {
    let [mut one, mut other] = shards();
    let tokens = [&mut one, &mut other].map(|lab| {
        let mut client = lab.client(ALICE, 1);
        let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &Raw(ATTR_EVEN_PORT, &[0x80])]);
        let [Effect::BindPair { allocation, reserved, .. }] = effects[..] else { panic!("{effects:?}") };
        for (id, port) in [(reserved, lab.port + 1), (allocation, lab.port)] {
            lab.server.handle_bound(id, Some(RelayAddr(SocketAddr::new(server_address().ip(), port))));
        }
        let answer = reply(&lab.effects());
        lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
        answer.read::<ReservationToken>()
    });
    assert_ne!(tokens[0].0, tokens[1].0);
    let mut elsewhere = other.client("5.5.5.5:5001", 1);
    assert_eq!(other.ask(&mut elsewhere, METHOD_ALLOCATE, &[&UDP, &tokens[0]]).code, Some(508));
    let mut home = one.client("5.5.5.5:5001", 1);
    assert_eq!(one.ask(&mut home, METHOD_ALLOCATE, &[&UDP, &tokens[0]]).code, None);
}

#[test]
fn what_a_shard_held_ends_with_it() {
    let limits = Limits { allocations_max: 2, ..LIMITS };
    let policy = PeerPolicy { own: vec![server_address().ip()], ..PeerPolicy::default() };
    let [mut one, mut other] = Lab::shards(policy, limits);
    let (mut alice, _, _) = one.allocated(ALICE, 1);
    let (_, _, RelayAddr(bob_relay)) = other.allocated("192.168.1.20:50123", 2);
    one.permit(&mut alice, bob_relay);
    assert_eq!(one.channel(&mut alice, 0x4000, address("192.168.1.20:50000")), None);
    drop(other);
    for datagram in [send_indication(bob_relay, b"x"), channel_data(0x4000, b"x")] {
        assert_eq!(one.send(alice.tuple, &datagram).0, Route::Dropped(DropReason::ForbiddenPeer));
    }
    one.allocated(BOB, 2);
}

#[test]
fn their_numbers_are_added_up() {
    let [mut one, mut other] = shards();
    let (mut alice, _, _) = one.allocated(ALICE, 1);
    let (bob, ..) = other.allocated(BOB, 2);
    one.permit(&mut alice, address(PEER));
    one.send(alice.tuple, &send_indication(address(PEER), b"hello"));
    other.send(bob.tuple, b"\xFF");
    let both = one.server.counters().plus(&other.server.counters());
    assert_eq!(both.relayed_in_all().to_peers, Traffic { packets: 1, bytes: 5 });
    assert_eq!(both.allocations(Transport::Udp), Allocated { made: 2, live: 2 });
    assert_eq!(both.dropped(DropReason::Malformed), 1);
}

fn shards() -> [Lab; 2] {
    Lab::shards(PeerPolicy { own: vec![server_address().ip()], ..PeerPolicy::default() }, LIMITS)
}

fn inside(relay: SocketAddr) -> SocketAddr {
    SocketAddr::new([127, 0, 0, 1].into(), relay.port())
}
