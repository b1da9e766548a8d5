//! Arbitrary bytes as a datagram: no view panics, and what ours takes the `stun` and `turn` crates read alike.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_XOR_PEER_ADDRESS, AttrType};
use stun::message::{Getter, Message};
use turn::proto::chandata::ChannelData;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use visavis_fuzz::proto::stun::{IntegrityKey, MessageView, Packet, Reply, Request, TransactionId, channel_data, indication};

fuzz_target!(|bytes: &[u8]| {
    datagram(bytes);
    datagram(&framed(bytes));
});

fn datagram(bytes: &[u8]) {
    message(bytes);
    carried_by_an_indication(bytes);
    carried_by_a_channel(bytes);
}

fn message(bytes: &[u8]) {
    let Ok(view) = MessageView::parse(bytes) else { return };
    let mut theirs = Message::new();
    theirs.write(bytes).expect("what has sound bounds the stun crate takes too");
    forgive(&mut theirs);
    assert_eq!((view.message_type(), view.transaction_id().0), (theirs.typ.value(), theirs.transaction_id.0));
    let Some(mut request) = Request::decode(&view) else { return };
    // What follows MESSAGE-INTEGRITY does not count (RFC 8489 section 14.5); the crate reads it all the same.
    if let Some(last) = theirs.attributes.0.iter().position(|attribute| INTEGRITY.contains(&attribute.typ)) {
        theirs.attributes.0.truncate(last + 1);
    }
    if let Ok(Some(lifetime)) = request.lifetime() {
        assert_eq!(lifetime, read::<Lifetime>(&theirs).0);
    }
    if let Ok(Some(number)) = request.channel_number() {
        assert_eq!(number, read::<ChannelNumber>(&theirs).0);
    }
    if let Ok(peers) = request.peers() {
        let named = theirs.attributes.0.iter().filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS).count();
        assert_eq!(peers.len(), named);
        if let Some(first) = peers.first() {
            assert_eq!(*first, address(&read(&theirs)));
        }
    }
    let _ = (request.username(), request.nonce(), request.requested_transport(), request.requested_family(), request.even_port());
    request.is_authentic(&IntegrityKey::long_term(None, "user", "realm", "password"));
    answered(&request);
}

/// What we send is what we would take.
fn answered(request: &Request) {
    let key = IntegrityKey::long_term(None, "user", "realm", "password");
    let refusal = Reply::error(request, stun::error_code::CODE_UNKNOWN_ATTRIBUTE).unknown(request.unknown_required());
    let success = Reply::success(request).mapped(SocketAddr::from(([192, 0, 2, 1], 3478)));
    for answer in [refusal.encode(Some(&key)), success.encode(None)] {
        let view = MessageView::parse(&answer).expect("an answer is a message");
        assert_eq!(view.transaction_id(), request.transaction_id());
        assert!(Request::decode(&view).is_none(), "an answer is no request: two servers never talk to each other");
    }
}

fn carried_by_an_indication(bytes: &[u8]) {
    let mut buffer = bytes.to_vec();
    let Ok(view) = MessageView::parse(bytes) else { return };
    let id = view.transaction_id();
    let mut packet = Packet::new(&mut buffer, 0, bytes.len());
    let Ok(indication::Sent { peer, .. }) = indication::unwrap(&mut packet) else { return };
    let theirs = message_of(bytes);
    assert_eq!((peer, packet.bytes()), (address(&read(&theirs)), &*read::<Data>(&theirs).0));
    let carried = packet.bytes().to_vec();
    let (mut buffer, end) = with_room(&carried);
    let mut packet = Packet::new(&mut buffer, Packet::HEAD_ROOM, end);
    if indication::wrap(&mut packet, peer, TransactionId(id.0)).is_some() {
        let theirs = message_of(packet.bytes());
        assert_eq!((peer, carried), (address(&read(&theirs)), read::<Data>(&theirs).0));
    }
}

fn carried_by_a_channel(bytes: &[u8]) {
    let mut buffer = bytes.to_vec();
    let mut packet = Packet::new(&mut buffer, 0, bytes.len());
    let ours = channel_data::unwrap(&mut packet);
    let mut theirs = ChannelData { raw: bytes.to_vec(), ..ChannelData::default() };
    if theirs.decode().is_ok() {
        assert_eq!((ours, packet.bytes()), (Some(theirs.number.0), &*theirs.data));
        let (mut buffer, end) = with_room(&theirs.data);
        let mut packet = Packet::new(&mut buffer, Packet::HEAD_ROOM, end);
        channel_data::wrap(&mut packet, theirs.number.0).expect("it had a header before");
        assert_eq!(packet.bytes(), &bytes[..packet.bytes().len()]);
    }
}

/// The same bytes with a header that fits them, and half of the time a FINGERPRINT: chance alone finds neither.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut message = bytes.to_vec();
    message.truncate(0xFFFC);
    message.resize(message.len().max(20).next_multiple_of(4), 0);
    message[0] &= 0x3F;
    message[4..8].copy_from_slice(&stun::message::MAGIC_COOKIE.to_be_bytes());
    let fingerprinted = message[19] % 2 == 1;
    let length = message.len() - 20 + if fingerprinted { 8 } else { 0 };
    message[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    if fingerprinted {
        let fingerprint = stun::fingerprint::fingerprint_value(&message);
        message.extend([&[0x80, 0x28, 0, 4][..], &fingerprint.to_be_bytes()].concat());
    }
    message
}

fn with_room(bytes: &[u8]) -> (Vec<u8>, usize) {
    let end = Packet::HEAD_ROOM + bytes.len();
    let mut buffer = vec![0xEE; end + Packet::TAIL_ROOM];
    buffer[Packet::HEAD_ROOM..end].copy_from_slice(bytes);
    (buffer, end)
}

fn message_of(bytes: &[u8]) -> Message {
    let mut message = Message::new();
    message.write(bytes).expect("the stun crate takes it");
    forgive(&mut message);
    message
}

/// A receiver ignores an address's first byte (RFC 8489 section 14.1); the crate takes it for a part of the family.
fn forgive(message: &mut Message) {
    for attribute in message.attributes.0.iter_mut().filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS) {
        attribute.value.iter_mut().take(1).for_each(|reserved| *reserved = 0);
    }
}

fn read<T: Getter + Default>(message: &Message) -> T {
    let mut value = T::default();
    value.get_from(message).expect("the turn crate reads what we read");
    value
}

const fn address(peer: &PeerAddress) -> SocketAddr {
    SocketAddr::new(peer.ip, peer.port)
}

/// What stands after one of them does not count, the other aside.
const INTEGRITY: [AttrType; 2] = [ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256];
