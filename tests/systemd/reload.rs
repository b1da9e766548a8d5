//! `systemctl reload`: SIGHUP, and what systemd hears of it.

use std::io::{BufRead, BufReader};
use std::process::ChildStderr;

use crate::manager::{Daemon, ServiceManager, free_ports, write_config};

#[test]
fn a_reload_takes_over_what_may_change_and_names_what_needs_a_restart() {
    let (mut manager, (tcp, udp)) = (ServiceManager::new(), free_ports());
    let mut daemon = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[]);
    let mut log = lines(&mut daemon);
    manager.wait_for("READY=1");
    let more = "realm = \"school\"\ndeny-peers = [\"10.0.0.0/8\"]\n[rooms]\nparticipants-max = 6\n[log]\nlevel = \"debug\"\n";
    write_config(manager.folder.path(), tcp, udp, more);
    daemon.signal("HUP");
    let told = manager.wait_for("RELOADING=1");
    assert!(told.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{told}");
    manager.wait_for("READY=1");
    let said = until(&mut log, "needs_restart");
    for live in ["log.level", "rooms.participants-max", "turn.deny-peers"] {
        assert!(said.iter().any(|line| line.contains(&format!("event=reloaded key={live}"))), "{live}: {said:?}");
    }
    assert!(said.last().unwrap().contains("key=turn.realm"), "{said:?}");
    // Nothing is said twice, but what still waits for a restart is.
    daemon.signal("HUP");
    let said = until(&mut log, "needs_restart");
    assert!(!said.iter().any(|line| line.contains("event=reloaded")), "{said:?}");
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
}

#[test]
fn a_broken_configuration_changes_nothing_and_every_mistake_is_named() {
    let (mut manager, (tcp, udp)) = (ServiceManager::new(), free_ports());
    let mut daemon = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[]);
    let mut log = lines(&mut daemon);
    manager.wait_for("READY=1");
    let more = "relm = \"x\"\n[rooms]\nparticipants-max = 99\n[log]\nlevel = \"error\"\n";
    write_config(manager.folder.path(), tcp, udp, more);
    daemon.signal("HUP");
    manager.wait_for("RELOADING=1");
    manager.wait_for("READY=1");
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
    let said = until(&mut log, "event=stopped");
    for key in ["turn.relm", "rooms.participants-max"] {
        assert!(said.iter().any(|line| line.contains(&format!("event=reload_refused key={key}"))), "{key}: {said:?}");
    }
    assert!(!said.iter().any(|line| line.contains("event=reloaded")), "{said:?}");
}

fn lines(daemon: &mut Daemon) -> std::io::Lines<BufReader<ChildStderr>> {
    BufReader::new(daemon.0.stderr.take().unwrap()).lines()
}

/// What is logged up to a line with this in it.
fn until(log: &mut std::io::Lines<BufReader<ChildStderr>>, sign: &str) -> Vec<String> {
    let mut said = Vec::new();
    for line in log {
        said.push(line.unwrap());
        if said.last().is_some_and(|line| line.contains(sign)) {
            return said;
        }
    }
    panic!("no {sign}: {said:?}");
}
