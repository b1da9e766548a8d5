//! Invitations: links that make somebody without an account a guest of one session. Who may invite is for `mentoring` to say.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::login::{ACCOUNT_WINDOW, LoginToken, sha256, source_prefix, throttle_key, wait};
use super::{Accounts, DisplayName};
use crate::proto::id::{InvitationId, SessionId, UserId};
use crate::proto::signal::Role;
use crate::store::{Invitation, Invitee, MEMBERS_MAX, Redeemed, StoreError, UnixMillis, User};
use crate::sys::entropy;

/// What a link holds, in its fragment, which no server is sent; no `Debug` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationToken([u8; 16]);

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// A number is out of its range.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// The session has too many links that still let somebody in.
    #[error("too many invitations are open: take one back first")]
    TooMany,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, used up, expired or taken back: which of these is not said.
    #[error("this invitation is not valid any more: ask for a new one")]
    Void,
    /// Others would take the guest for one of the staff.
    #[error("display_name: give your own name: this one looks like a mentor's")]
    Lookalike,
    /// As many belong to the session as may.
    #[error("this meeting has as many members as it may: ask the mentor to remove one")]
    Full,
    /// Too many links that were none.
    #[error("too many invalid invitations from here: wait before the next one")]
    TooManyAttempts {
        /// Until the next attempt counts.
        retry_after: Duration,
    },
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who followed a link.
#[derive(Debug)]
pub struct Welcome {
    /// Who they are here.
    pub user: User,
    /// Of the new guest; `None` for whoever was signed in before.
    pub login: Option<LoginToken>,
    /// Where they belong now.
    pub session: SessionId,
}

impl Accounts {
    /// Makes a link for `uses` people (1 to 20), valid for so long (1 h to 30 days).
    ///
    /// # Errors
    /// See [`InviteError`].
    pub async fn invite(
        &self,
        by: &User,
        session: SessionId,
        uses: u32,
        valid_for: Duration,
    ) -> Result<(Invitation, InvitationToken), InviteError> {
        if !(1..=USES_MAX).contains(&uses) {
            return Err(InviteError::OutOfRange("uses_max: give a number from 1 to 20"));
        }
        if !(HOUR..=VALID_MAX).contains(&valid_for) {
            return Err(InviteError::OutOfRange("valid_for_hours: give a number from 1 to 720"));
        }
        if self.store.open_invitations(session).await? >= OPEN_MAX {
            return Err(InviteError::TooMany);
        }
        let token = InvitationToken(entropy::random());
        let id = InvitationId::from_random(entropy::random());
        let expires_at = UnixMillis::now().after(valid_for);
        let invitation = Invitation { id, session, expires_at, uses_left: uses, revoked: false };
        self.store.insert_invitation(invitation.clone(), sha256(&token.0), by.id).await?;
        Ok((invitation, token))
    }

    /// The links of a session, the newest first.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn invitations(&self, session: SessionId) -> Result<Vec<Invitation>, StoreError> {
        self.store.invitations(session).await
    }

    /// Takes a link back; false if the session has no such link.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn revoke_invitation(&self, session: SessionId, id: InvitationId) -> Result<bool, StoreError> {
        self.store.revoke_invitation(session, id).await
    }

    /// Follows a link: whoever is signed in joins the session as they are; anybody else becomes a guest of that name.
    ///
    /// # Errors
    /// See [`RedeemError`]; nothing has changed.
    pub async fn redeem(
        &self,
        token: &str,
        name: DisplayName,
        signed_in: Option<User>,
        source: IpAddr,
    ) -> Result<Welcome, RedeemError> {
        let keys = vec![throttle_key(&format!("invitation {}", source_prefix(source)))];
        let now = UnixMillis::now();
        let wait = self.store.count_login_attempt(keys.clone(), now, ACCOUNT_WINDOW, move |_, failures| wait(1, failures, now));
        if let Some(retry_after) = wait.await? {
            return Err(RedeemError::TooManyAttempts { retry_after });
        }
        let token = InvitationToken::parse(token).ok_or(RedeemError::Void)?;
        let staff = self.store.staff_behind_invitation(sha256(&token.0)).await?;
        if signed_in.is_none() && staff.iter().any(|member| name.resembles(member)) {
            return Err(RedeemError::Lookalike);
        }
        let (user, login, invitee) = match signed_in {
            Some(user) => (user.clone(), None, Invitee::Account(user.id)),
            None => {
                let (user, login) = (guest(name), LoginToken::fresh());
                (user.clone(), Some(login.clone()), Invitee::Guest(user, login.hash()))
            }
        };
        match self.store.redeem(sha256(&token.0), invitee, MEMBERS_MAX).await? {
            Redeemed::Welcome(session) => {
                self.store.forget_login_failures(keys).await?;
                Ok(Welcome { user, login, session })
            }
            Redeemed::Void => Err(RedeemError::Void),
            Redeemed::Full => Err(RedeemError::Full),
        }
    }

    /// Forgets the names of guests a day after their room ended.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn forget_guests(&self) -> Result<usize, StoreError> {
        let now = UnixMillis::now();
        self.store.forget_guests(now.before(GUESTS_KEPT), now.before(VALID_MAX)).await
    }
}

impl InvitationToken {
    /// `None` if the text is no token at all.
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As it stands in a link.
    pub fn to_fragment(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationToken(..)")
    }
}

/// Nobody can sign in as them: no username has a space.
fn guest(name: DisplayName) -> User {
    let id = UserId::from_random(entropy::random());
    User { id, username: format!("guest {id}"), display_name: name.0, role: Role::Guest }
}

const USES_MAX: u32 = 20;
/// Links of one session that let somebody in at one time.
const OPEN_MAX: u32 = 20;
const HOUR: Duration = Duration::from_secs(3600);
const VALID_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const GUESTS_KEPT: Duration = Duration::from_secs(24 * 3600);
