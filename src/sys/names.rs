//! What this box is called, and its addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The machine's host name in lower case, without a domain it may have; `localhost` if it has none. The kernel is asked (uname(2)), since the
/// unit's sandbox hides `/proc/sys`.
pub fn host_name() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name = name.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
    let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if sound { name } else { "localhost".to_owned() }
}

/// The networks this box stands in, by the masks of its interfaces; loopback and host routes left out.
pub fn networks() -> Vec<IpNet> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let networks = interfaces.into_iter().filter(|interface| !interface.is_loopback()).filter_map(|interface| {
        let (ip, prefix, whole) = match interface.addr {
            if_addrs::IfAddr::V4(v4) => (IpAddr::from(v4.ip), v4.prefixlen, 32),
            if_addrs::IfAddr::V6(v6) => (IpAddr::from(v6.ip), v6.prefixlen, 128),
        };
        (prefix < whole).then(|| IpNet::new(ip, prefix).ok()).flatten().map(|network| network.trunc())
    });
    networks.collect()
}

/// The addresses of every interface that is up, loopback included.
pub fn addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The IPv4 address from which this box would reach the internet; `None` without a way there. Nothing is sent.
pub fn way_out() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address that is nobody's (RFC 5737): a UDP socket only looks up the route.
    socket.connect(("192.0.2.1", 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback())
}

/// Whether a listener could not be had because the box has no IPv6: then it does without it.
pub fn is_without_ipv6(address: SocketAddr, cause: &io::Error) -> bool {
    address.is_ipv6() && matches!(cause.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL))
}
