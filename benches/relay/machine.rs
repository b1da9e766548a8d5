//! What the numbers were measured on: cores, limits, and how much else ran there.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
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
    let coturn = Command::new("turnserver").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let coturn = String::from_utf8_lossy(&coturn);
    let mut text = String::new();
    let _ = writeln!(text, "machine: {cores} cores, {model}{virtual_machine}, Linux {}", kernel.trim());
    let _ = writeln!(text, "visavis {}, coturn {}", env!("CARGO_PKG_VERSION"), coturn.lines().last().unwrap_or("?").trim());
    text + &load_average()
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
