//! Long-term credentials over time-limited usernames (RFC 8489 section 9.2, draft-uberti-behave-turn-rest-00).

use std::time::Instant;

use stun::error_code::{CODE_BAD_REQUEST, CODE_STALE_NONCE, CODE_UNAUTHORIZED, CODE_WRONG_CREDENTIALS};

use super::nonce::Nonces;
use super::quota::Holder;
use super::revocation::Revocations;
use super::{ClientAddr, Config, Now};
use crate::proto::credential::{Claim, CredentialSecret};
use crate::proto::id::{ParticipantId, RoomId};
use crate::proto::stun::{IntegrityKey, PasswordAlgorithm, Reply, Request};

/// Who may ask for anything at all.
#[derive(Debug)]
pub(super) struct Authenticator {
    realm: String,
    own: CredentialSecret,
    shared: Option<CredentialSecret>,
    nonces: Nonces,
    pub(super) revocations: Revocations,
}

/// Somebody who proved that they hold a credential.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    /// `None` for a credential minted by other software.
    pub(super) seat: Option<(RoomId, ParticipantId)>,
}

/// A request that is not proved, and its answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It proves nothing, or with a nonce of before: every client's first request is one.
    Unproved(Vec<u8>),
    /// Its proof does not hold.
    Failed(Vec<u8>),
}

impl Identity {
    /// Whose allocations this one's are counted with.
    pub(super) fn holder(&self) -> Holder {
        match self.seat {
            Some((room, participant)) => Holder::Seat(room, participant),
            None => Holder::Username(self.username.clone()),
        }
    }
}

impl Authenticator {
    pub(super) fn new(config: &Config, started: Instant) -> Self {
        let (own, shared) = (config.own_secret.clone(), config.shared_secret.clone());
        Self {
            realm: config.realm.clone(),
            own,
            shared,
            nonces: Nonces::new(&config.nonce_key, started),
            revocations: Revocations::default(),
        }
    }

    /// Credentials of other software are proved by this from here on; allocations that stand keep theirs.
    pub(super) fn set_shared_secret(&mut self, secret: Option<CredentialSecret>) {
        self.shared = secret;
    }

    /// Proves a request; `holder` is whoever made the allocation it is about, whose credential may have expired meanwhile.
    ///
    /// # Errors
    /// The refusal: 401 or 438 with a challenge, 400, or 441.
    pub(super) fn prove(
        &self,
        now: Now,
        client: ClientAddr,
        request: &mut Request,
        holder: Option<&Identity>,
    ) -> Result<Identity, Refusal> {
        if !request.has_integrity() {
            return Err(Refusal::Unproved(self.challenge(now, client, request, CODE_UNAUTHORIZED)));
        }
        let username = request.username();
        let (true, Some(nonce), true) = (username.is_some() || request.has_userhash(), request.nonce(), request.has_realm())
        else {
            return Err(Refusal::Unproved(Reply::error(request, CODE_BAD_REQUEST).encode(None)));
        };
        // First, so that what carries no living nonce of this server costs one hash.
        if !self.nonces.is_fresh(now.instant, client, &nonce) {
            return Err(Refusal::Unproved(self.challenge(now, client, request, CODE_STALE_NONCE)));
        }
        let Ok(negotiated) = request.password_algorithm() else {
            return Err(Refusal::Unproved(Reply::error(request, CODE_BAD_REQUEST).encode(None)));
        };
        let proved = match (username, holder) {
            // Whose hash USERHASH is, only a list of usernames could tell.
            (None, _) => None,
            // An allocation keeps the algorithm it was made with: nobody bids it down later.
            (Some(username), Some(holder)) if holder.username == username => {
                let same = holder.key.negotiated() == negotiated;
                (same && request.is_authentic(&holder.key)).then(|| holder.clone())
            }
            (Some(username), _) => self.identify(now, username, negotiated, request),
        };
        match proved {
            None => Err(Refusal::Failed(self.challenge(now, client, request, CODE_UNAUTHORIZED))),
            Some(identity) if holder.is_some_and(|holder| holder.username != identity.username) => {
                Err(Refusal::Unproved(Reply::error(request, CODE_WRONG_CREDENTIALS).encode(Some(&identity.key))))
            }
            Some(identity) => Ok(identity),
        }
    }

    /// Whose unexpired credential signed the request.
    fn identify(
        &self,
        now: Now,
        username: String,
        negotiated: Option<PasswordAlgorithm>,
        request: &mut Request,
    ) -> Option<Identity> {
        let claim = Claim::parse(&username).filter(|claim| claim.expiry > now.unix)?;
        let key = self.key(negotiated, &self.own, &username);
        if claim.seat.is_some() && request.is_authentic(&key) {
            let void = self.revocations.covers(&claim);
            return (!void).then_some(Identity { username, key, seat: claim.seat });
        }
        let key = self.key(negotiated, self.shared.as_ref()?, &username);
        request.is_authentic(&key).then_some(Identity { username, key, seat: None })
    }

    fn key(&self, negotiated: Option<PasswordAlgorithm>, secret: &CredentialSecret, username: &str) -> IntegrityKey {
        IntegrityKey::long_term(negotiated, username, &self.realm, &secret.password(username))
    }

    fn challenge(&self, now: Now, client: ClientAddr, request: &Request, code: stun::error_code::ErrorCode) -> Vec<u8> {
        Reply::error(request, code).challenge(&self.realm, &self.nonces.issue(now.instant, client)).encode(None)
    }
}
