//! What was found, in the words of the person who asked.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How bad it is; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works; something about it is good to know.
    Note,
    /// Works for some, or not for long.
    Warning,
    /// Does not work.
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word for programs; what stands before its first dot is the family.
    pub check: &'static str,
    /// How bad it is.
    pub state: State,
    /// What was looked at: a name, an address, a file.
    pub subject: String,
    /// What that means.
    pub meaning: String,
    /// What to do; `None` where nothing need be done.
    pub remedy: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of this program.
    pub visavis: &'static str,
    /// RFC 3339 in UTC.
    pub examined_at: String,
    /// Whether a daemon runs.
    pub running: bool,
    /// The worst of all.
    pub state: State,
    /// In the order in which they are told.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of these findings, now.
    pub fn new(running: bool, findings: Vec<Finding>) -> Self {
        let now = OffsetDateTime::now_utc();
        let examined_at = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
        let state = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
        Self { visavis: env!("CARGO_PKG_VERSION"), examined_at, running, state, findings }
    }

    /// Of the program: 0 if all is well, 1 with warnings, 2 with failures.
    pub fn exit_code(&self) -> u8 {
        match self.state {
            State::Ok | State::Note => 0,
            State::Warning => 1,
            State::Failure => 2,
        }
    }
}

impl Finding {
    pub(super) fn ok(check: &'static str, subject: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(State::Ok, check, subject, meaning)
    }

    pub(super) fn note(check: &'static str, subject: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(State::Note, check, subject, meaning)
    }

    pub(super) fn warning(check: &'static str, subject: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(State::Warning, check, subject, meaning)
    }

    pub(super) fn failure(check: &'static str, subject: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(State::Failure, check, subject, meaning)
    }

    pub(super) fn new(state: State, check: &'static str, subject: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { check, state, subject: subject.into(), meaning: meaning.into(), remedy: None }
    }

    /// What its check looks after, such as `certificate`.
    pub fn family(&self) -> &'static str {
        self.check.split('.').next().unwrap_or_default()
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// Bytes as a person reads them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides() {
        let code = |states: &[State]| {
            let findings = states.iter().map(|state| Finding::new(*state, "x", "", "")).collect();
            Report::new(true, findings).exit_code()
        };
        assert_eq!(code(&[]), 0);
        assert_eq!(code(&[State::Note, State::Ok]), 0);
        assert_eq!(code(&[State::Warning, State::Ok, State::Note]), 1);
        assert_eq!(code(&[State::Ok, State::Failure, State::Warning]), 2);
    }
}
