//! People: accounts, passwords and login sessions; rules over `store`, which keeps them.
//!
//! Driven by `http` and `cli`. Knows nothing of HTTP: a token comes in as text, a source as an address.

mod directory;
mod invitation;
mod login;
mod name;
mod password;
mod setup;

use crate::proto::id::{LoginId, UserId};
use crate::proto::signal::Role;
use crate::store::{NewUser, Store, StoreError, User, Warning};

pub use directory::{DirectoryError, OneTimePassword};
pub use invitation::{InvitationToken, InviteError, RedeemError, Welcome};
pub use login::{LoginToken, SESSION_LIFETIME, SignInError};
pub use name::{DisplayName, InvalidName, Username};
pub use password::{InvalidPassword, NewPassword};
pub use setup::{SetUpError, Setup, SetupToken};

/// The rules about people; clones share the limits.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    hashing: password::Hashing,
}

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Login {
    /// Which login session: closes its sockets when it ends.
    pub id: LoginId,
    /// Who.
    pub user: User,
    /// Whether they must choose a password of their own before anything else.
    pub one_time_password: bool,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Another account has it.
    #[error("the username `{0}` is taken: choose another, or `visavis user passwd {0}` to change its password")]
    UsernameTaken(String),
    /// There is no such account.
    #[error("there is no account `{0}`: `visavis user list` shows them")]
    Unknown(String),
    /// Too many passwords are being hashed.
    #[error("too many passwords are being checked: try again in a moment")]
    Busy,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Rules over this database.
    pub fn new(store: Store) -> Self {
        Self { store, hashing: password::Hashing::default() }
    }

    /// What an admin should see to; nothing for others.
    pub fn warnings(&self, user: &User) -> Vec<Warning> {
        if user.role == Role::Admin { self.store.warnings() } else { Vec::new() }
    }

    /// Whether people can be signed in, and sessions changed, as far as the disk is concerned.
    pub fn takes_writes(&self) -> bool {
        !self.store.warnings().into_iter().any(Warning::stops_writes)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountError::UsernameTaken`], or what the database refused with.
    pub async fn add(
        &self,
        username: Username,
        display_name: DisplayName,
        role: Role,
        password: NewPassword,
    ) -> Result<User, AccountError> {
        let user = new_user(username, display_name, role);
        let password_hash = self.hashing.hash(password).await?;
        match self.store.insert_user(NewUser { user: user.clone(), password_hash }).await {
            Ok(()) => Ok(user),
            Err(StoreError::Conflict) => Err(AccountError::UsernameTaken(user.username)),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets a password and signs the person out everywhere.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], or what the database refused with.
    pub async fn change_password(&self, username: Username, password: NewPassword) -> Result<(), AccountError> {
        let password_hash = self.hashing.hash(password).await?;
        let changed = self.store.change_password(username.0.clone(), password_hash).await?;
        if changed { Ok(()) } else { Err(AccountError::Unknown(username.0)) }
    }

    /// Everybody, or everybody of one role, by name.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn list(&self, role: Option<Role>) -> Result<Vec<User>, StoreError> {
        self.store.users(role).await
    }
}

/// Somebody who has no row yet.
fn new_user(username: Username, display_name: DisplayName, role: Role) -> User {
    let id = UserId::from_random(crate::sys::entropy::random());
    User { id, username: username.0, display_name: display_name.0, role }
}
