//! What admins do with accounts: look through them, make and remove them, have one-time passwords made; and everybody's own password.

use std::fmt;
use std::net::IpAddr;

use super::login::LoginToken;
use super::{AccountError, Accounts, DisplayName, NewPassword, SignInError, Username, new_user};
use crate::proto::id::{ParticipantId, RoomId, UserId};
use crate::proto::signal::Role;
use crate::store::{AccountPage, NewUser, StoreError, User};
use crate::sys::entropy;

/// A password that is shown once, to the admin, and opens one page alone: twelve letters and digits that nobody confuses, 59 bits.
pub struct OneTimePassword(String);

/// Why an admin was refused.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The person is no admin.
    #[error("only admins manage accounts")]
    NotAdmin,
    /// Whoever removes themselves leaves nobody who could undo it.
    #[error("nobody removes their own account: ask another admin")]
    Own,
    /// Guests come by invitations.
    #[error("role: choose admin, mentor or student; guests come by an invitation")]
    Guest,
    /// There is none.
    #[error("there is nothing here for you")]
    NotFound,
    /// The account was not made or changed.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for DirectoryError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

impl Accounts {
    /// The next 50 accounts after the username `after`, of all or of those whose names contain `search`.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub async fn page(&self, by: &User, search: String, after: String) -> Result<AccountPage, DirectoryError> {
        admin(by)?;
        Ok(self.store.account_page(search.trim().to_owned(), after, PAGE).await?)
    }

    /// Makes an account with a one-time password.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub async fn enrol(
        &self,
        by: &User,
        username: Username,
        display_name: DisplayName,
        role: Role,
    ) -> Result<(User, OneTimePassword), DirectoryError> {
        admin(by)?;
        if role == Role::Guest {
            return Err(DirectoryError::Guest);
        }
        let password = OneTimePassword::fresh();
        let user = new_user(username, display_name, role);
        let password_hash = self.hashing.hash(password.to_new()).await?;
        match self.store.insert_user_with_one_time_password(NewUser { user: user.clone(), password_hash }).await {
            Ok(()) => Ok((user, password)),
            Err(StoreError::Conflict) => Err(AccountError::UsernameTaken(user.username).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a one-time password for somebody, and signs them out everywhere.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub async fn reset_password(&self, by: &User, user: UserId) -> Result<OneTimePassword, DirectoryError> {
        admin(by)?;
        let password = OneTimePassword::fresh();
        let password_hash = self.hashing.hash(password.to_new()).await?;
        let found = self.store.set_one_time_password(user, password_hash).await?;
        if found { Ok(password) } else { Err(DirectoryError::NotFound) }
    }

    /// Removes an account with its sessions and its attendance; who it was in rooms that have not ended, where the person may still be.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub async fn remove(&self, by: &User, user: UserId) -> Result<Vec<(RoomId, ParticipantId)>, DirectoryError> {
        admin(by)?;
        if by.id == user {
            return Err(DirectoryError::Own);
        }
        self.store.delete_account(user).await?.ok_or(DirectoryError::NotFound)
    }

    /// Sets the password that somebody chose for themselves, proved by the one they have; ends their other logins.
    ///
    /// # Errors
    /// As for [`Accounts::sign_in`]; [`SignInError::SamePassword`].
    pub async fn choose_password(
        &self,
        user: &User,
        current: String,
        chosen: NewPassword,
        source: IpAddr,
    ) -> Result<LoginToken, SignInError> {
        // Whoever made a one-time password knows it.
        if chosen.is(&current) {
            return Err(SignInError::SamePassword);
        }
        let (token, user) = self.sign_in(&user.username, current, source).await?;
        let password_hash = self.hashing.hash(chosen).await?;
        let set = self.store.set_own_password(user.id, password_hash, token.hash()).await.map_err(AccountError::from)?;
        if set { Ok(token) } else { Err(SignInError::InvalidCredentials) }
    }
}

impl OneTimePassword {
    fn fresh() -> Self {
        let letters = std::iter::repeat_with(|| entropy::random::<1>()[0])
            // No remainder favours a letter.
            .filter(|byte| usize::from(*byte) < 256 / ALPHABET.len() * ALPHABET.len())
            .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        let letters: Vec<char> = letters.take(12).collect();
        Self(letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
    }

    /// For the admin's eyes.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn to_new(&self) -> NewPassword {
        self.0.parse().expect("invariant: fourteen characters are a password")
    }
}

impl fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimePassword(..)")
    }
}

fn admin(user: &User) -> Result<(), DirectoryError> {
    if user.role == Role::Admin { Ok(()) } else { Err(DirectoryError::NotAdmin) }
}

const PAGE: u32 = 50;
/// Without 0, 1, i, l and o, which look like one another on paper.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_time_password_is_easily_copied_from_paper_and_has_no_debug() {
        let password = OneTimePassword::fresh();
        let groups: Vec<_> = password.reveal().split('-').collect();
        assert!(groups.len() == 3 && groups.iter().all(|group| group.len() == 4 && group.bytes().all(|b| ALPHABET.contains(&b))));
        assert_eq!(format!("{password:?}"), "OneTimePassword(..)");
    }
}
