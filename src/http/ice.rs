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
    /// Under which name TURN over TLS is reached.
    pub tls_name: TlsName,
    /// STUN and TURN over UDP, at most two: the usual port and 443, which some firewalls leave open.
    pub udp_ports: Vec<u16>,
    /// TURN over TCP.
    pub tcp_port: Option<u16>,
    /// TURN over TLS: the page's own port, which must be open anyway.
    pub tls_port: Option<u16>,
    /// Browsers use the relay alone.
    pub relay_only: bool,
}

/// A name that the certificate covers. Firefox leaves `turns:` with an address alone, so it matters to whoever came by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsName {
    /// The certificate has this name alone.
    Only(String),
    /// The name that the page was asked for, and this one for whoever came by address.
    AsAsked(String),
    /// The same, but whether everybody can find the name is unsure: it comes beside the address.
    AsAskedOrLocal(String),
    /// There is none.
    AsAskedAlone,
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
        let tls_names = self.tls_name.for_host(name).into_iter();
        let tls = self
            .tls_port
            .into_iter()
            .flat_map(|port| tls_names.clone().map(move |name| format!("turns:{name}:{port}?transport=tcp")));
        let urls: Vec<_> = udp.chain(tcp).chain(tls).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let turn = seat.filter(|_| !urls.is_empty()).map(|(room, participant)| {
            let credential = self.secret.mint(now, room, participant);
            IceServer { urls, username: Some(credential.username), credential: Some(credential.password) }
        });
        stun.into_iter().chain(turn).collect()
    }

    /// W3C `RTCIceTransportPolicy`.
    pub(super) const fn transport_policy(&self) -> &'static str {
        if self.relay_only { "relay" } else { "all" }
    }
}

impl TlsName {
    fn for_host<'a>(&'a self, host: &'a str) -> Vec<&'a str> {
        let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
        match self {
            Self::Only(name) => vec![name],
            Self::AsAsked(name) if is_address => vec![name],
            Self::AsAskedOrLocal(name) if is_address => vec![host, name],
            _ => vec![host],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_over_tls_is_offered_by_a_name_whichever_way_somebody_came() {
        let public = || "calls.school.org".to_owned();
        let cases = [
            (TlsName::Only(public()), "calls.school.org", &["calls.school.org"][..]),
            (TlsName::Only(public()), "box.local", &["calls.school.org"]),
            (TlsName::Only(public()), "192.0.2.1:443", &["calls.school.org"]),
            (TlsName::AsAsked(public()), "box.local", &["box.local"]),
            (TlsName::AsAsked(public()), "[2001:db8::1]:443", &["calls.school.org"]),
            (TlsName::AsAskedOrLocal("box.local".to_owned()), "localhost:8443", &["localhost"]),
            (TlsName::AsAskedOrLocal("box.local".to_owned()), "192.0.2.1", &["192.0.2.1", "box.local"]),
            (TlsName::AsAskedAlone, "192.0.2.1", &["192.0.2.1"]),
        ];
        for (tls_name, host, names) in cases {
            let expected: Vec<_> = names.iter().map(|name| format!("turns:{name}:443?transport=tcp")).collect();
            assert_eq!(tls_urls(tls_name.clone(), Some(443), host), expected, "{tls_name:?} {host}");
        }
    }

    #[test]
    fn behind_a_proxy_there_is_no_turn_over_tls() {
        assert_eq!(tls_urls(TlsName::AsAskedAlone, None, "calls.school.org"), Vec::<String>::new());
    }

    fn tls_urls(tls_name: TlsName, tls_port: Option<u16>, host: &str) -> Vec<String> {
        let secret = CredentialSecret::new(b"0123456789abcdef");
        let servers = IceServers { secret, tls_name, udp_ports: vec![3478], tcp_port: None, tls_port, relay_only: false };
        let seat = Some((RoomId::from_random([1; 16]), ParticipantId::from_random([2; 16])));
        let urls = servers.for_seat(host, seat).into_iter().flat_map(|server| server.urls);
        urls.filter(|url| url.starts_with("turns:")).collect()
    }
}
