//! Allocate: what is asked for, what can be had, and what is told of it (RFC 8656 section 7).

use std::time::{Duration, Instant};

use stun::error_code::{
    CODE_ADDR_FAMILY_NOT_SUPPORTED, CODE_ALLOC_MISMATCH, CODE_ALLOC_QUOTA_REACHED, CODE_BAD_REQUEST, CODE_INSUFFICIENT_CAPACITY,
    CODE_UNSUPPORTED_TRANS_PROTO, ErrorCode,
};

use super::allocation::{Allocation, ByFamily, Held, Missing, State};
use super::authentication::Identity;
use super::census::Full;
use super::channel::Channels;
use super::permission::Permissions;
use super::requests::{bad, granted};
use super::reservation::{self, Reservation, ReservationToken};
use super::{AddressFamily, AllocationId, Effect, FiveTuple, Now, RelayAddr, Server};
use crate::proto::rate::Bucket;
use crate::proto::stun::{IntegrityKey, Reply, Request};

/// What an Allocate asks for, within what can be had.
struct Terms {
    addresses: Addresses,
    lifetime: Duration,
}

/// Which relayed addresses.
enum Addresses {
    /// New ones: one, or one of each family, or what there is of them.
    New { families: Vec<AddressFamily>, missing: Option<Missing>, even: bool },
    /// An even port, and the next one for a later Allocate.
    Pair(AddressFamily),
    /// One that an earlier Allocate reserved.
    Reserved(AllocationId, AddressFamily, RelayAddr),
}

impl Server {
    /// RFC 8656 section 7.2. The answer waits for the driver's sockets, so that no address is promised that cannot be had.
    pub(super) fn allocate(&mut self, now: Now, tuple: FiveTuple, request: &Request, identity: &Identity) {
        let Terms { addresses, lifetime } = match self.terms(tuple, request, identity) {
            Ok(terms) => terms,
            Err(code) => return self.refuse(tuple, request, code, &identity.key),
        };
        let (expires, reached) = (now.instant + lifetime, tuple.server.ip());
        let owner = self.ledger.relayed.owner(identity.seat.map(|(room, _)| room));
        let allocation = |family| Allocation {
            tuple,
            family,
            identity: identity.clone(),
            owner,
            state: State::Binding,
            permissions: Permissions::default(),
            channels: Channels::default(),
            new_peers: Bucket::default(),
            to_peers: Bucket::default(),
            to_client: Bucket::default(),
            request: request.head(),
            lifetime,
            missing: None,
            reserved: None,
        };
        match addresses {
            Addresses::New { families, missing, even } => {
                for family in families {
                    let id = self.insert(Allocation { missing, ..allocation(family) }, expires);
                    self.effects.push_back(Effect::Bind { allocation: id, family, reached, even });
                }
            }
            Addresses::Pair(family) => {
                let token = self.tokens.issue();
                let id = self.insert(Allocation { reserved: Some(token), ..allocation(family) }, expires);
                let until = now.instant + reservation::LIFETIME;
                let reserved = Reservation { token, identity: identity.clone(), family, relay: None };
                let reserved = self.allocations.reserve(reserved);
                // It is at no source before somebody claims it.
                self.ledger.census.leave_at(tuple.client.0.ip());
                self.expiries.set(until, reserved);
                self.effects.push_back(Effect::BindPair { allocation: id, reserved, family, reached });
            }
            Addresses::Reserved(id, family, relay) => {
                self.begin(identity, tuple);
                self.allocations.claim(id, allocation(family), relay);
                self.raise(id);
                self.expiries.set(expires, id);
                self.confirm(tuple);
            }
        }
    }

    fn insert(&mut self, allocation: Allocation, expires: Instant) -> AllocationId {
        self.begin(&allocation.identity, allocation.tuple);
        let id = self.allocations.insert(allocation);
        self.expiries.set(expires, id);
        id
    }

