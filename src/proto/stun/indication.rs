//! Send and Data indications: relayed data with the peer's address in front (RFC 8656 sections 11.1 and 11.3).
//! Firefox uses nothing else for media, so they copy nothing either; what ICMP said is rare, and encoded by the crates.

use std::net::SocketAddr;

use stun::attributes::{ATTR_DATA, ATTR_DONT_FRAGMENT, ATTR_XOR_PEER_ADDRESS};
use stun::message::{CLASS_INDICATION, METHOD_DATA, Message, MessageType, Setter};
use turn::proto::peeraddr::PeerAddress;

use super::view::{ATTRIBUTE_HEADER, HEADER, MAGIC_COOKIE};
use super::{Icmp, Malformed, MessageView, Packet, TransactionId, address};

/// What a Send indication says of the data it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Whom it is for.
    pub peer: SocketAddr,
    /// DONT-FRAGMENT.
    pub dont_fragment: bool,
}

/// Takes a Send indication off what it carries.
///
/// # Errors
/// It is no message, lacks the peer or the data, or has an attribute that must be understood.
pub fn unwrap(packet: &mut Packet<'_>) -> Result<Sent, Malformed> {
    let view = MessageView::parse(packet.bytes())?;
    let (mut peer, mut data, mut dont_fragment) = (None, None, false);
    for attribute in view.attributes() {
        match attribute.kind {
            // Of two the first counts (RFC 8489 section 14), broken or not.
            kind if kind == ATTR_XOR_PEER_ADDRESS.0 && peer.is_none() => {
                peer = Some(address::read(attribute.value, view.transaction_id()).ok_or(Malformed)?);
            }
            kind if kind == ATTR_XOR_PEER_ADDRESS.0 => {}
            kind if kind == ATTR_DATA.0 => data = data.or(Some((attribute.offset + ATTRIBUTE_HEADER, attribute.value.len()))),
            kind if kind == ATTR_DONT_FRAGMENT.0 => dont_fragment = true,
            0..0x8000 => return Err(Malformed),
            _ => {}
        }
    }
    let ((offset, length), peer) = data.zip(peer).ok_or(Malformed)?;
    packet.narrow(offset, length);
    Ok(Sent { peer, dont_fragment })
}

