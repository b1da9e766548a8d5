//! What the box is called, and whether that name leads to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::subject::is_a_router_s;
use super::{Finding, Subject};

pub(super) async fn check(subject: Arc<Subject>) -> Vec<Finding> {
    let local = subject.names.dns.iter().find(|name| name.ends_with(".local"));
    let on_the_network = local.map(|local| {
        let meaning = "browsers on this network find the box by this name, where mDNS is not blocked";
        Finding::ok("names.local", local, meaning)
    });
    let public = match &subject.config.server.public_name {
        None => Finding::note("names.public", "server.public-name", "the box has no name outside of this network")
            .remedy("for calls from elsewhere, have whoever runs your DNS name it, and set server.public-name"),
        Some(name) => judge(name, &lookup(name).await, &subject),
    };
    on_the_network.into_iter().chain([public]).collect()
}

/// The addresses of a name, by the system's resolver; none if it does not know it in time.
pub(super) async fn lookup(name: &str) -> Vec<IpAddr> {
    let asked = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, 0))).await;
    let mut addresses: Vec<_> = asked.ok().and_then(Result::ok).into_iter().flatten().map(|address| address.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn judge(name: &str, found: &[IpAddr], subject: &Subject) -> Finding {
    let known = |ip: &IpAddr| subject.names.addresses.contains(ip) || subject.config.turn.external_addresses.contains(ip);
    let list = found.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    let own = subject.addresses();
    if found.is_empty() {
        return Finding::failure("names.public", name, "this box's resolver does not know the name")
            .remedy("have whoever runs your DNS point it to this box, and see that the box's own DNS works (resolvectl status)");
    }
    if found.iter().all(IpAddr::is_loopback) {
        return Finding::note(
            "names.public",
            name,
            "on the box itself the name means the box (/etc/hosts), so DNS was not asked",
        )
        .remedy("open the page from another computer to see that the name leads here");
    }
    if found.iter().all(known) {
        return Finding::ok("names.public", name, format!("leads to this box ({list})"));
    }
    if found.iter().any(|ip| is_a_router_s(*ip, &own)) {
        return Finding::note(
            "names.public",
            name,
            format!("leads to {list}, which should be the outside address of your router"),
        )
        .remedy("compare it with the address that the router shows for itself; the check of the router says more");
    }
    let own = own.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    Finding::failure("names.public", name, format!("leads to {list}, but this box has {own}"))
        .remedy("have whoever runs your DNS point the name to this box")
}

const PATIENCE: Duration = Duration::from_secs(4);
