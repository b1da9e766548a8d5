//! Login sessions: 256 random bits in a cookie, their SHA-256 in the database, 8 h idle, 7 days in all.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::digest;

use super::{AccountError, Accounts, Login, Username};
use crate::proto::id::LoginId;
use crate::store::{Failures, StoreError, TokenHash, UnixMillis, User};
use crate::sys::entropy;

/// What the cookie holds; no `Debug` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginToken([u8; 32]);

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, or another password: which of the two is not said.
    #[error("the username or the password is wrong")]
    InvalidCredentials,
    /// Too many failures; nothing was checked.
    #[error("too many failed attempts: wait before the next one")]
    TooManyAttempts {
        /// Until the next attempt counts.
        retry_after: Duration,
    },
    /// The password that was to be replaced was chosen again.
    #[error("choose another password than the one you have")]
    SamePassword,
    /// The hash or the database is busy or failed.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl Accounts {
    /// Checks a password and opens a login session. `source` is the browser's address.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in(&self, username: &str, password: String, source: IpAddr) -> Result<(LoginToken, User), SignInError> {
        let Ok(username) = username.parse::<Username>() else { return Err(SignInError::InvalidCredentials) };
        // A full queue refuses before anything is written.
        let queued = self.hashing.queue()?;
        let keys = throttle_keys(&username, source);
        let now = UnixMillis::now();
        let wait = self
            .store
            .count_login_attempt(keys.clone(), now, ACCOUNT_WINDOW, move |key, failures| wait(key, failures, now))
            .await;
        if let Some(retry_after) = wait.map_err(AccountError::from)? {
            return Err(SignInError::TooManyAttempts { retry_after });
        }
        let known = self.store.user_by_name(username.0).await.map_err(AccountError::from)?;
        let (user, hash) = known.unzip();
        let verified = self.hashing.verify(queued, password, hash.clone()).await?;
        let Some((user, hash)) = user.zip(hash).filter(|_| verified) else { return Err(SignInError::InvalidCredentials) };
        let token = LoginToken::fresh();
        // A reset may have come while the hash was computed.
        let stands = self.store.insert_login_session(token.hash(), (user.id, hash), now).await.map_err(AccountError::from)?;
        if !stands {
            return Err(SignInError::InvalidCredentials);
        }
        self.store.forget_login_failures(keys).await.map_err(AccountError::from)?;
        Ok((token, user))
    }

    /// Whose token this is; `None` if nobody's or no longer.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn authenticate(&self, token: &LoginToken) -> Result<Option<Login>, StoreError> {
        let now = UnixMillis::now();
        let hash = token.hash();
        let Some(session) = self.store.login_session(hash).await? else { return Ok(None) };
        if now.since(session.last_seen_at) > IDLE_MAX || now.since(session.created_at) > SESSION_LIFETIME {
            unless_passing(self.store.delete_login_session(hash).await)?;
            return Ok(None);
        }
        if now.since(session.last_seen_at) > TOUCH_EVERY {
            unless_passing(self.store.touch_login_session(hash, now).await)?;
        }
        Ok(Some(Login { id: token.login_id(), user: session.user, one_time_password: session.one_time_password }))
    }

    /// Ends the login session.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn sign_out(&self, token: &LoginToken) -> Result<(), StoreError> {
        self.store.delete_login_session(token.hash()).await
    }

    /// Which of these logins have ended: signed out, expired, or with their account.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn ended_logins(&self, logins: Vec<LoginId>) -> Result<Vec<LoginId>, StoreError> {
        self.store.ended_logins(logins).await
    }

    /// Deletes the login sessions that are over.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn forget_stale_logins(&self) -> Result<usize, StoreError> {
        let now = UnixMillis::now();
        self.store.delete_stale_logins(now.before(IDLE_MAX), now.before(SESSION_LIFETIME)).await
    }
}

/// A disk that takes no writes keeps nobody out who is signed in.
fn unless_passing(written: Result<(), StoreError>) -> Result<(), StoreError> {
    written.or_else(|error| if error.is_passing() { Ok(()) } else { Err(error) })
}

impl LoginToken {
    pub(super) fn fresh() -> Self {
        Self(entropy::random())
    }