/// Puts a Data indication in front of what came from `peer`; `None` if the packet has no room or is too long.
///
/// ```text
/// header (20) | XOR-PEER-ADDRESS (12 or 24) | DATA header (4) | data | padding
/// ```
pub fn wrap(packet: &mut Packet<'_>, peer: SocketAddr, id: TransactionId) -> Option<()> {
    let length = packet.bytes().len();
    let address_length = address::length(peer.ip());
    packet.pad()?;
    let attributes = 2 * ATTRIBUTE_HEADER + address_length + packet.bytes().len();
    let header = packet.prepend(HEADER + 2 * ATTRIBUTE_HEADER + address_length)?;
    header[..2].copy_from_slice(&DATA_INDICATION.to_be_bytes());
    header[2..4].copy_from_slice(&u16::try_from(attributes).ok()?.to_be_bytes());
    header[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    header[8..HEADER].copy_from_slice(&id.0);
    let (peer_attribute, data_header) = header[HEADER..].split_at_mut(ATTRIBUTE_HEADER + address_length);
    peer_attribute[..2].copy_from_slice(&ATTR_XOR_PEER_ADDRESS.0.to_be_bytes());
    peer_attribute[2..4].copy_from_slice(&(address_length as u16).to_be_bytes());
    address::write(peer, id, &mut peer_attribute[ATTRIBUTE_HEADER..]);
    data_header[..2].copy_from_slice(&ATTR_DATA.0.to_be_bytes());
    data_header[2..].copy_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    Some(())
}

/// A Data indication that tells what an ICMP message said of a datagram to `peer` (RFC 8656 section 11.5).
pub fn icmp(peer: SocketAddr, icmp: Icmp, id: TransactionId) -> Vec<u8> {
    let mut message = Message::new();
    message.transaction_id = stun::agent::TransactionId(id.0);
    message.set_type(MessageType::new(METHOD_DATA, CLASS_INDICATION));
    message.write_header();
    let peer = PeerAddress { ip: peer.ip(), port: peer.port() };
    peer.add_to(&mut message).and_then(|()| icmp.add_to(&mut message)).expect("invariant: neither attribute has a limit");
    message.raw
}

/// Message type of a Send indication.
pub const SEND_INDICATION: u16 = 0x0016;
const DATA_INDICATION: u16 = 0x0017;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stun::message::{Getter, METHOD_SEND};
    use turn::proto::data::Data;

    use super::*;

    proptest! {
        #[test]
        fn a_send_indication_of_the_turn_crate_is_read(data in proptest::collection::vec(any::<u8>(), 0..200), peer: SocketAddr) {
            let mut theirs = message(METHOD_SEND, [3; 12]);
            PeerAddress { ip: peer.ip(), port: peer.port() }.add_to(&mut theirs).unwrap();
            Data(data.clone()).add_to(&mut theirs).unwrap();
            let end = theirs.raw.len();
            let mut packet = Packet::new(&mut theirs.raw, 0, end);
            let read = unwrap(&mut packet).unwrap();
            prop_assert_eq!((read.peer.ip(), read.peer.port(), read.dont_fragment), (peer.ip(), peer.port(), false));
            prop_assert_eq!(packet.bytes(), &data[..]);
        }

        #[test]
        fn the_turn_crate_reads_a_data_indication(data in proptest::collection::vec(any::<u8>(), 0..200), peer: SocketAddr) {
            let mut buffer = vec![0xFF; Packet::HEAD_ROOM + data.len() + Packet::TAIL_ROOM];
            buffer[Packet::HEAD_ROOM..Packet::HEAD_ROOM + data.len()].copy_from_slice(&data);
            let mut packet = Packet::new(&mut buffer, Packet::HEAD_ROOM, Packet::HEAD_ROOM + data.len());
            wrap(&mut packet, peer, TransactionId([5; 12])).unwrap();
            let mut theirs = Message::new();
            theirs.write(packet.bytes()).unwrap();
            let (mut address, mut carried) = (PeerAddress::default(), Data::default());
            address.get_from(&theirs).unwrap();
            carried.get_from(&theirs).unwrap();
            prop_assert_eq!(theirs.typ, MessageType::new(METHOD_DATA, CLASS_INDICATION));
            prop_assert_eq!((address.ip, address.port, carried.0), (peer.ip(), peer.port(), data));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut bytes = bytes;
            let end = bytes.len();
            let _ = unwrap(&mut Packet::new(&mut bytes, 0, end));
        }
    }

    #[test]
    fn what_must_be_understood_and_is_not_drops_it() {
        let mut theirs = message(METHOD_SEND, [3; 12]);
        PeerAddress { ip: [192, 0, 2, 1].into(), port: 9 }.add_to(&mut theirs).unwrap();
        Data(vec![1]).add_to(&mut theirs).unwrap();
        theirs.add(stun::attributes::AttrType(0x7FFF), &[]);
        let end = theirs.raw.len();
        assert_eq!(unwrap(&mut Packet::new(&mut theirs.raw, 0, end)), Err(Malformed));
    }

    #[test]
    fn a_broken_peer_is_not_passed_over_for_the_next() {
        let mut theirs = message(METHOD_SEND, [3; 12]);
        theirs.add(ATTR_XOR_PEER_ADDRESS, &[0; 8]);
        PeerAddress { ip: [192, 0, 2, 1].into(), port: 9 }.add_to(&mut theirs).unwrap();
        Data(vec![1]).add_to(&mut theirs).unwrap();
        let end = theirs.raw.len();
        assert_eq!(unwrap(&mut Packet::new(&mut theirs.raw, 0, end)), Err(Malformed));
    }

    fn message(method: stun::message::Method, id: [u8; 12]) -> Message {
        let mut message = Message::new();
        message.transaction_id = stun::agent::TransactionId(id);
        message.set_type(MessageType::new(method, CLASS_INDICATION));
        message.write_header();
        message
    }
}
