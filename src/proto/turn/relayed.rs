//! Whose the relayed addresses of every shard are: written where one begins and ends, read with one load where data is relayed.
//!
//! Between shards data goes through the kernel, from one relay socket to the other, by way of the loopback address: nobody outside can send
//! from there, and nobody inside from a port that a relay socket holds. So the source's port alone proves whose relayed address it is, and no
//! router in front need turn packets around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::hash::fingerprint;
use super::{AddressFamily, PeerAddr, RelayAddr};
use crate::proto::id::RoomId;

/// The relayed addresses that stand.
///
/// ```text
/// an entry, by family and port: 0, or  owner (56) | which of the box's addresses (8)
/// ```
#[derive(Debug)]
pub(super) struct Relayed {
    key: [u8; 32],
    /// None where there is one shard, whose own table knows them all.
    entries: Box<[AtomicU64]>,
    shown: Box<[Shown]>,
}

/// An address of this box as peers see it, and how many relayed addresses stand there.
#[derive(Debug, Default)]
struct Shown {
    ip: OnceLock<IpAddr>,
    standing: AtomicUsize,
}

/// The rooms whose allocations may reach one another: a keyed fingerprint of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// Who a datagram at a relay socket is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// Somebody outside.
    Peer,
    /// An allocation of some shard.
    Relay(RelayAddr, Owner),
    /// Somebody who claims to be one.
    Impostor,
}

impl Relayed {
    /// None stands.
    pub(super) fn new(key: [u8; 32], shards: usize) -> Self {
        let (entries, shown) = if shards > 1 { (2 * PORTS, SHOWN_MAX) } else { (0, 0) };
        Self {
            key,
            entries: (0..entries).map(|_| AtomicU64::new(0)).collect(),
            shown: (0..shown).map(|_| Shown::default()).collect(),
        }
    }

    /// What stands for a room; for whoever has a credential of other software, `None` is one.
    pub(super) fn owner(&self, room: Option<RoomId>) -> Owner {
        Owner(fingerprint(&self.key, room) | WHICH)
    }

    /// A relayed address stands. On a box with more than [`SHOWN_MAX`] addresses, those at the others are reached within their shard alone.
    pub(super) fn raise(&self, relay: RelayAddr, owner: Owner) {
        let of_ip = self.shown.iter().position(|shown| *shown.ip.get_or_init(|| relay.0.ip()) == relay.0.ip());
        if let (Some(entry), Some(which)) = (self.entries.get(index(relay.0)), of_ip) {
            self.shown[which].standing.fetch_add(1, Ordering::Relaxed);
            entry.store(owner.0 & !WHICH | (which as u64 + 1), Ordering::Release);
        }
    }

