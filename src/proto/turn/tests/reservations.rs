//! A pair of ports, of which the second waits for another five-tuple (RFC 8656 sections 7.2, 18.7 and 18.10).

use stun::attributes::{ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN};
use stun::message::METHOD_REFRESH;
use turn::proto::lifetime::Lifetime;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};
use turn::proto::rsrvtoken::ReservationToken;

use super::*;

#[test]
fn the_next_port_goes_to_whoever_brings_the_token() {
    let mut lab = Lab::new();
    let (mut client, id, reserved, token) = lab.pair(ALICE, 1);
    assert_eq!(lab.receive(reserved, PEER, b"early").0, Route::Dropped(DropReason::NoAllocation));
    let mut second = lab.client("5.5.5.5:5001", 1);
    let bytes = second.request(METHOD_ALLOCATE, &[&UDP, &token]);
    lab.send(second.tuple, &bytes);
    let effects = lab.effects();
    let answer = reply(&effects);
    let relayed: RelayedAddress = answer.read();
    assert_eq!((answer.code, relayed.ip, relayed.port), (None, [9, 9, 9, 9].into(), 50_001));
    assert!(!answer.message.contains(ATTR_RESERVATION_TOKEN));
    lab.send(second.tuple, &bytes);
    assert_eq!(lab.effects(), effects, "a retransmission is answered alike");
    lab.permit(&mut second, address(PEER));
    assert_eq!(lab.receive(reserved, PEER, b"x").0, Route::Client(second.tuple));
    assert_eq!(lab.send(second.tuple, &send_indication(address(PEER), b"x")).0, Route::Peer(reserved, PeerAddr(address(PEER))));
    assert_eq!(lab.pass(Duration::from_secs(599)), [], "it lives as long as any");
    assert_eq!(lab.pass(Duration::from_secs(1)).len(), 2);
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
    lab.challenge(&mut client);
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, Some(437), "{id:?}");
}

#[test]
fn a_token_is_its_seat_s_alone_and_counts_once() {
    let mut lab = Lab::new();
    let (_, _, _, token) = lab.pair(ALICE, 1);
    let mut thief = lab.client(BOB, 2);
    assert_eq!(lab.ask(&mut thief, METHOD_ALLOCATE, &[&UDP, &token]).code, Some(508));
    assert_eq!(lab.ask(&mut thief, METHOD_ALLOCATE, &[&UDP, &ReservationToken(vec![0; 8])]).code, Some(508));
    let mut second = lab.client("5.5.5.5:5001", 1);
    assert_eq!(lab.ask(&mut second, METHOD_ALLOCATE, &[&UDP, &token]).code, None);
    let mut third = lab.client("5.5.5.5:5002", 1);
    assert_eq!(lab.ask(&mut third, METHOD_ALLOCATE, &[&UDP, &token]).code, Some(508));
}

#[test]
fn a_reservation_is_kept_for_half_a_minute_whatever_becomes_of_its_maker() {
    let mut lab = Lab::new();
    let (mut client, _, reserved, token) = lab.pair(ALICE, 1);
    lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(lab.pass(Duration::from_secs(29)), []);
    assert_eq!(lab.pass(Duration::from_secs(1)), [Effect::Release { allocation: reserved }]);
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP, &token]).code, Some(508));
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
}

#[test]
fn a_token_is_no_way_past_the_quota_of_a_source() {
    let mut lab = Lab::limited(Limits { allocations_max: 100, allocations_per_source: 2, ..LIMITS });
    let (_, _, _, token) = lab.pair(ALICE, 1);
    lab.allocated("5.5.5.6:5000", 2);
    let mut full = lab.client("5.5.5.5:5001", 1);
    assert_eq!(lab.ask(&mut full, METHOD_ALLOCATE, &[&UDP, &token]).code, Some(486));
    let mut elsewhere = lab.client("5.5.6.5:5001", 1);
    assert_eq!(lab.ask(&mut elsewhere, METHOD_ALLOCATE, &[&UDP, &token]).code, None);
    let mut same = lab.client("5.5.6.6:5000", 3);
    lab.allocate(&mut same);
    let mut beyond = lab.client("5.5.6.7:5000", 4);
    assert_eq!(lab.ask(&mut beyond, METHOD_ALLOCATE, &[&UDP]).code, Some(486), "what a token brought counts");
}

#[test]
fn a_reservation_counts_for_the_seat_and_the_relay() {
    let mut lab = Lab::new();
    lab.pair(ALICE, 1);
    let mut client = lab.client("5.5.5.5:5001", 1);
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP, &PAIR]).code, Some(486), "one place is left of three");
    lab.allocate(&mut client);
    let mut full = lab.client("5.5.5.5:5002", 1);
    assert_eq!(lab.ask(&mut full, METHOD_ALLOCATE, &[&UDP]).code, Some(486));
    let mut other = lab.client(BOB, 2);
    assert_eq!(lab.ask(&mut other, METHOD_ALLOCATE, &[&UDP, &PAIR]).code, Some(508), "one place is left of four");
    assert_eq!(lab.pass(Duration::from_secs(30)).len(), 1);
    lab.allocate(&mut full);
}

