//! Who is who: every role of an address has a type of its own.

use std::net::{IpAddr, SocketAddr};

/// How a client reached this server (RFC 8656 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream of its own, in the clear.
    Tcp,
    /// A stream within TLS.
    Tls,
}

/// Where a client's packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub SocketAddr);

/// Somebody to relay to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

/// A relayed transport address of this server, as peers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayAddr(pub SocketAddr);

/// What an allocation belongs to (RFC 8656 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// The client's side.
    pub client: ClientAddr,
    /// The address of this box that the client reached.
    pub server: SocketAddr,
    /// Between them.
    pub transport: Transport,
}

/// REQUESTED-ADDRESS-FAMILY (RFC 8656 section 18.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// 1
    Ipv4,
    /// 2
    Ipv6,
}

impl AddressFamily {
    /// The family of its number on the wire.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    /// An address's family.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}
