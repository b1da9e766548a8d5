//! Requests: Binding, Allocate, Refresh, CreatePermission, ChannelBind (RFC 8489 section 6, RFC 8656 sections 7 to 12).

use std::time::Duration;

use stun::error_code::{
    CODE_ADDR_FAMILY_NOT_SUPPORTED, CODE_ALLOC_MISMATCH, CODE_ALLOC_QUOTA_REACHED, CODE_BAD_REQUEST, CODE_FORBIDDEN,
    CODE_INSUFFICIENT_CAPACITY, CODE_PEER_ADDR_FAMILY_MISMATCH, CODE_UNKNOWN_ATTRIBUTE, CODE_UNSUPPORTED_TRANS_PROTO, ErrorCode,
};
use stun::message::{METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH};

use super::allocation::{Allocation, State};
use super::authentication::Identity;
use super::channel::{self, BindError, Channels};
use super::permission::Permissions;
use super::{AddressFamily, AllocationId, DropReason, Effect, FiveTuple, Now, PeerAddr, RelayAddr, Server};
use crate::proto::stun::{IntegrityKey, Malformed, Reply, Request};

/// Answers a proved request about an allocation: the success to send, or the code of the refusal.
type Answer = Result<Reply, ErrorCode>;

/// What an Allocate asks for, within what can be had.
struct Terms {
    family: AddressFamily,
    even: bool,
    lifetime: Duration,
}

impl Server {
    /// A request of whatever method; what is no request of TURN is dropped.
    pub(super) fn handle_request(&mut self, now: Now, tuple: FiveTuple, request: Request) -> Result<(), DropReason> {
        let known = [METHOD_ALLOCATE, METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND];
        if request.method() == METHOD_BINDING {
            self.bind(now, tuple, &request)
        } else if known.contains(&request.method()) {
            self.prove(now, tuple, request)
        } else {
            Err(DropReason::Malformed)
        }
    }

    /// RFC 8489 section 6.3.1: where the request came from.
    fn bind(&mut self, now: Now, tuple: FiveTuple, request: &Request) -> Result<(), DropReason> {
        self.charge(now, tuple)?;
        let answer = match refuse_unknown(request) {
            Some(refusal) => refusal,
            None => Reply::success(request).mapped(tuple.client.0),
        };
        self.reply(tuple, answer.encode(None));
        Ok(())
    }

    /// What is answered to whoever has proved nothing has a rate; a request that proves itself costs nothing, so that nobody is shut
    /// out by what others sent in their name.
    fn charge(&mut self, now: Now, tuple: FiveTuple) -> Result<(), DropReason> {
        let stranger = self.allocations.of_client(tuple).is_none();
        let within = !stranger || self.sources.allows(now.instant, tuple.client.0.ip());
        if within { Ok(()) } else { Err(DropReason::RateLimited) }
    }

    fn prove(&mut self, now: Now, tuple: FiveTuple, mut request: Request) -> Result<(), DropReason> {
        let standing = self.allocations.of_client(tuple);
        let holder = standing.map(|(_, allocation)| &allocation.identity);
        let standing = standing.map(|(id, _)| id);
        match self.authenticator.prove(now, tuple.client, &mut request, holder) {
            Err(refusal) => {
                self.charge(now, tuple)?;
                self.reply(tuple, refusal);
            }
            Ok(identity) => self.dispatch(now, tuple, request, identity, standing),
        }
        Ok(())
    }

    fn dispatch(&mut self, now: Now, tuple: FiveTuple, request: Request, who: Identity, standing: Option<AllocationId>) {
        let key = who.key.clone();
        if let Some(refusal) = refuse_unknown(&request) {
            return self.reply(tuple, refusal.encode(Some(&key)));
        }
        let Some(id) = standing else {
            return match request.method() {
                METHOD_ALLOCATE => self.allocate(now, tuple, request, who),
                _ => self.refuse(tuple, &request, CODE_ALLOC_MISMATCH, &key),
            };
        };
        let answer = match request.method() {
            METHOD_ALLOCATE => return self.allocate_again(tuple, id, &request, &key),
            METHOD_REFRESH => self.refresh(now, id, &request),
            METHOD_CREATE_PERMISSION => self.create_permission(now, id, &request),
            _ => self.channel_bind(now, id, &request),
        };
        match answer {
            Ok(success) => self.reply(tuple, success.encode(Some(&key))),
            Err(code) => self.refuse(tuple, &request, code, &key),
        }
    }

