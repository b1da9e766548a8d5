//! Requests: Binding, Refresh, CreatePermission, ChannelBind (RFC 8489 section 6, RFC 8656 sections 8 to 12); Allocate is next door.

use std::net::IpAddr;
use std::time::Duration;

use stun::error_code::{
    CODE_ALLOC_MISMATCH, CODE_BAD_REQUEST, CODE_FORBIDDEN, CODE_PEER_ADDR_FAMILY_MISMATCH, CODE_UNKNOWN_ATTRIBUTE, ErrorCode,
};
use stun::message::{METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH};

use super::allocation::ByFamily;
use super::authentication::{Identity, Refusal};
use super::channel::{self, BindError};
use super::quota::Limits;
use super::{AddressFamily, AllocationId, DropReason, Effect, FiveTuple, Now, PeerAddr, Server};
use crate::proto::stun::{IntegrityKey, Malformed, Reply, Request};

/// Answers a proved request about an allocation: the success to send, or the code of the refusal.
type Answer = Result<Reply, ErrorCode>;

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
        let within = !stranger || self.ledger.requests.allows(self.uptime(now.instant), tuple.client.0.ip());
        if within { Ok(()) } else { Err(DropReason::RateLimited) }
    }

    fn prove(&mut self, now: Now, tuple: FiveTuple, mut request: Request) -> Result<(), DropReason> {
        let standing = self.allocations.of_client(tuple);
        let holder = standing.and_then(|standing| self.allocations.holder(standing));
        match self.authenticator.prove(now, tuple.client, &mut request, holder) {
            Err(Refusal::Unproved(answer)) => {
                self.charge(now, tuple)?;
                self.reply(tuple, answer);
            }
            // Failures have a rate of their own: a page that keeps failing leaves its neighbours their challenges.
            Err(Refusal::Failed(answer)) => {
                self.counters.failed_proofs += 1;
                let within = self.ledger.failures.allows(self.uptime(now.instant), tuple.client.0.ip());
                if !within {
                    return Err(DropReason::TooManyFailures);
                }
                self.reply(tuple, answer);
            }
            Ok(identity) => self.dispatch(now, tuple, request, identity, standing),
        }
        Ok(())
    }

    fn dispatch(&mut self, now: Now, tuple: FiveTuple, request: Request, who: Identity, standing: Option<ByFamily>) {
        let key = who.key.clone();
        if let Some(refusal) = refuse_unknown(&request) {
            return self.reply(tuple, refusal.encode(Some(&key)));
        }
        let Some(standing) = standing else {
            return match request.method() {
                METHOD_ALLOCATE => self.allocate(now, tuple, &request, &who),
                _ => self.refuse(tuple, &request, CODE_ALLOC_MISMATCH, &key),
            };
        };
        let answer = match request.method() {
            METHOD_ALLOCATE => return self.allocate_again(tuple, standing, &request, &key),
            METHOD_REFRESH => self.refresh(now, standing, &request),
            METHOD_CREATE_PERMISSION => self.create_permission(now, standing, &request),
            _ => self.channel_bind(now, standing, &request),
        };
        match answer {
            Ok(success) => self.reply(tuple, success.encode(Some(&key))),
            Err(code) => self.refuse(tuple, &request, code, &key),
        }
    }

    /// RFC 8656 section 8.2: of one family if it is named, else of whatever stands.
    fn refresh(&mut self, now: Now, standing: ByFamily, request: &Request) -> Answer {
        let family = request.requested_family().map_err(bad)?.and_then(AddressFamily::from_number);
        let named = |family| standing.of(family).ok_or(CODE_PEER_ADDR_FAMILY_MISMATCH);
        let one = family.map(named).transpose()?;
        let all = standing.iter().filter(|_| one.is_none());
        let asked = request.lifetime().map_err(bad)?;
        let lifetime = if asked == Some(Duration::ZERO) { Duration::ZERO } else { granted(asked) };
        for id in one.into_iter().chain(all) {
            if lifetime.is_zero() {
                self.release(id);
            } else {
                self.expiries.set(now.instant + lifetime, id);
            }
        }
        Ok(Reply::success(request).lifetime(lifetime))
    }

    /// RFC 8656 section 10.2: every address or none. A browser gives its whole TURN client up at 508, so a full
    /// table and a rate that is exceeded are 403.
    fn create_permission(&mut self, now: Now, standing: ByFamily, request: &Request) -> Answer {
        let peers = request.peers().map_err(bad)?;
        if peers.is_empty() {
            return Err(CODE_BAD_REQUEST);
        }
        for peer in &peers {
            let id = of_peer(standing, PeerAddr(*peer))?;
            if !self.may_permit(id, PeerAddr(*peer)) {
                return Err(CODE_FORBIDDEN);
            }
        }
        let ips: Vec<_> = peers.iter().map(std::net::SocketAddr::ip).collect();
        self.permit(now, standing, &ips)?;
        Ok(Reply::success(request))
    }

    /// Installs or refreshes the permissions of all, each with the allocation of its family, or of none: within the size of the table and
    /// the rate of new peers, so that a scan of the internet is slow.
    fn permit(&mut self, now: Now, standing: ByFamily, ips: &[IpAddr]) -> Result<(), ErrorCode> {
        let (uptime, Limits { new_peers: rate, permissions_per_allocation: max, .. }) = (self.uptime(now.instant), self.limits);
        let mut permitted = Vec::new();
        for id in standing.iter() {
            let allocation = self.allocations.get(id).ok_or(CODE_ALLOC_MISMATCH)?;
            let own: Vec<_> = ips.iter().copied().filter(|ip| AddressFamily::of(*ip) == allocation.family).collect();
            let new = u32::try_from(allocation.permissions.count_new(now.instant, &own)).unwrap_or(u32::MAX);
            permitted.push((id, new, allocation.permissions.with(now.instant, &own, max).map_err(|_| CODE_FORBIDDEN)?));
        }
        for (id, new, _) in &permitted {
            let allocation = self.allocations.get_mut(*id).ok_or(CODE_ALLOC_MISMATCH)?;
            if !allocation.new_peers.take(uptime, rate.cost(*new), rate.depth()) {
                return Err(CODE_FORBIDDEN);
            }
        }
        for (id, _, permissions) in permitted {
            self.allocations.get_mut(id).ok_or(CODE_ALLOC_MISMATCH)?.permissions = permissions;
        }
        Ok(())
    }

    /// RFC 8656 section 12.2; installs the permission too.
    fn channel_bind(&mut self, now: Now, standing: ByFamily, request: &Request) -> Answer {
        let number = request.channel_number().map_err(bad)?.filter(|number| channel::NUMBERS.contains(number));
        let peers = request.peers().map_err(bad)?;
        let (Some(number), [peer]) = (number, peers.as_slice()) else { return Err(CODE_BAD_REQUEST) };
        let peer = PeerAddr(*peer);
        let id = of_peer(standing, peer)?;
        if !self.may_reach(id, peer) {
            return Err(CODE_FORBIDDEN);
        }
        let others = standing.iter().filter(|other| *other != id).filter_map(|other| self.allocations.get(other));
        if others.into_iter().any(|other| other.channels.holds(now.instant, number)) {
            return Err(CODE_BAD_REQUEST);
        }
        // Both or neither: a refused channel must not leave a permission behind.
        let max = self.limits.channels_per_allocation;
        let mut channels = self.allocations.get(id).ok_or(CODE_ALLOC_MISMATCH)?.channels.clone();
        channels.bind(now.instant, number, peer, max).map_err(|refused| match refused {
            BindError::Taken => CODE_BAD_REQUEST,
            BindError::TableFull => CODE_FORBIDDEN,
        })?;
        self.permit(now, standing, &[peer.0.ip()])?;
        self.allocations.get_mut(id).ok_or(CODE_ALLOC_MISMATCH)?.channels = channels;
        Ok(Reply::success(request))
    }

    pub(super) fn refuse(&mut self, tuple: FiveTuple, request: &Request, code: ErrorCode, key: &IntegrityKey) {
        self.reply(tuple, Reply::error(request, code).encode(Some(key)));
    }

    pub(super) fn reply(&mut self, to: FiveTuple, message: Vec<u8>) {
        self.effects.push_back(Effect::Reply { to, message });
    }
}

/// RFC 8489 section 6.3.1.
fn refuse_unknown(request: &Request) -> Option<Reply> {
    let unknown = request.unknown_required();
    (!unknown.is_empty()).then(|| Reply::error(request, CODE_UNKNOWN_ATTRIBUTE).unknown(unknown))
}

/// The allocation that reaches a peer: the one of its family.
fn of_peer(standing: ByFamily, peer: PeerAddr) -> Result<AllocationId, ErrorCode> {
    standing.of(AddressFamily::of(peer.0.ip())).ok_or(CODE_PEER_ADDR_FAMILY_MISMATCH)
}

/// RFC 8656 section 7.2: what was asked for, within bounds.
pub(super) fn granted(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(LIFETIME_DEFAULT).clamp(LIFETIME_DEFAULT, LIFETIME_MAX)
}

pub(super) const fn bad(_: Malformed) -> ErrorCode {
    CODE_BAD_REQUEST
}

const LIFETIME_DEFAULT: Duration = Duration::from_secs(600);
const LIFETIME_MAX: Duration = Duration::from_secs(3600);
