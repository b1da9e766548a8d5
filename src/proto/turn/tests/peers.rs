//! Private peers: open to a room whose member this box has seen there, and to nobody else.

use stun::attributes::ATTR_LIFETIME;
use stun::message::METHOD_REFRESH;

use super::*;

#[test]
fn a_private_address_is_a_peer_where_a_member_of_the_same_room_was_seen() {
    let mut lab = Lab::new();
    let (mut alice, _, _) = lab.allocated(ALICE, 1);
    assert_eq!(reaches(&mut lab, &mut alice, HOST), [Some(403); 2], "nobody was seen there");
    lab.server.ledger().observe(room(2), seat(2), HOST.ip());
    assert_eq!(reaches(&mut lab, &mut alice, HOST), [Some(403); 2], "but a member of another room");
    lab.server.ledger().observe(room(1), seat(2), HOST.ip());
    assert_eq!(reaches(&mut lab, &mut alice, HOST), [None; 2]);
    assert!(matches!(lab.send(alice.tuple, &send_indication(HOST, b"data")).0, Route::Peer(_, PeerAddr(HOST))));
    assert!(matches!(lab.send(alice.tuple, &channel_data(0x4000, b"data")).0, Route::Peer(_, PeerAddr(HOST))));
}

#[test]
fn what_listens_on_a_member_s_network_below_the_dynamic_ports_stays_closed() {
    let mut lab = Lab::new();
    let (mut alice, _, _) = lab.allocated(ALICE, 1);
    lab.server.ledger().observe(room(1), seat(2), HOST.ip());
    lab.permit(&mut alice, HOST);
    for port in [53, 1900, 5351, 32767] {
        let service = SocketAddr::new(HOST.ip(), port);
        assert_eq!(lab.channel(&mut alice, 0x4000, service), Some(403), "{port}");
        let route = lab.send(alice.tuple, &send_indication(service, b"data")).0;
        assert_eq!(route, Route::Dropped(DropReason::ForbiddenPeer), "{port}");
    }
}

#[test]
fn a_member_who_leaves_or_moves_closes_the_way_for_packets_too() {
    let away = |lab: &mut Lab| lab.revoke_seat(room(1), seat(2));
    let over = |lab: &mut Lab| lab.server.ledger().observe(room(1), seat(2), "192.168.1.99".parse().unwrap());
    for gone in [&away as &dyn Fn(&mut Lab), &over] {
        let mut lab = Lab::new();
        let (mut alice, _, _) = lab.allocated(ALICE, 1);
        lab.server.ledger().observe(room(1), seat(2), HOST.ip());
        lab.permit(&mut alice, HOST);
        gone(&mut lab);
        assert_eq!(lab.send(alice.tuple, &send_indication(HOST, b"data")).0, Route::Dropped(DropReason::ForbiddenPeer));
    }
}

#[test]
fn an_allocation_is_seen_where_it_is_reached_from_as_long_as_it_stands() {
    let mut lab = Lab::new();
    let (mut alice, _, _) = lab.allocated(ALICE, 1);
    let (mut bob, _, _) = lab.allocated("192.168.1.20:50123", 2);
    assert_eq!(reaches(&mut lab, &mut alice, HOST), [None; 2]);
    lab.request(&mut bob, METHOD_REFRESH, &[&Raw(ATTR_LIFETIME, &[0; 4])]);
    assert_eq!(reaches(&mut lab, &mut alice, HOST), [Some(403); 2]);
}

#[test]
fn what_the_admin_closed_and_the_box_itself_are_no_peers_whoever_was_seen_there() {
    let own = SocketAddr::new("192.168.1.1".parse().unwrap(), 50_000);
    let policy = PeerPolicy { own: vec![own.ip()], deny: vec!["192.168.1.20/32".parse().unwrap()], ..PeerPolicy::default() };
    let mut lab = Lab::with(policy, &[AddressFamily::Ipv4]);
    let (mut alice, _, _) = lab.allocated(ALICE, 1);
    for peer in [HOST, own, SocketAddr::new("127.0.0.1".parse().unwrap(), 50_000)] {
        lab.server.ledger().observe(room(1), seat(2), peer.ip());
        assert_eq!(reaches(&mut lab, &mut alice, peer), [Some(403); 2], "{peer}");
    }
}

/// The codes that CreatePermission and ChannelBind are answered with.
fn reaches(lab: &mut Lab, client: &mut Client, peer: SocketAddr) -> [Option<u16>; 2] {
    [lab.ask(client, METHOD_CREATE_PERMISSION, &[&to(peer)]).code, lab.channel(client, 0x4000, peer)]
}

const HOST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20)), 50_000);
