//! XOR-MAPPED-ADDRESS and its kin without a copy (RFC 8489 section 14.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |     Port ^ cookie >> 16       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        Address ^ (cookie, transaction id)   (4 or 16 bytes)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::view::{MAGIC_COOKIE, TransactionId};

/// The address in an attribute's value; `None` if it has neither form.
pub(super) fn read(value: &[u8], id: TransactionId) -> Option<SocketAddr> {
    let (head, address) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2], head[3]]) ^ (MAGIC_COOKIE >> 16) as u16;
    let ip = match head[1] {
        IPV4 => IpAddr::V4(Ipv4Addr::from_bits(u32::from_be_bytes(address.try_into().ok()?) ^ MAGIC_COOKIE)),
        IPV6 => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(address.try_into().ok()?) ^ mask(id))),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Bytes of the value for an address of this family.
pub(super) const fn length(ip: IpAddr) -> usize {
    match ip {
        IpAddr::V4(_) => 8,
        IpAddr::V6(_) => 20,
    }
}

/// Writes the value; `into` has exactly [`length`] bytes.
pub(super) fn write(address: SocketAddr, id: TransactionId, into: &mut [u8]) {
    let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
    into[0] = 0;
    into[2..4].copy_from_slice(&port.to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            into[1] = IPV4;
            into[4..8].copy_from_slice(&(ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes());
        }
        IpAddr::V6(ip) => {
            into[1] = IPV6;
            into[4..20].copy_from_slice(&(ip.to_bits() ^ mask(id)).to_be_bytes());
        }
    }
}

fn mask(id: TransactionId) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&id.0);
    u128::from_be_bytes(mask)
}

const IPV4: u8 = 1;
const IPV6: u8 = 2;
