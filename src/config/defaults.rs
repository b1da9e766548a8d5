//! The value of each key that a file leaves out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::file::{Http, HumanDuration, Limits, Metrics, PortRange, Rooms, Secret, Server, Turn};
use super::shards::Shards;
use crate::proto::room::LobbyPolicy;

impl Default for Server {
    fn default() -> Self {
        Self { public_name: String::new(), data_dir: PathBuf::from("/var/lib/visavis") }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: any_address(443), public_port: 0, redirect_listen: any_address(80), trusted_proxies: Vec::new() }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            listen_udp: any_address(3478),
            listen_tcp: any_address(3478),
            listen_tls: any_address(5349),
            realm: "visavis".to_owned(),
            external_addresses: Vec::new(),
            relay_ports: PortRange(49152..=65535),
            shared_secret: Secret::default(),
            shared_secret_file: PathBuf::new(),
            allow_peers: Vec::new(),
            deny_peers: Vec::new(),
            max_delay: HumanDuration(Duration::from_micros(500)),
            shards: Shards::Auto,
            relay_only: false,
        }
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            participants_max: 4,
            reconnect_grace: HumanDuration(Duration::from_secs(45)),
            unattended_grace: HumanDuration(Duration::from_secs(120)),
            lobby: LobbyPolicy::default(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], 9464))] }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            half_open_per_source: 64,
            header_timeout: HumanDuration(Duration::from_secs(10)),
            body_bytes_max: 16 * 1024,
            sockets_per_user: 3,
            message_bytes_max: 64 * 1024,
            messages_per_second: 50,
            messages_burst: 200,
            refused_messages_max: 20,
            outbox_bytes_max: 256 * 1024,
            allocations_max: 4096,
            allocations_per_seat: 64,
            allocations_per_source: 2048,
            permissions_per_allocation: 64,
            channels_per_allocation: 64,
            new_peers_per_second: 8,
            new_peers_burst: 32,
            relayed_packets_per_second: 10_000,
            relayed_bits_per_second: 100_000_000,
            relayed_burst: HumanDuration(Duration::from_secs(1)),
            relay_requests_per_second: 500,
            relay_requests_burst: 2000,
            relay_failures_per_second: 10,
            relay_failures_burst: 500,
        }
    }
}

fn any_address(port: u16) -> Vec<SocketAddr> {
    vec![SocketAddr::from(([0, 0, 0, 0], port)), SocketAddr::from(([0u16; 8], port))]
}
