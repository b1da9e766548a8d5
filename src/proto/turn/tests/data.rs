//! What is relayed, and what is not.

use stun::attributes::ATTR_DONT_FRAGMENT;
use turn::proto::chandata::ChannelData;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};

use super::*;

#[test]
fn a_send_indication_reaches_a_permitted_peer_alone() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    let peer = address(PEER);
    assert_eq!(lab.send(client.tuple, &send_indication(peer, b"hello")).0, Route::Dropped(DropReason::NoPermission));
    lab.permit(&mut client, peer);
    let (route, data) = lab.send(client.tuple, &send_indication(peer, b"hello"));
    assert_eq!((route, data.as_slice()), (Route::Peer(id, PeerAddr(peer)), &b"hello"[..]));
    let other_port = SocketAddr::new(peer.ip(), 9);
    assert_eq!(lab.send(client.tuple, &send_indication(other_port, b"x")).0, Route::Peer(id, PeerAddr(other_port)));
    assert_eq!(
        lab.send(client.tuple, &send_indication(SocketAddr::new(peer.ip(), 0), b"x")).0,
        Route::Dropped(DropReason::ForbiddenPeer)
    );
}

#[test]
fn dont_fragment_counts_from_ipv4_to_ipv4_and_from_streams() {
    let (peer4, peer6) = (address(PEER), address("[2a00::8]:8000"));
    let v6 = "[2a00::5]:5000";
    for (client, transport, peer, counts) in [
        (ALICE, Transport::Udp, peer4, true),
        (v6, Transport::Udp, peer4, false),
        (ALICE, Transport::Udp, peer6, false),
        (v6, Transport::Udp, peer6, false),
        (ALICE, Transport::Tcp, peer6, true),
        (v6, Transport::Tls, peer4, true),
    ] {
        let mut lab = Lab::new();
        let mut client = lab.client(client, 1);
        client.tuple.transport = transport;
        let family: &dyn Setter = if peer.is_ipv4() { &REQUESTED_FAMILY_IPV4 } else { &REQUESTED_FAMILY_IPV6 };
        let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, family, &Raw(ATTR_DONT_FRAGMENT, &[])]);
        let [Effect::Bind { allocation: id, .. }] = effects[..] else { panic!("{effects:?}") };
        lab.server.handle_bound(id, Some(RelayAddr(address("9.9.9.9:50001"))));
        lab.effects();
        lab.permit(&mut client, peer);
        let attributes: [&dyn Setter; 3] = [&to(peer), &Raw(ATTR_DONT_FRAGMENT, &[]), &Data(b"hello".to_vec())];
        let (route, data) = lab.send(client.tuple, &message(METHOD_SEND, CLASS_INDICATION, [1; 12], &attributes).raw);
        let peer = PeerAddr(peer);
        let expected = if counts { Route::PeerUnfragmented(id, peer) } else { Route::Peer(id, peer) };
        assert_eq!((route, data.as_slice()), (expected, &b"hello"[..]), "{:?}", client.tuple);
    }
}

#[test]
fn channel_data_goes_both_ways() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    assert_eq!(lab.channel(&mut client, 0x4000, address(PEER)), None);
    let (route, data) = lab.send(client.tuple, &channel_data(0x4000, b"hello"));
    assert_eq!((route, data.as_slice()), (Route::Peer(id, PeerAddr(address(PEER))), &b"hello"[..]));
    let (route, data) = lab.receive(id, PEER, b"hello back");
    let mut read = ChannelData { raw: data, ..ChannelData::default() };
    read.decode().unwrap();
    assert_eq!((route, read.number.0, read.data.as_slice()), (Route::Client(client.tuple), 0x4000, &b"hello back"[..]));
}

#[test]
fn a_peer_without_a_channel_comes_in_a_data_indication() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    assert_eq!(lab.receive(id, PEER, b"hello").0, Route::Dropped(DropReason::NoPermission));
    lab.permit(&mut client, address(PEER));
    let (route, bytes) = lab.receive(id, PEER, b"hello");
    let answer = answered(&bytes);
    let (peer, data): (PeerAddress, Data) = (answer.read(), answer.read());
    assert_eq!((route, peer, data.0.as_slice()), (Route::Client(client.tuple), to(address(PEER)), &b"hello"[..]));
}

#[test]
fn permissions_last_five_minutes_and_channels_ten() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    lab.ask(&mut client, stun::message::METHOD_REFRESH, &[&turn::proto::lifetime::Lifetime(HOUR)]);
    assert_eq!(lab.channel(&mut client, 0x4000, address(PEER)), None);
    lab.pass(Duration::from_secs(299));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Peer(id, PeerAddr(address(PEER))));
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::NoPermission));
    assert_eq!(lab.receive(id, PEER, b"x").0, Route::Dropped(DropReason::NoPermission));
    lab.permit(&mut client, address(PEER));
    lab.pass(Duration::from_secs(299));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Peer(id, PeerAddr(address(PEER))));
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::NoChannel));
}

