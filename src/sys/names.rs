//! What this box is called, and its addresses.

use std::net::IpAddr;

/// The machine's host name in lower case, without a domain it may have; `localhost` if it has none.
pub fn host_name() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = text.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
    let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if sound { name } else { "localhost".to_owned() }
}

/// The addresses of every interface that is up, loopback included.
pub fn addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
