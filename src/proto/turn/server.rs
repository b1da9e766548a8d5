//! The server's front: datagrams in, routes and effects out. The path of relayed data is all here; requests are next door.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;

use super::allocation::{Allocation, Allocations, ByFamily, Held, State};
use super::authentication::Authenticator;
use super::counters::Counters;
use super::ledger::Ledger;
use super::quota::{DataRate, Limits};
use super::reservation::Tokens;
use super::timer::Expiries;
use super::{
    AddressFamily, AllocationId, Config, DropReason, Effect, FiveTuple, Now, PeerAddr, PeerPolicy, RelayAddr, Route, Transport,
};
use crate::proto::credential::CredentialSecret;
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::rate::Nanos;
use crate::proto::stun::{Kind, MessageView, Packet, Request, TransactionId, channel_data, indication};

/// A TURN server.
#[derive(Debug)]
pub struct Server {
    pub(super) authenticator: Authenticator,
    pub(super) policy: PeerPolicy,
    pub(super) ledger: Arc<Ledger>,
    pub(super) families: Vec<AddressFamily>,
    pub(super) allocations: Allocations,
    pub(super) limits: Limits,
    data: DataRate,
    pub(super) tokens: Tokens,
    pub(super) expiries: Expiries,
    pub(super) effects: VecDeque<Effect>,
    pub(super) counters: Counters,
    started: Instant,
    /// Indications need different transaction ids, not secret ones.
    indications: u64,
}

impl Server {
    /// A server without allocations, alone.
    pub fn new(config: Config, now: Instant) -> Self {
        let ledger = Arc::new(Ledger::new(&config, 1));
        Self::sharing(config, ledger, 0, now)
    }

    /// One of several shards: all have the same configuration, ledger and start, and each its number.
    pub fn sharing(config: Config, ledger: Arc<Ledger>, shard: u8, now: Instant) -> Self {
        Self {
            authenticator: Authenticator::new(&config, now),
            policy: config.policy,
            ledger,
            families: config.families,
            allocations: Allocations::new(&config.nonce_key),
            data: DataRate::new(&config.limits.data),
            limits: config.limits,
            tokens: Tokens::new(&config.nonce_key, shard),
            expiries: Expiries::new(now),
            effects: VecDeque::new(),
            counters: Counters::default(),
            started: now,
            indications: 0,
        }
    }

    /// Changes what may change while clients are served. What is allocated stays; a peer
    /// that the new policy closes is reached no more, and heard until its permission ends.
    pub fn handle_reconfigured(&mut self, policy: PeerPolicy, limits: Limits, shared_secret: Option<CredentialSecret>) {
        self.data = DataRate::new(&limits.data);
        (self.policy, self.limits) = (policy, limits);
        self.authenticator.set_shared_secret(shared_secret);
    }

    /// The box has other addresses of its own now, or stands in other networks; else as above.
    pub fn handle_moved(&mut self, own: Vec<IpAddr>, local: Vec<IpNet>) {
        (self.policy.own, self.policy.local) = (own, local);
    }

    /// A datagram from a client; rewritten in place to what is relayed.
    pub fn handle_client(&mut self, now: Now, tuple: FiveTuple, packet: &mut Packet<'_>) -> Route {
        let routed = match Kind::of(packet.bytes()) {
            Kind::ChannelData => self.relay_channel_data(now.instant, tuple, packet),
            Kind::Stun if is_send_indication(packet.bytes()) => self.relay_indication(now.instant, tuple, packet),
            Kind::Stun => self.answer(now, tuple, packet.bytes()),
            Kind::Other => Err(DropReason::Malformed),
        };
        routed.unwrap_or_else(|reason| self.discard(reason))
    }

    /// A datagram from a peer to an allocation's relayed address; rewritten in place to what its client is sent.
    pub fn handle_peer(&mut self, now: Instant, id: AllocationId, peer: PeerAddr, packet: &mut Packet<'_>) -> Route {
        let delivered = self.admit(id, peer).and_then(|peer| self.deliver(now, id, peer, packet));
        delivered.unwrap_or_else(|reason| self.discard(reason))
    }