    /// Counts an allocation; the room's other members may have data relayed to where this one's is reached from, while it stands.
    fn begin(&mut self, identity: &Identity, tuple: FiveTuple) {
        self.counters.count_made(tuple.transport);
        if let Some((room, _)) = identity.seat {
            self.ledger.observed.add(room, tuple.client.0.ip());
        }
    }

    /// The checks of section 7.2, in its order.
    fn terms(&self, tuple: FiveTuple, request: &Request, who: &Identity) -> Result<Terms, ErrorCode> {
        match request.requested_transport().map_err(bad)? {
            None => return Err(CODE_BAD_REQUEST),
            Some(UDP) => {}
            Some(_) => return Err(CODE_UNSUPPORTED_TRANS_PROTO),
        }
        let token = request.reservation_token().map_err(bad)?;
        let lifetime = granted(request.lifetime().map_err(bad)?);
        let additional = request.additional_family().map_err(bad)?.map(AddressFamily::from_number);
        let even = request.even_port().map_err(bad)?;
        let named = request.has_requested_family();
        let addresses = match (token, additional, even) {
            (Some(token), None, None) if !named => self.reserved(tuple, ReservationToken(token), who)?,
            (None, None, Some(true)) => {
                let family = self.asked_family(tuple, request)?;
                self.book(tuple, who, 2, 2)?;
                Addresses::Pair(family)
            }
            (None, None, even) => {
                let family = self.asked_family(tuple, request)?;
                self.book(tuple, who, 1, 1)?;
                Addresses::New { families: vec![family], missing: None, even: even.is_some() }
            }
            (None, Some(Some(AddressFamily::Ipv6)), None | Some(false)) if !named => {
                let (families, missing) = self.both_families(self.book(tuple, who, 1, self.families.len())?);
                Addresses::New { families, missing, even: even.is_some() }
            }
            _ => return Err(CODE_BAD_REQUEST),
        };
        Ok(Terms { addresses, lifetime })
    }

    /// What a token is worth to this one; it counted for the seat's quota when it was issued, and counts for its source from now on.
    fn reserved(&self, tuple: FiveTuple, token: ReservationToken, who: &Identity) -> Result<Addresses, ErrorCode> {
        let (id, family, relay) = self.allocations.reserved(token, who).ok_or(CODE_INSUFFICIENT_CAPACITY)?;
        self.ledger.census.take_at(tuple.client.0.ip()).map_err(beyond)?;
        Ok(Addresses::Reserved(id, family, relay))
    }

    /// Takes places for relayed addresses, as many as are needed and up to as many as are wanted. Nothing is refused after it: whoever has
    /// places has allocations, and gives the ones up with the others.
    fn book(&self, tuple: FiveTuple, who: &Identity, needed: usize, wanted: usize) -> Result<usize, ErrorCode> {
        self.ledger.census.take(&who.holder(), tuple.client.0.ip(), needed, wanted).map_err(beyond)
    }

    /// IPv4 unless asked otherwise or not to be had: most peers have no other.
    fn asked_family(&self, tuple: FiveTuple, request: &Request) -> Result<AddressFamily, ErrorCode> {
        let number = request.requested_family().map_err(|_| CODE_ADDR_FAMILY_NOT_SUPPORTED)?;
        let asked = number.map(|number| AddressFamily::from_number(number).ok_or(CODE_ADDR_FAMILY_NOT_SUPPORTED)).transpose()?;
        let own = AddressFamily::of(tuple.client.0.ip());
        let wanted = asked.map_or([AddressFamily::Ipv4, own], |family| [family, family]);
        wanted.into_iter().find(|family| self.families.contains(family)).ok_or(CODE_ADDR_FAMILY_NOT_SUPPORTED)
    }

