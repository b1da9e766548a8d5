//! A whole server under a script of clients, peers and a driver, held against a naive model after every step.
#![no_main]

use libfuzzer_sys::fuzz_target;
use visavis_fuzz::script::Script;
use visavis_fuzz::world::World;

fuzz_target!(|script: Script<'_>| World::new().play(&script));
