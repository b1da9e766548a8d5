//! Two relayed addresses on one five-tuple, one a family (RFC 8656 sections 7.2, 8.2, 18.11 and 18.12).

use stun::attributes::{ATTR_EVEN_PORT, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_XOR_RELAYED_ADDRESS};
use stun::message::METHOD_REFRESH;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};

use super::*;

#[test]
fn both_addresses_are_told_once_both_are_bound() {
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    let bytes = client.request(METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]);
    lab.send(client.tuple, &bytes);
    let [ipv4, ipv6] = lab.two_binds();
    lab.server.handle_bound(ipv6, Some(RelayAddr(address(RELAY6))));
    assert_eq!(lab.effects(), [], "nothing is promised while one address is bound");
    lab.server.handle_bound(ipv4, Some(RelayAddr(address(RELAY4))));
    let effects = lab.effects();
    let answer = reply(&effects);
    assert_eq!((answer.code, relayed(&answer)), (None, vec![1, 2]));
    assert!(!answer.message.contains(ADDRESS_ERROR_CODE));
    lab.send(client.tuple, &bytes);
    assert_eq!(lab.effects(), effects, "a retransmission is answered alike");
    assert_eq!(lab.server.allocations(), 2);
}

#[test]
fn one_that_cannot_be_bound_is_missing_and_none_is_508() {
    for (lost, found) in [(0, 1), (1, 0)] {
        for lost_first in [true, false] {
            let mut lab = Lab::new();
            let mut client = lab.client(ALICE, 1);
            lab.send(client.tuple, &client.clone().request(METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]));
            let ids = lab.two_binds();
            let relay = [RELAY4, RELAY6].map(|relay| RelayAddr(address(relay)))[found];
            let mut order = [(ids[lost], None), (ids[found], Some(relay))];
            if !lost_first {
                order.reverse();
            }
            for (id, bound) in order {
                lab.server.handle_bound(id, bound);
            }
            let answer = reply(&lab.effects());
            let refusal = answer.message.get(ADDRESS_ERROR_CODE).unwrap();
            assert_eq!((relayed(&answer), &refusal[..4]), (vec![found as u8 + 1], &[lost as u8 + 1, 0, 5, 8][..]));
            assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, None);
            assert_eq!(lab.server.allocations(), 1);
        }
    }
    let mut lab = Lab::new();
    let mut client = lab.client(ALICE, 1);
    lab.send(client.tuple, &client.request(METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]));
    for id in lab.two_binds() {
        lab.server.handle_bound(id, None);
    }
    assert_eq!((reply(&lab.effects()).code, lab.server.allocations(), lab.server.poll_timeout()), (Some(508), 0, None));
}

#[test]
fn a_family_that_the_server_has_not_is_missing_with_440() {
    for (families, missing) in [([AddressFamily::Ipv4], 2), ([AddressFamily::Ipv6], 1)] {
        let mut lab = Lab::with(PeerPolicy::default(), &families);
        let mut client = lab.client(ALICE, 1);
        let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]);
        let [Effect::Bind { allocation, family, .. }] = effects[..] else { panic!("{effects:?}") };
        assert_eq!(family, families[0]);
        lab.server.handle_bound(allocation, Some(RelayAddr(address(RELAY4))));
        let answer = reply(&lab.effects());
        let refusal = answer.message.get(ADDRESS_ERROR_CODE).unwrap();
        assert_eq!((answer.code, refusal), (None, [&[missing, 0, 4, 40], &b"Address Family not Supported"[..]].concat()));
    }
}

#[test]
fn each_address_counts_for_the_seat_and_a_second_one_too_many_is_missing_with_508() {
    let mut lab = Lab::new();
    let (_, ids) = lab.dual(ALICE, 1);
    assert_eq!(ids.len(), 2);
    let mut client = lab.client("5.5.5.5:5001", 1);
    let effects = lab.request(&mut client, METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]);
    let [Effect::Bind { allocation, family: AddressFamily::Ipv4, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50003"))));
    let answer = reply(&lab.effects());
    assert_eq!((relayed(&answer), &answer.message.get(ADDRESS_ERROR_CODE).unwrap()[..4]), (vec![1], &[2, 0, 5, 8][..]));
    let mut late = lab.client("5.5.5.5:5002", 1);
    assert_eq!(lab.ask(&mut late, METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]).code, Some(486));
}

