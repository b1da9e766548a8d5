//! What a server ought to know, kept the naive way: from the successes it sent, and the clock.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::turn::{AllocationId, FiveTuple, PeerAddr, RelayAddr};
use crate::range;

/// An allocation as its client knows it.
#[derive(Debug)]
pub struct Standing {
    pub id: AllocationId,
    pub tuple: FiveTuple,
    pub seat: Option<(RoomId, ParticipantId)>,
    pub username: String,
    /// `None` while the driver binds it.
    pub relay: Option<RelayAddr>,
    pub expires: Instant,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: Vec<(u16, SocketAddr, Instant)>,
}

/// Where a datagram must go.
#[derive(Debug, PartialEq, Eq)]
pub enum Way {
    Peer(AllocationId, PeerAddr),
    Client(FiveTuple),
    Nowhere,
}

impl Standing {
    pub fn new(
        id: AllocationId,
        tuple: FiveTuple,
        seat: Option<(RoomId, ParticipantId)>,
        username: String,
        expires: Instant,
    ) -> Self {
        Self { id, tuple, seat, username, relay: None, expires, permissions: BTreeMap::new(), channels: Vec::new() }
    }

    /// RFC 8656 section 9: five minutes from each success on.
    pub fn permitted(&mut self, now: Instant, peer: IpAddr) {
        self.permissions.insert(peer, now + Duration::from_secs(300));
        let live = self.permissions.values().filter(|until| **until > now).count();
        assert!(live <= 64, "{live} permissions");
    }

    /// RFC 8656 section 12: ten minutes, and five more in which neither number nor peer is anybody else's.
    pub fn bound(&mut self, now: Instant, number: u16, peer: SocketAddr) {
        assert!((0x4000..=0x7FFF).contains(&number), "{number:#x}");
        self.channels.retain(|(_, _, until)| *until + Duration::from_secs(300) > now);
        let other = self.channels.iter().find(|(n, p, _)| (*n == number) != (*p == peer));
        assert_eq!(other, None, "{number:#x} and {peer} are bound to each other");
        self.channels.retain(|(n, ..)| *n != number);
        self.channels.push((number, peer, now + Duration::from_secs(600)));
        assert!(self.channels.len() <= 64, "{} channels", self.channels.len());
        self.permitted(now, peer.ip());
    }

    pub fn peer(&self, now: Instant, number: u16) -> Option<SocketAddr> {
        self.channels.iter().find(|(n, _, until)| *n == number && *until > now).map(|(_, peer, _)| *peer)
    }

    fn permits(&self, now: Instant, peer: SocketAddr) -> bool {
        self.permissions.get(&peer.ip()).is_some_and(|until| *until > now)
    }
}

/// Every allocation there ought to be, and where signaling comes from.
#[derive(Debug, Default)]
pub struct Model {
    pub standing: Vec<Standing>,
    pub seats: BTreeMap<(RoomId, ParticipantId), IpAddr>,
}

impl Model {
    pub fn of(&mut self, tuple: FiveTuple) -> Option<&mut Standing> {
        self.standing.iter_mut().find(|standing| standing.tuple == tuple)
    }

    pub fn by_id(&mut self, id: AllocationId) -> Option<&mut Standing> {
        self.standing.iter_mut().find(|standing| standing.id == id)
    }

    /// The live relayed address that a peer's address is.
    pub fn at(&self, peer: SocketAddr) -> Option<&Standing> {
        self.standing.iter().find(|standing| standing.relay == Some(RelayAddr(peer)))
    }

    /// Whether a client may send to a peer at all, permissions aside.
    pub fn allows(&self, from: &Standing, peer: SocketAddr) -> bool {
        match self.at(peer) {
            Some(other) => room(other) == room(from),
            None if range::is_private(peer.ip()) => peer.port() >= 32768 && self.meets(from, peer.ip()),
            None => peer.port() != 0 && !range::is_special(peer.ip()),
        }
    }

    /// Whether a client may permit an address at all: there the port is not known yet.
    pub fn may_permit(&self, from: &Standing, ip: IpAddr) -> bool {
        let relays = self.standing.iter().any(|standing| standing.relay.is_some_and(|relay| relay.0.ip() == ip));
        relays || if range::is_private(ip) { self.meets(from, ip) } else { !range::is_special(ip) }
    }

    /// Whether a member of the same room was seen at an address.
    fn meets(&self, from: &Standing, ip: IpAddr) -> bool {
        let Some(room) = room(from) else { return false };
        let ip = range::carried(ip);
        let here = |standing: &Standing| standing.seat.is_some_and(|seat| seat.0 == room) && standing.tuple.client.0.ip() == ip;
        self.standing.iter().any(here) || self.seats.iter().any(|(seat, at)| seat.0 == room && *at == ip)
    }

    /// Where what `tuple` sends to `peer` goes.
    pub fn outward(&self, now: Instant, tuple: FiveTuple, peer: SocketAddr) -> Way {
        let Some(from) = self.standing.iter().find(|standing| standing.tuple == tuple) else { return Way::Nowhere };
        let Some(RelayAddr(relay)) = from.relay else { return Way::Nowhere };
        if !from.permits(now, peer) || !self.allows(from, peer) {
            return Way::Nowhere;
        }
        match self.at(peer) {
            Some(other) if other.permits(now, relay) => Way::Client(other.tuple),
            Some(_) => Way::Nowhere,
            None => Way::Peer(from.id, PeerAddr(peer)),
        }
    }

    /// Where what `peer` sends to an allocation goes.
    pub fn inward(&self, now: Instant, id: AllocationId, peer: SocketAddr) -> Way {
        match self.standing.iter().find(|standing| standing.id == id) {
            Some(standing) if standing.permits(now, peer) => Way::Client(standing.tuple),
            _ => Way::Nowhere,
        }
    }

    /// Takes out those that are over, and names them.
    pub fn end(&mut self, over: impl Fn(&Standing) -> bool) -> Vec<Standing> {
        let (over, left) = std::mem::take(&mut self.standing).into_iter().partition(over);
        self.standing = left;
        over
    }
}

fn room(standing: &Standing) -> Option<RoomId> {
    standing.seat.map(|(room, _)| room)
}
