//! Allocations: a client's relayed address with everything that belongs to it (RFC 8656 section 5).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::authentication::Identity;
use super::channel::Channels;
use super::hash::{Table, table};
use super::permission::Permissions;
use super::relayed::Owner;
use super::reservation::{Reservation, ReservationToken};
use super::tally::Tally;
use super::{AddressFamily, FiveTuple, PeerAddr, RelayAddr};
use crate::proto::id::RoomId;
use crate::proto::rate::Bucket;
use crate::proto::stun::Request;

/// Names an allocation; never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllocationId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl AllocationId {
    /// Its place: small, and shared by no two that live at once.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

/// One allocation.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) tuple: FiveTuple,
    pub(super) family: AddressFamily,
    pub(super) identity: Identity,
    /// Whose relayed addresses in other shards are peers.
    pub(super) owner: Owner,
    pub(super) state: State,
    pub(super) permissions: Permissions,
    pub(super) channels: Channels,
    pub(super) new_peers: Bucket,
    /// What it may still carry, each way.
    pub(super) to_peers: Bucket,
    pub(super) to_client: Bucket,
    /// The head of what the client asked, so that a retransmission is answered alike.
    pub(super) request: Request,
    /// What it was granted.
    pub(super) lifetime: Duration,
    /// What it was not, of the two families it asked for.
    pub(super) missing: Option<Missing>,
    /// Names the next port, if it asked for a pair.
    pub(super) reserved: Option<ReservationToken>,
}

/// A family that was asked for as the additional one and could not be had, and the code of why (RFC 8656 section 18.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) family: AddressFamily,
    pub(super) code: u16,
}

/// How far an allocation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The driver binds its address.
    Binding,
    /// Peers can reach it.
    Relaying(RelayAddr),
}

impl Allocation {
    /// Whose relayed addresses are peers: those of the same room; or, of credentials of other software, all.
    pub(super) fn room(&self) -> Option<RoomId> {
        self.identity.seat.map(|(room, _)| room)
    }

    /// Whether a peer may reach the client, and be reached.
    pub(super) fn permits(&self, now: Instant, peer: PeerAddr) -> bool {
        self.permissions.holds(now, peer.0.ip())
    }
}

/// The allocations of a five-tuple: one, or one a family. The two share their client and nothing else: each has its own relayed
/// address, lifetime, permissions and channels (RFC 8656 sections 6 and 8.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ByFamily {
    ipv4: Option<AllocationId>,
    ipv6: Option<AllocationId>,
}

impl ByFamily {
    pub(super) const fn of(self, family: AddressFamily) -> Option<AllocationId> {
        match family {
            AddressFamily::Ipv4 => self.ipv4,
            AddressFamily::Ipv6 => self.ipv6,
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = AllocationId> {
        self.ipv4.into_iter().chain(self.ipv6)
    }

    fn set(&mut self, family: AddressFamily, id: Option<AllocationId>) {
        match family {
            AddressFamily::Ipv4 => self.ipv4 = id,
            AddressFamily::Ipv6 => self.ipv6 = id,
        }
    }
}

/// Every allocation and reservation of a server, by its name, its client, its token and its relayed address.
#[derive(Debug)]
pub(super) struct Allocations {
    places: Vec<Place>,
    free: Vec<u32>,
    by_tuple: Table<FiveTuple, ByFamily>,
    by_token: HashMap<ReservationToken, AllocationId>,
    by_relay: Table<RelayAddr, AllocationId>,
    /// How many relayed addresses stand at each of this box's few addresses.
    relay_ips: Tally<IpAddr>,
}

/// What has a relayed address, and counts for a seat's quota.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the larger one is the rule, and a box would cost every packet a step")]
pub(super) enum Held {
    Allocation(Allocation),
    Reservation(Reservation),
}

impl Held {
    pub(super) const fn identity(&self) -> &Identity {
        match self {
            Self::Allocation(allocation) => &allocation.identity,
            Self::Reservation(reservation) => &reservation.identity,
        }
    }

    /// Its address, once the driver has bound it.
    pub(super) const fn relay(&self) -> Option<RelayAddr> {
        match self {
            Self::Allocation(Allocation { state: State::Relaying(relay), .. }) => Some(*relay),
            Self::Allocation(_) => None,
            Self::Reservation(reservation) => reservation.relay,
        }
    }
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    held: Option<Held>,
}

impl Allocations {
    /// None; `secret` keeps outsiders from telling where a table holds what.
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_tuple: table(secret),
            by_token: HashMap::new(),
            by_relay: table(secret),
            relay_ips: Tally::default(),
        }
    }

    pub(super) fn insert(&mut self, allocation: Allocation) -> AllocationId {
        let (tuple, family) = (allocation.tuple, allocation.family);
        let id = self.hold(Held::Allocation(allocation));
        self.join(tuple, family, id);
        id
    }

    /// Keeps a place for an allocation to come.
    pub(super) fn reserve(&mut self, reservation: Reservation) -> AllocationId {
        let token = reservation.token;
        let id = self.hold(Held::Reservation(reservation));
        self.by_token.insert(token, id);
        id
    }

