//! What this box is called, and its addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The machine's host name in lower case, without a domain it may have; `localhost` if it has none.
pub fn host_name() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = text.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
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

/// Whether a listener could not be had because the box has no IPv6: then it does without it.
pub fn is_without_ipv6(address: SocketAddr, cause: &io::Error) -> bool {
    address.is_ipv6() && matches!(cause.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL))
}
