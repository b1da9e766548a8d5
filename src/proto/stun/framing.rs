//! Where messages end in a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

use super::{Kind, Malformed};

/// Bytes of the frame that `bytes` begin with; `None` until its length can be told.
///
/// # Errors
/// The stream holds something else, so where its next frame begins is lost for good.
pub fn frame_length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let kind = match bytes.first() {
        None => return Ok(None),
        Some(_) => Kind::of(bytes),
    };
    let Some(head) = bytes.first_chunk::<4>() else {
        return if kind == Kind::Other { Err(Malformed) } else { Ok(None) };
    };
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    match kind {
        Kind::Stun if length.is_multiple_of(4) => Ok(Some(20 + length)),
        // Over a stream ChannelData is padded to four bytes, which its length does not count.
        Kind::ChannelData => Ok(Some(4 + length.next_multiple_of(4))),
        Kind::Stun | Kind::Other => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_end_where_their_lengths_say() {
        let stun = [&[0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42][..], &[0; 20]].concat();
        assert_eq!(frame_length(&stun), Ok(Some(28)));
        assert_eq!(frame_length(&[0x40, 0, 0, 5]), Ok(Some(12)), "five bytes and three of padding");
        assert_eq!(frame_length(&[0x40, 0, 0, 0]), Ok(Some(4)));
        for short in [&[][..], &[0], &[0, 1, 0], &[0x40, 0, 0]] {
            assert_eq!(frame_length(short), Ok(None), "{short:?}");
        }
        for broken in [&b"\x80"[..], b"\x16\x03\x01\x00", &[0, 1, 0, 7]] {
            assert_eq!(frame_length(broken), Err(Malformed), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn every_split_of_a_stream_gives_the_same_frames(
            sizes in proptest::collection::vec(0usize..40, 1..8), cuts in proptest::collection::vec(1usize..20, 1..40)
        ) {
            let frames: Vec<Vec<u8>> = sizes.iter().map(|size| {
                let mut frame = [&[0x40, 0, 0, *size as u8][..], &vec![7; *size]].concat();
                frame.resize(frame.len().next_multiple_of(4), 0);
                frame
            }).collect();
            let whole = frames.concat();
            let (mut at, mut held, mut found) = (0, Vec::new(), Vec::new());
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(whole.len());
                held.extend_from_slice(&whole[at..end]);
                at = end;
                while let Some(length) = frame_length(&held).unwrap().filter(|length| *length <= held.len()) {
                    found.push(held.drain(..length).collect::<Vec<_>>());
                }
                if at == whole.len() {
                    break;
                }
            }
            prop_assert_eq!(found, frames);
        }
    }
}