    /// IPv4 and IPv6, or what there is of them and why not the other.
    fn both_families(&self, places: usize) -> (Vec<AddressFamily>, Option<Missing>) {
        let (mut families, lacking): (Vec<_>, Vec<_>) =
            [AddressFamily::Ipv4, AddressFamily::Ipv6].into_iter().partition(|family| self.families.contains(family));
        let unsupported = lacking.first().map(|family| (*family, CODE_ADDR_FAMILY_NOT_SUPPORTED));
        let beyond = families.split_off(places.min(families.len())).first().map(|family| (*family, CODE_INSUFFICIENT_CAPACITY));
        let missing = unsupported.or(beyond).map(|(family, code)| Missing { family, code: code.0 });
        (families, missing)
    }

    /// An Allocate where an allocation stands: a retransmission is answered alike, anything else is a mismatch.
    pub(super) fn allocate_again(&mut self, tuple: FiveTuple, standing: ByFamily, request: &Request, key: &IntegrityKey) {
        let mut allocations = standing.iter().filter_map(|id| self.allocations.get(id));
        if allocations.any(|allocation| allocation.request.transaction_id() == request.transaction_id()) {
            self.confirm(tuple);
        } else {
            self.refuse(tuple, request, CODE_ALLOC_MISMATCH, key);
        }
    }

    /// What became of [`Effect::Bind`] or of one port of [`Effect::BindPair`]; `None` if no address could be had.
    pub fn handle_bound(&mut self, id: AllocationId, relay: Option<RelayAddr>) {
        let tuple = self.allocations.get(id).map(|allocation| allocation.tuple);
        match relay {
            None => self.handle_unbound(id),
            Some(_) if self.allocations.held(id).is_none() => self.effects.push_back(Effect::Release { allocation: id }),
            Some(relay) => {
                self.allocations.relaying(id, relay);
                self.raise(id);
                tuple.into_iter().for_each(|tuple| self.confirm(tuple));
            }
        }
    }

    /// The other shards' clients may reach an allocation's address from now on.
    fn raise(&self, id: AllocationId) {
        if let Some(Allocation { owner, state: State::Relaying(relay), .. }) = self.allocations.get(id) {
            self.ledger.relayed.raise(*relay, *owner);
        }
    }

    /// The other family makes do without this one; alone, the client is refused.
    fn handle_unbound(&mut self, id: AllocationId) {
        let Some(Held::Allocation(lost)) = self.forget(id) else { return };
        let rest = self.allocations.of_client(lost.tuple).into_iter().flat_map(ByFamily::iter).next();
        match rest.and_then(|rest| self.allocations.get_mut(rest)) {
            Some(rest) => {
                rest.missing = Some(Missing { family: lost.family, code: CODE_INSUFFICIENT_CAPACITY.0 });
                self.confirm(lost.tuple);
            }
            None => self.refuse(lost.tuple, &lost.request, CODE_INSUFFICIENT_CAPACITY, &lost.identity.key),
        }
    }

    /// Tells the client its relayed addresses, once every one of them stands.
    fn confirm(&mut self, tuple: FiveTuple) {
        let Some(standing) = self.allocations.of_client(tuple) else { return };
        let allocations: Vec<_> = standing.iter().filter_map(|id| self.allocations.get(id)).collect();
        let Some(first) = allocations.first() else { return };
        let mut success = Reply::success(&first.request);
        for allocation in &allocations {
            let State::Relaying(RelayAddr(relay)) = allocation.state else { return };
            success = success.relayed(relay);
        }
        if let Some(Missing { family, code }) = first.missing {
            success = success.address_error(family.number(), ErrorCode(code));
        }
        if let Some(ReservationToken(token)) = first.reserved {
            success = success.reservation(token);
        }
        let success = success.lifetime(first.lifetime).mapped(tuple.client.0);
        let message = success.encode(Some(&first.identity.key));
        self.reply(tuple, message);
    }
}

const fn beyond(full: Full) -> ErrorCode {
    match full {
        Full::Own => CODE_ALLOC_QUOTA_REACHED,
        Full::Relay => CODE_INSUFFICIENT_CAPACITY,
    }
}

/// IANA's number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