#[test]
fn what_contradicts_itself_is_400() {
    let rows: [&[&dyn Setter]; 6] = [
        &[&UDP, &ADDITIONAL, &REQUESTED_FAMILY_IPV4],
        &[&UDP, &ADDITIONAL, &REQUESTED_FAMILY_IPV6],
        &[&UDP, &ADDITIONAL, &Raw(ATTR_EVEN_PORT, &[0x80])],
        &[&UDP, &Raw(ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0])],
        &[&UDP, &Raw(ADDITIONAL_ADDRESS_FAMILY, &[3, 0, 0, 0])],
        &[&UDP, &Raw(ADDITIONAL_ADDRESS_FAMILY, &[2])],
    ];
    for (row, attributes) in rows.into_iter().enumerate() {
        let mut lab = Lab::new();
        let mut client = lab.client(ALICE, 1);
        assert_eq!(lab.ask(&mut client, METHOD_ALLOCATE, attributes).code, Some(400), "row {row}");
    }
}

#[test]
fn a_refresh_is_for_the_family_it_names_or_for_both() {
    let mut lab = Lab::new();
    let (mut client, [ipv4, ipv6]) = lab.dual(ALICE, 1);
    let hour = Lifetime(HOUR);
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[&hour, &REQUESTED_FAMILY_IPV6]).code, None);
    assert_eq!(lab.pass(Duration::from_secs(600)), [Effect::Release { allocation: ipv4 }], "IPv4 was not refreshed");
    lab.challenge(&mut client);
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[&REQUESTED_FAMILY_IPV4]).code, Some(443));
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[&Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[7, 0, 0, 0])]).code, Some(400));
    let effects = lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(effects[0], Effect::Release { allocation: ipv6 });

    let (mut client, [ipv4, ipv6]) = lab.dual(BOB, 2);
    assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[&hour]).code, None);
    assert_eq!(lab.pass(Duration::from_secs(601)), [], "both were");
    lab.challenge(&mut client);
    let effects = lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    assert_eq!(effects[..2], [Effect::Release { allocation: ipv4 }, Effect::Release { allocation: ipv6 }]);
    assert_eq!(reply(&effects[2..]).read::<Lifetime>(), Lifetime(Duration::ZERO));
    assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
}

#[test]
fn a_family_that_is_deleted_takes_its_permissions_and_leaves_the_other_s() {
    let mut lab = Lab::new();
    let (mut client, [ipv4, ipv6]) = lab.dual(ALICE, 1);
    let both = [to(address(PEER)), to(address(PEER6))];
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&both[0], &both[1]]).code, None);
    assert_eq!(lab.channel(&mut client, 0x4000, address(PEER)), None);
    assert_eq!(lab.channel(&mut client, 0x4001, address(PEER6)), None);
    let effects = lab.request(&mut client, METHOD_REFRESH, &[&Lifetime(Duration::ZERO), &REQUESTED_FAMILY_IPV4]);
    assert_eq!(effects[0], Effect::Release { allocation: ipv4 });
    assert_eq!(lab.send(client.tuple, &channel_data(0x4000, b"x")).0, Route::Dropped(DropReason::NoChannel));
    assert_eq!(lab.send(client.tuple, &channel_data(0x4001, b"x")).0, Route::Peer(ipv6, PeerAddr(address(PEER6))));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&both[0]]).code, Some(443));
    assert_eq!(lab.channel(&mut client, 0x4002, address(PEER)), Some(443));
}

