//! A certificate authority of this box's own.
//!
//! Its critical name constraints (RFC 5280 section 4.2.1.10) cover local names, private addresses and this box's own names:
//! whoever steals its key cannot pretend to be any other site. Its leaf is made anew when the box's names change or it ages.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType,
};
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Chain, Names, TlsError, files};

/// The leaf for these names, signed by the authority in `folder`; both are made where they are missing.
pub(super) fn leaf(folder: &Path, names: &Names) -> Result<Chain, TlsError> {
    make_folder(folder)?;
    let (ca_cert, ca_key) = (folder.join(CA_CERT), folder.join(CA_KEY));
    if !ca_cert.exists() || !ca_key.exists() {
        make_ca(folder, names)?;
    }
    let (cert, key) = (folder.join(LEAF_CERT), folder.join(LEAF_KEY));
    let ca = files::load(&ca_cert, &ca_key)?;
    let covered = covered(names, &ca.0[0]);
    match files::load(&cert, &key) {
        Ok(chain) if serves(&chain, &ca, &covered) => Ok(chain),
        _ => {
            make_leaf(folder, &ca, &covered)?;
            files::load(&cert, &key)
        }
    }
}

fn make_ca(folder: &Path, names: &Names) -> Result<(), TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    let now = OffsetDateTime::now_utc();
    params.not_before = now.min(CLOCK_MIN);
    params.not_after = now.max(CLOCK_MIN) + CA_LIFETIME;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    let name = names.dns.first().map_or("this box", String::as_str);
    params.distinguished_name.push(DnType::CommonName, format!("visavis CA of {name}"));
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted(names), excluded_subtrees: Vec::new() });
    let cert = params.self_signed(&key)?;
    files::write_private(&folder.join(CA_KEY), &key.serialize_pem())?;
    files::write_private(&folder.join(CA_CERT), &cert.pem())
}

fn make_leaf(folder: &Path, ca: &Chain, names: &Names) -> Result<(), TlsError> {
    let ca_key = KeyPair::try_from(&ca.1)?;
    let issuer = Issuer::from_ca_cert_der(&ca.0[0], ca_key)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.dns.clone())?;
    params.subject_alt_names.extend(names.addresses.iter().copied().map(SanType::IpAddress));
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = params.not_before + LEAF_LIFETIME;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.dns.first().map_or("visavis", String::as_str));
    let cert = params.signed_by(&key, &issuer)?;
    let chain = cert.pem() + &files::read_text(&folder.join(CA_CERT))?;
    files::write_private(&folder.join(LEAF_KEY), &key.serialize_pem())?;
    files::write_private(&folder.join(LEAF_CERT), &chain)?;
    log::info!(event = "leaf_issued", names = names.dns.join(" "); "the local authority issued a certificate");
    Ok(())
}

/// Whether a leaf of an earlier start still fits: same authority, same names, begun (a clock may have been set back), a month to live.
fn serves(leaf: &Chain, ca: &Chain, names: &Names) -> bool {
    let [cert, issuer] = leaf.0.as_slice() else { return false };
    let Ok((_, parsed)) = X509Certificate::from_der(cert) else { return false };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let left = parsed.validity().not_after.timestamp() - now;
    let begun = parsed.validity().not_before.timestamp() <= now;
    *issuer == ca.0[0] && begun && left > RENEW_BEFORE.whole_seconds() && sorted(subject_names(&parsed)) == sorted(names.clone())
}

pub(super) fn subject_names(cert: &X509Certificate<'_>) -> Names {
    let mut names = Names::default();
    let alternative = cert.subject_alternative_name().ok().flatten();
    for name in alternative.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(name) => names.dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => names.addresses.extend(address(bytes)),
            _ => {}
        }
    }
    names
}

