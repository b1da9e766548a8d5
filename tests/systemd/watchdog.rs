//! Signs of life, and what is none.

use std::time::{Duration, Instant};

use crate::manager::{ServiceManager, free_ports, write_config};

#[test]
fn a_daemon_that_works_says_so_again_and_again_over_tls_too() {
    let mut manager = ServiceManager::new();
    let (tcp, udp) = free_ports();
    let config = write_config(manager.folder.path(), tcp, udp, "");
    let text = std::fs::read_to_string(&config).unwrap().replace("source = \"off\"", "source = \"local-ca\"");
    std::fs::write(&config, text.replace("listen-tcp = []", "listen-tcp = [\"127.0.0.1:0\"]\nlisten-tls = [\"127.0.0.1:0\"]"))
        .unwrap();
    let daemon = manager.start(&config, &[PERIOD]);
    for _ in 0..4 {
        manager.wait_for("WATCHDOG=1");
    }
    daemon.stop();
}

/// Scenario: a backup tool holds the database, and calls go on meanwhile.
#[test]
fn a_database_that_somebody_holds_is_no_hang() {
    let mut manager = ServiceManager::new();
    let (tcp, udp) = free_ports();
    let daemon = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[PERIOD]);
    manager.wait_for("WATCHDOG=1");
    let other = rusqlite::Connection::open(manager.folder.path().join("data/visavis.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for _ in 0..4 {
        manager.wait_for("WATCHDOG=1");
    }
    drop(other);
    daemon.stop();
}

#[test]
fn a_daemon_that_is_not_watched_says_nothing() {
    let mut manager = ServiceManager::new();
    let (tcp, udp) = free_ports();
    let daemon = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[]);
    manager.wait_for("READY=1");
    assert_eq!(manager.hear(Instant::now() + Duration::from_millis(300)), None);
    daemon.stop();
}

/// Of 600 ms, so that a sign comes every 300.
const PERIOD: (&str, &str) = ("WATCHDOG_USEC", "600000");
