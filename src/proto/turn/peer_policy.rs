//! Whom a client may have its data relayed to: the public internet, and what the admin opened. A relay stands inside the school's
//! network, so everything special is closed by default: a way past the firewall is what an attacker wants from it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The rules; the relayed addresses of this server are above them, since both ends of such a path are its own clients.
#[derive(Debug, Clone, Default)]
pub struct PeerPolicy {
    /// Opens ranges that are closed by default; an address of this box only if it is named itself.
    pub allow: Vec<IpNet>,
    /// Closes ranges; wins over `allow`.
    pub deny: Vec<IpNet>,
    /// The addresses of this box: nobody reaches its services through its relay.
    pub own: Vec<IpAddr>,
    /// The networks this box stands in: whoever is outside does not reach them from inside, public addresses or not.
    pub local: Vec<IpNet>,
}

/// What the rules say of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Anybody may have data relayed there.
    Open,
    /// A private address, or a neighbour of this box: open to a room whose member is seen there, on ports from [`DYNAMIC_PORTS`] on.
    Inside,
    /// Nobody may.
    Closed,
}

impl PeerPolicy {
    /// How this address stands, in whatever form it is written.
    pub(super) fn judge(&self, ip: IpAddr) -> Standing {
        let canonical = canonical(ip);
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&canonical) || range.contains(&ip));
        let is = |range: &IpNet| range.prefix_len() == range.max_prefix_len() && range.addr() == canonical;
        let own = self.own.contains(&canonical) && !canonical.is_loopback();
        if within(&self.deny) || (own && !self.allow.iter().any(is)) {
            Standing::Closed
        } else if within(&self.allow) {
            Standing::Open
        } else if is_private(canonical) {
            Standing::Inside
        } else if is_special(canonical) {
            Standing::Closed
        } else if within(&self.local) {
            Standing::Inside
        } else {
            Standing::Open
        }
    }
}

/// The IPv4 address that an IPv6 one carries: mapped and compatible (RFC 4291 section 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056).
pub(super) fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let bits = v6.to_bits();
    let last = || IpAddr::V4(Ipv4Addr::from_bits(bits as u32));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xFFFF, ..] | [0x64, 0xFF9B, 0, 0, 0, 0, ..] => last(),
        [0, 0, 0, 0, 0, 0, ..] if bits > 1 => last(),
        [0x2002, ..] => IpAddr::V4(Ipv4Addr::from_bits((bits >> 80) as u32)),
        _ => ip,
    }
}

/// Where whole schools live: RFC 1918, carrier-grade NAT (RFC 6598), unique local addresses (RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => PRIVATE_V4.iter().any(|range| range.contains(&ip)),
        IpAddr::V6(ip) => UNIQUE_LOCAL.contains(&ip),
    }
}

