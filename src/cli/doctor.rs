//! `visavis doctor`

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::{DEFAULT_CONFIG, serve};
use crate::app;
use crate::config;
use crate::doctor::{self, Finding, Report, State};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Write JSON for programs: HealthReport of docs/openapi.yaml
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let report = match config::load(&args.config) {
        Ok(config) => {
            let subject = app::subject(config, args.config.clone());
            let runtime = serve::runtime()?;
            let report = runtime.block_on(doctor::examine(subject));
            // What a disk that does not answer still holds is not waited for.
            runtime.shutdown_background();
            report
        }
        Err(error) => Report::new(false, doctor::problems(&error)),
    };
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        page(&report, if stdout().is_terminal() { &SYMBOLS } else { &WORDS })
    };
    // Whoever reads may have seen enough.
    let _ = stdout().write_all(text.as_bytes());
    Ok(ExitCode::from(report.exit_code()))
}

/// How each state is shown.
struct Marks {
    ok: &'static str,
    note: &'static str,
    warning: &'static str,
    failure: &'static str,
    arrow: &'static str,
    bold: &'static str,
    plain: &'static str,
    /// Columns before the text.
    indent: usize,
}

impl Marks {
    const fn of(&self, state: State) -> &'static str {
        match state {
            State::Ok => self.ok,
            State::Note => self.note,
            State::Warning => self.warning,
            State::Failure => self.failure,
        }
    }
}

/// Each family under its title, each finding with its remedy, and at the end how many there were of each.
fn page(report: &Report, marks: &Marks) -> String {
    let mut page = String::new();
    let mut family = "";
    for finding in &report.findings {
        if finding.family() != family {
            family = finding.family();
            page += &format!("\n{}{}{}\n", marks.bold, title(family), marks.plain);
        }
        page += &lines(finding, marks);
    }
    page + &format!("\n{}\n", summary(report))
}

fn lines(finding: &Finding, marks: &Marks) -> String {
    let (mark, indent) = (marks.of(finding.state), " ".repeat(marks.indent));
    let told = format!("{}: {}", finding.subject, finding.meaning);
    let mut lines = String::new();
    for (index, line) in wrapped(&told).into_iter().enumerate() {
        lines += &if index == 0 { format!("  {mark} {line}\n") } else { format!("{indent}{line}\n") };
    }
    for (index, line) in finding.remedy.iter().flat_map(|remedy| wrapped(remedy)).enumerate() {
        let arrow = if index == 0 { marks.arrow } else { "  " };
        lines += &format!("{indent}{arrow} {line}\n");
    }
    lines
}

fn summary(report: &Report) -> String {
    let count = |state| report.findings.iter().filter(|finding| finding.state == state).count();
    let many = |count: usize, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    };
    let (failures, warnings, notes) = (count(State::Failure), count(State::Warning), count(State::Note));
    let told = [many(failures, "failure", "failures"), many(warnings, "warning", "warnings"), many(notes, "note", "notes")];
    let verdict = match report.state {
        State::Ok | State::Note => "This box is well",
        State::Warning => "This box works, but needs your care",
        State::Failure => "This box does not work as it should",
    };
    format!("{verdict}: {}.", told.join(", "))
}

const fn title(family: &str) -> &str {
    match family.as_bytes() {
        b"daemon" => "Daemon",
        b"configuration" => "Configuration",
        b"names" => "Names",
        b"certificate" => "Certificate",
        b"clock" => "Clock",
        b"ports" => "Ports",
        b"relay" => "Relay",
        b"router" => "Router",
        b"disk" => "Disk",
        b"database" => "Database",
        b"files" => "Files",
        b"limits" => "Limits",
        b"memory" => "Memory",
        b"service" => "Service",
        _ => family,
    }
}

/// Lines of at most [`WIDTH`] characters, broken at spaces. Names of files come from others, and must not speak to the terminal.
fn wrapped(text: &str) -> Vec<String> {
    let text = text.replace(|letter: char| letter.is_control() && !letter.is_whitespace(), "?");
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= WIDTH) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

const SYMBOLS: Marks = Marks {
    ok: "\x1b[32m✓\x1b[0m",
    note: "\x1b[34m•\x1b[0m",
    warning: "\x1b[33m▲\x1b[0m",
    failure: "\x1b[1;31m✗\x1b[0m",
    arrow: "→",
    bold: "\x1b[1m",
    plain: "\x1b[0m",
    indent: 4,
};

const WORDS: Marks = Marks {
    ok: "ok     ",
    note: "note   ",
    warning: "warning",
    failure: "failure",
    arrow: "->",
    bold: "",
    plain: "",
    indent: 10,
};

const WIDTH: usize = 96;

pub(super) const HELP: &str = "\
It changes nothing and asks nobody outside of this box but its own outside address. With the daemon stopped it checks what can be checked.
Run it with sudo to have everything checked.

Exit code: 0 if all is well (notes are), 1 with warnings, 2 with failures.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_name_says_nothing_to_the_terminal() {
        assert_eq!(wrapped("not its own:\u{1b}]0;title\u{7} \u{9b}2J"), ["not its own:?]0;title? ?2J"]);
    }
}
