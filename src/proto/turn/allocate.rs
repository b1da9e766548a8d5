//! Allocate: what is asked for, what can be had, and what is told of it (RFC 8656 section 7).

use std::time::Duration;

use stun::error_code::{
    CODE_ADDR_FAMILY_NOT_SUPPORTED, CODE_ALLOC_MISMATCH, CODE_ALLOC_QUOTA_REACHED, CODE_BAD_REQUEST, CODE_INSUFFICIENT_CAPACITY,
    CODE_UNSUPPORTED_TRANS_PROTO, ErrorCode,
};

use super::allocation::{Allocation, ByFamily, Missing, State};
use super::authentication::Identity;
use super::channel::Channels;
use super::permission::Permissions;
use super::requests::{bad, granted};
use super::{AddressFamily, AllocationId, Effect, FiveTuple, Now, RelayAddr, Server};
use crate::proto::stun::{IntegrityKey, Reply, Request};

/// What an Allocate asks for, within what can be had.
struct Terms {
    /// One, or both.
    families: Vec<AddressFamily>,
    missing: Option<Missing>,
    even: bool,
    lifetime: Duration,
}

impl Server {
    /// RFC 8656 section 7.2. The answer waits for the driver's sockets, so that no address is promised that cannot be had.
    pub(super) fn allocate(&mut self, now: Now, tuple: FiveTuple, request: &Request, identity: &Identity) {
        let Terms { families, missing, even, lifetime } = match self.terms(tuple, request, identity) {
            Ok(terms) => terms,
            Err(code) => return self.refuse(tuple, request, code, &identity.key),
        };
        for family in families {
            if let Some((room, _)) = identity.seat {
                self.observed.add(room, tuple.client.0.ip());
            }
            let id = self.allocations.insert(Allocation {
                tuple,
                family,
                identity: identity.clone(),
                state: State::Binding,
                expires: now.instant + lifetime,
                permissions: Permissions::default(),
                channels: Channels::default(),
                request: request.head(),
                lifetime,
                missing,
            });
            self.expiries.insert(now.instant + lifetime, id);
            self.effects.push_back(Effect::Bind { allocation: id, family, reached: tuple.server.ip(), even });
        }
    }

    /// The checks of section 7.2, in its order.
    fn terms(&self, tuple: FiveTuple, request: &Request, who: &Identity) -> Result<Terms, ErrorCode> {
        let places = self.free_places(who)?;
        match request.requested_transport().map_err(bad)? {
            None => return Err(CODE_BAD_REQUEST),
            Some(UDP) => {}
            Some(_) => return Err(CODE_UNSUPPORTED_TRANS_PROTO),
        }
        let additional = request.additional_family().map_err(bad)?;
        if additional.is_some() && request.has_requested_family() {
            return Err(CODE_BAD_REQUEST);
        }
        let even = request.even_port().map_err(bad)?;
        let (families, missing) = match additional.map(AddressFamily::from_number) {
            None => (vec![self.asked_family(tuple, request)?], None),
            Some(Some(AddressFamily::Ipv6)) if even != Some(true) => self.both_families(places),
            Some(_) => return Err(CODE_BAD_REQUEST),
        };
        if even == Some(true) {
            // No port is kept for a second allocation: nobody who multiplexes RTCP asks for one.
            return Err(CODE_INSUFFICIENT_CAPACITY);
        }
        let lifetime = granted(request.lifetime().map_err(bad)?);
        Ok(Terms { families, missing, even: even.is_some(), lifetime })
    }

    /// How many allocations more this one may have, at least one.
    fn free_places(&self, who: &Identity) -> Result<usize, ErrorCode> {
        let of_seat = self.limits.allocations_per_seat.saturating_sub(self.allocations.held_by(who));
        let of_relay = self.limits.allocations_max.saturating_sub(self.allocations.len());
        match (of_seat, of_relay) {
            (0, _) => Err(CODE_ALLOC_QUOTA_REACHED),
            (_, 0) => Err(CODE_INSUFFICIENT_CAPACITY),
            _ => Ok(of_seat.min(of_relay)),
        }
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

    /// What became of [`Effect::Bind`]; `None` if no address could be had.
    pub fn handle_bound(&mut self, id: AllocationId, relay: Option<RelayAddr>) {
        match (relay, self.allocations.get(id).map(|allocation| allocation.tuple)) {
            (Some(_), None) => self.effects.push_back(Effect::Release { allocation: id }),
            (Some(relay), Some(tuple)) => {
                self.allocations.relaying(id, relay);
                self.confirm(tuple);
            }
            (None, _) => self.handle_unbound(id),
        }
    }

    /// The other family makes do without this one; alone, the client is refused.
    fn handle_unbound(&mut self, id: AllocationId) {
        let Some(lost) = self.forget(id) else { return };
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
        let success = success.lifetime(first.lifetime).mapped(tuple.client.0);
        let message = success.encode(Some(&first.identity.key));
        self.reply(tuple, message);
    }
}

/// IANA's number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
