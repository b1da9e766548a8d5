//! Permissions and channels (RFC 8656 sections 9 and 12) against a model that keeps every success and looks nothing up but by walking.

use proptest::prelude::*;
use proptest::sample::select;
use stun::message::METHOD_REFRESH;
use turn::proto::lifetime::Lifetime;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Permit(Vec<SocketAddr>),
    Bind(u16, SocketAddr),
    SendByAddress(SocketAddr),
    SendByNumber(u16),
    Receive(SocketAddr),
    Pass(u64),
}

/// What has succeeded so far, and when.
#[derive(Debug, Default)]
struct Model {
    permitted: Vec<(SocketAddr, Duration)>,
    bound: Vec<(u16, SocketAddr, Duration)>,
}

impl Model {
    fn permits(&self, now: Duration, peer: SocketAddr) -> bool {
        self.permitted.iter().any(|(permitted, at)| permitted.ip() == peer.ip() && now < *at + 300 * SECOND)
    }

    /// The bindings made within some time, the last of each pair alone.
    fn bound_within(&self, now: Duration, time: Duration) -> Vec<(u16, SocketAddr)> {
        self.bound.iter().filter(|(.., at)| now < *at + time).map(|(number, peer, _)| (*number, *peer)).collect()
    }

    /// The code a ChannelBind is answered with.
    fn bind(&mut self, now: Duration, number: u16, peer: SocketAddr) -> Option<u16> {
        let held = self.bound_within(now, 900 * SECOND);
        let taken = held.iter().any(|(n, p)| (*n == number) != (*p == peer));
        if taken || !(0x4000..=0x7FFF).contains(&number) {
            return Some(400);
        }
        self.bound.push((number, peer, now));
        self.permitted.push((peer, now));
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn permissions_and_channels_are_those_of_the_model(steps in proptest::collection::vec(step(), 1..80)) {
        let mut lab = Lab::new();
        let (mut client, id, _) = lab.allocated(ALICE, 1);
        lab.refresh(&mut client);
        let mut model = Model::default();
        for step in steps {
            let now = lab.elapsed;
            client.transactions = 0;
            match step {
                Step::Permit(peers) => {
                    let attributes: Vec<_> = peers.iter().map(|peer| to(*peer)).collect();
                    let attributes: Vec<&dyn Setter> = attributes.iter().map(|peer| peer as &dyn Setter).collect();
                    prop_assert_eq!(lab.ask(&mut client, METHOD_CREATE_PERMISSION, &attributes).code, None);
                    model.permitted.extend(peers.into_iter().map(|peer| (peer, now)));
                }
                Step::Bind(number, peer) => {
                    prop_assert_eq!(lab.channel(&mut client, number, peer), model.bind(now, number, peer), "{:#x} {}", number, peer);
                }
                Step::SendByAddress(peer) => {
                    let permitted = model.permits(now, peer);
                    let expected = if permitted { Route::Peer(id, PeerAddr(peer)) } else { Route::Dropped(DropReason::NoPermission) };
                    prop_assert_eq!(lab.send(client.tuple, &send_indication(peer, b"hello")).0, expected);
                }
                Step::SendByNumber(number) => {
                    let bound = model.bound_within(now, 600 * SECOND).into_iter().find(|(n, _)| *n == number);
                    let expected = match bound {
                        None => Route::Dropped(DropReason::NoChannel),
                        Some((_, peer)) if model.permits(now, peer) => Route::Peer(id, PeerAddr(peer)),
                        Some(_) => Route::Dropped(DropReason::NoPermission),
                    };
                    prop_assert_eq!(lab.send(client.tuple, &channel_data(number, b"hello")).0, expected, "{:#x}", number);
                }
                Step::Receive(peer) => {
                    let (route, bytes) = lab.receive(id, &peer.to_string(), b"hello");
                    if !model.permits(now, peer) {
                        prop_assert_eq!(route, Route::Dropped(DropReason::NoPermission));
                        continue;
                    }
                    prop_assert_eq!(route, Route::Client(client.tuple));
                    match model.bound_within(now, 600 * SECOND).into_iter().find(|(_, p)| *p == peer) {
                        Some((number, _)) => prop_assert_eq!(bytes, channel_data(number, b"hello")),
                        None => prop_assert_eq!(answered(&bytes).read::<PeerAddress>(), to(peer)),
                    }
                }
                Step::Pass(seconds) => {
                    prop_assert_eq!(lab.pass(Duration::from_secs(seconds)), []);
                    lab.refresh(&mut client);
                }
            }
        }
    }
}

impl Lab {
    /// Keeps an allocation for an hour, with a nonce that holds for the next step.
    fn refresh(&mut self, client: &mut Client) {
        client.transactions = 0;
        self.challenge(client);
        assert_eq!(self.ask(client, METHOD_REFRESH, &[&Lifetime(HOUR)]).code, None);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let number = || select(vec![0x4000, 0x4001, 0x4002, 0x4FFF, 0x7FFF, 0x3FFF, 0x8000]);
    let known = || prop_oneof![8 => 0x4000u16..0x4003, 1 => number()];
    prop_oneof![
        1 => proptest::collection::vec(peer(), 1..3).prop_map(Step::Permit),
        3 => (known(), peer()).prop_map(|(number, peer)| Step::Bind(number, peer)),
        1 => peer().prop_map(Step::SendByAddress),
        2 => (0x4000u16..0x4003).prop_map(Step::SendByNumber),
        2 => peer().prop_map(Step::Receive),
        2 => select(vec![1, 60, 150, 299, 300, 301, 599, 600, 899, 900]).prop_map(Step::Pass),
    ]
}

/// Three hosts of two ports each: a permission is of the host, a channel of the port.
fn peer() -> impl Strategy<Value = SocketAddr> {
    (1u8..4, 8000u16..8002).prop_map(|(host, port)| SocketAddr::new([8, 8, 8, host].into(), port))
}

const SECOND: Duration = Duration::from_secs(1);
