//! Whatever is asked in whatever order, every socket is released once, and every place of the quota comes back.

use std::collections::HashSet;

use proptest::prelude::*;
use stun::attributes::{ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN};
use stun::message::METHOD_REFRESH;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqfamily::REQUESTED_FAMILY_IPV6;
use turn::proto::rsrvtoken::ReservationToken;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Act {
    Allocate,
    AllocateBoth,
    AllocatePair,
    AllocateReserved,
    Delete,
    DeleteIpv6,
    Extend,
    Disconnect,
    GiveUpSeat,
    Wait,
}

proptest! {
    #[test]
    fn nothing_is_left_behind(steps in proptest::collection::vec((act(), 0..4usize, any::<[bool; 2]>()), 1..60)) {
        let mut lab = Lab::new();
        let mut driver = Driver::default();
        let mut clients: Vec<_> = (0..4).map(|n| lab.client(&format!("5.5.5.5:{}", 5000 + u16::from(n)), n / 2)).collect();
        for (act, client, bound) in steps {
            driver.act(&mut lab, act, &mut clients[client]);
            driver.carry_out(&mut lab, bound);
        }
        lab.elapsed += 2 * HOUR;
        lab.server.handle_timeout(lab.now().instant);
        driver.carry_out(&mut lab, [true; 2]);
        prop_assert!(driver.sockets.is_empty());
        prop_assert_eq!((lab.server.allocations(), lab.server.poll_timeout()), (0, None));
        prop_assert!(!lab.server.ledger.observed.holds(room(1), address(ALICE).ip()));
        for n in 0..3 {
            let credential = CredentialSecret::new(b"own").mint(lab.now().unix, room(1), seat(0));
            let mut client = lab.client_with(&format!("5.5.5.6:{}", 5000 + n), credential);
            lab.allocate(&mut client);
        }
    }
}

/// What a driver holds.
#[derive(Default)]
struct Driver {
    sockets: HashSet<AllocationId>,
    token: Option<Vec<u8>>,
    port: u16,
}

impl Driver {
    fn act(&mut self, lab: &mut Lab, act: Act, client: &mut Client) {
        let token = ReservationToken(self.token.clone().unwrap_or(vec![0; 8]));
        let zero = Lifetime(Duration::ZERO);
        let (method, attributes): (_, &[&dyn Setter]) = match act {
            Act::Allocate => (METHOD_ALLOCATE, &[&UDP]),
            Act::AllocateBoth => (METHOD_ALLOCATE, &[&UDP, &Raw(AttrType(0x8000), &[2, 0, 0, 0])]),
            Act::AllocatePair => (METHOD_ALLOCATE, &[&UDP, &Raw(ATTR_EVEN_PORT, &[0x80])]),
            Act::AllocateReserved => (METHOD_ALLOCATE, &[&UDP, &token]),
            Act::Delete => (METHOD_REFRESH, &[&zero]),
            Act::DeleteIpv6 => (METHOD_REFRESH, &[&zero, &REQUESTED_FAMILY_IPV6]),
            Act::Extend => (METHOD_REFRESH, &[]),
            Act::Disconnect => return lab.server.handle_disconnected(client.tuple),
            Act::GiveUpSeat => {
                let (participant, now) = (seat((client.tuple.client.0.port() as u8 - 136) / 2), lab.now().unix);
                lab.revoke_seat(room(1), participant);
                client.credential = CredentialSecret::new(b"own").mint(now, room(1), participant);
                return;
            }
            Act::Wait => {
                lab.elapsed += Duration::from_secs(20);
                return lab.server.handle_timeout(lab.now().instant);
            }
        };
        lab.challenge(client);
        let bytes = client.request(method, attributes);
        assert_eq!(lab.send(client.tuple, &bytes).0, Route::Handled);
    }

    fn carry_out(&mut self, lab: &mut Lab, bound: [bool; 2]) {
        let mut binds = 0;
        while let Some(effect) = lab.server.poll_effect() {
            match effect {
                Effect::Bind { allocation, family, .. } => {
                    let relay = self.bind(allocation, family, bound[binds]);
                    binds += 1;
                    lab.server.handle_bound(allocation, relay);
                }
                Effect::BindPair { allocation, reserved, family, .. } => {
                    for id in [reserved, allocation] {
                        let relay = self.bind(id, family, bound[0]);
                        lab.server.handle_bound(id, relay);
                    }
                }
                Effect::Release { allocation } => assert!(self.sockets.remove(&allocation), "{allocation:?} is bound"),
                Effect::Reply { message, .. } => {
                    let token = answered(&message).message.get(ATTR_RESERVATION_TOKEN);
                    self.token = token.ok().or(self.token.take());
                }
            }
        }
    }

    fn bind(&mut self, id: AllocationId, family: AddressFamily, bound: bool) -> Option<RelayAddr> {
        self.port += 1;
        let ip = if family == AddressFamily::Ipv4 { "9.9.9.9" } else { "2a00::9" };
        bound.then(|| assert!(self.sockets.insert(id), "{id:?} is bound once"))?;
        Some(RelayAddr(SocketAddr::new(ip.parse().unwrap(), 50_000 + self.port)))
    }
}

fn act() -> impl Strategy<Value = Act> {
    let all = [
        Act::Allocate,
        Act::AllocateBoth,
        Act::AllocatePair,
        Act::AllocateReserved,
        Act::Delete,
        Act::DeleteIpv6,
        Act::Extend,
        Act::Disconnect,
        Act::GiveUpSeat,
        Act::Wait,
    ];
    proptest::sample::select(all.to_vec())
}