/// IANA's special-purpose registries (RFC 6890), multicast, and metadata services at public addresses.
fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => SPECIAL_V4.iter().any(|range| range.contains(&ip)),
        IpAddr::V6(ip) => !GLOBAL_UNICAST.contains(&ip) || SPECIAL_V6.iter().any(|range| range.contains(&ip)),
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Where systems have the ports that browsers send from (Linux from 32768, others from 49152); what a router or a printer listens on is
/// below.
pub(super) const DYNAMIC_PORTS: u16 = 32768;
const PRIVATE_V4: &[Ipv4Net] = &[v4(10, 0, 0, 0, 8), v4(100, 64, 0, 0, 10), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16)];
const UNIQUE_LOCAL: Ipv6Net = v6(0xFC00, 0, 7);
const SPECIAL_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // metadata service of a cloud
    v4(169, 254, 0, 0, 16),   // link-local, metadata services
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 31, 196, 0, 24),  // AS112
    v4(192, 52, 193, 0, 24),  // AMT
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(192, 175, 48, 0, 24),  // AS112
    v4(198, 18, 0, 0, 15),    // benchmarking
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 3),      // multicast, reserved, broadcast
];
/// Everything else is loopback, unspecified, link-local, site-local, unique local, multicast, translation or unassigned.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 3);
const SPECIAL_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 23),     // protocol assignments: Teredo, benchmarking, ORCHID
    v6(0x2001, 0xDB8, 32), // documentation
    v6(0x2620, 0x4F, 32),  // AS112
    v6(0x3FFF, 0, 20),     // documentation
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_internet_may_be_relayed_to() {
        let policy = PeerPolicy::default();
        for ip in ["8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2a00:1450::1", "2606:4700::1111"] {
            assert_eq!(policy.judge(ip.parse().unwrap()), Standing::Open, "{ip}");
        }
    }

    #[test]
    fn every_special_range_is_closed_in_every_encoding() {
        let policy = PeerPolicy { own: vec!["8.8.4.4".parse().unwrap()], ..PeerPolicy::default() };
        let special = SPECIAL_V4.iter().flat_map(|range| [range.network(), range.broadcast()]);
        for ip in special.chain([Ipv4Addr::new(8, 8, 4, 4), Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::BROADCAST]) {
            let expected = if is_private(ip.into()) { Standing::Inside } else { Standing::Closed };
            for encoded in encodings(ip) {
                assert_eq!(policy.judge(encoded), expected, "{encoded} is {ip}");
            }
        }
        let v6 = [
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "64:ff9b:1::1",
            "3fff::1",
            "5f00::1",
            "4000::1",
        ];
        for ip in v6 {
            assert_eq!(policy.judge(ip.parse().unwrap()), Standing::Closed, "{ip}");
        }
        for ip in ["fc00::1", "fd00:ec2::253"] {
            assert_eq!(policy.judge(ip.parse().unwrap()), Standing::Inside, "{ip}");
        }
    }

    #[test]
    fn an_encoding_of_a_public_address_is_open() {
        for encoded in encodings(Ipv4Addr::new(8, 8, 8, 8)) {
            assert_eq!(PeerPolicy::default().judge(encoded), Standing::Open, "{encoded}");
        }
    }

    #[test]
    fn allow_opens_and_deny_closes_and_deny_wins() {
        let allow = vec!["10.1.0.0/16".parse().unwrap(), "10.1.9.8/32".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let deny = vec!["10.1.2.0/24".parse().unwrap(), "8.8.8.0/24".parse().unwrap()];
        let own = vec!["10.1.9.9".parse().unwrap(), "10.1.9.8".parse().unwrap()];
        let policy = PeerPolicy { allow, deny, own, local: vec!["8.8.4.0/24".parse().unwrap()] };
        for (ip, expected) in [
            ("10.1.1.1", Standing::Open),
            ("::ffff:10.1.1.1", Standing::Open),
            ("fd00::1", Standing::Open),
            // The box itself is not opened along with its network, unless it is named.
            ("10.1.9.9", Standing::Closed),
            ("10.1.9.8", Standing::Open),
            // A neighbour with a public address, and one beyond.
            ("8.8.4.9", Standing::Inside),
            ("8.8.5.9", Standing::Open),
            ("10.1.2.1", Standing::Closed),
            ("::ffff:10.1.2.1", Standing::Closed),
            ("8.8.8.8", Standing::Closed),
            ("10.2.0.1", Standing::Inside),
        ] {
            assert_eq!(policy.judge(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    fn encodings(ip: Ipv4Addr) -> [IpAddr; 5] {
        let bits = u128::from(ip.to_bits());
        let v6 = |prefix: u128| IpAddr::V6(Ipv6Addr::from_bits(prefix | bits));
        let six_to_four = IpAddr::V6(Ipv6Addr::from_bits((0x2002 << 112) | (bits << 80) | 1));
        let compatible = if bits > 1 { v6(0) } else { IpAddr::V4(ip) };
        [IpAddr::V4(ip), v6(0xFFFF << 32), compatible, v6((0x64 << 112) | (0xFF9B << 96)), six_to_four]
    }
}
