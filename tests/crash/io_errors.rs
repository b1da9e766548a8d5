//! The disk fails at the n-th call, for every n.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::child::{self, Writer};
use crate::{DATABASE, lost, rounds, trace};

#[test]
fn a_failure_of_any_one_call_is_no_false_success_no_damage_and_passes() {
    if !trace::is_permitted() {
        return;
    }
    for error in ["EIO", "ENOSPC"] {
        for call in ["pwrite64", "fsync", "ftruncate"] {
            for_each_call(call, error, "", |run| {
                assert_eq!(run.acknowledged.len(), child::STEADY_WRITES as usize, "{}", run.said);
                assert!(run.said.contains("\ndone\n") && !run.said.contains("\nkept "), "{}", run.said);
            });
        }
    }
}

#[test]
fn a_disk_that_fails_for_good_from_any_call_on_acknowledges_nothing_more() {
    if !trace::is_permitted() {
        return;
    }
    for (call, error) in [("fsync", "EIO"), ("pwrite64", "ENOSPC")] {
        for_each_call(call, error, "+", |run| {
            let (_, after) = run.said.split_once("refused ").unwrap_or_default();
            assert!(!after.contains("acknowledged "), "{}", run.said);
        });
    }
}

/// What one run of the writing process came to.
struct Run {
    said: String,
    acknowledged: BTreeSet<String>,
}

/// Lets the n-th `call` of each thread fail, and with "+" every later one, for one n after the other until none is left to fail. By
/// default some of them, evenly.
fn for_each_call(call: &str, error: &str, later: &str, check: impl Fn(&Run)) {
    let stride = if rounds(0) == 0 { 23 } else { 1 };
    for n in (1..).step_by(stride) {
        let folder = tempfile::tempdir().unwrap();
        let Some(run) = run(folder.path(), &format!("{call}:error={error}:when={n}{later}")) else {
            assert!(n > 1, "no {call} was ever made");
            return;
        };
        check(&run);
        let lost = lost(folder.path(), &run.acknowledged);
        assert_eq!(lost, Ok(BTreeSet::new()), "{error} at {call} {n}{later}: {}", run.said);
    }
}

/// `None` if nothing was left to fail.
fn run(folder: &std::path::Path, injection: &str) -> Option<Run> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let files = ["", "-wal", "-journal"].map(|companion| format!("{}{companion}", folder.join(DATABASE).display()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "0", "-e", "signal=none", "-e", &format!("inject={injection}"), "-o"]).arg(trace.path());
    for file in &files {
        strace.args(["-P", file]);
    }
    let output = strace.args(child::command(Writer::Steady, folder, "w")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{injection}: {said}");
    let acknowledged = said.lines().filter_map(child::acknowledged).collect();
    fs::read_to_string(trace.path()).unwrap().contains("(INJECTED)").then_some(Run { said, acknowledged })
}
