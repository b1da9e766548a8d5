//! argon2id with OWASP's parameters, at most two at once: a flood of sign-ins takes 40 MiB and no more.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

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
    pub(super) async fn hash(&self, password: NewPassword) -> Result<String, AccountError> {
        self.run(move || hash(&password.0)).await
    }

    /// Whether `password` is the one of `known`; takes as long for an unknown account (`None`).
    pub(super) async fn verify(&self, password: String, known: Option<String>) -> Result<bool, AccountError> {
        self.run(move || {
            let hash = known.as_ref().unwrap_or(&DUMMY);
            let matches = password.len() <= BYTES_MAX
                && PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
            matches && known.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let _queued = self.queue.try_acquire().map_err(|_| AccountError::Busy)?;
        let _place = self.places.acquire().await.map_err(|_| AccountError::Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| AccountError::Busy)
    }
}

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
        assert!(hashing.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hashing.verify("battery staple".to_owned(), Some(hash)).await.unwrap());
        assert!(!hashing.verify("no account has this password".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_of_passwords_is_refused_past_the_queue() {
        let hashing = Hashing::default();
        let flood = (0..40).map(|_| {
            let hashing = hashing.clone();
            tokio::spawn(async move { hashing.verify("x".to_owned(), None).await })
        });
        let mut refused = 0;
        for task in flood.collect::<Vec<_>>() {
            refused += usize::from(matches!(task.await.unwrap(), Err(AccountError::Busy)));
        }
        assert_eq!(refused, 40 - AT_ONCE - QUEUE_MAX);
    }

    #[test]
    fn a_password_has_bounds_and_no_debug() {
        assert!("1234567".parse::<NewPassword>().is_err());
        assert!("x".repeat(1025).parse::<NewPassword>().is_err());
        assert_eq!(format!("{:?}", "12345678".parse::<NewPassword>().unwrap()), "NewPassword(..)");
    }
}
