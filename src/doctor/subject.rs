//! The box that is examined.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use crate::config::Config;
use crate::data;
use crate::tls;

/// The box that is examined, and from where.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What it is to do.
    pub config: Config,
    /// Where that stands; `None` within the daemon, which has read it long ago.
    pub config_file: Option<PathBuf>,
    /// Who does it.
    pub daemon: Daemon,
    /// Where it should answer.
    pub listeners: Listeners,
    /// What browsers may call it.
    pub names: tls::Names,
    /// Where its certificate comes from; `None`: a proxy has it.
    pub certificate: Option<tls::Source>,
}

/// The daemon of the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// This very process.
    Here,
    /// Another one.
    Process(u32),
    /// There is none, as far as can be seen.
    Stopped,
}

/// Where the daemon listens.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    /// The page, with TURN over TLS on the same port.
    pub http: Vec<SocketAddr>,
    /// Plain HTTP.
    pub redirect: Vec<SocketAddr>,
    /// STUN and TURN over UDP.
    pub turn_udp: Vec<SocketAddr>,
    /// TURN over TCP.
    pub turn_tcp: Vec<SocketAddr>,
    /// TURN over TLS on a port of its own.
    pub turn_tls: Vec<SocketAddr>,
    /// Plain HTTP for programs on the box.
    pub metrics: Vec<SocketAddr>,
}

impl Subject {
    /// The box of a configuration, seen from outside of its daemon.
    pub fn of(config: Config, config_file: PathBuf, names: tls::Names, certificate: Option<tls::Source>) -> Self {
        let daemon = data::holder(&config.server.data_dir).map_or(Daemon::Stopped, Daemon::Process);
        let listeners = Listeners {
            http: config.http.listen.clone(),
            redirect: config.http.redirect_listen.clone(),
            turn_udp: config.turn.listen_udp.clone(),
            turn_tcp: config.turn.listen_tcp.clone(),
            turn_tls: config.turn.listen_tls.clone(),
            metrics: config.metrics.listen.clone(),
        };
        Self { config, config_file: Some(config_file), daemon, listeners, names, certificate }
    }

    /// What people are told to open: the public name, else the box's own on its network.
    pub(super) fn host(&self) -> String {
        let local = || self.names.dns.iter().find(|name| name.ends_with(".local")).cloned();
        self.config.server.public_name.clone().or_else(local).unwrap_or_else(|| "localhost".to_owned())
    }

    /// The first address of the page, as this box reaches it.
    pub(super) fn page(&self) -> Option<SocketAddr> {
        self.listeners.http.first().copied().map(reachable)
    }

    /// The addresses at which others may reach it: neither of the machine alone nor of the cable alone.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let far = |ip: &&IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
        };
        self.names.addresses.iter().filter(far).copied().collect()
    }
}

/// Whether an outside address is a router's that stands before this box: the box has none of its kind itself.
pub(super) fn is_a_router_s(ip: IpAddr, own: &[IpAddr]) -> bool {
    is_public(ip) && !own.iter().any(|own| own.is_ipv4() == ip.is_ipv4() && is_public(*own))
}

impl Daemon {
    pub(super) fn is_running(self) -> bool {
        self != Self::Stopped
    }
}

/// Where a listener is reached from the box itself: one at every address, at the loopback's.
pub(super) fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

/// Whether an address is one that routers of the internet know.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            !(ip.is_private() || shared || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || ip.is_multicast())
        }
        IpAddr::V6(ip) => ip.segments()[0] & 0xE000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_internet_is_the_router_s_where_the_box_has_none_of_its_kind() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let at_home = [ip("192.168.1.10"), ip("2a01:4f8::10")];
        assert!(is_a_router_s(ip("203.0.113.7"), &at_home), "IPv4 is translated, IPv6 is not");
        assert!(!is_a_router_s(ip("2a01:4f8::99"), &at_home));
        assert!(!is_a_router_s(ip("192.168.1.99"), &at_home));
        assert!(!is_a_router_s(ip("203.0.113.7"), &[ip("198.51.100.1")]));
    }

    #[test]
    fn private_shared_and_local_addresses_are_not_public() {
        for (text, public) in [
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("127.0.0.1", false),
            ("169.254.1.1", false),
            ("198.51.100.1", true),
            ("2a01:4f8::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }
}
