//! Rooms under everything at once: pages that come, go, reload, fight over a seat and talk nonsense; a network that loses, delays and
//! cuts; a database that is out; a daemon that stops, dies and sleeps. Every history comes from one seed, which a failure names.
//!
//! `SIM_SEEDS=100000` runs more, `SIM_SEED=17` one. `witness` holds what must never be, `agreement` what must be once it is calm.

#![expect(clippy::expect_used, reason = "a simulation that cannot go on fails")]

mod acts;
mod agreement;
mod chance;
mod people;
mod records;
mod witness;
mod world;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use world::World;

#[test]
fn rooms_keep_their_promises_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("SIM_SEED") {
        println!("{:#?}", live(seed));
        return;
    }
    let (next, seeds) = (AtomicU64::new(0), number("SIM_SEEDS").unwrap_or(10_000));
    let seen = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                for seed in std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds)) {
                    let history = catch_unwind(|| live(seed)).unwrap_or_else(|_| {
                        panic!("run it again alone: SIM_SEED={seed} cargo test --test sim");
                    });
                    let mut seen = seen.lock().expect("no worker failed");
                    history.into_iter().for_each(|(name, count)| *seen.entry(name).or_insert(0) += count);
                }
            });
        }
    });
    let seen = seen.into_inner().expect("no worker failed");
    println!("{seeds} seeds: {seen:#?}");
    for name in REACHED {
        assert!(seen.contains_key(*name), "no history has {name}: the simulation has become too tame");
    }
}

fn live(seed: u64) -> BTreeMap<String, u64> {
    let mut world = World::new(seed);
    world.run();
    agreement::holds(&mut world);
    world.witness.tally
}

/// What a simulation worth its name comes across.
const REACHED: &[&str] = &[
    "Answer",
    "Candidate",
    "Close Denied",
    "Close GoingAway",
    "Close Kicked",
    "Close Left",
    "Close PolicyViolation",
    "Close Replaced",
    "Close RoomEnded",
    "Ended",
    "Error AlreadyJoined",
    "Error Forbidden",
    "Error NoSuchPeer",
    "Error RoomFull",
    "Error SeatTaken",
    "Event Disconnected",
    "Event Ended",
    "Event Left Kicked",
    "Event Left Left",
    "Event Left Timeout",
    "Event Left Unattended",
    "Event Locked",
    "Event Moderator",
    "Event Resumed",
    "Joined resumed false",
    "Joined resumed true",
    "Lobby",
    "Locked",
    "Media",
    "Offer",
    "PeerStatus",
    "Waiting NoStaff",
    "Waiting NotAdmitted",
];
