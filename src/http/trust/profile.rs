//! A configuration profile for Apple's systems, which installs the certificate (Apple, "Device Management", `CertificateRoot`).
//!
//! It is not signed: whoever could sign it would be trusted already.

use ring::digest::{SHA256, digest};

use super::base64;

/// The profile, in XML. `name` is the box's: a host name or an address, so nothing in it needs escaping.
pub(super) fn of(der: &[u8], name: &str) -> String {
    TEMPLATE
        .replace("CERTIFICATE", &base64(der))
        .replace("PROFILE-UUID", &uuid(der, b"profile"))
        .replace("PAYLOAD-UUID", &uuid(der, b"certificate"))
        .replace("BOX", name)
}

/// The same for the same certificate, so that a profile installed twice replaces itself (RFC 9562 section 5.8).
fn uuid(der: &[u8], what: &[u8]) -> String {
    let hash = digest(&SHA256, &[what, der].concat());
    let mut hex: Vec<char> =
        hash.as_ref().iter().take(16).flat_map(|byte| format!("{byte:02X}").chars().collect::<Vec<_>>()).collect();
    (hex[12], hex[16]) = ('8', '8');
    let part = |range: std::ops::Range<usize>| hex[range].iter().collect::<String>();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

const TEMPLATE: &str = include_str!("profile.xml");
