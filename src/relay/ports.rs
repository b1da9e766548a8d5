//! Relayed addresses: a port of the configured range, chosen by chance so that nobody off path guesses it, and what peers see of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use super::udp;
use crate::proto::turn::{AddressFamily, RelayAddr};
use crate::sys::entropy;

/// Where relayed addresses come from.
#[derive(Debug, Clone)]
pub(super) struct Ports {
    pub(super) range: RangeInclusive<u16>,
    /// What a router in front shows of this box.
    pub(super) external: Vec<IpAddr>,
    /// The box's own addresses.
    pub(super) own: Vec<IpAddr>,
}

/// A relayed address and its socket.
pub(super) type Bound = (UdpSocket, RelayAddr);

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
    pub(super) fn bind(&self, family: AddressFamily, reached: IpAddr, even: bool) -> io::Result<Bound> {
        let port = || self.any_port() & if even { !1 } else { !0 };
        self.attempt(|| self.bind_at(family, reached, port()))
    }

    /// Binds an even port, and the next one at the same address.
    ///
    /// # Errors
    /// No two such ports are free, or the kernel gives no more sockets.
    pub(super) fn bind_pair(&self, family: AddressFamily, reached: IpAddr) -> io::Result<(Bound, Bound)> {
        self.attempt(|| {
            let even = self.any_port() & !1;
            Ok((self.bind_at(family, reached, even)?, self.bind_at(family, reached, even + 1)?))
        })
    }

    /// Tries other ports while those tried are taken.
    fn attempt<T>(&self, mut bind: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let mut refusal = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..ATTEMPTS_MAX {
            match bind() {
                Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => refusal = cause,
                done => return done,
            }
        }
        Err(refusal)
    }

    fn bind_at(&self, family: AddressFamily, reached: IpAddr, port: u16) -> io::Result<Bound> {
        let any: IpAddr = match family {
            AddressFamily::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            AddressFamily::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let shown = self.shown(family, reached).ok_or(io::ErrorKind::AddrNotAvailable)?;
        if !self.range.contains(&port) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok((udp::bind(SocketAddr::new(any, port))?, RelayAddr(SocketAddr::new(shown, port))))
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
    fn a_pair_is_an_even_port_and_the_next_one_within_the_range() {
        let ports = Ports { range: 24_601..=24_640, external: vec![], own: vec![Ipv4Addr::LOCALHOST.into()] };
        for _ in 0..100 {
            let ((_, even), (_, odd)) = ports.bind_pair(AddressFamily::Ipv4, Ipv4Addr::LOCALHOST.into()).unwrap();
            assert!(even.0.port() % 2 == 0 && even.0.port() + 1 == odd.0.port() && even.0.ip() == odd.0.ip(), "{even:?} {odd:?}");
            assert!(ports.range.contains(&even.0.port()) && ports.range.contains(&odd.0.port()), "{even:?} {odd:?}");
        }
        let one_alone = Ports { range: 24_650..=24_650, ..ports };
        assert!(one_alone.bind_pair(AddressFamily::Ipv4, Ipv4Addr::LOCALHOST.into()).is_err());
    }

    #[test]
    fn nobody_guesses_the_next_port_from_the_last() {
        let ports = Ports { range: 49_152..=65_535, external: vec![], own: vec![] };
        let drawn: Vec<u16> = (0..65_536).map(|_| ports.any_port()).collect();
        let mut groups = [0_i32; 64];
        drawn.iter().for_each(|port| groups[usize::from(port - 49_152) / 256] += 1);
        // 1024 are expected in each, and 32 more or less; eight times that is never seen by chance.
        assert!(groups.iter().all(|count| (count - 1024).abs() < 256), "{groups:?}");
        let mut steps = std::collections::HashMap::new();
        drawn.windows(2).for_each(|pair| *steps.entry(pair[1].wrapping_sub(pair[0])).or_insert(0) += 1);
        // No step from one to the next is likelier than others: four are expected of the likeliest.
        assert!(steps.values().all(|count| *count < 40), "{:?}", steps.values().max());
    }

    #[test]
    fn nobody_else_sends_from_a_relayed_port() {
        for (loopback, family) in [("127.0.0.1", AddressFamily::Ipv4), ("::1", AddressFamily::Ipv6)] {
            let loopback: IpAddr = loopback.parse().unwrap();
            let ports = Ports { range: 24_700..=24_799, external: vec![], own: vec![loopback] };
            let (_socket, relay) = ports.bind(family, loopback, false).unwrap();
            let at = SocketAddr::new(loopback, relay.0.port());
            let refused = [udp::bind(at), udp::bind_listener_beside(at)].map(|bound| bound.unwrap_err().kind());
            assert_eq!(refused, [io::ErrorKind::AddrInUse; 2], "whether they would share it or not");
        }
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
