//! The ICE servers a participant is handed: this box's own, under the name the browser already knows it by.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::hosts::without_port;
use crate::proto::credential::CredentialSecret;
use crate::proto::id::{ParticipantId, RoomId};

/// Where STUN and TURN answer, and how credentials are signed.
#[derive(Debug, Clone)]
pub struct IceServers {
    /// Shared with the relay.
    pub secret: CredentialSecret,
    /// The box's configured name.
    pub public_name: Option<String>,
    /// STUN and TURN over UDP, at most two: the usual port and 443, which some firewalls leave open.
    pub udp_ports: Vec<u16>,
    /// TURN over TCP.
    pub tcp_port: Option<u16>,
    /// TURN over TLS: the page's own port, which must be open anyway.
    pub tls_port: Option<u16>,
    /// Browsers use the relay alone.
    pub relay_only: bool,
}

/// W3C `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct IceServer {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl IceServers {
    /// The servers for one seat, with a credential of its own, or STUN alone for nobody's. Few addresses: browsers try them all, and slow
    /// down with five.
    pub(super) fn for_seat(&self, host: &str, seat: Option<(RoomId, ParticipantId)>) -> Vec<IceServer> {
        let Some(name) = without_port(host) else { return Vec::new() };
        let stun = self.udp_ports.first().map(|port| format!("stun:{name}:{port}"));
        let stun = stun.map(|url| IceServer { urls: vec![url], username: None, credential: None });
        let udp = self.udp_ports.iter().map(|port| format!("turn:{name}:{port}?transport=udp"));
        let tcp = self.tcp_port.map(|port| format!("turn:{name}:{port}?transport=tcp"));
        let tls = self.tls_port.map(|port| format!("turns:{}:{port}?transport=tcp", self.certified_name(name)));
        let urls: Vec<_> = udp.chain(tcp).chain(tls).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let turn = seat.filter(|_| !urls.is_empty()).map(|(room, participant)| {
            let credential = self.secret.mint(now, room, participant);
            IceServer { urls, username: Some(credential.username), credential: Some(credential.password) }
        });
        stun.into_iter().chain(turn).collect()
    }

    /// Firefox leaves `turns:` with an address alone, so whoever came by address is given the box's name, if it has one.
    fn certified_name<'a>(&'a self, name: &'a str) -> &'a str {
        let is_address = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
        self.public_name.as_deref().filter(|_| is_address).unwrap_or(name)
    }

    /// W3C `RTCIceTransportPolicy`.
    pub(super) const fn transport_policy(&self) -> &'static str {
        if self.relay_only { "relay" } else { "all" }
    }
}
