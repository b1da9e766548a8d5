//! What is refused, and that a refusal leaves nothing behind.

use proptest::prelude::*;
use stun::attributes::{ATTR_CONNECTION_ID, ATTR_LIFETIME, ATTR_UNKNOWN_ATTRIBUTES};
use stun::message::METHOD_REFRESH;
use turn::proto::Protocol;

use super::*;

#[test]
fn nobody_is_given_anything_without_a_credential() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    for _ in 0..1000 {
        lab.send(client.tuple, &message(METHOD_ALLOCATE, CLASS_REQUEST, [3; 12], &[&UDP]).raw);
        let challenge = reply(&lab.effects());
        assert_eq!((challenge.code, challenge.text(ATTR_REALM)), (Some(401), REALM.to_owned()));
    }
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
}

#[test]
fn a_credential_must_be_known_whole_and_unexpired() {
    let own = CredentialSecret::new(b"own");
    let sound = own.mint(START, room(1), seat(1));
    let credential = |username: &str, password: &str| Credential { username: username.to_owned(), password: password.to_owned() };
    let expired = own.mint(START - HOUR, room(1), seat(1));
    let others = CredentialSecret::new(b"other").mint(START, room(1), seat(1));
    let foreign = credential("1900000000:alice", &own.password("1900000000:alice"));
    let nobody = credential("alice", &own.password("alice"));
    let guessed = credential(&sound.username, "guess");
    for credential in [expired, others, foreign, nobody, guessed] {
        let mut lab = Lab::new();
        let mut client = lab.client_with(ALICE, credential.clone());
        assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP]).code, Some(401), "{}", credential.username);
        assert_eq!(lab.server.allocations(), 0);
    }
}

#[test]
fn other_software_s_credential_needs_the_shared_secret() {
    let username = "1900000000:alice".to_owned();
    let shared = Credential { password: CredentialSecret::new(b"shared").password(&username), username };
    let mut lab = Lab::new();
    let mut client = lab.client_with(ALICE, shared);
    lab.allocate(&mut client);
    lab.revoke_room(room(1));
    assert_eq!(lab.effects(), [], "it belongs to no room");
}

#[test]
fn a_nonce_is_its_client_s_alone() {
    let mut lab = Lab::new();
    let alice = lab.client(ALICE, 1);
    let mut bob = Client { nonce: alice.nonce, ..lab.client(BOB, 2) };
    assert_eq!(lab.ask(&mut bob, METHOD_ALLOCATE, &[&UDP]).code, Some(438));
}

#[test]
fn another_s_allocation_is_441() {
    let mut lab = Lab::new();
    let (alice, ..) = lab.allocated(ALICE, 1);
    let bob = lab.client(BOB, 2);
    let mut thief = Client { tuple: alice.tuple, nonce: alice.nonce, ..bob };
    assert_eq!(lab.ask(&mut thief, METHOD_REFRESH, &[&turn::proto::lifetime::Lifetime(Duration::ZERO)]).code, Some(441));
    assert_eq!(lab.server.allocations(), 1);
}

#[test]
fn requests_without_an_allocation_are_437() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    for method in [METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND] {
        assert_eq!(lab.ask(&mut client, method, &[&to(address(PEER))]).code, Some(437), "{method}");
    }
}

#[test]
fn a_transport_other_than_udp_is_442_and_none_is_400() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&RequestedTransport { protocol: Protocol(6) }]).code, Some(442));
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[]).code, Some(400));
}

#[test]
fn what_must_be_understood_and_is_not_is_420_with_its_name() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let unknown = [Raw(ATTR_CONNECTION_ID, &[0; 4]), Raw(AttrType(0x7FFF), &[]), Raw(AttrType(0xBFFF), &[])];
    let refused = lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP, &unknown[1], &unknown[0], &unknown[1], &unknown[2]]);
    assert_eq!(refused.code, Some(420));
    assert_eq!(refused.message.get(ATTR_UNKNOWN_ATTRIBUTES).unwrap(), [0x00, 0x2A, 0x7F, 0xFF]);
}

#[test]
fn attributes_after_message_integrity_change_nothing() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let mut bytes = client.request(METHOD_REFRESH, &[]);
    bytes.extend([&ATTR_LIFETIME.0.to_be_bytes()[..], &[0, 4, 0, 0, 0, 0]].concat());
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    lab.send(client.tuple, &bytes);
    assert_eq!(reply(&lab.effects()).code, None);
    assert_eq!(lab.server.allocations(), 1, "the appended LIFETIME of 0 did not count");
}

