//! A stream cut anywhere: the same frames come out whatever the cuts, and no more is held than the longest frame.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use visavis_fuzz::proto::stun::{Kind, Malformed, MessageView, Packet, channel_data, frame_length};

#[derive(Debug, Arbitrary)]
struct Stream<'a> {
    /// How many bytes arrive at a time, over and over.
    cuts: Vec<u8>,
    bytes: &'a [u8],
}

fuzz_target!(|stream: Stream<'_>| {
    let at_once = frames(stream.bytes, &[usize::MAX]);
    let cuts: Vec<usize> = stream.cuts.iter().map(|cut| usize::from(*cut).max(1)).chain([1]).collect();
    assert_eq!(frames(stream.bytes, &cuts), at_once);
    for frame in &at_once.0 {
        read(frame);
    }
});

/// The frames of a stream, and whether its end is lost.
fn frames(bytes: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Result<(), Malformed>) {
    let (mut held, mut found, mut rest) = (Vec::new(), Vec::new(), bytes);
    for cut in cuts.iter().cycle() {
        let (arrived, later) = rest.split_at((*cut).min(rest.len()));
        held.extend_from_slice(arrived);
        rest = later;
        loop {
            match frame_length(&held) {
                Err(lost) => return (found, Err(lost)),
                Ok(Some(length)) if length <= held.len() => found.push(held.drain(..length).collect()),
                Ok(awaited) => {
                    assert!(awaited.unwrap_or_default() <= FRAME_MAX, "{awaited:?}");
                    assert!(held.len() < awaited.unwrap_or(4), "a frame that is whole is handed out");
                    break;
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    (found, Ok(()))
}

/// A frame has exactly the length that whoever reads it wants.
fn read(frame: &[u8]) {
    match Kind::of(frame) {
        Kind::Stun => drop(MessageView::parse(frame)),
        Kind::ChannelData => {
            let mut frame = frame.to_vec();
            let end = frame.len();
            let mut packet = Packet::new(&mut frame, 0, end);
            assert!(channel_data::unwrap(&mut packet).is_some());
            assert!(end - packet.bytes().len() < 4 + 4, "a header and less than four bytes of padding");
        }
        Kind::Other => panic!("no frame begins like this"),
    }
}

/// A header and what a 16-bit length can name, padded.
const FRAME_MAX: usize = 20 + 0x1_0000;