    /// It falls, before its socket is closed: whoever has the port next has not raised it yet.
    pub(super) fn lower(&self, relay: RelayAddr) {
        let Some((entry, shown)) = self.entries.get(index(relay.0)).and_then(|entry| Some((entry, self.shown_of(entry)?))) else {
            return;
        };
        entry.store(0, Ordering::Release);
        shown.standing.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whose relayed address a peer is; `None` if it is none.
    pub(super) fn owner_of(&self, PeerAddr(peer): PeerAddr) -> Option<Owner> {
        let (ip, owner) = self.standing(peer)?;
        (ip == peer.ip()).then_some(owner)
    }

    /// Whether one stands at this address of the box.
    pub(super) fn stands_at(&self, ip: IpAddr) -> bool {
        let known = self.shown.iter().take_while(|shown| shown.ip.get().is_some());
        known.into_iter().any(|shown| shown.ip.get() == Some(&ip) && shown.standing.load(Ordering::Relaxed) > 0)
    }

    /// Whom a datagram came from that arrived from this address.
    pub(super) fn sender(&self, PeerAddr(source): PeerAddr) -> Sender {
        match self.standing(source) {
            Some((ip, owner)) if source.ip() == inside(source).ip() => {
                Sender::Relay(RelayAddr(SocketAddr::new(ip, source.port())), owner)
            }
            Some((ip, _)) if ip == source.ip() => Sender::Impostor,
            _ => Sender::Peer,
        }
    }

    /// The address that peers see of the relayed address with this family and port, and its owner.
    fn standing(&self, at: SocketAddr) -> Option<(IpAddr, Owner)> {
        let entry = self.entries.get(index(at))?.load(Ordering::Acquire);
        let which = usize::try_from(entry & WHICH).ok()?.checked_sub(1)?;
        Some((*self.shown.get(which)?.ip.get()?, Owner(entry | WHICH)))
    }

    fn shown_of(&self, entry: &AtomicU64) -> Option<&Shown> {
        let which = usize::try_from(entry.load(Ordering::Relaxed) & WHICH).ok()?.checked_sub(1)?;
        self.shown.get(which)
    }
}

/// Where another shard's relay socket is reached from this one's, whatever peers see of it.
pub(super) const fn inside(relay: SocketAddr) -> SocketAddr {
    let ip = match relay {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, relay.port())
}

fn index(at: SocketAddr) -> usize {
    let family = if AddressFamily::of(at.ip()) == AddressFamily::Ipv4 { 0 } else { PORTS };
    family + usize::from(at.port())
}

/// The part of an entry that says which of the box's addresses it is at, counted from 1.
const WHICH: u64 = 0xFF;
const SHOWN_MAX: usize = 255;
const PORTS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_address_is_its_room_s_while_it_stands() {
        let relayed = Relayed::new([7; 32], 2);
        let [one, other] = [1, 2].map(|n| relayed.owner(Some(RoomId::from_random([n; 16]))));
        assert!(one != other && one != relayed.owner(None));
        let relay = RelayAddr("5.5.5.5:50000".parse().unwrap());
        for owner in [one, other] {
            relayed.raise(relay, owner);
            assert_eq!(relayed.owner_of(PeerAddr(relay.0)), Some(owner));
            for elsewhere in ["5.5.5.5:50001", "5.5.5.6:50000", "127.0.0.1:50000", "[::1]:50000", "[::ffff:5.5.5.5]:50000"] {
                assert_eq!(relayed.owner_of(PeerAddr(elsewhere.parse().unwrap())), None, "{elsewhere}");
            }
            assert!(relayed.stands_at(relay.0.ip()) && !relayed.stands_at("5.5.5.6".parse().unwrap()));
            relayed.lower(relay);
            assert_eq!(relayed.owner_of(PeerAddr(relay.0)), None);
            assert!(!relayed.stands_at(relay.0.ip()));
        }
    }

    #[test]
    fn a_relay_sends_from_inside_and_whoever_sends_as_one_from_outside_is_an_impostor() {
        let relayed = Relayed::new([7; 32], 2);
        let owner = relayed.owner(None);
        for (relay, inside) in [("5.5.5.5:50000", "127.0.0.1:50000"), ("[2a00::5]:50000", "[::1]:50000")] {
            let relay = RelayAddr(relay.parse().unwrap());
            let senders = || [inside.parse().unwrap(), relay.0].map(|from| relayed.sender(PeerAddr(from)));
            assert_eq!(senders(), [Sender::Peer; 2], "nothing stands there");
            relayed.raise(relay, owner);
            assert_eq!(senders(), [Sender::Relay(relay, owner), Sender::Impostor]);
            assert_eq!(super::inside(relay.0), inside.parse().unwrap());
            relayed.lower(relay);
            assert_eq!(senders(), [Sender::Peer; 2]);
        }
        relayed.raise(RelayAddr("5.5.5.5:50000".parse().unwrap()), owner);
        for other in ["8.8.8.8:50000", "127.0.0.1:50001", "127.0.0.2:50000", "[::1]:50000"] {
            assert_eq!(relayed.sender(PeerAddr(other.parse().unwrap())), Sender::Peer, "{other}");
        }
    }

    #[test]
    fn one_shard_has_no_table_and_no_more_addresses_than_have_places_are_in_it() {
        let alone = Relayed::new([7; 32], 1);
        let relay = RelayAddr("5.5.5.5:50000".parse().unwrap());
        alone.raise(relay, alone.owner(None));
        assert_eq!((alone.owner_of(PeerAddr(relay.0)), alone.stands_at(relay.0.ip())), (None, false));
        let several = Relayed::new([7; 32], 2);
        let relays = (0..300_u16).map(|n| RelayAddr(SocketAddr::new([10, 0, (n >> 8) as u8, n as u8].into(), 1024 + n)));
        relays.clone().for_each(|relay| several.raise(relay, several.owner(None)));
        let standing = relays.clone().filter(|relay| several.owner_of(PeerAddr(relay.0)).is_some()).count();
        assert_eq!(standing, SHOWN_MAX);
        relays.clone().for_each(|relay| several.lower(relay));
        assert!(relays.into_iter().all(|relay| !several.stands_at(relay.0.ip())));
    }
}
