//! What one seat, one source and one allocation may use: what is within is never refused, what is beyond leaves others alone.

use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use turn::proto::lifetime::Lifetime;

use super::*;

#[test]
fn a_permission_or_a_channel_too_many_is_403() {
    let mut lab = Lab::limited(Limits { permissions_per_allocation: 5, channels_per_allocation: 5, ..LIMITS });
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let peer = |n: u8| SocketAddr::new([8, 8, 8, n].into(), 80);
    for n in 0..5 {
        assert_eq!(lab.channel(&mut client, 0x4000 + u16::from(n), peer(n)), None, "{n}");
    }
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer(5))]).code, Some(403));
    assert_eq!(lab.channel(&mut client, 0x4800, SocketAddr::new([8, 8, 8, 0].into(), 81)), Some(403));
    assert_eq!(lab.channel(&mut client, 0x4000, peer(0)), None, "a refresh needs no place");
}

#[test]
fn a_seat_has_its_quota_and_the_relay_its_capacity() {
    let mut lab = Lab::new();
    let ports = |base: u16| (base..).map(|port| format!("5.5.5.5:{port}"));
    let mut clients: Vec<_> = ports(5000).take(3).map(|at| lab.allocated(&at, 1).0).collect();
    let mut fourth = lab.client("5.5.5.5:5003", 1);
    assert_eq!(lab.ask(&mut fourth, METHOD_ALLOCATE, &[&UDP]).code, Some(486));
    lab.allocated(BOB, 2);
    let mut late = lab.client("7.7.7.7:7000", 3);
    assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP]).code, Some(508));
    let freed = lab.request(&mut clients[0], METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(freed.len(), 2);
    lab.allocate(&mut fourth);
}

#[test]
fn a_source_has_its_quota_and_the_next_one_its_own() {
    let limits = Limits { allocations_max: 100, allocations_per_source: 2, ..LIMITS };
    for [first, second, same, next] in [
        ["5.5.5.5:5000", "5.5.5.200:5000", "5.5.5.77:5000", "5.5.6.5:5000"],
        ["[2a00::1]:5000", "[2a00:0:0:ff::1]:5000", "[2a00:0:0:77::1]:5000", "[2a00:0:0:100::1]:5000"],
    ] {
        let mut lab = Lab::limited(limits);
        let (mut leaver, ..) = lab.allocated(first, 1);
        lab.allocated(second, 2);
        let mut refused = lab.client(same, 3);
        assert_eq!(lab.ask(&mut refused, METHOD_ALLOCATE, &[&UDP]).code, Some(486), "{same}");
        lab.allocated(next, 4);
        lab.request(&mut leaver, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
        lab.allocate(&mut refused);
    }
}

#[test]
fn whoever_has_proved_nothing_asks_within_a_rate_and_others_do_not_notice() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated("5.5.5.5:5000", 1);
    let neighbour = FiveTuple { client: ClientAddr(address("5.5.5.77:1")), ..client.tuple };
    let binding = message(METHOD_BINDING, CLASS_REQUEST, [3; 12], &[]).raw;
    let answered = (0..5000).filter(|_| lab.send(neighbour, &binding).0 == Route::Handled).count();
    assert!((1990..=2000).contains(&answered), "{answered}");
    assert_eq!(lab.send(neighbour, &binding).0, Route::Dropped(DropReason::RateLimited));
    lab.effects();
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, None, "who has an allocation is no stranger");
    let mut signed =
        Client { tuple: FiveTuple { client: ClientAddr(address("5.5.5.5:5000")), ..client.tuple }, ..client.clone() };
    lab.request(&mut signed, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    lab.allocate(&mut signed);
    lab.client(BOB, 2);
    lab.pass(Duration::from_secs(1));
    let again = (0..100).filter(|_| lab.send(neighbour, &binding).0 == Route::Handled).count();
    assert_eq!(again, 10);
}

#[test]
fn an_allocation_carries_so_many_packets_and_so_many_bits_each_way() {
    let per_second = |packets_per_second, bits_per_second| DataLimits { packets_per_second, bits_per_second, ..LIMITS.data };
    // Ten packets a burst either way: by their number, by their size.
    for (data, bytes) in [(per_second(100, 1_000_000_000), 1), (per_second(10_000, 800_000), 1000)] {
        let mut lab = Lab::limited(Limits { data, ..LIMITS });
        let (mut alice, alice_id, _) = lab.allocated(ALICE, 1);
        let (mut bob, bob_id, _) = lab.allocated(BOB, 2);
        let to_peer = |id| Route::Peer(id, PeerAddr(address(PEER)));
        let (payload, framed) = (vec![7; bytes], channel_data(0x4000, &vec![7; bytes]));
        for client in [&mut alice, &mut bob] {
            assert_eq!(lab.channel(client, 0x4000, address(PEER)), None);
        }
        for _ in 0..10 {
            assert_eq!(lab.send(alice.tuple, &framed).0, to_peer(alice_id));
        }
        assert_eq!(lab.send(alice.tuple, &framed).0, Route::Dropped(DropReason::TooMuchData));
        assert_eq!(lab.send(alice.tuple, &send_indication(address(PEER), &payload)).0, Route::Dropped(DropReason::TooMuchData));
        for _ in 0..10 {
            assert_eq!(lab.receive(alice_id, PEER, &payload).0, Route::Client(alice.tuple), "the other way has its own");
        }
        assert_eq!(lab.receive(alice_id, PEER, &payload).0, Route::Dropped(DropReason::TooMuchData));
        assert_eq!(lab.send(bob.tuple, &framed).0, to_peer(bob_id), "the neighbour has his own");
        lab.pass(Duration::from_millis(20));
        let passed = (0..5).filter(|_| lab.send(alice.tuple, &framed).0 == to_peer(alice_id)).count();
        assert_eq!(passed, 2, "what filled up meanwhile");
        assert_eq!(lab.effects(), [], "nobody is told");
    }
}

