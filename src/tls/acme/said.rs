//! What the task has said, so that a failure fills no log: an error when its reason is new, then a warning a day.

use std::time::Duration;

use super::plan::UnixSeconds;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Said {
    refusal: Option<String>,
    doubt: Option<String>,
    told_at: UnixSeconds,
}

impl Said {
    /// Whether this reason for a failure is to be told.
    pub(super) fn is_new(&mut self, words: &str, now: UnixSeconds) -> bool {
        let new = self.refusal.as_deref() != Some(words);
        if new {
            self.told_at = now;
        }
        self.refusal = Some(words.to_owned());
        new
    }

    /// The reason, if it still stands and was not told for a day.
    pub(super) fn reminder(&mut self, now: UnixSeconds) -> Option<&str> {
        let refusal = self.refusal.as_deref().filter(|_| now.since(self.told_at) >= REMIND_EVERY)?;
        self.told_at = now;
        Some(refusal)
    }

    /// What failed is over.
    pub(super) fn succeeded(&mut self) {
        self.refusal = None;
    }

    /// Whether this doubt of the clock is to be told.
    pub(super) fn doubts_anew(&mut self, why: &str) -> bool {
        let new = self.doubt.as_deref() != Some(why);
        self.doubt = Some(why.to_owned());
        new
    }

    /// Whether the clock was doubted until now.
    pub(super) fn trusts_again(&mut self) -> bool {
        self.doubt.take().is_some()
    }
}

const REMIND_EVERY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_and_again_when_its_reason_is_another() {
        let mut said = Said::default();
        assert!(said.is_new("down", NOW));
        assert!(!said.is_new("down", NOW.after(REMIND_EVERY * 9)));
        assert!(said.is_new("refused", NOW));
        said.succeeded();
        assert!(said.is_new("refused", NOW));
    }

    #[test]
    fn a_failure_that_stands_is_recalled_once_a_day() {
        let mut said = Said::default();
        assert_eq!(said.reminder(NOW), None);
        said.is_new("down", NOW);
        assert_eq!(said.reminder(NOW.after(REMIND_EVERY / 2)), None);
        assert_eq!(said.reminder(NOW.after(REMIND_EVERY)), Some("down"));
        assert_eq!(said.reminder(NOW.after(REMIND_EVERY)), None);
        assert_eq!(said.reminder(NOW.after(REMIND_EVERY * 2)), Some("down"));
        said.succeeded();
        assert_eq!(said.reminder(NOW.after(REMIND_EVERY * 9)), None);
    }

    #[test]
    fn a_doubt_of_the_clock_is_told_once() {
        let mut said = Said::default();
        assert!(said.doubts_anew("early") && !said.doubts_anew("early") && said.doubts_anew("earlier"));
        assert!(said.trusts_again() && !said.trusts_again());
    }

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
}
