//! The log: the journal with structured fields when systemd started the daemon, readable lines on standard error otherwise.
//!
//! Records carry `event`, a word for programs, and fields such as `room`; in the journal they are `VISAVIS_EVENT=`, `VISAVIS_ROOM=`, so that
//! none is taken for a field of the journal's own (systemd.journal-fields(7)).

use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The journal if standard error is connected to it, else standard error.
    Auto,
    /// The journal.
    Journal,
    /// Standard error.
    Stderr,
}

/// Starts the log of this process.
///
/// # Errors
/// The journal was asked for and cannot be reached.
pub fn start(level: LevelFilter, target: Target) -> std::io::Result<()> {
    let to_journal = match target {
        Target::Auto => connected_to_journal(),
        Target::Journal => true,
        Target::Stderr => false,
    };
    let installed = if to_journal {
        let journal = JournalLog::new()?.with_syslog_identifier("visavis".to_owned());
        let journal = journal.with_extra_fields([("VISAVIS_VERSION", env!("CARGO_PKG_VERSION"))]);
        log::set_boxed_logger(Box::new(Journal(journal)))
    } else {
        let mut lines = env_logger::Builder::new();
        // The level of the whole log, which may change, is above these.
        lines.filter_level(LevelFilter::Warn).filter_module("visavis", LevelFilter::Trace).format_target(false).try_init()
    };
    set_level(level);
    // A log that stands already (a test's) stays.
    let _ = installed;
    Ok(())
}

/// Writes down what is as important as this, or more, from here on.
pub fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}

/// The journal, with a prefix to each field.
struct Journal(JournalLog);

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let fields = prefixed(record);
        let text = readable(record, &fields);
        self.0.log(&record.to_builder().key_values(&fields).args(format_args!("{text}")).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// What `journalctl` shows: the message and its fields, but for the program's word for it.
fn readable(record: &Record<'_>, fields: &[(String, Value<'_>)]) -> String {
    let mut text = record.args().to_string();
    for (name, value) in fields {
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        if name != "event" {
            text += &format!(" {name}={value}");
        }
    }
    text
}

fn prefixed<'r>(record: &'r Record<'_>) -> Vec<(String, Value<'r>)> {
    struct Fields<'v>(Vec<(String, Value<'v>)>);
    impl<'v> VisitSource<'v> for Fields<'v> {
        fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), kv::Error> {
            self.0.push((format!("{PREFIX}{key}"), value));
            Ok(())
        }
    }
    let mut fields = Fields(Vec::new());
    // Taking a field down never fails.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

const PREFIX: &str = "VISAVIS_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_record_is_marked_as_this_program_s() {
        let fields = [("event", "listening"), ("priority", "0")];
        let record = Record::builder().key_values(&fields).build();
        let marked = prefixed(&record);
        assert_eq!(readable(&record, &marked), " priority=0");
        let names: Vec<_> = marked.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(names, ["VISAVIS_event=listening", "VISAVIS_priority=0"]);
    }
}
