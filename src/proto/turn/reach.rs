//! Whom an allocation may reach, and hear: the relayed addresses of its room, in whichever shard, and whoever the policy allows.

use std::net::IpAddr;

use super::peer_policy::{DYNAMIC_PORTS, Standing};
use super::relayed::{Owner, Sender, inside};
use super::{AllocationId, DropReason, PeerAddr, RelayAddr, Server};
use crate::proto::id::RoomId;

impl Server {
    /// Whom the client is told a datagram is from: a room-mate's relayed address in another shard, or somebody outside who is nobody's.
    pub(super) fn admit(&self, id: AllocationId, peer: PeerAddr) -> Result<PeerAddr, DropReason> {
        let ours = |owner| self.allocations.get(id).is_some_and(|allocation| allocation.owner == owner);
        match self.ledger.relayed.sender(peer) {
            Sender::Peer => Ok(peer),
            Sender::Relay(RelayAddr(relay), owner) if ours(owner) => Ok(PeerAddr(relay)),
            Sender::Relay(..) | Sender::Impostor => Err(DropReason::ForbiddenPeer),
        }
    }

    /// Whether ChannelBind may name this peer: a live relayed address of the same room, or whoever the policy allows.
    pub(super) fn may_reach(&self, id: AllocationId, peer: PeerAddr) -> bool {
        match (self.allocations.get(id), self.allocations.of_relay(peer)) {
            (Some(allocation), Some((_, other))) => allocation.room() == other.room(),
            (Some(allocation), None) => self.way_to(allocation.room(), allocation.owner, peer).is_some(),
            (None, _) => false,
        }
    }

    /// Where data of a room for a peer of no allocation of this shard is sent: to the socket of a room-mate's in another one, or to whoever
    /// the policy allows.
    pub(super) fn way_to(&self, room: Option<RoomId>, owner: Owner, peer: PeerAddr) -> Option<PeerAddr> {
        match self.ledger.relayed.owner_of(peer) {
            Some(other) => (other == owner).then(|| PeerAddr(inside(peer.0))),
            None => self.allows(room, peer).then_some(peer),
        }
    }

    /// Whether the policy lets data of a room go to this address and port.
    fn allows(&self, room: Option<RoomId>, PeerAddr(peer): PeerAddr) -> bool {
        match self.policy.judge(peer.ip()) {
            Standing::Open => peer.port() != 0,
            Standing::Inside => peer.port() >= DYNAMIC_PORTS && self.meets(room, peer.ip()),
            Standing::Closed => false,
        }
    }

    /// Whether a member of the room was seen at this address.
    fn meets(&self, room: Option<RoomId>, ip: IpAddr) -> bool {
        room.is_some_and(|room| self.ledger.observed.holds(room, ip))
    }

    /// Whether CreatePermission may name this peer: it has no say about ports, so every packet is judged again.
    pub(super) fn may_permit(&self, id: AllocationId, PeerAddr(peer): PeerAddr) -> bool {
        let open = match self.policy.judge(peer.ip()) {
            Standing::Open => true,
            Standing::Inside => self.allocations.get(id).is_some_and(|allocation| self.meets(allocation.room(), peer.ip())),
            Standing::Closed => false,
        };
        open || self.allocations.relays_at(peer.ip()) || self.ledger.relayed.stands_at(peer.ip())
    }
}