#[test]
fn a_pair_that_cannot_be_bound_is_508_and_leaves_nothing() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &PAIR]);
    let [Effect::BindPair { allocation, reserved, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.server.handle_bound(reserved, None);
    lab.server.handle_bound(allocation, None);
    assert_eq!(reply(&lab.effects()).code, Some(508));
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
}

#[test]
fn a_pair_that_is_given_up_while_it_is_bound_is_released() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &PAIR]);
    let [Effect::BindPair { allocation, reserved, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.revoke_seat(room(1), seat(1));
    assert_eq!(lab.effects(), []);
    for (id, relay) in [(reserved, "9.9.9.9:50001"), (allocation, "9.9.9.9:50000")] {
        lab.server.handle_bound(id, Some(RelayAddr(address(relay))));
        assert_eq!(lab.effects(), [Effect::Release { allocation: id }]);
    }
}

#[test]
fn the_end_of_its_room_ends_a_reservation() {
    let mut lab = Lab::new();
    let (_, id, reserved, _) = lab.pair(ALICE, 1);
    lab.revoke_room(room(1));
    assert_eq!(lab.effects(), [Effect::Release { allocation: id }, Effect::Release { allocation: reserved }]);
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
}

#[test]
fn whoever_brings_a_token_is_seen_where_it_comes_from() {
    let mut lab = Lab::new();
    let (_, _, _, token) = lab.pair(ALICE, 1);
    let host = address("192.168.1.20:50123");
    let (mut bob, ..) = lab.allocated(BOB, 2);
    assert_eq!(lab.ask(&mut bob, METHOD_CREATE_PERMISSION, &[&to(host)]).code, Some(403));
    let mut second = lab.client("192.168.1.20:50123", 1);
    assert_eq!(lab.ask(&mut second, METHOD_ALLOCATE, &[&UDP, &token]).code, None);
    lab.permit(&mut bob, host);
    lab.request(&mut second, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(lab.ask(&mut bob, METHOD_CREATE_PERMISSION, &[&to(host)]).code, Some(403));
}

#[test]
fn a_token_beside_another_wish_is_400() {
    let additional = Raw(AttrType(0x8000), &[2, 0, 0, 0]);
    let others: [&dyn Setter; 6] = [
        &Raw(ATTR_EVEN_PORT, &[0]),
        &PAIR,
        &REQUESTED_FAMILY_IPV4,
        &REQUESTED_FAMILY_IPV6,
        &additional,
        &Raw(ATTR_RESERVATION_TOKEN, &[1, 2, 3, 4]),
    ];
    for (row, other) in others.into_iter().enumerate() {
        let mut lab = Lab::new();
        let (_, _, _, token) = lab.pair(ALICE, 1);
        let mut second = lab.client("5.5.5.5:5001", 1);
        assert_eq!(lab.ask(&mut second, METHOD_ALLOCATE, &[other, &UDP, &token]).code, Some(400), "row {row}");
    }
}

#[test]
fn tokens_are_never_the_same() {
    let mut lab = Lab::new();
    let mut tokens = std::collections::HashSet::new();
    for n in 0..100 {
        let (_, _, _, ReservationToken(token)) = lab.pair(&format!("5.5.5.5:{}", 5000 + n), 1);
        assert!(tokens.insert(token));
        lab.server.revoke_seat(Now { unix: Duration::ZERO, ..lab.now() }, room(1), seat(1));
        lab.effects();
    }
}

impl Lab {
    /// A client with port 50000, and the token of 50001.
    fn pair(&mut self, at: &str, participant: u8) -> (Client, AllocationId, AllocationId, ReservationToken) {
        let mut client = self.client(at, participant);
        let effects = self.request(&mut client, METHOD_ALLOCATE, &[&UDP, &PAIR]);
        let [Effect::BindPair { allocation, reserved, family: AddressFamily::Ipv4, reached }] = effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(reached, server_address().ip());
        self.server.handle_bound(reserved, Some(RelayAddr(address("9.9.9.9:50001"))));
        assert_eq!(self.effects(), [], "nobody waits for the reserved port");
        self.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50000"))));
        let answer = reply(&self.effects());
        let relayed: RelayedAddress = answer.read();
        assert_eq!((answer.code, relayed.port), (None, 50_000));
        (client, allocation, reserved, answer.read())
    }
}

const PAIR: Raw = Raw(ATTR_EVEN_PORT, &[0x80]);
