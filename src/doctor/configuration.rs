//! The configuration, and whether a daemon runs with it.

use super::{Daemon, Finding, Subject};
use crate::config::ConfigError;

pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    vec![daemon(subject), sound(subject)]
}

fn daemon(subject: &Subject) -> Finding {
    let folder = subject.config.server.data_dir.display().to_string();
    match subject.daemon {
        Daemon::Here => Finding::ok("daemon", "visavis", "the daemon runs"),
        Daemon::Process(process) => Finding::ok("daemon", "visavis", format!("the daemon runs (process {process})")),
        Daemon::Stopped => Finding::failure("daemon", "visavis", format!("no daemon uses {folder}, so nobody can make calls"))
            .remedy("start it with `sudo systemctl start visavis`; `journalctl -u visavis` says why it ended"),
    }
}

/// It was read and proved.
fn sound(subject: &Subject) -> Finding {
    let file = subject.config_file.as_ref().map(|file| file.display().to_string());
    Finding::ok("configuration.file", file.unwrap_or_else(|| "configuration".to_owned()), "every key is sound")
}

/// What is wrong with a configuration; nothing else can be examined then.
pub fn problems(error: &ConfigError) -> Vec<Finding> {
    let of = |problem: &crate::config::Problem| {
        let line = problem.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let subject = if problem.key.is_empty() { "configuration".to_owned() } else { problem.key.clone() };
        Finding::failure("configuration.file", format!("{subject}{line}"), problem.what.clone()).remedy(problem.remedy.clone())
    };
    error.problems().iter().map(of).collect()
}