fn sorted(mut names: Names) -> Names {
    names.dns.sort_unstable();
    names.addresses.sort_unstable();
    names
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// What the authority may sign of these names: a certificate with any other would be refused whole.
fn covered(names: &Names, ca: &[u8]) -> Names {
    divided(names, ca).0
}

/// What it may not sign: by these, browsers refuse the box.
pub(super) fn uncovered(names: &Names, ca: &[u8]) -> Names {
    divided(names, ca).1
}

fn divided(names: &Names, ca: &[u8]) -> (Names, Names) {
    let everything = || (names.clone(), Names::default());
    let Ok((_, ca)) = X509Certificate::from_der(ca) else { return everything() };
    let constraints = ca.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::NameConstraints(constraints) => constraints.permitted_subtrees.as_ref(),
        _ => None,
    });
    let Some(permitted) = constraints else { return everything() };
    let dns_fits = |name: &String| {
        permitted
            .iter()
            .any(|tree| matches!(tree.base, GeneralName::DNSName(base) if name == base || name.ends_with(&format!(".{base}"))))
    };
    let address_fits =
        |ip: &IpAddr| permitted.iter().any(|tree| matches!(tree.base, GeneralName::IPAddress(net) if contains(net, *ip)));
    let (dns, other_dns) = names.dns.iter().cloned().partition(dns_fits);
    let (addresses, other_addresses) = names.addresses.iter().partition(|ip| address_fits(ip));
    (Names { dns, addresses }, Names { dns: other_dns, addresses: other_addresses })
}

/// Address and mask, one after the other (RFC 5280 section 4.2.1.10).
fn contains(net: &[u8], ip: IpAddr) -> bool {
    let bytes: Vec<u8> = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (base, mask) = net.split_at(net.len() / 2);
    bytes.len() == base.len() && bytes.iter().zip(base).zip(mask).all(|((byte, base), mask)| byte & mask == base & mask)
}

fn permitted(names: &Names) -> Vec<GeneralSubtree> {
    let local = LOCAL_NAMES.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned()));
    let own = names.dns.iter().filter(|name| !LOCAL_NAMES.contains(&name.as_str())).cloned().map(GeneralSubtree::DnsName);
    let private = PRIVATE_RANGES.iter().map(|(address, prefix)| subnet((*address).into(), *prefix));
    let private6 = PRIVATE_RANGES_6.iter().map(|(address, prefix)| subnet((*address).into(), *prefix));
    let own_addresses = names.addresses.iter().map(|ip| subnet(*ip, if ip.is_ipv4() { 32 } else { 128 }));
    local.chain(own).chain(private).chain(private6).chain(own_addresses).collect()
}

fn subnet(address: IpAddr, prefix: u8) -> GeneralSubtree {
    GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
}

pub(super) fn make_folder(folder: &Path) -> Result<(), TlsError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| TlsError::File { path: folder.display().to_string(), cause })
}

