//! Files that systemd hands to the daemon alone (systemd.exec(5), `LoadCredential=`): a path such as `credential:tls.key` names one.

use std::path::{Path, PathBuf};

/// Where the file is that a path of the configuration names.
pub fn path(written: &Path) -> PathBuf {
    resolve(written, std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from))
}

/// Without systemd the folder is named all the same, so that what cannot be read says where it was looked for.
fn resolve(written: &Path, folder: Option<PathBuf>) -> PathBuf {
    let folder = || folder.unwrap_or_else(|| PathBuf::from("/run/credentials/visavis.service"));
    let name = written.to_str().and_then(|written| written.strip_prefix(PREFIX));
    name.map_or_else(|| written.to_owned(), |name| folder().join(name))
}

const PREFIX: &str = "credential:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_in_the_folder_that_systemd_gave_and_a_path_is_itself() {
        let given = || Some(PathBuf::from("/run/credentials/x"));
        assert_eq!(resolve(Path::new("credential:tls.key"), given()), Path::new("/run/credentials/x/tls.key"));
        assert_eq!(resolve(Path::new("credential:tls.key"), None), Path::new("/run/credentials/visavis.service/tls.key"));
        assert_eq!(resolve(Path::new("/etc/tls.key"), given()), Path::new("/etc/tls.key"));
    }
}