#[test]
fn what_is_not_permitted_takes_nothing_from_what_is() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    lab.permit(&mut client, address(PEER));
    for _ in 0..1000 {
        assert_eq!(lab.receive(id, "8.8.4.4:80", b"flood").0, Route::Dropped(DropReason::NoPermission));
    }
    assert_eq!(lab.receive(id, PEER, b"hello").0, Route::Client(client.tuple));
}

#[test]
fn between_two_relayed_addresses_both_ends_rates_count() {
    let mut lab = Lab::new();
    let (mut alice, _, alice_relay) = lab.allocated(ALICE, 1);
    let (mut bob, bob_id, bob_relay) = lab.allocated(BOB, 2);
    assert_eq!(lab.channel(&mut alice, 0x4000, bob_relay.0), None);
    assert_eq!(lab.channel(&mut bob, 0x4000, alice_relay.0), None);
    lab.permit(&mut bob, address(PEER));
    for _ in 0..100 {
        assert_eq!(lab.receive(bob_id, PEER, b"x").0, Route::Client(bob.tuple));
    }
    assert_eq!(lab.send(alice.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::TooMuchData), "bob has enough");
    for _ in 0..100 {
        assert_eq!(lab.send(bob.tuple, &channel_data(0x4000, b"x")).0, Route::Client(alice.tuple));
    }
    assert_eq!(lab.send(bob.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::TooMuchData));
}

#[test]
fn an_allocation_permits_so_many_new_peers_a_second() {
    let mut lab = Lab::limited(Limits { new_peers: Rate { per_second: 1, burst: 3 }, ..LIMITS });
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let (mut neighbour, ..) = lab.allocated(BOB, 2);
    let peer = |n: u8| SocketAddr::new([8, 8, 8, n].into(), 80);
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer(1)), &to(peer(2))]).code, None);
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer(3)), &to(peer(4))]).code, Some(403), "all or none");
    assert_eq!(lab.channel(&mut client, 0x4000, peer(3)), None);
    for known in [1, 2, 3] {
        lab.permit(&mut client, peer(known));
    }
    assert_eq!(lab.channel(&mut client, 0x4001, peer(4)), Some(403), "by either way in");
    assert_eq!(lab.send(client.tuple, &send_indication(peer(4), b"x")).0, Route::Dropped(DropReason::NoPermission));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(address("10.0.0.1:80"))]).code, Some(403));
    lab.permit(&mut neighbour, peer(4));
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.channel(&mut client, 0x4001, peer(4)), None);
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer(5))]).code, Some(403));
}

#[test]
fn whoever_keeps_failing_gets_no_answer_for_a_while_and_neighbours_do_not_notice() {
    let rates = Limits { requests: Rate { per_second: 1, burst: 4 }, failures: Rate { per_second: 1, burst: 3 }, ..LIMITS };
    let mut lab = Lab::limited(rates);
    let sound = CredentialSecret::new(b"own").mint(START, room(1), seat(1));
    let stale = Credential { password: "of another start".to_owned(), ..sound.clone() };
    let mut page = lab.client_with("5.5.5.5:5000", stale);
    for _ in 0..3 {
        assert_eq!(lab.ask(&mut page, METHOD_ALLOCATE, &[&UDP]).code, Some(401));
    }
    for _ in 0..100 {
        let failing = page.request(METHOD_ALLOCATE, &[&UDP]);
        assert_eq!(lab.send(page.tuple, &failing).0, Route::Dropped(DropReason::TooManyFailures));
    }
    assert_eq!(lab.effects(), []);
    lab.allocated("5.5.5.5:5001", 2);
    lab.allocated("5.5.5.77:5000", 3);
    let mut elsewhere = Client { tuple: FiveTuple { client: ClientAddr(address(BOB)), ..page.tuple }, ..page.clone() };
    lab.challenge(&mut elsewhere);
    assert_eq!(lab.ask(&mut elsewhere, METHOD_ALLOCATE, &[&UDP]).code, Some(401), "another source has its own");
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.ask(&mut page, METHOD_ALLOCATE, &[&UDP]).code, Some(401), "a while is over");
    let mut mended = Client { credential: sound, ..page };
    lab.allocate(&mut mended);
}

#[test]
fn failing_in_the_name_of_an_allocation_has_the_same_rate_and_leaves_its_owner_alone() {
    let mut lab = Lab::limited(Limits { failures: Rate { per_second: 1, burst: 3 }, ..LIMITS });
    let (mut owner, ..) = lab.allocated(ALICE, 1);
    let guessed = Credential { password: "guess".to_owned(), ..owner.credential.clone() };
    let mut thief = Client { credential: guessed, ..owner.clone() };
    let answered = (0..100).filter(|_| {
        let guess = thief.request(METHOD_REFRESH, &[]);
        lab.send(thief.tuple, &guess).0 == Route::Handled
    });
    assert_eq!(answered.count(), 3);
    lab.effects();
    assert_eq!(lab.ask(&mut owner, METHOD_REFRESH, &[]).code, None);
}
