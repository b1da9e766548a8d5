//! Which addresses are nobody's peers, written down apart from the server's own table.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

/// Private addresses: peers where the box has seen a member of the room.
pub fn is_private(ip: IpAddr) -> bool {
    let metadata = IpAddr::from([0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254]);
    within(&PRIVATE, carried(ip)) && ip != metadata
}

/// What is no public address, the box itself among it.
pub fn is_special(ip: IpAddr) -> bool {
    let ip = carried(ip);
    let global = ip.is_ipv4() || matches!(ip, IpAddr::V6(v6) if v6.segments()[0] >> 13 == 1);
    !global || within(&SPECIAL, ip) || ip == IpAddr::from([9, 9, 9, 9])
}

/// The IPv4 address that an IPv6 one carries: compatible, mapped, NAT64 and 6to4.
pub fn carried(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b] = match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return ip,
        [0, 0, 0, 0, 0, 0 | 0xFFFF, a, b] | [0x64, 0xFF9B, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => [a, b],
        _ => return ip,
    };
    Ipv4Addr::from_bits(u32::from(a) << 16 | u32::from(b)).into()
}

fn within(ranges: &[IpNet], ip: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&ip))
}

fn parsed(ranges: &[&str]) -> Vec<IpNet> {
    ranges.iter().map(|range| range.parse().expect("a range")).collect()
}

static PRIVATE: LazyLock<Vec<IpNet>> =
    LazyLock::new(|| parsed(&["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]));
/// IANA's special-purpose registries and multicast, the metadata service at a public address, and the box's own IPv6 address.
static SPECIAL: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    parsed(&[
        "0.0.0.0/8",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "2620:4f::/32",
        "3fff::/20",
        "2a00:9::9/128",
    ])
});
