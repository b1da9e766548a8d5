//! What systemd says of the daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Daemon, Finding, Subject};

/// Nothing where there is no systemd, and within the daemon, which leaves other programs alone.
pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    if subject.daemon == Daemon::Here || !Path::new("/run/systemd/system").exists() {
        return Vec::new();
    }
    let mut show = Command::new("systemctl");
    show.args(["show", UNIT, "--property=LoadState,ActiveState,SubState,Result,NRestarts,WatchdogUSec,UnitFileState"]);
    let Ok(output) = show.stdin(Stdio::null()).stderr(Stdio::null()).output() else { return Vec::new() };
    judge(&String::from_utf8_lossy(&output.stdout))
}

fn judge(properties: &str) -> Vec<Finding> {
    let properties: BTreeMap<_, _> = properties.lines().filter_map(|line| line.split_once('=')).collect();
    let of = |name| properties.get(name).copied().unwrap_or_default();
    if of("LoadState") != "loaded" {
        return vec![
            Finding::note("service.unit", UNIT, "systemd has no such unit, so nothing starts the daemon with the box")
                .remedy("install the package, or copy systemd/visavis.service to /etc/systemd/system"),
        ];
    }
    let restarts: u32 = of("NRestarts").parse().unwrap_or(0);
    let state = match of("ActiveState") {
        "active" if restarts > 0 => {
            Finding::warning("service.unit", UNIT, format!("it runs, but had to be started again {restarts} times"))
                .remedy("`journalctl -u visavis -p warning` says why")
        }
        "active" => Finding::ok("service.unit", UNIT, "it runs"),
        "failed" => Finding::failure("service.unit", UNIT, format!("it failed ({})", of("Result")))
            .remedy("`journalctl -u visavis -n 50` says why; `sudo systemctl restart visavis` tries again"),
        other => Finding::failure("service.unit", UNIT, format!("it is {other} ({})", of("SubState")))
            .remedy("start it with `sudo systemctl start visavis`"),
    };
    let enabled = (of("UnitFileState") == "disabled").then(|| {
        Finding::warning("service.start", UNIT, "it does not start with the box").remedy("`sudo systemctl enable visavis`")
    });
    let watchdog = matches!(of("WatchdogUSec"), "0" | "" | "infinity").then(|| {
        Finding::note("service.watchdog", UNIT, "nobody restarts the daemon if it hangs")
            .remedy("set WatchdogSec=15s in the unit, as the package's has it")
    });
    std::iter::once(state).chain(enabled).chain(watchdog).collect()
}

const UNIT: &str = "visavis.service";

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_unit_is_judged_by_what_systemctl_shows() {
        let states = |properties: &str| judge(properties).iter().map(|finding| finding.state).collect::<Vec<_>>();
        let sound =
            "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\nWatchdogUSec=15s\nUnitFileState=enabled\n";
        assert_eq!(states(sound), [State::Ok]);
        assert_eq!(states(&sound.replace("NRestarts=0", "NRestarts=3")), [State::Warning]);
        assert_eq!(states(&sound.replace("ActiveState=active", "ActiveState=failed")), [State::Failure]);
        assert_eq!(states(&sound.replace("ActiveState=active", "ActiveState=inactive")), [State::Failure]);
        assert_eq!(states(&sound.replace("15s", "0")), [State::Ok, State::Note]);
        assert_eq!(states(&sound.replace("enabled", "disabled")), [State::Ok, State::Warning]);
        assert_eq!(states("LoadState=not-found\nActiveState=inactive\n"), [State::Note]);
        assert_eq!(states(""), [State::Note]);
    }
}
