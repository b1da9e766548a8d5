//! What a server counts: every drop by its reason, what is relayed each way, allocations by transport.

use stun::message::{METHOD_BINDING, METHOD_REFRESH};
use turn::proto::lifetime::Lifetime;

use super::*;

#[test]
fn every_drop_is_counted_once_by_its_reason() {
    let rate = Rate { per_second: 1, burst: 3 };
    let data = DataLimits { bits_per_second: 1_000_000_000, ..LIMITS.data };
    let mut lab = Lab::limited(Limits { data, requests: rate, failures: Rate { burst: 1, ..rate }, ..LIMITS });
    let (mut client, id, _) = lab.allocated(ALICE, 1);
    lab.permit(&mut client, address(PEER));
    lab.permit(&mut client, server_address());
    assert_eq!(DropReason::ALL.map(|reason| lab.server.counters().dropped(reason)), [0; DropReason::ALL.len()]);
    for (times, reason) in (1..).zip(DropReason::ALL) {
        for _ in 0..times {
            assert_eq!(lab.drop_one(&client, id, reason), Route::Dropped(reason));
        }
    }
    let counted = DropReason::ALL.map(|reason| lab.server.counters().dropped(reason));
    assert!(counted.into_iter().eq(1..=DropReason::ALL.len() as u64), "{counted:?}");
}

impl Lab {
    /// Has something dropped for this reason.
    fn drop_one(&mut self, client: &Client, id: AllocationId, reason: DropReason) -> Route {
        let stranger = FiveTuple { client: ClientAddr(address(BOB)), ..client.tuple };
        let last = |routes: Vec<Route>| *routes.last().unwrap();
        match reason {
            DropReason::Malformed => self.send(client.tuple, &[0x80, 0, 0, 0]).0,
            DropReason::NoAllocation => self.send(stranger, &channel_data(0x4000, b"x")).0,
            DropReason::NoChannel => self.send(client.tuple, &channel_data(0x4000, b"x")).0,
            DropReason::NoPermission => self.receive(id, "8.8.4.4:80", b"x").0,
            DropReason::ForbiddenPeer => {
                self.send(client.tuple, &send_indication(SocketAddr::new(address(PEER).ip(), 0), b"x")).0
            }
            DropReason::TooLong => self.receive(id, PEER, &[7; 0xFFFF]).0,
            DropReason::RateLimited => {
                let binding = message(METHOD_BINDING, CLASS_REQUEST, [3; 12], &[]).raw;
                last(until_dropped(|| self.send(stranger, &binding).0))
            }
            DropReason::TooManyFailures => {
                let guessed = Credential { password: "guess".to_owned(), ..client.credential.clone() };
                let mut thief = Client { credential: guessed, ..client.clone() };
                last(until_dropped(|| {
                    let guess = thief.request(METHOD_REFRESH, &[]);
                    self.send(thief.tuple, &guess).0
                }))
            }
            DropReason::TooMuchData => last(until_dropped(|| self.send(client.tuple, &send_indication(address(PEER), b"x")).0)),
        }
    }
}

/// Does it again until something is dropped.
fn until_dropped(mut act: impl FnMut() -> Route) -> Vec<Route> {
    let mut routes = vec![act()];
    while !matches!(routes.last(), Some(Route::Dropped(_))) {
        routes.push(act());
    }
    routes
}

#[test]
fn packets_and_bytes_are_counted_each_way_without_their_headers() {
    let mut lab = Lab::new();
    let (mut alice, alice_id, alice_relay) = lab.allocated(ALICE, 1);
    let (mut bob, _, bob_relay) = lab.allocated(BOB, 2);
    assert_eq!(lab.channel(&mut alice, 0x4000, address(PEER)), None);
    lab.send(alice.tuple, &channel_data(0x4000, &[7; 100]));
    lab.send(alice.tuple, &send_indication(address(PEER), &[7; 50]));
    lab.receive(alice_id, PEER, &[7; 30]);
    let counted = |lab: &Lab| {
        let relayed = lab.server.counters().relayed(Transport::Udp);
        [relayed.to_peers, relayed.to_clients]
    };
    let traffic = |packets, bytes| Traffic { packets, bytes };
    assert_eq!(counted(&lab), [traffic(2, 150), traffic(1, 30)]);
    assert_eq!(lab.channel(&mut alice, 0x4001, bob_relay.0), None);
    lab.send(alice.tuple, &channel_data(0x4001, &[7; 1000]));
    assert_eq!(counted(&lab), [traffic(2, 150), traffic(1, 30)], "bob does not permit alice");
    lab.permit(&mut bob, alice_relay.0);
    lab.send(alice.tuple, &channel_data(0x4001, &[7; 1000]));
    assert_eq!(counted(&lab), [traffic(3, 1150), traffic(2, 1030)], "within the process it goes both ways");
}

#[test]
fn allocations_are_counted_by_transport_and_uncounted_at_their_end() {
    let mut lab = Lab::new();
    let allocated =
        |lab: &Lab| Transport::ALL.map(|transport| lab.server.counters().allocations(transport)).map(|a| (a.made, a.live));
    let (mut first, ..) = lab.allocated(ALICE, 1);
    for (at, transport) in [("5.5.5.5:5001", Transport::Tcp), ("5.5.5.5:5002", Transport::Tls)] {
        let mut client = lab.client(at, 1);
        client.tuple.transport = transport;
        lab.allocate(&mut client);
    }
    assert_eq!(allocated(&lab), [(1, 1), (1, 1), (1, 1)]);
    lab.request(&mut first, METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]);
    let mut second = lab.client("5.5.5.5:5003", 1);
    let effects = lab.request(&mut second, METHOD_ALLOCATE, &[&UDP]);
    let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
    lab.server.handle_bound(allocation, None);
    assert_eq!(allocated(&lab), [(2, 0), (1, 1), (1, 1)], "a bind that fails ends an allocation");
    lab.pass(HOUR);
    assert_eq!(allocated(&lab), [(2, 0), (1, 0), (1, 0)]);
}
