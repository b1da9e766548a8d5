//! The database: whether it is sound, and when it was last saved elsewhere.

use std::io::ErrorKind;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::report::size;
use super::{Finding, Subject};
use crate::data;
use crate::store::{self, StoreError};

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    // Who may not read the one may not read the other, which says so.
    std::iter::once(file(subject)).chain(backup(subject)).collect()
}

fn file(subject: &Subject) -> Finding {
    let shown = subject.config.server.data_dir.join(store::FILE_NAME).display().to_string();
    match store::glance(&subject.config.server.data_dir) {
        Ok(glance) => {
            let meaning = format!("{}, version {}", size(glance.bytes), glance.version);
            match glance.is_whole {
                Some(true) => Finding::ok("database.file", shown, format!("{meaning}, sound")),
                None => Finding::ok("database.file", shown, format!("{meaning}; too large to be read whole here, a backup does")),
                Some(false) => Finding::failure("database.file", shown, format!("{meaning}, damaged"))
                    .remedy("bring back a backup: `sudo systemctl stop visavis`, then `sudo visavis restore FILE`"),
            }
        }
        Err(StoreError::File { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
            Finding::note("database.file", shown, "there is none yet: the daemon makes it when it first starts")
        }
        Err(StoreError::File { cause, .. }) if cause.kind() == ErrorKind::PermissionDenied => {
            Finding::note("database.file", shown, "not read: this user may not").remedy("run `sudo visavis doctor`")
        }
        Err(error @ StoreError::TooNew { .. }) => Finding::failure("database.file", shown, error.to_string()),
        Err(StoreError::Busy) => Finding::warning("database.file", shown, "another program holds it, so nothing can be stored")
            .remedy("`sudo fuser -v` with this file shows which; end it"),
        Err(error) => Finding::failure("database.file", shown, format!("it cannot be read: {error}"))
            .remedy("bring back a backup: `sudo systemctl stop visavis`, then `sudo visavis restore FILE`"),
    }
}

fn backup(subject: &Subject) -> Option<Finding> {
    let remedy = "`sudo visavis backup FILE` writes one while calls go on; best to another disk, every night";
    let Some(last) = data::last_backup(&subject.config.server.data_dir).ok()? else {
        return Some(Finding::note("database.backup", "backup", "none was made yet").remedy(remedy));
    };
    let age = OffsetDateTime::parse(&last.made_at, &Rfc3339).map_or(0, |made| (OffsetDateTime::now_utc() - made).whole_days());
    let meaning = match age {
        ..=0 => "made today".to_owned(),
        1 => "made yesterday".to_owned(),
        days => format!("made {days} days ago"),
    };
    let shown = last.file.display().to_string();
    Some(if age > AGE_MAX {
        let meaning = format!("{meaning}: what happened since would be lost");
        Finding::warning("database.backup", shown, meaning).remedy(remedy)
    } else {
        Finding::ok("database.backup", shown, meaning)
    })
}

/// Days.
const AGE_MAX: i64 = 31;
