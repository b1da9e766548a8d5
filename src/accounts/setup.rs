//! The first admin: whoever holds the box's set-up link chooses a name and a password, while there is no admin.
//!
//! The link's token lies in a file of the data folder that its owner alone reads, until it is used: so the journal, the console and
//! `visavis setup-link` all show the same link, and looking at one does not void what somebody is typing from another. A hash would hide
//! it from nobody, since whoever reads this folder reads the keys and the database beside it. What makes it work once is not the
//! file but the database: the first admin is stored only where there is none.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use subtle::ConstantTimeEq;

use super::login::{ACCOUNT_WINDOW, LoginToken, source_prefix, throttle_key, wait};
use super::{AccountError, Accounts, DisplayName, NewPassword, Username};
use crate::proto::signal::Role;
use crate::store::{NewUser, StoreError, UnixMillis, User};
use crate::sys::entropy;

/// The rules of a box without an admin; clones share what they know.
#[derive(Clone)]
pub struct Setup {
    accounts: Accounts,
    data_dir: PathBuf,
    /// An admin stays: nobody need be asked again.
    done: Arc<AtomicBool>,
}

/// What the set-up link holds, in its fragment: 128 random bits; no `Debug` shows it.
#[derive(Clone)]
pub struct SetupToken([u8; 16]);

/// Why there is no first admin.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// There is an admin.
    #[error("this box is already set up: sign in; `visavis user passwd` on the box sets a forgotten password")]
    AlreadySetUp,
    /// Not the token of this box.
    #[error("this is not the set-up link of this box: `visavis setup-link` on the box shows it")]
    Void,
    /// Too many wrong tokens from there.
    #[error("too many wrong set-up links from here: wait before the next one")]
    TooManyAttempts {
        /// Until the next attempt counts.
        retry_after: Duration,
    },
    /// The token's file cannot be used.
    #[error("cannot use {}: give it to the daemon's user, or delete it to have it made anew ({cause})", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The account was not made.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for SetUpError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

impl Setup {
    /// For the box whose data is in `data_dir`.
    pub fn new(accounts: Accounts, data_dir: &Path) -> Self {
        Self { accounts, data_dir: data_dir.to_owned(), done: Arc::default() }
    }

    /// Whether there is no admin yet.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn is_needed(&self) -> Result<bool, StoreError> {
        if self.done.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let done = self.accounts.store.has_admin().await?;
        self.done.store(done, Ordering::Relaxed);
        Ok(!done)
    }

    /// The token, made if there was none; `None` once there is an admin, and then its file is gone.
    ///
    /// # Errors
    /// [`SetUpError::File`], or what the database refused with.
    pub async fn token(&self) -> Result<Option<SetupToken>, SetUpError> {
        let path = self.path();
        let in_file = |cause| SetUpError::File { path: path.clone(), cause };
        if self.is_needed().await? {
            return read_or_make(&path).map(Some).map_err(in_file);
        }
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(in_file(cause)),
            _ => Ok(None),
        }
    }

    /// Proves that a text is the token, before anybody has to think of a password.
    ///
    /// # Errors
    /// [`SetUpError::AlreadySetUp`], [`SetUpError::Void`], [`SetUpError::TooManyAttempts`], or what failed.
    pub async fn prove(&self, token: &str, source: IpAddr) -> Result<(), SetUpError> {
        if !self.is_needed().await? {
            return Err(SetUpError::AlreadySetUp);
        }
        let keys = vec![throttle_key(&format!("setup {}", source_prefix(source)))];
        let now = UnixMillis::now();
        let counted = self
            .accounts
            .store
            .count_login_attempt(keys.clone(), now, ACCOUNT_WINDOW, move |key, failures| wait(key, failures, now));
        if let Some(retry_after) = counted.await? {
            return Err(SetUpError::TooManyAttempts { retry_after });
        }
        let own = read(&self.path()).ok_or(SetUpError::Void)?;
        let given = SetupToken::parse(token).ok_or(SetUpError::Void)?;
        if !bool::from(own.0.ct_eq(&given.0)) {
            return Err(SetUpError::Void);
        }
        self.accounts.store.forget_login_failures(keys).await?;
        Ok(())
    }

    /// Makes the first admin and signs them in, all or nothing: of two who hold the link, one is the admin and the other is told so.
    ///
    /// # Errors
    /// As for [`Setup::prove`], or why the account was not made; nothing has changed then, and the link serves as before.
    pub async fn set_up(
        &self,
        token: &str,
        (username, display_name): (Username, DisplayName),
        password: NewPassword,
        source: IpAddr,
    ) -> Result<(LoginToken, User), SetUpError> {
        self.prove(token, source).await?;
        let user = super::new_user(username, display_name, Role::Admin);
        let password_hash = self.accounts.hashing.hash(password).await?;
        let login = LoginToken::fresh();
        let new = NewUser { user: user.clone(), password_hash };
        match self.accounts.store.insert_first_admin(new, login.hash()).await {
            Ok(true) => {}
            Ok(false) => return Err(SetUpError::AlreadySetUp),
            Err(StoreError::Conflict) => return Err(AccountError::UsernameTaken(user.username).into()),
            Err(error) => return Err(error.into()),
        }
        // The token means nothing any more; a file that cannot be deleted must not undo what is stored.
        if let Err(cause) = self.token().await {
            log::warn!(event = "setup_link_kept", cause:% = cause; "the used set-up link could not be deleted");
        }
        Ok((login, user))
    }

    fn path(&self) -> PathBuf {
        self.data_dir.join(FILE_NAME)
    }
}