#[test]
fn a_channel_names_one_peer_and_a_peer_has_one_channel() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    lab.ask(&mut client, stun::message::METHOD_REFRESH, &[&turn::proto::lifetime::Lifetime(HOUR)]);
    let (peer, other) = (address(PEER), address("8.8.8.9:80"));
    assert_eq!(lab.channel(&mut client, 0x4000, peer), None);
    assert_eq!(lab.channel(&mut client, 0x4000, peer), None, "a refresh");
    assert_eq!(lab.channel(&mut client, 0x4000, other), Some(400), "the number is taken");
    assert_eq!(lab.channel(&mut client, 0x4001, peer), Some(400), "the peer has one");
    lab.pass(Duration::from_secs(600 + 299));
    lab.challenge(&mut client);
    assert_eq!(lab.channel(&mut client, 0x4000, other), Some(400), "held after it expired");
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.channel(&mut client, 0x4000, other), None);
    for number in [0, 0x3FFF, 0x8000, 0xFFFF] {
        assert_eq!(lab.channel(&mut client, number, peer), Some(400), "{number:#x}");
    }
}

#[test]
fn between_two_of_its_own_relayed_addresses_nothing_leaves_the_process() {
    let mut lab = Lab::new();
    let (mut alice, _, alice_relay) = lab.allocated(ALICE, 1);
    let (mut bob, _, bob_relay) = lab.allocated(BOB, 2);
    assert_eq!(lab.channel(&mut alice, 0x4000, bob_relay.0), None);
    assert_eq!(
        lab.send(alice.tuple, &channel_data(0x4000, b"x")).0,
        Route::Dropped(DropReason::NoPermission),
        "bob must permit alice"
    );
    lab.permit(&mut bob, alice_relay.0);
    let (route, bytes) = lab.send(alice.tuple, &channel_data(0x4000, b"hello"));
    let answer = answered(&bytes);
    let (peer, data): (PeerAddress, Data) = (answer.read(), answer.read());
    assert_eq!((route, peer, data.0.as_slice()), (Route::Client(bob.tuple), to(alice_relay.0), &b"hello"[..]));
    assert_eq!(lab.channel(&mut bob, 0x4FFF, alice_relay.0), None);
    let (route, bytes) = lab.send(alice.tuple, &channel_data(0x4000, b"hello"));
    assert_eq!((route, bytes), (Route::Client(bob.tuple), channel_data(0x4FFF, b"hello")));
}

#[test]
fn a_relayed_address_that_is_gone_is_a_forbidden_peer() {
    let mut lab = Lab::new();
    let (mut alice, ..) = lab.allocated(ALICE, 1);
    let (_, _, bob_relay) = lab.allocated(BOB, 2);
    assert_eq!(lab.channel(&mut alice, 0x4000, bob_relay.0), None);
    lab.revoke_seat(room(1), seat(2));
    assert_eq!(lab.send(alice.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::ForbiddenPeer));
}

#[test]
fn strangers_and_unbound_channels_are_dropped() {
    let mut lab = Lab::new();
    let (client, ..) = lab.allocated(ALICE, 1);
    let stranger = lab.client(BOB, 2);
    assert_eq!(lab.send(stranger.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::NoAllocation));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::NoChannel));
    assert_eq!(lab.send(client.tuple, &[0x80, 0, 0, 0]).0, Route::Dropped(DropReason::Malformed));
    assert_eq!(lab.send(client.tuple, &[]).0, Route::Dropped(DropReason::Malformed));
}

#[test]
fn over_a_stream_channel_data_is_padded_and_a_lost_stream_takes_its_allocation() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut lab = Lab::new();
        let mut client = lab.client(ALICE, 1);
        client.tuple.transport = transport;
        let (id, _) = lab.allocate(&mut client);
        assert_eq!(lab.channel(&mut client, 0x4000, address(PEER)), None);
        let (_, bytes) = lab.receive(id, PEER, b"hello");
        assert_eq!(bytes, [&channel_data(0x4000, b"hello")[..], &[0; 3]].concat());
        assert_eq!(lab.send(client.tuple, &bytes), (Route::Peer(id, PeerAddr(address(PEER))), b"hello".to_vec()));
        lab.server.handle_disconnected(client.tuple);
        assert_eq!(lab.effects(), [Effect::Release { allocation: id }]);
    }
}

#[test]
fn nobody_reaches_a_relayed_address_of_another_room() {
    let mut lab = Lab::new();
    let (mut alice, _, alice_relay) = lab.allocated(ALICE, 1);
    let elsewhere = CredentialSecret::new(b"own").mint(START, room(2), seat(9));
    let mut bob = lab.client_with(BOB, elsewhere);
    let (_, bob_relay) = lab.allocate(&mut bob);
    lab.permit(&mut bob, alice_relay.0);
    lab.permit(&mut alice, bob_relay.0);
    assert_eq!(lab.channel(&mut alice, 0x4000, bob_relay.0), Some(403));
    assert_eq!(lab.send(alice.tuple, &send_indication(bob_relay.0, b"x")).0, Route::Dropped(DropReason::ForbiddenPeer));
}
