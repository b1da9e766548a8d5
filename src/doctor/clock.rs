//! The clock: certificates, sign-ins and attendance depend on it, and small boxes lose it with the power.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Finding, Subject};
use crate::store::{self, UnixMillis};
use crate::sys::clock::{Synchronised, synchronised};

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let newest = store::last_alive(&subject.config.server.data_dir);
    vec![set(UnixMillis::now(), newest), source(synchronised())]
}

fn set(now: UnixMillis, newest: Option<UnixMillis>) -> Finding {
    let shown = text(now);
    let remedy = "set it with `sudo timedatectl set-time`, or connect the box to a time server; then restart visavis";
    if now < EARLIEST {
        let meaning = "the clock is not set: this version of visavis is younger than that";
        return Finding::failure("clock.time", shown, meaning).remedy(remedy);
    }
    match newest {
        Some(newest) if newest.since(now) > TOLERANCE => {
            let meaning = format!("the clock went back: the database was last written on {}", text(newest));
            Finding::failure("clock.time", shown, meaning).remedy(remedy)
        }
        _ => Finding::ok("clock.time", shown, "the clock is set"),
    }
}

fn source(synchronised: Synchronised) -> Finding {
    match synchronised {
        Synchronised::Yes => Finding::ok("clock.source", "time server", "the clock is kept right"),
        Synchronised::Unknown => Finding::note("clock.source", "time server", "whether the clock is kept right cannot be seen from here"),
        Synchronised::No => Finding::note("clock.source", "time server", "nothing keeps the clock right, so it will drift")
            .remedy("install one: `sudo apt install systemd-timesyncd`; on a network without internet, name your own in timesyncd.conf"),
    }
}

fn text(at: UnixMillis) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.0 / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

/// 1 November 2026: no version of this program is older than that.
const EARLIEST: UnixMillis = UnixMillis(1_793_491_200_000);
/// Two machines' clocks, or a time server's correction, differ by less.
const TOLERANCE: std::time::Duration = std::time::Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_before_the_program_or_before_the_last_written_row_is_wrong() {
        let day = 86_400_000_i64;
        let at = |days| UnixMillis(EARLIEST.0 + days * day);
        for (now, newest, state) in [
            (UnixMillis(0), None, State::Failure),
            (at(10), None, State::Ok),
            (at(10), Some(at(9)), State::Ok),
            (at(10), Some(at(11)), State::Failure),
            (at(10), Some(UnixMillis(at(10).0 + 1000)), State::Ok),
        ] {
            assert_eq!(set(now, newest).state, state, "{now:?} {newest:?}");
        }
    }
}