pub(super) const CA_CERT: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
pub(super) const LEAF_CERT: &str = "leaf.pem";
pub(super) const LEAF_KEY: &str = "leaf.key";
const CA_LIFETIME: Duration = Duration::days(20 * 365);
/// A box without a battery may not know the time when it makes its authority, which is then valid from here on whatever the clock says.
const CLOCK_MIN: OffsetDateTime = time::macros::datetime!(2026-01-01 0:00 UTC);
/// Apple refuses more than 825 days from a private authority; public ones may do 398.
const LEAF_LIFETIME: Duration = Duration::days(397);
const RENEW_BEFORE: Duration = Duration::days(30);
const LOCAL_NAMES: &[&str] = &["localhost", "local", "home.arpa", "internal"];
const PRIVATE_RANGES: &[([u8; 4], u8)] =
    &[([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([169, 254, 0, 0], 16), ([127, 0, 0, 0], 8)];
const PRIVATE_RANGES_6: &[([u16; 8], u8)] =
    &[([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), ([0, 0, 0, 0, 0, 0, 0, 1], 128)];

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_start_keeps_authority_and_leaf() {
        let folder = tempfile::tempdir().unwrap();
        let first = leaf(folder.path(), &names("box.local")).unwrap();
        assert_eq!(leaf(folder.path(), &names("box.local")).unwrap().0, first.0);
    }

    #[test]
    fn a_new_address_makes_a_new_leaf_of_the_same_authority() {
        let folder = tempfile::tempdir().unwrap();
        let first = leaf(folder.path(), &names("box.local")).unwrap();
        let moved = Names { addresses: vec!["10.1.2.3".parse().unwrap()], ..names("box.local") };
        let second = leaf(folder.path(), &moved).unwrap();
        assert!(first.0[0] != second.0[0] && first.0[1] == second.0[1]);
        assert_eq!(subject_names(&X509Certificate::from_der(&second.0[0]).unwrap().1), moved);
    }

    #[test]
    fn a_name_outside_the_constraints_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        leaf(folder.path(), &names("calls.school.example")).unwrap();
        let other = Names {
            dns: vec!["www.example.com".to_owned(), "calls.school.example".to_owned()],
            addresses: vec!["203.0.113.9".parse().unwrap()],
        };
        let chain = leaf(folder.path(), &other).unwrap();
        let covered = subject_names(&X509Certificate::from_der(&chain.0[0]).unwrap().1);
        assert_eq!(covered, Names { dns: vec!["calls.school.example".to_owned()], addresses: vec![] });
    }

    #[test]
    fn the_constraints_are_critical() {
        let folder = tempfile::tempdir().unwrap();
        let chain = leaf(folder.path(), &names("box.local")).unwrap();
        let ca = X509Certificate::from_der(&chain.0[1]).unwrap().1;
        let constraints = ca.extensions().iter().find(|e| matches!(e.parsed_extension(), ParsedExtension::NameConstraints(_)));
        assert!(constraints.unwrap().critical);
    }

    #[test]
    fn the_authority_lives_for_twenty_years_and_its_leaf_for_397_days() {
        let folder = tempfile::tempdir().unwrap();
        let chain = leaf(folder.path(), &names("box.local")).unwrap();
        let validity = |cert: &[u8]| X509Certificate::from_der(cert).unwrap().1.validity().clone();
        let (leaf, ca) = (validity(&chain.0[0]), validity(&chain.0[1]));
        assert_eq!(leaf.not_after.timestamp() - leaf.not_before.timestamp(), 397 * 24 * 60 * 60);
        assert!(ca.not_after.timestamp() - OffsetDateTime::now_utc().unix_timestamp() >= 20 * 365 * 24 * 60 * 60 - 60);
        assert!(ca.not_before.timestamp() <= CLOCK_MIN.unix_timestamp(), "valid on a box whose clock is behind");
    }

    #[test]
    fn what_every_school_calls_a_box_is_covered_and_the_web_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let chain = leaf(folder.path(), &names("calls.school.example")).unwrap();
        let dns = ["localhost", "box.local", "box.home.arpa", "box.internal", "calls.school.example"];
        let addresses = ["10.1.2.3", "172.31.0.1", "192.168.9.9", "169.254.1.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"];
        let own =
            Names { dns: dns.map(str::to_owned).to_vec(), addresses: addresses.map(|address| address.parse().unwrap()).to_vec() };
        assert_eq!(covered(&own, &chain.0[1]), own);
        let others = Names {
            dns: ["www.example.com", "school.example", "evil-local", "evilhome.arpa"].map(str::to_owned).to_vec(),
            addresses: ["203.0.113.1", "172.32.0.1", "2001:db8::1"].map(|address| address.parse().unwrap()).to_vec(),
        };
        assert_eq!(covered(&others, &chain.0[1]), Names::default());
    }

    #[test]
    fn keys_are_readable_by_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        leaf(&folder.path().join("tls"), &names("box.local")).unwrap();
        for file in ["tls/ca.key", "tls/leaf.key"] {
            assert_eq!(fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
        }
    }

    fn names(dns: &str) -> Names {
        Names { dns: vec![dns.to_owned()], addresses: vec!["192.168.1.5".parse().unwrap()] }
    }
}
