//! The data folder, and the one secret in it that is neither the database's nor a certificate's.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use crate::proto::credential::CredentialSecret;
use crate::sys::entropy;

/// Makes the data folder, for its owner alone, if there is none.
///
/// # Errors
/// What could not be made, with its remedy.
pub fn make_data_dir(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| {
        format!("cannot make {}: make it and give it to the daemon's user, or set server.data-dir", path.display())
    })
}

/// The secret that signs TURN credentials: made once, so that they outlive a restart.
pub(super) fn credential_secret(data_dir: &Path) -> Result<CredentialSecret> {
    let path = data_dir.join("turn.key");
    let context = || format!("cannot use {}: give it to the daemon's user, or delete it to have it made anew", path.display());
    match std::fs::read(&path) {
        Ok(secret) if secret.len() >= SECRET_BYTES => Ok(CredentialSecret::new(&secret)),
        _ => {
            let secret: [u8; SECRET_BYTES] = entropy::random();
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).with_context(context)?;
            file.write_all(&secret).with_context(context)?;
            Ok(CredentialSecret::new(&secret))
        }
    }
}

const SECRET_BYTES: usize = 32;
