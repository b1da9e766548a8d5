//! The sections of the configuration, as the parts of the daemon take them: each has a plain struct of its own.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::config::Config;
use crate::config::file::Limits;
use crate::proto::credential::CredentialSecret;
use crate::proto::rate::Rate;
use crate::sys::names;
use crate::{hub, relay, signaling};

/// The relay's share of `[limits]`.
pub fn relay_limits(limits: &Limits) -> relay::Limits {
    relay::Limits {
        allocations_max: limits.allocations_max,
        allocations_per_seat: limits.allocations_per_seat,
        allocations_per_source: limits.allocations_per_source,
        permissions_per_allocation: limits.permissions_per_allocation,
        channels_per_allocation: limits.channels_per_allocation,
        new_peers: Rate { per_second: limits.new_peers_per_second, burst: limits.new_peers_burst },
        data: relay::DataLimits {
            packets_per_second: limits.relayed_packets_per_second,
            bits_per_second: limits.relayed_bits_per_second,
            burst: limits.relayed_burst.0,
        },
        requests: Rate { per_second: limits.relay_requests_per_second, burst: limits.relay_requests_burst },
        failures: Rate { per_second: limits.relay_failures_per_second, burst: limits.relay_failures_burst },
    }
}

/// Of other software, from the configuration or from the file that it names.
///
/// # Errors
/// The file cannot be read, or holds too little.
pub(super) fn shared_secret(config: &Config) -> Result<Option<CredentialSecret>> {
    let Some(path) = &config.turn.shared_secret_file else {
        return Ok(config.turn.shared_secret.as_ref().map(|secret| CredentialSecret::new(secret.0.as_bytes())));
    };
    let remedy = "let the daemon's user read it, or change turn.shared-secret-file";
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}: {remedy}", path.display()))?;
    let secret = text.lines().next().unwrap_or_default().trim();
    ensure!(
        secret.len() >= SHARED_SECRET_BYTES_MIN,
        "{} holds less than 16 bytes: make one with: openssl rand -hex 32",
        path.display()
    );
    Ok(Some(CredentialSecret::new(secret.as_bytes())))
}

pub(super) fn relay_config(config: &Config) -> relay::Config {
    let turn = &config.turn;
    relay::Config {
        listen_udp: turn.listen_udp.clone(),
        realm: turn.realm.clone(),
        external_addresses: turn.external_addresses.clone(),
        own_addresses: names::addresses(),
        own_networks: names::networks(),
        relay_ports: turn.relay_ports.clone(),
        allow_peers: turn.allow_peers.clone(),
        deny_peers: turn.deny_peers.clone(),
        max_delay: turn.max_delay,
        shards: turn.shards.on(std::thread::available_parallelism().map_or(1, usize::from)),
        limits: relay_limits(&config.limits),
    }
}

pub(super) fn hub_config(config: &Config) -> hub::Config {
    hub::Config {
        participants_max: config.rooms.participants_max,
        reconnect_grace: config.rooms.reconnect_grace,
        unattended_grace: config.rooms.unattended_grace,
        lobby: config.rooms.lobby,
        refused_messages_max: config.limits.refused_messages_max,
        outbox_bytes_max: config.limits.outbox_bytes_max,
    }
}

pub(super) fn signaling_limits(config: &Config) -> signaling::Limits {
    signaling::Limits {
        message_bytes_max: config.limits.message_bytes_max,
        messages_per_second: config.limits.messages_per_second,
        messages_burst: config.limits.messages_burst,
        sockets_per_user: config.limits.sockets_per_user,
        ping_interval: PING_INTERVAL,
        dead_after: DEAD_AFTER,
    }
}

const SHARED_SECRET_BYTES_MIN: usize = 16;
/// Twice within the silence after which a socket is dead, so that one lost ping kills nobody.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const DEAD_AFTER: Duration = Duration::from_secs(45);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_secret_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let secret = || {
            let text = format!("[turn]\nshared-secret-file = \"{}\"\n", path.display());
            shared_secret(&crate::config::parse(&text).unwrap())
        };
        let missing = secret().unwrap_err().to_string();
        assert!(missing.contains("cannot read") && missing.contains("turn.shared-secret-file"), "{missing}");
        std::fs::write(&path, "short\n").unwrap();
        assert!(secret().unwrap_err().to_string().contains("openssl rand"));
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        let (read, given) = (secret().unwrap().unwrap(), CredentialSecret::new(b"0123456789abcdef"));
        assert_eq!(read.password("somebody"), given.password("somebody"));
    }
}
