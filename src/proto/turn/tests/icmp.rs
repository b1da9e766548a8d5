//! What ICMP says of datagrams to peers (RFC 8656 sections 11.5 and 18.13).

use turn::proto::reqfamily::REQUESTED_FAMILY_IPV6;

use super::*;
use crate::proto::stun::Icmp;

#[test]
fn an_unreachable_port_is_told_to_the_client_that_has_a_permission_for_its_peer() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    let unreachable = Icmp { kind: 3, code: 3, data: 9 };
    assert_eq!(lab.icmp(id, PEER, unreachable), []);
    lab.permit(&mut client, SocketAddr::new(address(PEER).ip(), 9));
    let effects = lab.icmp(id, PEER, unreachable);
    let [Effect::Reply { to: told, .. }] = &effects[..] else { panic!("{effects:?}") };
    let answer = reply(&effects);
    assert_eq!((*told, answer.read::<PeerAddress>()), (client.tuple, to(address(PEER))));
    assert_eq!(answer.message.typ, MessageType::new(stun::message::METHOD_DATA, CLASS_INDICATION));
    assert_eq!(answer.message.get(ICMP).unwrap(), [0, 0, 3 << 1, 3, 0, 0, 0, 0], "no data but an MTU");
    lab.pass(Duration::from_secs(300));
    assert_eq!(lab.icmp(id, PEER, unreachable), []);
}

#[test]
fn errors_are_relayed_with_the_mtu_that_was_too_small_and_nothing_else_is() {
    let v6 = "[2a00::8]:8000";
    let rows: [(&str, u8, u8, Option<u32>); 11] = [
        (PEER, 3, 1, Some(0)),
        (PEER, 3, 4, Some(1400)),
        (PEER, 11, 0, Some(0)),
        (PEER, 0, 0, None),
        (PEER, 5, 1, None),
        (PEER, 12, 0, None),
        (v6, 1, 4, Some(0)),
        (v6, 2, 0, Some(1400)),
        (v6, 3, 0, Some(0)),
        (v6, 4, 0, None),
        (v6, 128, 0, None),
    ];
    for (peer, kind, code, expected) in rows {
        let mut lab = Lab::new();
        let mut client = lab.client(ALICE, 1);
        let family: &[&dyn Setter] = if peer == PEER { &[&UDP] } else { &[&UDP, &REQUESTED_FAMILY_IPV6] };
        let effects = lab.request(&mut client, METHOD_ALLOCATE, family);
        let [Effect::Bind { allocation: id, .. }] = effects[..] else { panic!("{effects:?}") };
        lab.server.handle_bound(id, Some(RelayAddr(address("9.9.9.9:50001"))));
        lab.effects();
        lab.permit(&mut client, address(peer));
        let effects = lab.icmp(id, peer, Icmp { kind, code, data: 1400 });
        let told = (!effects.is_empty()).then(|| reply(&effects).message.get(ICMP).unwrap());
        let value = expected.map(|data| [&[0, 0, kind << 1, code][..], &data.to_be_bytes()].concat());
        assert_eq!(told, value, "{peer} {kind} {code}");
    }
}

#[test]
fn what_comes_for_an_allocation_that_is_gone_is_told_to_nobody() {
    let mut lab = Lab::new();
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    lab.permit(&mut client, address(PEER));
    lab.server.handle_disconnected(client.tuple);
    lab.effects();
    assert_eq!(lab.icmp(id, PEER, Icmp { kind: 3, code: 3, data: 0 }), []);
}

impl Lab {
    fn icmp(&mut self, id: AllocationId, peer: &str, icmp: Icmp) -> Vec<Effect> {
        let now = self.now().instant;
        self.server.handle_icmp(now, id, PeerAddr(address(peer)), icmp);
        self.effects()
    }
}

const ICMP: AttrType = AttrType(0x8004);
