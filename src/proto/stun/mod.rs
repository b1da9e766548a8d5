//! STUN on the wire (RFC 8489) and TURN's ChannelData (RFC 8656 section 12.4).
//!
//! Two ways to the same bytes: control messages go through the `stun` and `turn` crates' codecs ([`Request`], [`Reply`]), after
//! [`MessageView`] has proved their bounds; relayed data goes through views that copy and allocate nothing ([`Packet`],
//! [`channel_data`], [`indication`]). Driven by `proto::turn`; knows neither allocations nor credentials.

mod address;
mod attributes;
pub mod channel_data;
mod framing;
pub mod indication;
mod integrity;
mod packet;
mod reply;
mod request;
mod view;

pub use attributes::Icmp;
pub use framing::frame_length;
pub use integrity::{IntegrityKey, PasswordAlgorithm};
pub use packet::Packet;
pub use reply::Reply;
pub use request::Request;
pub use view::{Malformed, MessageView, TransactionId};

/// What a datagram to the relay is, by its first byte (RFC 7983 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0 to 3.
    Stun,
    /// 64 to 79, and up to 127 for clients of RFC 5766.
    ChannelData,
    /// Nothing a TURN server is sent.
    Other,
}

impl Kind {
    /// The kind of a datagram.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(64..=127) => Self::ChannelData,
            _ => Self::Other,
        }
    }
}
