//! argon2id with OWASP's parameters, at most two at once: a flood of sign-ins takes 40 MiB and no more.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::AccountError;
use crate::sys::entropy;

/// A password somebody chose: 8 bytes to 1 KiB. No `Debug` shows it.
#[derive(Clone)]
pub struct NewPassword(String);

/// A password outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has at least 8 characters and at most 1024 bytes")]
pub struct InvalidPassword;

impl FromStr for NewPassword {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, InvalidPassword> {
        let fits = text.chars().count() >= 8 && text.len() <= BYTES_MAX;
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidPassword) }
    }
}

impl NewPassword {
    /// Whether it is this text; for two texts of one person, so time does not matter.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

/// The two places at the hash, and the queue before them.
#[derive(Clone)]
pub(super) struct Hashing {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), queue: Arc::new(Semaphore::new(AT_ONCE + QUEUE_MAX)) }
    }
}

impl Hashing {
    /// Takes a place in the queue.
    pub(super) fn queue(&self) -> Result<Queued, AccountError> {
        Arc::clone(&self.queue).try_acquire_owned().map(Queued).map_err(|_| AccountError::Busy)
    }

    pub(super) async fn hash(&self, password: NewPassword) -> Result<String, AccountError> {
        self.run(self.queue()?, move || hash(&password.0)).await
    }

    /// Whether `password` is the one of `known`; takes as long for an unknown account (`None`).
    pub(super) async fn verify(&self, queued: Queued, password: String, known: Option<String>) -> Result<bool, AccountError> {
        self.run(queued, move || {
            let hash = known.as_ref().unwrap_or(&DUMMY);
            let matches = password.len() <= BYTES_MAX
                && PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
            matches && known.is_some()
        })
        .await
    }

    /// The places go along with the work: a browser that hangs up ends its request, not the hash.
    async fn run<T: Send + 'static>(&self, queued: Queued, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| AccountError::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let _places = (queued, place);
            work()
        });
        task.await.map_err(|_| AccountError::Busy)
    }
}

/// A place in the queue, given back when dropped.
pub(super) struct Queued(#[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit);

fn hash(password: &str) -> String {
    let salt = SaltString::encode_b64(&entropy::random::<16>()).expect("invariant: 16 bytes are a salt");
    argon2().hash_password(password.as_bytes(), &salt).expect("invariant: the parameters below are within argon2's").to_string()
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).expect("invariant: OWASP's parameters are within argon2's");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What the password of an unknown account is checked against, so that its absence shows in no timing.
static DUMMY: LazyLock<String> = LazyLock::new(|| hash("no account has this password"));

const AT_ONCE: usize = 2;
const QUEUE_MAX: usize = 16;
const BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_and_another_is_not() {
        let hashing = Hashing::default();
        let hash = hashing.hash("correct horse".parse().unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verify = |password: &str, hash| hashing.verify(hashing.queue().unwrap(), password.to_owned(), hash);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("battery staple", Some(hash)).await.unwrap());
        assert!(!verify("no account has this password", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_of_passwords_is_refused_past_the_queue() {
        let hashing = Hashing::default();
        let flood = (0..40).map(|_| {
            let hashing = hashing.clone();
            tokio::spawn(async move { hashing.verify(hashing.queue()?, "x".to_owned(), None).await })
        });
        let mut refused = 0;
        for task in flood.collect::<Vec<_>>() {
            refused += usize::from(matches!(task.await.unwrap(), Err(AccountError::Busy)));
        }
        assert_eq!(refused, 40 - AT_ONCE - QUEUE_MAX);
    }

    #[tokio::test]
    async fn whoever_hangs_up_leaves_no_room_for_more() {
        let hashing = Hashing::default();
        for _ in 0..AT_ONCE + QUEUE_MAX {
            let hanging_up = hashing.verify(hashing.queue().unwrap(), "x".to_owned(), None);
            let _ = tokio::time::timeout(std::time::Duration::from_millis(1), hanging_up).await;
        }
        let running = AT_ONCE - hashing.places.available_permits();
        let queued = AT_ONCE + QUEUE_MAX - hashing.queue.available_permits();
        assert!(running <= AT_ONCE && queued >= running, "{queued} queued, {running} running");
        assert!(running > 0, "a hash that nobody waits for still holds its place");
    }

    #[test]
    fn a_password_has_bounds_and_no_debug() {
        assert!("1234567".parse::<NewPassword>().is_err());
        assert!("x".repeat(1025).parse::<NewPassword>().is_err());
        assert_eq!(format!("{:?}", "12345678".parse::<NewPassword>().unwrap()), "NewPassword(..)");
    }
}