impl SetupToken {
    /// `None` if the text is no token at all.
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As it stands in a link.
    pub fn to_fragment(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for SetupToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupToken(..)")
    }
}

fn read(path: &Path) -> Option<SetupToken> {
    SetupToken::parse(fs::read_to_string(path).ok()?.trim())
}

/// Written beside and moved there whole: neither a crash nor another process that makes one too leaves half a token.
fn read_or_make(path: &Path) -> io::Result<SetupToken> {
    if let Some(token) = read(path) {
        return Ok(token);
    }
    let token = SetupToken(entropy::random());
    let beside = path.with_extension(format!("{:016x}", u64::from_be_bytes(entropy::random())));
    let made = write(&beside, &token).and_then(|()| match fs::hard_link(&beside, path) {
        // What lies there is another's that came first, or is no token.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && read(path).is_none() => fs::rename(&beside, path),
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        _ => Ok(()),
    });
    let _ = fs::remove_file(&beside);
    made?;
    read(path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// Root makes it for the daemon's user, to whom the folder belongs.
fn write(path: &Path, token: &SetupToken) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(token.to_fragment().as_bytes())?;
    file.sync_all()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let owner = fs::metadata(folder)?;
    if owner.uid() != file.metadata()?.uid() {
        chown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    File::open(folder)?.sync_all()
}

const FILE_NAME: &str = "setup.token";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::Store;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    #[tokio::test]
    async fn the_same_token_is_shown_until_it_is_used_and_then_none() {
        let (folder, setup) = fresh_box();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        assert_eq!(setup.clone().token().await.unwrap().unwrap().to_fragment(), token);
        let file = folder.path().join(FILE_NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let (login, ada) = set_up(&setup, &token, "ada").await.unwrap();
        assert_eq!(ada.role, Role::Admin);
        assert_eq!(setup.accounts.authenticate(&login).await.unwrap().unwrap().user, ada);
        assert!(!file.exists() && setup.token().await.unwrap().is_none());
        assert!(matches!(set_up(&setup, &token, "eve").await, Err(SetUpError::AlreadySetUp)));
    }

    #[tokio::test]
    async fn of_many_who_hold_the_link_one_is_the_admin() {
        let (_folder, setup) = fresh_box();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        let names = ["ada", "bea", "cy", "dan"];
        let answers = futures_util::future::join_all(names.map(|name| set_up(&setup, &token, name))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert_eq!(setup.accounts.list(None).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_admin_from_the_command_line_voids_the_link() {
        let (_folder, setup) = fresh_box();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        add(&setup, "mara", Role::Mentor).await;
        assert!(setup.is_needed().await.unwrap());
        add(&setup, "ada", Role::Admin).await;
        assert!(matches!(setup.prove(&token, SOURCE).await, Err(SetUpError::AlreadySetUp)));
        assert!(setup.token().await.unwrap().is_none());
    }

    /// Scenario: the first name is a mentor's already; the second try is made with the same link.
    #[tokio::test]
    async fn a_refused_name_leaves_the_link_as_it_was() {
        let (_folder, setup) = fresh_box();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        add(&setup, "mara", Role::Mentor).await;
        let taken = set_up(&setup, &token, "mara").await;
        assert!(matches!(taken, Err(SetUpError::Account(AccountError::UsernameTaken(_)))), "{taken:?}");
        assert!(set_up(&setup, &token, "ada").await.is_ok());
    }

    #[tokio::test]
    async fn wrong_tokens_are_refused_and_then_made_to_wait() {
        let (_folder, setup) = fresh_box();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        for wrong in ["", "%", "AAAAAAAAAAAAAAAAAAAAAA", &token[1..], "x"] {
            assert!(matches!(setup.prove(wrong, SOURCE).await, Err(SetUpError::Void)), "{wrong:?}");
        }
        assert!(matches!(setup.prove(&token, SOURCE).await, Err(SetUpError::TooManyAttempts { .. })));
        setup.prove(&token, IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2))).await.unwrap();
    }

    /// Scenario: power was lost while the file was written, or somebody edited it.
    #[tokio::test]
    async fn a_file_that_holds_no_token_is_made_anew() {
        let (folder, setup) = fresh_box();
        fs::write(folder.path().join(FILE_NAME), "half").unwrap();
        let token = setup.token().await.unwrap().unwrap().to_fragment();
        setup.prove(&token, SOURCE).await.unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().filter(|name| name.to_string_lossy().starts_with("setup.")).count() == 1, "{names:?}");
    }

    fn fresh_box() -> (tempfile::TempDir, Setup) {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(Accounts::new(Store::open(folder.path()).unwrap()), folder.path());
        (folder, setup)
    }

    async fn set_up(setup: &Setup, token: &str, name: &str) -> Result<(LoginToken, User), SetUpError> {
        let names = (name.parse().unwrap(), name.parse().unwrap());
        setup.set_up(token, names, "correct horse".parse().unwrap(), SOURCE).await
    }

    async fn add(setup: &Setup, name: &str, role: Role) {
        let password = "correct horse".parse().unwrap();
        setup.accounts.add(name.parse().unwrap(), name.parse().unwrap(), role, password).await.unwrap();
    }
}
