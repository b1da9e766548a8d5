//! The relay through messages put together by hand: what no client at hand asks for.

use std::net::UdpSocket;
use std::time::Duration;

use stun::attributes::{ATTR_DONT_FRAGMENT, ATTR_EVEN_PORT, AttrType};
use stun::message::{CLASS_INDICATION, METHOD_CREATE_PERMISSION, MessageType, Setter};
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::rsrvtoken::ReservationToken;

use crate::by_hand::{Client, Raw, peer_address};
use crate::{daemon, daemon_with};

#[tokio::test(flavor = "multi_thread")]
async fn icmp_reaches_the_client_and_costs_its_other_peers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = peer.local_addr().unwrap();
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut client = Client::new(address);
    client.allocate(&[]);
    assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    for n in 0..20 {
        client.send(nobody, b"anybody there?", &[]);
        client.send(to, &[n], &[]);
        let mut buffer = [0; 8];
        assert_eq!((peer.recv(&mut buffer).unwrap(), buffer[0]), (1, n), "nothing is lost");
        let told = client.receive();
        assert_eq!(told.message.typ, MessageType::new(stun::message::METHOD_DATA, CLASS_INDICATION));
        assert_eq!(told.message.get(ICMP).unwrap(), [0, 0, 3 << 1, 3, 0, 0, 0, 0]);
        assert_eq!(told.read::<PeerAddress>(), peer_address(nobody));
    }
    app.stop().await;
}

/// Scenario 11.
#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_client_reaches_an_ipv4_peer_through_the_relay_and_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "[::1]:0\", \"127.0.0.1:0";
    let (app, address) = daemon_with(&folder, listen, "allow-peers = [\"127.0.0.0/8\"]").await;
    assert!(address.is_ipv6());
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut client = Client::new(address);
    let relayed: RelayedAddress = client.allocate(&[]).read();
    assert!(relayed.ip.is_ipv4());
    let to = peer.local_addr().unwrap();
    assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    client.send(to, b"from far", &[]);
    let mut buffer = [0; 16];
    let (length, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from.port()), (&b"from far"[..], relayed.port));
    peer.send_to(b"and back", from).unwrap();
    assert_eq!(client.receive().read::<Data>().0, b"and back");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_fragmented_leaves_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = peer.local_addr().unwrap();
    let mut client = Client::new(address);
    client.allocate(&[&Raw(ATTR_DONT_FRAGMENT, &[])]);
    assert_eq!(client.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    for n in 0..20 {
        let whole: &[&dyn Setter] = if n % 3 == 0 { &[&Raw(ATTR_DONT_FRAGMENT, &[])] } else { &[] };
        client.send(to, &[n; 1200], whole);
    }
    for n in 0..20 {
        let mut buffer = [0; 2000];
        assert_eq!((peer.recv(&mut buffer).unwrap(), buffer[0]), (1200, n));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_port_is_kept_for_another_five_tuple() {
    let folder = tempfile::tempdir().unwrap();
    // Of several, the one that keeps it need not be the one that serves the other five-tuple.
    let (app, address) = daemon_with(&folder, "127.0.0.1:0", "shards = 1\nallow-peers = [\"127.0.0.0/8\"]").await;
    let (mut first, mut second) = (Client::new(address), Client::new(address));
    let even = first.allocate(&[&Raw(ATTR_EVEN_PORT, &[0x80])]);
    let token: ReservationToken = even.read();
    let odd = second.allocate(&[&token]);
    let (even, odd): (RelayedAddress, RelayedAddress) = (even.read(), odd.read());
    assert_eq!((even.ip, even.port % 2, even.port + 1), (odd.ip, 0, odd.port));
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    assert_eq!(second.ask(METHOD_CREATE_PERMISSION, &[&peer_address(to)]).code, None);
    peer.send_to(b"hello", (odd.ip, odd.port)).unwrap();
    assert_eq!(second.receive().read::<Data>().0, b"hello");
    app.stop().await;
}

const ICMP: AttrType = AttrType(0x8004);