#[test]
fn special_addresses_are_403_by_every_way_in() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    for peer in ["127.0.0.1:22", "10.0.0.1:80", "192.168.1.1:443", "169.254.169.254:80", "224.0.0.1:5000", "0.0.0.0:1"] {
        let peer = address(peer);
        assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer)]).code, Some(403), "{peer}");
        assert_eq!(lab.channel(&mut client, 0x4000, peer), Some(403), "{peer}");
        assert_eq!(lab.send(client.tuple, &send_indication(peer, b"x")).0, Route::Dropped(DropReason::NoPermission));
    }
    assert_eq!(lab.effects(), []);
}

#[test]
fn the_box_s_own_services_are_not_reached_through_its_relay() {
    let mut lab = Lab::new();
    let (mut client, _, relay) = lab.allocated(ALICE, 1);
    for port in [22, 443, 3478] {
        let own = SocketAddr::new(relay.0.ip(), port);
        assert_eq!(lab.channel(&mut client, 0x4000, own), Some(403), "{own}");
        lab.permit(&mut client, own);
        assert_eq!(lab.send(client.tuple, &send_indication(own, b"x")).0, Route::Dropped(DropReason::ForbiddenPeer), "{own}");
    }
}

#[test]
fn permissions_are_installed_all_or_none() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let (peer, forbidden) = (address(PEER), address("10.0.0.1:80"));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer), &to(forbidden)]).code, Some(403));
    assert_eq!(lab.send(client.tuple, &send_indication(peer, b"x")).0, Route::Dropped(DropReason::NoPermission));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[]).code, Some(400));
}

#[test]
fn a_channel_that_is_refused_permits_nobody() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    let (peer, other) = (address(PEER), address("8.8.8.9:80"));
    assert_eq!(lab.channel(&mut client, 0x4000, peer), None);
    assert_eq!(lab.channel(&mut client, 0x4000, other), Some(400));
    assert_eq!(lab.receive(id, "8.8.8.9:80", b"x").0, Route::Dropped(DropReason::NoPermission));
    lab.pass(Duration::from_secs(299));
    assert_eq!(lab.channel(&mut client, 0x4001, peer), Some(400));
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.receive(id, PEER, b"x").0, Route::Dropped(DropReason::NoPermission), "nor is a permission refreshed");
}

#[test]
fn a_peer_of_another_family_is_443() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(address("[2a00::1]:80"))]).code, Some(443));
    assert_eq!(lab.channel(&mut client, 0x4000, address("[2a00::1]:80")), Some(443));
}

#[test]
fn the_credentials_of_a_room_that_is_over_are_void() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    lab.revoke_room(room(1));
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP]).code, Some(401));
    let elsewhere = CredentialSecret::new(b"own").mint(START, room(2), seat(1));
    let mut other = lab.client_with(BOB, elsewhere);
    lab.allocate(&mut other);
}

#[test]
fn the_credential_of_a_seat_that_was_given_up_is_void_until_its_owner_comes_back() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    lab.pass(Duration::from_secs(5));
    lab.revoke_seat(room(1), seat(1));
    assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, &[&UDP]).code, Some(401));
    let again = CredentialSecret::new(b"own").mint(lab.now().unix, room(1), seat(1));
    let mut back = lab.client_with("5.5.5.5:5001", again);
    lab.allocate(&mut back);
    lab.allocated(BOB, 2);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_keep_anything(bytes in proptest::collection::vec(any::<u8>(), 0..200), shape in 0..4) {
        let mut lab = Lab::new();
        let (client, id, _) = lab.allocated(ALICE, 1);
        let mut bytes = bytes;
        if shape > 0 && bytes.len() >= 20 {
            let length = (bytes.len() - 20) as u16;
            let kinds: [u16; 4] = [0, 0x0003, 0x0016, 0x4000];
            bytes[..2].copy_from_slice(&kinds[shape as usize].to_be_bytes());
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
        }
        lab.send(client.tuple, &bytes);
        lab.receive(id, PEER, &bytes);
        prop_assert_eq!(lab.server.allocations(), 1);
    }
}
