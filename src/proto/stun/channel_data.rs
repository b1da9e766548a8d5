//! ChannelData: four bytes in front of what is relayed (RFC 8656 section 12.4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Channel number        |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::Packet;

/// Takes the header off; the channel's number, or `None` if the packet is no ChannelData. Padding behind the data falls away.
pub fn unwrap(packet: &mut Packet<'_>) -> Option<u16> {
    let header: &[u8; HEADER] = packet.bytes().first_chunk()?;
    let number = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if HEADER + length > packet.bytes().len() {
        return None;
    }
    packet.narrow(HEADER, length);
    Some(number)
}

/// Puts the header on; `None` if the packet has no room or is longer than the field can say.
pub fn wrap(packet: &mut Packet<'_>, number: u16) -> Option<()> {
    let length = u16::try_from(packet.bytes().len()).ok()?;
    let header = packet.prepend(HEADER)?;
    header[..2].copy_from_slice(&number.to_be_bytes());
    header[2..].copy_from_slice(&length.to_be_bytes());
    Some(())
}

const HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use turn::proto::chandata::ChannelData;
    use turn::proto::channum::ChannelNumber;

    use super::*;

    #[test]
    fn a_length_past_the_end_is_refused() {
        let mut buffer = [0x40, 0x00, 0x00, 0x02, 1];
        assert_eq!(unwrap(&mut Packet::new(&mut buffer, 0, 5)), None);
        assert_eq!(unwrap(&mut Packet::new(&mut buffer, 0, 3)), None);
    }

    proptest! {
        #[test]
        fn both_directions_agree_with_the_turn_crate(data in proptest::collection::vec(any::<u8>(), 0..200), number in 0x4000u16..0x5000) {
            let mut theirs = ChannelData { data: data.clone(), number: ChannelNumber(number), raw: Vec::new() };
            theirs.encode();
            let mut buffer = theirs.raw.clone();
            let end = buffer.len();
            let mut packet = Packet::new(&mut buffer, 0, end);
            prop_assert_eq!(unwrap(&mut packet), Some(number));
            prop_assert_eq!(packet.bytes(), &data[..]);
            prop_assert_eq!(wrap(&mut packet, number), Some(()));
            let mut back = ChannelData { raw: packet.bytes().to_vec(), ..ChannelData::default() };
            back.decode().unwrap();
            prop_assert_eq!((back.number.0, back.data), (number, data));
        }
    }
}
