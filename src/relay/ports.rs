//! Relayed addresses: a port of the configured range, chosen by chance so that nobody off path guesses it, and what peers see of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use super::udp;
use crate::proto::turn::{AddressFamily, RelayAddr};
use crate::sys::entropy;

/// Where relayed addresses come from.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) range: RangeInclusive<u16>,
    /// What a router in front shows of this box.
    pub(super) external: Vec<IpAddr>,
    /// The box's own addresses.
    pub(super) own: Vec<IpAddr>,
}

impl Ports {
    /// The families a relayed address can be had of.
    pub(super) fn families(&self) -> Vec<AddressFamily> {
        let known = |family| self.known(family).next().is_some();
        [AddressFamily::Ipv4, AddressFamily::Ipv6].into_iter().filter(|family| known(*family)).collect()
    }

    /// Binds a relayed address; peers see it at the address that the client reached, unless a router translates.
    ///
    /// # Errors
    /// No port is free, or the kernel gives no more sockets.
    pub(super) fn bind(&self, family: AddressFamily, reached: IpAddr, even: bool) -> io::Result<(UdpSocket, RelayAddr)> {
        let any: IpAddr = match family {
            AddressFamily::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            AddressFamily::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let shown = self.shown(family, reached).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut refusal = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..ATTEMPTS_MAX {
            let port = self.any_port() & if even { !1 } else { !0 };
            if !self.range.contains(&port) {
                continue;
            }
            match udp::bind(SocketAddr::new(any, port)) {
                Ok(socket) => return Ok((socket, RelayAddr(SocketAddr::new(shown, port)))),
                Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => refusal = cause,
                Err(cause) => return Err(cause),
            }
        }
        Err(refusal)
    }

    fn shown(&self, family: AddressFamily, reached: IpAddr) -> Option<IpAddr> {
        let external = self.external.iter().copied().find(|ip| AddressFamily::of(*ip) == family);
        let same = (AddressFamily::of(reached) == family).then_some(reached);
        external.or(same).or_else(|| self.known(family).next())
    }

    /// The addresses of a family, those that others can reach first.
    fn known(&self, family: AddressFamily) -> impl Iterator<Item = IpAddr> {
        let of_family = move |ip: &&IpAddr| AddressFamily::of(**ip) == family && !is_link_local(**ip);
        let outside = self.own.iter().filter(of_family).filter(|ip| !ip.is_loopback());
        let inside = self.own.iter().filter(of_family).filter(|ip| ip.is_loopback());
        self.external.iter().filter(of_family).chain(outside).chain(inside).copied()
    }

    fn any_port(&self) -> u16 {
        let span = u32::from(*self.range.end()) - u32::from(*self.range.start()) + 1;
        // 2^32 is so much larger than any span that the remainder's bias does not show.
        let offset = u32::from_be_bytes(entropy::random()) % span;
        self.range.start() + u16::try_from(offset).unwrap_or_default()
    }
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Finds a free port among ten taken ones for each free one, all but surely.
const ATTEMPTS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_see_the_address_the_client_reached_unless_a_router_translates() {
        let ports = |external: &[&str]| Ports {
            range: 20_000..=30_000,
            external: external.iter().map(|ip| ip.parse().unwrap()).collect(),
            own: ["127.0.0.1", "10.0.0.5", "fe80::1"].iter().map(|ip| ip.parse().unwrap()).collect(),
        };
        let shown = |ports: &Ports, family, reached: &str| ports.shown(family, reached.parse().unwrap()).map(|ip| ip.to_string());
        let plain = ports(&[]);
        assert_eq!(shown(&plain, AddressFamily::Ipv4, "10.0.0.9").as_deref(), Some("10.0.0.9"));
        assert_eq!(shown(&plain, AddressFamily::Ipv4, "fe80::1").as_deref(), Some("10.0.0.5"));
        assert_eq!(shown(&plain, AddressFamily::Ipv6, "10.0.0.9"), None);
        assert_eq!(plain.families(), [AddressFamily::Ipv4]);
        let translated = ports(&["5.5.5.5", "2a00::5"]);
        assert_eq!(shown(&translated, AddressFamily::Ipv4, "10.0.0.9").as_deref(), Some("5.5.5.5"));
        assert_eq!(translated.families(), [AddressFamily::Ipv4, AddressFamily::Ipv6]);
    }

    #[test]
    fn ports_come_from_the_range_and_a_full_range_is_an_error() {
        let own: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into()];
        let ports = Ports { range: 24_550..=24_551, external: vec![], own };
        let mut bound = Vec::new();
        while let Ok((socket, relay)) = ports.bind(AddressFamily::Ipv4, Ipv4Addr::LOCALHOST.into(), false) {
            assert!(ports.range.contains(&relay.0.port()));
            bound.push(socket);
        }
        assert!(bound.len() <= 2, "{bound:?}");
    }

    #[test]
    fn an_even_port_is_even() {
        let ports = Ports { range: 24_561..=24_599, external: vec![], own: vec![Ipv4Addr::LOCALHOST.into()] };
        for _ in 0..100 {
            let (_, relay) = ports.bind(AddressFamily::Ipv4, Ipv4Addr::LOCALHOST.into(), true).unwrap();
            assert!(relay.0.port() % 2 == 0 && ports.range.contains(&relay.0.port()), "{relay:?}");
        }
    }
}
