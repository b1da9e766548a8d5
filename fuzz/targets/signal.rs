//! Arbitrary text as a message of the signaling wire: what is taken is written, and read again as the same message.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use visavis_fuzz::proto::signal::{ClientMessage, ServerMessage};

fuzz_target!(|text: &str| {
    round_trip::<ClientMessage>(text);
    round_trip::<ServerMessage>(text);
});

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    let Ok(message) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&message).expect("whatever was read can be written");
    // A control character takes six bytes as an escape, so no message grows to more than that, names of fields aside.
    assert!(written.len() <= 6 * text.len() + 512, "{} bytes became {}", text.len(), written.len());
    assert_eq!(serde_json::from_str::<T>(&written).expect("whatever was written can be read"), message);
}
