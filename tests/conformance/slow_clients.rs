//! slowhttptest: heads that do not end (slowloris), bodies that do not end, answers that are not read. Whatever it does, somebody else
//! is answered within a second.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::daemon::Daemon;

#[tokio::test(flavor = "multi_thread")]
async fn while_400_clients_are_slow_another_is_answered_within_a_second() {
    let daemon = Daemon::start();
    let attacks = ATTACKS.iter().map(|attack| start(&daemon, attack, 400, 8)).collect();
    hold_out(&daemon, "all at once", attacks).await;
}

/// `make test-conformance`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn while_2000_clients_are_slow_another_is_answered_within_a_second() {
    let daemon = Daemon::start();
    for attack in ATTACKS {
        let attacks = vec![start(&daemon, attack, 2000, 20)];
        hold_out(&daemon, attack[0], attacks).await;
    }
}

/// Asks four times a second while the attacks go on.
async fn hold_out(daemon: &Daemon, name: &str, mut attacks: Vec<Child>) {
    let (mut longest, mut probes) = (Duration::ZERO, 0);
    let ended = async {
        for attack in &mut attacks {
            assert!(attack.wait().await.unwrap().success(), "slowhttptest failed");
        }
    };
    tokio::pin!(ended);
    let mut ticks = tokio::time::interval(PROBE_EVERY);
    loop {
        tokio::select! {
            () = &mut ended => break,
            _ = ticks.tick() => {
                longest = longest.max(daemon.probe().await);
                probes += 1;
            }
        }
    }
    println!("{name}: {probes} probes, the longest took {longest:?}");
    assert!(probes > 10 && longest < Duration::from_secs(1), "{name}: {probes} probes, the longest took {longest:?}");
}

fn start(daemon: &Daemon, attack: &[&str], connections: u32, seconds: u32) -> Child {
    let url = format!("https://localhost:{}/", daemon.port);
    let number = |number: u32| number.to_string();
    let mut command = Command::new("slowhttptest");
    command.args(attack).args([
        "-c",
        &number(connections),
        "-r",
        &number(connections),
        "-l",
        &number(seconds),
        "-p",
        "1",
        "-u",
        &url,
    ]);
    command.stdout(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("slowhttptest cannot be run: apt-get install slowhttptest")
}

/// A bit of head, or of body, every second; a byte of the answer every second, in a window of a few.
const ATTACKS: &[&[&str]] = &[
    &["-H", "-i", "1", "-x", "8"],
    &["-B", "-i", "1", "-x", "8", "-s", "8192"],
    &["-X", "-k", "3", "-w", "10", "-y", "20", "-n", "1", "-z", "1"],
];
const PROBE_EVERY: Duration = Duration::from_millis(250);
