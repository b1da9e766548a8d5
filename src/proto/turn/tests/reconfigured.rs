//! A server whose peers, quotas and secret change while it serves.

use super::*;

#[test]
fn a_peer_that_the_new_policy_closes_is_reached_no_more() {
    let mut lab = Lab::new();
    let (mut alice, ..) = lab.allocated(ALICE, 1);
    assert_eq!(lab.channel(&mut alice, 0x4000, PEER), None);
    let policy = PeerPolicy { deny: vec!["8.8.0.0/16".parse().unwrap()], ..PeerPolicy::default() };
    lab.server.handle_reconfigured(policy, LIMITS, None);
    assert_eq!(lab.channel(&mut alice, 0x4000, PEER), Some(403));
    assert_eq!(lab.send(alice.tuple, &channel_data(0x4000, b"data")).0, Route::Dropped(DropReason::ForbiddenPeer));
}

#[test]
fn an_address_that_the_box_takes_is_reached_no_more_and_one_that_it_left_is() {
    let mut lab = Lab::new();
    let (mut alice, ..) = lab.allocated(ALICE, 1);
    assert_eq!(lab.channel(&mut alice, 0x4000, PEER), None);
    lab.server.handle_moved(vec![PEER.ip()], Vec::new());
    assert_eq!(lab.channel(&mut alice, 0x4000, PEER), Some(403));
    assert_eq!(lab.send(alice.tuple, &channel_data(0x4000, b"data")).0, Route::Dropped(DropReason::ForbiddenPeer));
    lab.server.handle_moved(Vec::new(), Vec::new());
    assert_eq!(lab.channel(&mut alice, 0x4000, PEER), None);
}

#[test]
fn new_quotas_hold_for_what_is_allocated_afterwards() {
    let mut lab = Lab::new();
    lab.allocated(ALICE, 1);
    let limits = Limits { allocations_max: 1, ..LIMITS };
    lab.server.ledger().set_limits(limits);
    lab.server.handle_reconfigured(PeerPolicy::default(), limits, None);
    let mut late = lab.client(BOB, 2);
    assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP]).code, Some(508));
}

#[test]
fn credentials_of_other_software_are_proved_by_the_new_secret() {
    let mut lab = Lab::new();
    lab.server.handle_reconfigured(PeerPolicy::default(), LIMITS, Some(CredentialSecret::new(b"new")));
    let username = format!("{}:other", (START + HOUR).as_secs());
    let mut client = |secret: &[u8]| {
        let password = CredentialSecret::new(secret).password(&username);
        lab.client_with(BOB, Credential { username: username.clone(), password })
    };
    let (mut late, mut new) = (client(b"shared"), client(b"new"));
    assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP]).code, Some(401));
    assert_eq!(lab.server.counters().failed_proofs, 1);
    lab.allocate(&mut new);
}

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8)), 5000);