    /// RFC 8656 section 7.2. The answer waits for the driver's socket, so that no address is promised that cannot be had.
    fn allocate(&mut self, now: Now, tuple: FiveTuple, request: Request, identity: Identity) {
        let terms = self.prove_quota(&identity).and_then(|()| self.allocation_terms(tuple, &request));
        let Terms { family, even, lifetime } = match terms {
            Ok(terms) => terms,
            Err(code) => return self.refuse(tuple, &request, code, &identity.key),
        };
        let expires = now.instant + lifetime;
        if let Some((room, _)) = identity.seat {
            self.observed.add(room, tuple.client.0.ip());
        }
        let id = self.allocations.insert(Allocation {
            tuple,
            family,
            identity,
            state: State::Binding,
            expires,
            permissions: Permissions::default(),
            channels: Channels::default(),
            request: request.head(),
            lifetime,
        });
        self.expiries.insert(expires, id);
        self.effects.push_back(Effect::Bind { allocation: id, family, reached: tuple.server.ip(), even });
    }

    fn prove_quota(&self, who: &Identity) -> Result<(), ErrorCode> {
        if self.allocations.held_by(who) >= self.limits.allocations_per_seat {
            return Err(CODE_ALLOC_QUOTA_REACHED);
        }
        let room = self.allocations.len() < self.limits.allocations_max;
        if room { Ok(()) } else { Err(CODE_INSUFFICIENT_CAPACITY) }
    }

    fn allocation_terms(&self, tuple: FiveTuple, request: &Request) -> Result<Terms, ErrorCode> {
        match request.requested_transport().map_err(bad)? {
            None => return Err(CODE_BAD_REQUEST),
            Some(UDP) => {}
            Some(_) => return Err(CODE_UNSUPPORTED_TRANS_PROTO),
        }
        let number = request.requested_family().map_err(|_| CODE_ADDR_FAMILY_NOT_SUPPORTED)?;
        let family = number.map(|number| AddressFamily::from_number(number).ok_or(CODE_ADDR_FAMILY_NOT_SUPPORTED)).transpose()?;
        let even = request.even_port().map_err(bad)?;
        if even == Some(true) {
            // No port is kept for a second allocation: nobody who multiplexes RTCP asks for one.
            return Err(CODE_INSUFFICIENT_CAPACITY);
        }
        let lifetime = granted(request.lifetime().map_err(bad)?);
        Ok(Terms { family: self.relay_family(family, tuple)?, even: even.is_some(), lifetime })
    }

    /// IPv4 unless asked otherwise or not to be had: most peers have no other.
    fn relay_family(&self, asked: Option<AddressFamily>, tuple: FiveTuple) -> Result<AddressFamily, ErrorCode> {
        let own = AddressFamily::of(tuple.client.0.ip());
        let wanted = asked.map_or([AddressFamily::Ipv4, own], |family| [family, family]);
        wanted.into_iter().find(|family| self.families.contains(family)).ok_or(CODE_ADDR_FAMILY_NOT_SUPPORTED)
    }

    /// An Allocate where an allocation stands: a retransmission is answered alike, anything else is a mismatch.
    fn allocate_again(&mut self, tuple: FiveTuple, id: AllocationId, request: &Request, key: &IntegrityKey) {
        let standing = self.allocations.get(id);
        let repeated = standing.is_some_and(|allocation| allocation.request.transaction_id() == request.transaction_id());
        if repeated {
            self.confirm(id);
        } else {
            self.refuse(tuple, request, CODE_ALLOC_MISMATCH, key);
        }
    }

    /// Tells the client its relayed address, once there is one.
    pub(super) fn confirm(&mut self, id: AllocationId) {
        let Some(allocation) = self.allocations.get(id) else { return };
        if let State::Relaying(RelayAddr(relay)) = allocation.state {
            let success = Reply::success(&allocation.request).relayed(relay);
            let success = success.lifetime(allocation.lifetime).mapped(allocation.tuple.client.0);
            let message = success.encode(Some(&allocation.identity.key));
            self.reply(allocation.tuple, message);
        }
    }

