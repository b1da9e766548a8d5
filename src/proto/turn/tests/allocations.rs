//! Allocations from the first request to the last moment.

use stun::attributes::ATTR_EVEN_PORT;
use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use stun::xoraddr::XorMappedAddress;
use turn::proto::lifetime::Lifetime;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};

use super::*;

const MINUTES_10: Duration = Duration::from_secs(600);

#[test]
fn binding_tells_a_client_its_own_address() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    let bytes = message(METHOD_BINDING, CLASS_REQUEST, [4; 12], &[]).raw;
    assert_eq!(lab.send(client.tuple, &bytes).0, Route::Handled);
    let answer = reply(&lab.effects());
    let mapped: XorMappedAddress = answer.read();
    assert_eq!((mapped.ip, mapped.port, answer.message.transaction_id.0), ([5, 5, 5, 5].into(), 5000, [4; 12]));
}

#[test]
fn a_fingerprint_is_answered_with_a_fingerprint() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    let bytes = message(METHOD_BINDING, CLASS_REQUEST, [4; 12], &[&stun::fingerprint::FINGERPRINT]).raw;
    lab.send(client.tuple, &bytes);
    stun::fingerprint::FINGERPRINT.check(&reply(&lab.effects()).message).unwrap();
    let mut wrong = bytes;
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(lab.send(client.tuple, &wrong).0, Route::Dropped(DropReason::Malformed));
}

#[test]
fn an_allocation_is_promised_once_its_address_is_bound() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP]);
    let [Effect::Bind { allocation, family: AddressFamily::Ipv4, reached, even: false }] = effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(reached, server_address().ip());
    lab.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50001"))));
    let mut answer = reply(&lab.effects());
    let (relayed, mapped): (RelayedAddress, XorMappedAddress) = (answer.read(), answer.read());
    assert_eq!((relayed.ip, relayed.port), ([9, 9, 9, 9].into(), 50001));
    assert_eq!((mapped.ip, mapped.port), ([5, 5, 5, 5].into(), 5000));
    assert_eq!(answer.read::<Lifetime>(), Lifetime(MINUTES_10));
    client.key().check(&mut answer.message).unwrap();
}

#[test]
fn an_address_that_cannot_be_bound_is_508_and_leaves_nothing() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP]);
    let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.server.handle_bound(allocation, None);
    assert_eq!(reply(&lab.effects()).code, Some(508));
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
    lab.allocate(&mut client);
}

#[test]
fn a_retransmitted_allocate_is_answered_alike_and_another_one_is_437() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let bytes = client.request(METHOD_ALLOCATE, &[&UDP]);
    lab.send(client.tuple, &bytes);
    let effects = lab.effects();
    let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.send(client.tuple, &bytes);
    assert_eq!(lab.effects(), [], "nothing is promised while the address is bound");
    lab.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50001"))));
    let first = lab.effects();
    lab.send(client.tuple, &bytes);
    assert_eq!(lab.effects(), first);
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP]).code, Some(437));
    assert_eq!(lab.server.allocations(), 1);
}

#[test]
fn lifetimes_are_granted_within_bounds() {
    for (asked, granted) in [(1, 600), (600, 600), (777, 777), (3600, 3600), (100_000, 3600)] {
        let mut lab = Lab::new();
        let (mut client, ..) = lab.allocated(ALICE, 1);
        let answer = lab.ask(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::from_secs(asked))]);
        assert_eq!(answer.read::<Lifetime>(), Lifetime(Duration::from_secs(granted)), "asked for {asked}");
        assert_eq!(lab.server.poll_timeout(), Some(lab.started + Duration::from_secs(granted)));
    }
}

#[test]
fn an_expired_allocation_frees_its_port() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    assert_eq!(lab.pass(MINUTES_10 - Duration::from_secs(1)), []);
    assert_eq!(lab.pass(Duration::from_secs(1)), [Effect::Release { allocation: id }]);
    lab.challenge(&mut client);
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, Some(437));
}

#[test]
fn a_refresh_to_zero_frees_the_port_at_once() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(effects[0], Effect::Release { allocation: id });
    assert_eq!(reply(&effects[1..]).read::<Lifetime>(), Lifetime(Duration::ZERO));
    assert_eq!(lab.server.allocations(), 0);
}