    /// The bound reservation that a token names, if it is this one's to take.
    pub(super) fn reserved(&self, token: ReservationToken, who: &Identity) -> Option<(AllocationId, AddressFamily, RelayAddr)> {
        let id = *self.by_token.get(&token)?;
        match self.held(id)? {
            Held::Reservation(kept) if kept.identity.holder() == who.holder() => Some((id, kept.family, kept.relay?)),
            _ => None,
        }
    }

    /// Makes a reservation the allocation it was kept for, with its name and its address.
    pub(super) fn claim(&mut self, id: AllocationId, allocation: Allocation, relay: RelayAddr) {
        let (tuple, family) = (allocation.tuple, allocation.family);
        if let Some(Held::Reservation(reservation)) =
            self.held_mut(id).map(|held| std::mem::replace(held, Held::Allocation(allocation)))
        {
            self.by_token.remove(&reservation.token);
        }
        self.join(tuple, family, id);
        self.relaying(id, relay);
    }

    fn hold(&mut self, held: Held) -> AllocationId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("invariant: a relay has 65536 ports a family")
        });
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        place.held = Some(held);
        AllocationId { index, generation: place.generation }
    }

    /// It has an address; peers can reach an allocation from now on.
    pub(super) fn relaying(&mut self, id: AllocationId, relay: RelayAddr) {
        match self.held_mut(id) {
            Some(Held::Allocation(allocation)) => {
                allocation.state = State::Relaying(relay);
                self.by_relay.insert(relay, id);
                self.relay_ips.add(relay.0.ip());
            }
            Some(Held::Reservation(reservation)) => reservation.relay = Some(relay),
            None => {}
        }
    }

    pub(super) fn remove(&mut self, id: AllocationId) -> Option<Held> {
        let place = self.places.get_mut(id.index()).filter(|place| place.generation == id.generation)?;
        let held = place.held.take()?;
        self.free.push(id.index);
        match &held {
            Held::Allocation(allocation) => self.leave(allocation),
            Held::Reservation(reservation) => drop(self.by_token.remove(&reservation.token)),
        }
        Some(held)
    }

    pub(super) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        match self.held(id)? {
            Held::Allocation(allocation) => Some(allocation),
            Held::Reservation(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        match self.held_mut(id)? {
            Held::Allocation(allocation) => Some(allocation),
            Held::Reservation(_) => None,
        }
    }

    pub(super) fn held(&self, id: AllocationId) -> Option<&Held> {
        self.places.get(id.index()).filter(|place| place.generation == id.generation)?.held.as_ref()
    }

    fn held_mut(&mut self, id: AllocationId) -> Option<&mut Held> {
        self.places.get_mut(id.index()).filter(|place| place.generation == id.generation)?.held.as_mut()
    }

    /// The allocations of a client; `None` if it has none.
    pub(super) fn of_client(&self, tuple: FiveTuple) -> Option<ByFamily> {
        self.by_tuple.get(&tuple).copied()
    }

    /// Who made them.
    pub(super) fn holder(&self, standing: ByFamily) -> Option<&Identity> {
        standing.iter().find_map(|id| self.get(id)).map(|allocation| &allocation.identity)
    }

    /// The allocation that binds a channel, and the peer the channel names: a number names one peer, of whichever family.
    pub(super) fn of_channel(&self, now: Instant, standing: ByFamily, number: u16) -> Option<(AllocationId, PeerAddr)> {
        standing.iter().find_map(|id| Some((id, self.get(id)?.channels.peer(now, number)?)))
    }

    /// The live allocation that a peer's address belongs to, if it is one of this server's own.
    pub(super) fn of_relay(&self, address: PeerAddr) -> Option<(AllocationId, &Allocation)> {
        let id = *self.by_relay.get(&RelayAddr(address.0))?;
        Some((id, self.get(id)?))
    }

    /// Whether some live relayed address stands at this address of the box.
    pub(super) fn relays_at(&self, ip: IpAddr) -> bool {
        self.relay_ips.count(&ip) > 0
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AllocationId, &Held)> {
        self.places
            .iter()
            .zip(0..)
            .filter_map(|(place, index)| Some((AllocationId { index, generation: place.generation }, place.held.as_ref()?)))
    }

    fn join(&mut self, tuple: FiveTuple, family: AddressFamily, id: AllocationId) {
        self.by_tuple.entry(tuple).or_default().set(family, Some(id));
    }

    fn leave(&mut self, allocation: &Allocation) {
        if let Entry::Occupied(mut standing) = self.by_tuple.entry(allocation.tuple) {
            standing.get_mut().set(allocation.family, None);
            if *standing.get() == ByFamily::default() {
                standing.remove();
            }
        }
        if let State::Relaying(relay) = allocation.state {
            self.by_relay.remove(&relay);
            self.relay_ips.remove(&relay.0.ip());
        }
    }
}
