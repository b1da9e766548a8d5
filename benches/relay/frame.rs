//! What is relayed, and what stands around it on the client's side.
//!
//! ```text
//! payload = sent (8, nanoseconds of the generator's clock) | run (4) | filler
//! ```

use std::net::SocketAddr;

use anyhow::{Context, Result};
use stun::attributes::ATTR_DATA;
use stun::message::{CLASS_INDICATION, METHOD_SEND, Message, MessageType, Setter};
use turn::proto::peeraddr::PeerAddress;

/// How a client sends to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carriage {
    /// ChannelData (RFC 8656 section 12.4).
    Channel,
    /// Send and Data indications (RFC 8656 section 11).
    Indication,
}

/// A packet that is sent again and again, with another stamp each time.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    payload: usize,
}

/// When a packet was sent, and in which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Nanoseconds of the generator's clock.
    pub(crate) sent: u64,
    pub(crate) run: u32,
}

impl Frame {
    /// What a peer sends: the payload alone.
    pub(crate) fn bare(length: usize) -> Self {
        Self { bytes: vec![FILLER; length], payload: 0 }
    }

    /// What a client sends.
    pub(crate) fn carried(carriage: Carriage, peer: SocketAddr, length: usize) -> Result<Self> {
        let (bytes, payload) = match carriage {
            Carriage::Channel => {
                let size = u16::try_from(length).context("a packet is too long for ChannelData")?;
                let header = [CHANNEL.to_be_bytes(), size.to_be_bytes()].concat();
                let payload = header.len();
                // Over a stream ChannelData is padded; lengths that need none serve both.
                ([header, vec![FILLER; length.next_multiple_of(4)]].concat(), payload)
            }
            Carriage::Indication => {
                let mut message = Message::new();
                message.new_transaction_id()?;
                message.set_type(MessageType::new(METHOD_SEND, CLASS_INDICATION));
                message.write_header();
                PeerAddress { ip: peer.ip(), port: peer.port() }.add_to(&mut message)?;
                message.add(ATTR_DATA, &vec![FILLER; length]);
                let payload = message.raw.len() - length.next_multiple_of(4);
                (message.raw, payload)
            }
        };
        Ok(Self { bytes, payload })
    }

    /// The bytes to send with this stamp.
    pub(crate) fn stamped(&mut self, stamp: Stamp) -> &[u8] {
        let payload = &mut self.bytes[self.payload..];
        payload[..8].copy_from_slice(&stamp.sent.to_be_bytes());
        payload[8..STAMP].copy_from_slice(&stamp.run.to_be_bytes());
        &self.bytes
    }
}

impl Stamp {
    /// Reads the stamp of what a peer received.
    pub(crate) fn of_payload(payload: &[u8]) -> Option<Self> {
        let stamp = payload.first_chunk::<STAMP>()?;
        let (sent, run) = stamp.split_at(8);
        Some(Self { sent: u64::from_be_bytes(sent.try_into().ok()?), run: u32::from_be_bytes(run.try_into().ok()?) })
    }

    /// Reads the stamp of what a client received, be it ChannelData or a Data indication; the rest may be cut off.
    pub(crate) fn of_frame(frame: &[u8]) -> Option<Self> {
        match frame.first()? {
            0x40 => Self::of_payload(frame.get(4..)?),
            0 => Self::of_payload(data_attribute(frame.get(20..)?)?),
            _ => None,
        }
    }
}

fn data_attribute(mut attributes: &[u8]) -> Option<&[u8]> {
    loop {
        let (header, rest) = attributes.split_first_chunk::<4>()?;
        if u16::from_be_bytes([header[0], header[1]]) == ATTR_DATA.0 {
            return Some(rest);
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// Every client binds one channel, so one number does.
pub(crate) const CHANNEL: u16 = 0x4000;
const STAMP: usize = 12;
const FILLER: u8 = 0xA5;