    /// RFC 8656 section 8.2.
    fn refresh(&mut self, now: Now, id: AllocationId, request: &Request) -> Answer {
        let allocation = self.allocations.get_mut(id).ok_or(CODE_ALLOC_MISMATCH)?;
        if request
            .requested_family()
            .map_err(bad)?
            .is_some_and(|family| AddressFamily::from_number(family) != Some(allocation.family))
        {
            return Err(CODE_PEER_ADDR_FAMILY_MISMATCH);
        }
        let asked = request.lifetime().map_err(bad)?;
        if asked == Some(Duration::ZERO) {
            self.release(id);
            return Ok(Reply::success(request).lifetime(Duration::ZERO));
        }
        let lifetime = granted(asked);
        self.expiries.remove(allocation.expires, id);
        allocation.expires = now.instant + lifetime;
        self.expiries.insert(allocation.expires, id);
        Ok(Reply::success(request).lifetime(lifetime))
    }

    /// RFC 8656 section 9.2: every address or none. A browser gives its whole TURN client up at 508, so a full table is 403.
    fn create_permission(&mut self, now: Now, id: AllocationId, request: &Request) -> Answer {
        let peers = request.peers().map_err(bad)?;
        if peers.is_empty() {
            return Err(CODE_BAD_REQUEST);
        }
        for peer in &peers {
            self.prove_family(id, PeerAddr(*peer))?;
            if !self.may_permit(id, PeerAddr(*peer)) {
                return Err(CODE_FORBIDDEN);
            }
        }
        let ips: Vec<_> = peers.iter().map(std::net::SocketAddr::ip).collect();
        let allocation = self.allocations.get_mut(id).ok_or(CODE_ALLOC_MISMATCH)?;
        allocation.permissions.install(now.instant, &ips).map_err(|_| CODE_FORBIDDEN)?;
        Ok(Reply::success(request))
    }

    /// RFC 8656 section 12.2; installs the permission too.
    fn channel_bind(&mut self, now: Now, id: AllocationId, request: &Request) -> Answer {
        let number = request.channel_number().map_err(bad)?.filter(|number| channel::NUMBERS.contains(number));
        let peers = request.peers().map_err(bad)?;
        let (Some(number), [peer]) = (number, peers.as_slice()) else { return Err(CODE_BAD_REQUEST) };
        let peer = PeerAddr(*peer);
        self.prove_family(id, peer)?;
        if !self.may_reach(id, peer) {
            return Err(CODE_FORBIDDEN);
        }
        let allocation = self.allocations.get_mut(id).ok_or(CODE_ALLOC_MISMATCH)?;
        allocation.permissions.install(now.instant, &[peer.0.ip()]).map_err(|_| CODE_FORBIDDEN)?;
        allocation.channels.bind(now.instant, number, peer).map_err(|refused| match refused {
            BindError::Taken => CODE_BAD_REQUEST,
            BindError::TableFull => CODE_FORBIDDEN,
        })?;
        Ok(Reply::success(request))
    }

    fn prove_family(&self, id: AllocationId, peer: PeerAddr) -> Result<(), ErrorCode> {
        let allocation = self.allocations.get(id).ok_or(CODE_ALLOC_MISMATCH)?;
        let same = allocation.family == AddressFamily::of(peer.0.ip());
        if same { Ok(()) } else { Err(CODE_PEER_ADDR_FAMILY_MISMATCH) }
    }

    fn refuse(&mut self, tuple: FiveTuple, request: &Request, code: ErrorCode, key: &IntegrityKey) {
        self.reply(tuple, Reply::error(request, code).encode(Some(key)));
    }

    fn reply(&mut self, to: FiveTuple, message: Vec<u8>) {
        self.effects.push_back(Effect::Reply { to, message });
    }
}

/// RFC 8489 section 6.3.1.
fn refuse_unknown(request: &Request) -> Option<Reply> {
    let unknown = request.unknown_required();
    (!unknown.is_empty()).then(|| Reply::error(request, CODE_UNKNOWN_ATTRIBUTE).unknown(unknown))
}

/// RFC 8656 section 7.2: what was asked for, within bounds.
fn granted(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(LIFETIME_DEFAULT).clamp(LIFETIME_DEFAULT, LIFETIME_MAX)
}

const fn bad(_: Malformed) -> ErrorCode {
    CODE_BAD_REQUEST
}

/// IANA's number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
const LIFETIME_DEFAULT: Duration = Duration::from_secs(600);
const LIFETIME_MAX: Duration = Duration::from_secs(3600);
