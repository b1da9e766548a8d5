//! What the numbers of every bench were measured on: cores, limits, processes, and how much else ran there.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A processor core, by the kernel's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Core(pub(crate) usize);

impl Core {
    /// Moves this process to the core, for good.
    pub(crate) fn take(self) -> Result<()> {
        let own = std::process::id().to_string();
        run("taskset", &["-cp", &self.0.to_string(), &own])
    }

    /// A command that starts `program` on the core, under the same process id.
    pub(crate) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &self.0.to_string()]).arg(program);
        command
    }

    /// Time that programs have run on the core, softirqs left out: they are on whoever's account the relaying is.
    #[allow(dead_code, reason = "not every bench looks at it")]
    pub(crate) fn busy(self) -> Duration {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let name = format!("cpu{} ", self.0);
        let ticks = stat.lines().find_map(|line| line.strip_prefix(&name)).map(|fields| {
            let fields = fields.split_whitespace().take(3);
            fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
        });
        Duration::from_millis(ticks.unwrap_or_default() * TICK_MILLIS)
    }
}

/// Lets this process and the servers it starts open as many files as the system allows.
pub(crate) fn raise_open_files() -> Result<()> {
    let own = std::process::id().to_string();
    let limits = fs::read_to_string("/proc/self/limits").context("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).context("no limit of open files")?;
    let hard = line.split_whitespace().nth(4).context("no hard limit of open files")?;
    run("prlimit", &["--pid", &own, &format!("--nofile={hard}:{hard}")])
}

/// The lines on top of the table.
pub(crate) fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(": ")?.1.to_owned())
    };
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let model = value("model name").unwrap_or_else(|| "unknown processor".to_owned());
    let virtual_machine = if cpuinfo.contains(" hypervisor") { ", virtual machine" } else { "" };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("machine: {cores} cores, {model}{virtual_machine}, Linux {}\n{}", kernel.trim(), load_average())
}

/// Processor time of a process, threads that have ended included, in steps of 10 ms.
#[allow(dead_code, reason = "not every bench looks at it")]
pub(crate) fn processor_time_of_all(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').context("stat has no name")?;
    let user_and_system = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = user_and_system.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * TICK_MILLIS))
}

/// Processor time of the threads that a process has now, which the scheduler counts in nanoseconds.
#[allow(dead_code, reason = "not every bench looks at it")]
pub(crate) fn processor_time(process: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while we look.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanos += text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanos))
}

/// Bytes of memory that are a process's own and written to.
pub(crate) fn anonymous_bytes(process: u32) -> Result<u64> {
    memory(process, "Anonymous:")
}

/// The same, and what it has read of its program.
#[allow(dead_code, reason = "not every bench looks at it")]
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    memory(process, "Rss:")
}

fn memory(process: u32, name: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a line of smaps_rollup is missing")?;
    let kilobytes: u64 = line.split_whitespace().next().context("smaps_rollup has no number")?.parse()?;
    Ok(kilobytes * 1024)
}

/// Who else was there.
pub(crate) fn load_average() -> String {
    format!("load average: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim())
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} cannot be run: apt-get install util-linux"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// USER_HZ is 100 on every architecture that Debian has.
const TICK_MILLIS: u64 = 10;

/// Whether a program lives, and the end of its log.
pub(crate) fn last_words(child: &mut Child, log: &Path) -> String {
    let state = match child.try_wait() {
        Ok(Some(status)) => format!("it has ended, with {status}"),
        _ => "it is still there".to_owned(),
    };
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    [&[state.as_str()], &lines[lines.len().saturating_sub(LAST_WORDS)..]].concat().join("\n")
}

/// Lines of a log.
const LAST_WORDS: usize = 20;
