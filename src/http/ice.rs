//! The ICE servers a participant is handed: this box's own, under the name the browser already knows it by.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::hosts::without_port;
use crate::proto::credential::CredentialSecret;
use crate::proto::id::{ParticipantId, RoomId};

/// Where STUN and TURN answer, and how credentials are signed.
#[derive(Debug, Clone)]
pub struct IceServers {
    /// Shared with the relay.
    pub secret: CredentialSecret,
    /// STUN and TURN over UDP; `None` if it does not listen.
    pub udp_port: Option<u16>,
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
    /// The servers for one seat, with a credential of its own.
    pub(super) fn for_seat(&self, host: &str, room: RoomId, participant: ParticipantId) -> Vec<IceServer> {
        let (Some(port), Some(name)) = (self.udp_port, without_port(host)) else { return Vec::new() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let credential = self.secret.mint(now + CREDENTIAL_LIFETIME, room, participant);
        let stun = IceServer { urls: vec![format!("stun:{name}:{port}")], username: None, credential: None };
        let turn = IceServer {
            urls: vec![format!("turn:{name}:{port}?transport=udp")],
            username: Some(credential.username),
            credential: Some(credential.password),
        };
        vec![stun, turn]
    }

    /// W3C `RTCIceTransportPolicy`.
    pub(super) const fn transport_policy(&self) -> &'static str {
        if self.relay_only { "relay" } else { "all" }
    }
}

/// Checked when an allocation is made, not while it lives: a long call survives its credential.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(3600);
