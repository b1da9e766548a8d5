//! The log: the journal with structured fields when systemd started the daemon, readable lines on standard error otherwise.
//!
//! Records carry `event`, a word for programs, and fields such as `room`; in the journal they are `EVENT=`, `ROOM=`.

use log::LevelFilter;
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
        journal.with_extra_fields([("VISAVIS_VERSION", env!("CARGO_PKG_VERSION"))]).install()
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