#[test]
fn data_goes_by_the_peer_s_family_and_permissions_are_all_or_none() {
    let mut lab = Lab::new();
    let (mut client, [ipv4, ipv6]) = lab.dual(ALICE, 1);
    let (peer4, peer6) = (address(PEER), address(PEER6));
    let forbidden = to(address("[::1]:22"));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer4), &forbidden]).code, Some(403));
    assert_eq!(lab.send(client.tuple, &send_indication(peer4, b"x")).0, Route::Dropped(DropReason::NoPermission));
    assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &[&to(peer4), &to(peer6)]).code, None);
    assert_eq!(lab.send(client.tuple, &send_indication(peer4, b"x")).0, Route::Peer(ipv4, PeerAddr(peer4)));
    assert_eq!(lab.send(client.tuple, &send_indication(peer6, b"x")).0, Route::Peer(ipv6, PeerAddr(peer6)));
    assert_eq!(lab.receive(ipv6, PEER6, b"x").0, Route::Client(client.tuple));
    assert_eq!(lab.receive(ipv6, PEER, b"x").0, Route::Dropped(DropReason::NoPermission), "not of this address");
}

#[test]
fn a_channel_number_names_one_peer_of_either_family() {
    let mut lab = Lab::new();
    let (mut client, _) = lab.dual(ALICE, 1);
    assert_eq!(lab.channel(&mut client, 0x4000, address(PEER)), None);
    assert_eq!(lab.channel(&mut client, 0x4000, address(PEER6)), Some(400));
    assert_eq!(lab.channel(&mut client, 0x4001, address(PEER6)), None);
    assert_eq!(lab.channel(&mut client, 0x4001, address(PEER)), Some(400));
}

#[test]
fn a_stream_that_is_lost_and_a_seat_that_is_given_up_take_both() {
    let mut lab = Lab::new();
    let (client, [ipv4, ipv6]) = lab.dual(ALICE, 1);
    let both = [Effect::Release { allocation: ipv4 }, Effect::Release { allocation: ipv6 }];
    lab.server.handle_disconnected(client.tuple);
    assert_eq!((lab.effects(), lab.server.has_allocation(client.tuple)), (both.to_vec(), false));
    let mut lab = Lab::new();
    let (_, [ipv4, ipv6]) = lab.dual(ALICE, 1);
    lab.revoke_seat(room(1), seat(1));
    assert_eq!(lab.effects(), [Effect::Release { allocation: ipv4 }, Effect::Release { allocation: ipv6 }]);
}

impl Lab {
    /// A client with a relayed address of each family.
    fn dual(&mut self, at: &str, participant: u8) -> (Client, [AllocationId; 2]) {
        let mut client = self.client(at, participant);
        let bytes = client.request(METHOD_ALLOCATE, &[&UDP, &ADDITIONAL]);
        self.send(client.tuple, &bytes);
        let ids = self.two_binds();
        for (id, ip) in ids.into_iter().zip(["9.9.9.9", "2a00::9"]) {
            self.port += 1;
            self.server.handle_bound(id, Some(RelayAddr(SocketAddr::new(ip.parse().unwrap(), self.port))));
        }
        assert_eq!(reply(&self.effects()).code, None);
        (client, ids)
    }

    fn two_binds(&mut self) -> [AllocationId; 2] {
        match self.effects()[..] {
            [
                Effect::Bind { allocation: ipv4, family: AddressFamily::Ipv4, .. },
                Effect::Bind { allocation: ipv6, family: AddressFamily::Ipv6, .. },
            ] => [ipv4, ipv6],
            ref effects => panic!("{effects:?}"),
        }
    }
}

/// The families of the relayed addresses in an answer.
fn relayed(answer: &Answered) -> Vec<u8> {
    let attributes = answer.message.attributes.0.iter();
    attributes.filter(|attribute| attribute.typ == ATTR_XOR_RELAYED_ADDRESS).map(|attribute| attribute.value[1]).collect()
}

const ADDITIONAL_ADDRESS_FAMILY: AttrType = AttrType(0x8000);
const ADDRESS_ERROR_CODE: AttrType = AttrType(0x8001);
const ADDITIONAL: Raw = Raw(ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
const RELAY4: &str = "9.9.9.9:50001";
const RELAY6: &str = "[2a00::9]:50001";
const PEER6: &str = "[2a00::8]:8000";
