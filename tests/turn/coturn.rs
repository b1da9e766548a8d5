//! coturn's `turnutils_stunclient` and `turnutils_uclient` (Debian package `coturn`).

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::{SHARED_SECRET, daemon, daemon_with};

#[tokio::test(flavor = "multi_thread")]
async fn stunclient_gets_its_address() {
    for (listen, own) in [("127.0.0.1:0", "127.0.0.1:"), ("[::1]:0", "::1:")] {
        let folder = tempfile::tempdir().unwrap();
        let (app, address) = daemon(&folder, listen).await;
        let told = text(&run("turnutils_stunclient", &["-p", &address.port().to_string(), &address.ip().to_string()]).await);
        assert!(told.contains(&format!("UDP reflexive addr: {own}")), "{told}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_loses_nothing_between_two_clients_of_the_relay() {
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        uclient_completes(listen, Over::Udp, &["-y"]).await;
        uclient_completes(listen, Over::Udp, &["-y", "-s"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_loses_nothing_between_three_shards() {
    uclients_complete("127.0.0.1:0", Over::Udp, &["-y"], 8, "shards = 3").await;
    uclients_complete("[::1]:0", Over::Udp, &["-y", "-s"], 8, "shards = 3").await;
    uclients_complete("127.0.0.1:0", Over::Tcp, &["-y", "-s"], 8, "shards = 3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_loses_nothing_over_tcp() {
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        uclient_completes(listen, Over::Tcp, &["-y"]).await;
        uclient_completes(listen, Over::Tcp, &["-y", "-s"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_relays_over_tls() {
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        uclient_completes(listen, Over::Tls, &["-y"]).await;
        uclient_completes(listen, Over::Tls, &["-y", "-s"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_relays_over_the_port_of_the_page() {
    uclient_completes("127.0.0.1:0", Over::Https, &["-y"]).await;
    uclient_completes("127.0.0.1:0", Over::Https, &["-y", "-s"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_loses_nothing_to_a_peer_outside() {
    let peer = Peer::start();
    let port = peer.port.to_string();
    for over in [Over::Udp, Over::Tcp] {
        uclient_completes("127.0.0.1:0", over, &["-e", "127.0.0.1", "-r", &port]).await;
        uclient_completes("127.0.0.1:0", over, &["-s", "-e", "127.0.0.1", "-r", &port]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uclient_is_refused_with_another_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let refused = uclient(address, "another secret", &["-m", "2", "-y"]).await;
    assert!(!refused.status.success() && text(&refused).contains("Cannot complete Allocation"), "{}", text(&refused));
    app.stop().await;
}

/// How the client reaches the relay.
#[derive(Debug, Clone, Copy)]
enum Over {
    Udp,
    Tcp,
    Tls,
    /// TLS on the page's own port.
    Https,
}

/// Two clients.
async fn uclient_completes(listen: &str, over: Over, arguments: &[&str]) {
    uclients_complete(listen, over, arguments, 2, "").await;
}

/// So many clients, a hundred messages each, with a credential of the shared secret; `more` goes to the `[turn]` section.
async fn uclients_complete(listen: &str, over: Over, arguments: &[&str], clients: usize, more: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (app, udp) = daemon_with(&folder, listen, &format!("allow-peers = [\"127.0.0.0/8\"]\n{more}")).await;
    let (address, flags): (_, &[&str]) = match over {
        Over::Udp => (udp, &[]),
        Over::Tcp => (app.turn_tcp_addresses()[0], &["-t"]),
        Over::Tls => (app.turn_tls_addresses()[0], &["-t", "-S"]),
        Over::Https => (app.http_addresses()[0], &["-t", "-S"]),
    };
    let (clients, bytes) = (clients.to_string(), clients * 10_000);
    let arguments = &[flags, &["-m", &clients], arguments].concat();
    let output = uclient(address, SHARED_SECRET, arguments).await;
    let told = text(&output);
    assert!(output.status.success() && told.contains(&format!("tot_send_bytes ~ {bytes}")), "{listen} {arguments:?}:\n{told}");
    // Within TLS uclient itself misses messages that share a record (from coturn too); `client` proves that none is lost there.
    let all = told.contains("Total lost packets 0 (0.000000%)") && told.contains(&format!("tot_recv_bytes ~ {bytes}"));
    assert!(all || matches!(over, Over::Tls | Over::Https), "{listen} {arguments:?}:\n{told}");
    app.stop().await;
}

async fn uclient(address: SocketAddr, secret: &str, arguments: &[&str]) -> Output {
    let (port, ip) = (address.port().to_string(), address.ip().to_string());
    let fixed = ["-u", "alice", "-W", secret, "-c", "-n", "100", "-z", "10", "-p", &port];
    run("turnutils_uclient", &[&fixed[..], arguments, &[&ip]].concat()).await
}

/// coturn's echoing peer, ended when dropped.
struct Peer {
    process: Child,
    port: u16,
}

impl Peer {
    /// On a port of its own. It lives on without one when its bind fails, so only an echo tells that it listens; whoever took the port first,
    /// the next one is tried.
    fn start() -> Self {
        (0..20).map(|_| Self::on(free_port())).find(Self::echoes).expect("turnutils_peer echoes on one of twenty ports")
    }

    fn on(port: u16) -> Self {
        let mut command = std::process::Command::new("turnutils_peer");
        command.args(["-L", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        Self { process: command.spawn().expect(MISSING), port }
    }

    fn echoes(&self) -> bool {
        let asking = UdpSocket::bind("127.0.0.1:0").unwrap();
        asking.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        asking.connect(("127.0.0.1", self.port)).unwrap();
        (0..40).any(|_| {
            let answer = asking.send(b"anybody there?").and_then(|_| asking.recv(&mut [0; 64]));
            if answer.is_err() {
                // Refused at once while nothing listens.
                std::thread::sleep(Duration::from_millis(25));
            }
            answer.is_ok()
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(60), command.output()).await.expect("it ends by itself").expect(MISSING)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const MISSING: &str = "coturn's tools are missing: apt-get install coturn, or make prerequisites";