    /// A client's stream is gone, and its allocation with it.
    pub fn handle_disconnected(&mut self, tuple: FiveTuple) {
        for id in self.allocations.of_client(tuple).into_iter().flat_map(ByFamily::iter) {
            self.release(id);
        }
    }

    /// Whether this client has an allocation.
    pub fn has_allocation(&self, tuple: FiveTuple) -> bool {
        self.allocations.of_client(tuple).is_some()
    }

    /// What it has in common with the other shards.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Ends every allocation of a room, and every credential. Told to each shard, and the ledger that nobody is seen there any more.
    pub fn revoke_room(&mut self, now: Now, room: RoomId) {
        self.authenticator.revocations.revoke_room(now.unix, room);
        self.revoke(|seat| seat.0 == room);
    }

    /// Ends every allocation of a seat, and every credential minted so far; told to each shard, and the ledger likewise.
    pub fn revoke_seat(&mut self, now: Now, room: RoomId, participant: ParticipantId) {
        self.authenticator.revocations.revoke_seat(now.unix, room, participant);
        self.revoke(|seat| seat == (room, participant));
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.expiries.next()
    }

    /// Ends the allocations and reservations whose lifetime is over.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.expiries.due(now) {
            self.release(id);
        }
    }

    /// What to do next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// How many allocations and reservations live.
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// What was relayed, dropped and allocated since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn discard(&mut self, reason: DropReason) -> Route {
        self.counters.count_drop(reason);
        Route::Dropped(reason)
    }

    fn answer(&mut self, now: Now, tuple: FiveTuple, bytes: &[u8]) -> Result<Route, DropReason> {
        let view = MessageView::parse(bytes).map_err(|_| DropReason::Malformed)?;
        let request = Request::decode(&view).ok_or(DropReason::Malformed)?;
        self.handle_request(now, tuple, request)?;
        Ok(Route::Handled)
    }

    fn relay_channel_data(&mut self, now: Instant, tuple: FiveTuple, packet: &mut Packet<'_>) -> Result<Route, DropReason> {
        let standing = self.allocations.of_client(tuple).ok_or(DropReason::NoAllocation)?;
        let number = channel_data::unwrap(packet).ok_or(DropReason::Malformed)?;
        let (id, peer) = self.allocations.of_channel(now, standing, number).ok_or(DropReason::NoChannel)?;
        self.relay(now, id, peer, packet)
    }

    fn relay_indication(&mut self, now: Instant, tuple: FiveTuple, packet: &mut Packet<'_>) -> Result<Route, DropReason> {
        let standing = self.allocations.of_client(tuple).ok_or(DropReason::NoAllocation)?;
        let sent = indication::unwrap(packet).map_err(|_| DropReason::Malformed)?;
        let id = standing.of(AddressFamily::of(sent.peer.ip())).ok_or(DropReason::NoPermission)?;
        Ok(match self.relay(now, id, PeerAddr(sent.peer), packet)? {
            Route::Peer(id, peer) if sent.dont_fragment && heeds_dont_fragment(tuple, peer) => Route::PeerUnfragmented(id, peer),
            route => route,
        })
    }

    /// From a client to a peer; where the peer is a relayed address of this very server, on to its client without leaving the process.
    fn relay(&mut self, now: Instant, id: AllocationId, peer: PeerAddr, packet: &mut Packet<'_>) -> Result<Route, DropReason> {
        let (uptime, data) = (self.uptime(now), self.data);
        let allocation = self.allocations.get_mut(id).ok_or(DropReason::NoAllocation)?;
        if !allocation.permits(now, peer) {
            return Err(DropReason::NoPermission);
        }
        let bytes = packet.bytes().len();
        if !data.allows(&mut allocation.to_peers, uptime, bytes) {
            return Err(DropReason::TooMuchData);
        }
        let (state, room, owner, client) = (allocation.state, allocation.room(), allocation.owner, allocation.tuple.transport);
        let route = match (state, self.allocations.of_relay(peer)) {
            (State::Relaying(RelayAddr(from)), Some((to, other))) if other.room() == room => {
                self.deliver(now, to, PeerAddr(from), packet)?
            }
            (State::Relaying(_), None) => Route::Peer(id, self.way_to(room, owner, peer).ok_or(DropReason::ForbiddenPeer)?),
            _ => return Err(DropReason::ForbiddenPeer),
        };
        self.counters.count_to_peer(client, bytes);
        Ok(route)
    }

    /// From a peer to a client, by channel if one is bound.
    fn deliver(&mut self, now: Instant, id: AllocationId, peer: PeerAddr, packet: &mut Packet<'_>) -> Result<Route, DropReason> {
        let (uptime, data) = (self.uptime(now), self.data);
        let allocation = self.allocations.get_mut(id).ok_or(DropReason::NoAllocation)?;
        if !allocation.permits(now, peer) {
            return Err(DropReason::NoPermission);
        }
        let bytes = packet.bytes().len();
        if !data.allows(&mut allocation.to_client, uptime, bytes) {
            return Err(DropReason::TooMuchData);
        }
        let tuple = allocation.tuple;
        let wrapped = match allocation.channels.number(now, peer) {
            // Over a stream ChannelData is padded (RFC 8656 section 12.5).
            Some(number) if tuple.transport != Transport::Udp => channel_data::wrap(packet, number).and_then(|()| packet.pad()),
            Some(number) => channel_data::wrap(packet, number),
            None => indication::wrap(packet, peer.0, self.indication_id()),
        };
        wrapped.ok_or(DropReason::TooLong)?;
        self.counters.count_to_client(tuple.transport, bytes);
        Ok(Route::Client(tuple))
    }

    /// The time as buckets count it.
    pub(super) fn uptime(&self, now: Instant) -> Nanos {
        Nanos::between(self.started, now)
    }

    pub(super) fn indication_id(&mut self) -> TransactionId {
        self.indications = self.indications.wrapping_add(1);
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.indications.to_be_bytes());
        TransactionId(id)
    }

    fn revoke(&mut self, of: impl Fn((RoomId, ParticipantId)) -> bool) {
        let revoked: Vec<_> =
            self.allocations.iter().filter(|(_, held)| held.identity().seat.is_some_and(&of)).map(|(id, _)| id).collect();
        for id in revoked {
            self.release(id);
        }
    }

    /// Ends an allocation, its socket included.
    pub(super) fn release(&mut self, id: AllocationId) {
        if self.forget(id).is_some_and(|held| held.relay().is_some()) {
            self.effects.push_back(Effect::Release { allocation: id });
        }
    }

    pub(super) fn forget(&mut self, id: AllocationId) -> Option<Held> {
        let held = self.allocations.remove(id)?;
        self.expiries.remove(id);
        self.ledger.census.leave(&held.identity().holder());
        if let Held::Allocation(Allocation { identity, tuple, .. }) = &held {
            self.ledger.census.leave_at(tuple.client.0.ip());
            held.relay().into_iter().for_each(|relay| self.ledger.relayed.lower(relay));
            self.counters.count_ended(tuple.transport);
            if let Some((room, _)) = identity.seat {
                self.ledger.observed.remove(room, tuple.client.0.ip());
            }
        }
        Some(held)
    }
}

impl Drop for Server {
    /// What is in the ledger ends with its shard, however that ends: the others send nothing more to its ports, and its places are free.
    fn drop(&mut self) {
        let all: Vec<_> = self.allocations.iter().map(|(id, _)| id).collect();
        for id in all {
            self.forget(id);
        }
    }
}

/// Whether DONT-FRAGMENT counts: between datagrams only from IPv4 to IPv4, since translation has no bit to set (RFC 8656 sections 13 to
/// 15).
const fn heeds_dont_fragment(client: FiveTuple, peer: PeerAddr) -> bool {
    !matches!(client.transport, Transport::Udp) || (client.client.0.is_ipv4() && peer.0.is_ipv4())
}

fn is_send_indication(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|kind| u16::from_be_bytes(*kind) == indication::SEND_INDICATION)
}