#[test]
fn a_long_call_outlives_its_nonce_and_its_credential() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    for _ in 0..10 {
        assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[&Lifetime(HOUR)]).code, None);
        assert_eq!(lab.pass(MINUTES_10 + Duration::from_secs(1)), []);
        let stale = lab.ask(&mut client, METHOD_REFRESH, &[]);
        assert_eq!((stale.code, stale.text(ATTR_REALM)), (Some(438), REALM.to_owned()));
        client.nonce = stale.text(ATTR_NONCE);
    }
    assert!(lab.elapsed > HOUR, "the credential has expired");
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, None);
    let mut late = lab.client_with("5.5.5.5:5001", client.credential.clone());
    assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP]).code, Some(401), "but it makes no new one");
}

#[test]
fn the_family_is_ipv4_unless_asked_or_not_to_be_had() {
    let v6 = "[2a00::5]:5000";
    let both = [AddressFamily::Ipv4, AddressFamily::Ipv6];
    let (ipv4, ipv6) = (Ok(AddressFamily::Ipv4), Ok(AddressFamily::Ipv6));
    type Row<'a> = (&'a str, &'a [AddressFamily], Option<&'a dyn Setter>, Result<AddressFamily, u16>);
    let rows: [Row<'_>; 6] = [
        (ALICE, &both, None, ipv4),
        (v6, &both, None, ipv4),
        (v6, &[AddressFamily::Ipv6], None, ipv6),
        (ALICE, &both, Some(&REQUESTED_FAMILY_IPV6), ipv6),
        (v6, &both, Some(&REQUESTED_FAMILY_IPV4), ipv4),
        (ALICE, &[AddressFamily::Ipv4], Some(&REQUESTED_FAMILY_IPV6), Err(440)),
    ];
    for (at, families, asked, expected) in rows {
        let mut lab = Lab::with(PeerPolicy::default(), families);
        let mut client = lab.client(at, 1);
        let attributes: Vec<&dyn Setter> = [&UDP as &dyn Setter].into_iter().chain(asked).collect();
        let effects = lab.request(&mut client, METHOD_ALLOCATE, &attributes);
        match (&effects[..], expected) {
            ([Effect::Bind { family, .. }], Ok(expected)) => assert_eq!(*family, expected),
            (effects, expected) => assert_eq!(reply(effects).code, expected.err(), "{at} {families:?}"),
        }
    }
}

#[test]
fn revocation_ends_the_allocations_of_the_seat_and_of_the_room_alone() {
    let mut lab = Lab::new();
    let (_, alice, _) = lab.allocated(ALICE, 1);
    let (_, bob, _) = lab.allocated(BOB, 2);
    let elsewhere = CredentialSecret::new(b"own").mint(START, room(2), seat(1));
    let mut other = lab.client_with("7.7.7.7:7000", elsewhere);
    lab.allocate(&mut other);
    lab.revoke_seat(room(1), seat(1));
    assert_eq!(lab.effects(), [Effect::Release { allocation: alice }]);
    lab.revoke_room(room(1));
    assert_eq!(lab.effects(), [Effect::Release { allocation: bob }]);
    assert_eq!(lab.server.allocations(), 1);
}

#[test]
fn a_place_is_used_again_under_another_name() {
    let mut lab = Lab::new();
    let (mut client, first, _) = lab.allocated(ALICE, 1);
    lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    let (second, _) = lab.allocate(&mut client);
    assert_eq!(first.index(), second.index());
    assert_eq!(lab.receive(first, PEER, b"late").0, Route::Dropped(DropReason::NoAllocation));
}

#[test]
fn an_even_port_is_asked_of_the_driver() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &Raw(ATTR_EVEN_PORT, &[0])]);
    assert!(matches!(effects[..], [Effect::Bind { even: true, .. }]), "{effects:?}");
}

#[test]
fn an_allocation_that_ends_while_its_address_is_bound_frees_the_port() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP]);
    let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    lab.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50001"))));
    assert_eq!(lab.effects(), [Effect::Release { allocation }]);
}