    /// The cookie's value; `None` if it is no token at all.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The cookie's value.
    pub fn to_cookie(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The login session's name inside the daemon.
    pub fn login_id(&self) -> LoginId {
        let hash = self.hash();
        LoginId::from_random(std::array::from_fn(|index| hash[index]))
    }

    pub(super) fn hash(&self) -> TokenHash {
        sha256(&self.0)
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginToken(..)")
    }
}

/// Account and source, so that a pupil cannot lock a teacher out from another machine; and the account alone, far higher.
fn throttle_keys(username: &Username, source: IpAddr) -> Vec<String> {
    vec![throttle_key(&format!("{} {}", username.0, source_prefix(source))), throttle_key(&username.0)]
}

/// Who a source is taken for: one IPv4 address, one IPv6 network.
pub(super) fn source_prefix(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

pub(super) fn throttle_key(text: &str) -> String {
    sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long the next attempt under this key must wait, if it must.
pub(super) fn wait(key: usize, failures: Failures, now: UnixMillis) -> Option<Duration> {
    let needed = match key {
        0 => match failures.count.checked_sub(FREE_FAILURES) {
            None => Duration::ZERO,
            Some(above) => FIRST_WAIT.saturating_mul(1 << above.min(16)).min(LONGEST_WAIT),
        },
        _ if failures.count >= ACCOUNT_FAILURES_MAX => ACCOUNT_WINDOW,
        _ => Duration::ZERO,
    };
    let left = needed.saturating_sub(now.since(failures.last_at));
    (!left.is_zero()).then_some(left)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().try_into().expect("invariant: SHA-256 has 32 bytes")
}

/// The longest a login lasts, whatever it is used for.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const IDLE_MAX: Duration = Duration::from_secs(8 * 3600);
const TOUCH_EVERY: Duration = Duration::from_secs(60);
const FREE_FAILURES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
const ACCOUNT_FAILURES_MAX: u32 = 100;
pub(super) const ACCOUNT_WINDOW: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::signal::Role;
    use crate::store::Store;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    #[tokio::test]
    async fn a_login_lasts_until_its_sign_out() {
        let (_folder, accounts) = with_mara().await;
        let (token, user) = accounts.sign_in("MARA", "correct horse".to_owned(), SOURCE).await.unwrap();
        let login = accounts.authenticate(&LoginToken::parse(&token.to_cookie()).unwrap()).await.unwrap().unwrap();
        assert_eq!((login.user, login.id), (user, token.login_id()));
        accounts.sign_out(&token).await.unwrap();
        assert!(accounts.authenticate(&token).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_changed_password_signs_out_everywhere() {
        let (_folder, accounts) = with_mara().await;
        let (token, _) = accounts.sign_in("mara", "correct horse".to_owned(), SOURCE).await.unwrap();
        accounts.change_password("mara".parse().unwrap(), "battery staple".parse().unwrap()).await.unwrap();
        assert!(accounts.authenticate(&token).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_sixth_guess_waits_and_another_source_does_not() {
        let (_folder, accounts) = with_mara().await;
        for _ in 0..5 {
            let refused = accounts.sign_in("mara", "guess".to_owned(), SOURCE).await;
            assert!(matches!(refused, Err(SignInError::InvalidCredentials)));
        }
        let refused = accounts.sign_in("mara", "correct horse".to_owned(), SOURCE).await;
        assert!(matches!(refused, Err(SignInError::TooManyAttempts { .. })), "{refused:?}");
        let other = "203.0.113.2".parse().unwrap();
        accounts.sign_in("mara", "correct horse".to_owned(), other).await.unwrap();
    }

    #[tokio::test]
    async fn parallel_guesses_do_not_slip_past_the_throttle() {
        let (_folder, accounts) = with_mara().await;
        let guesses = (0..12).map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.sign_in("mara", "guess".to_owned(), SOURCE).await })
        });
        let mut checked = 0;
        for task in guesses.collect::<Vec<_>>() {
            checked += usize::from(matches!(task.await.unwrap(), Err(SignInError::InvalidCredentials)));
        }
        assert_eq!(checked, 5);
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let wait_after = |count| wait(0, Failures { count, last_at: UnixMillis(0) }, UnixMillis(0)).map(|wait| wait.as_secs());
        let waits: Vec<_> = [4, 5, 6, 7, 14, 15, 4_000_000_000].into_iter().map(wait_after).collect();
        assert_eq!(waits, [None, Some(1), Some(2), Some(4), Some(512), Some(900), Some(900)]);
        let account = |count| wait(1, Failures { count, last_at: UnixMillis(0) }, UnixMillis(1000)).map(|wait| wait.as_secs());
        assert_eq!((account(99), account(100)), (None, Some(3599)));
    }

    #[test]
    fn a_cookie_of_another_form_is_no_token() {
        for text in ["", "abc", "%%%", &"A".repeat(44)] {
            assert_eq!(LoginToken::parse(text), None, "{text:?}");
        }
        assert_eq!(format!("{:?}", LoginToken([1; 32])), "LoginToken(..)");
    }

    async fn with_mara() -> (tempfile::TempDir, Accounts) {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::new(Store::open(folder.path()).unwrap());
        let (name, shown, password) = ("mara".parse().unwrap(), "Mara".parse().unwrap(), "correct horse".parse().unwrap());
        accounts.add(name, shown, Role::Mentor, password).await.unwrap();
        (folder, accounts)
    }
}
