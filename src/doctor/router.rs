//! The router between the box and the internet: what it must be told, and whether it does it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::subject::{is_a_router_s, is_public};
use super::{Finding, Subject, handshake, names};
use crate::sys::names as system;

pub(super) async fn check(subject: Arc<Subject>) -> Vec<Finding> {
    let own = subject.addresses();
    let shown = own.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    if own.is_empty() {
        return vec![
            Finding::failure("router.address", "network", "this box has no address, so it is on no network")
                .remedy("plug in the cable, or join the wireless network: `ip address` shows what the box has"),
        ];
    }
    let by_ipv4 = own.iter().filter(|ip| ip.is_ipv4()).collect::<Vec<_>>();
    // Many a box has an IPv6 address of the internet's own beside a private IPv4 one, and most people come by IPv4.
    if by_ipv4.iter().any(|ip| is_public(**ip)) || by_ipv4.is_empty() && own.iter().copied().any(is_public) {
        let meaning = format!("the box has an address of the internet's own; firewalls must let in {}", ports(&subject));
        return vec![Finding::ok("router.address", shown, meaning)];
    }
    let mut outside = subject.config.turn.external_addresses.clone();
    if let Some(name) = &subject.config.server.public_name {
        outside.extend(names::lookup(name).await);
    }
    outside.retain(|ip| is_a_router_s(*ip, &own));
    outside.sort_unstable();
    outside.dedup();
    let mut found = vec![forwarding(&subject, &own, outside.is_empty())];
    for ip in outside {
        found.push(hairpin(&subject, ip).await);
    }
    found
}

/// What to tell the router, for people outside.
fn forwarding(subject: &Subject, own: &[IpAddr], is_closed: bool) -> Finding {
    let to = system::way_out().or(own.first().copied()).map(|ip| ip.to_string()).unwrap_or_default();
    let page = inside_port(subject);
    let outside = subject.config.http.public_port.map(|port| format!(" (reached as {port})")).unwrap_or_default();
    let mut faster: Vec<u16> = subject.listeners.turn_udp.iter().map(SocketAddr::port).collect();
    faster.sort_unstable();
    faster.dedup();
    let faster = faster.iter().map(|port| format!("{port}/udp")).collect::<Vec<_>>().join(" and ");
    let remedy = match (is_closed, faster.is_empty()) {
        (true, true) => {
            format!("for calls from outside, forward {page}/tcp{outside} on the router to {to}, and set server.public-name")
        }
        (true, false) => format!(
            "for calls from outside, forward on the router to {to}: {page}/tcp{outside} is enough, {faster} is faster; and set \
            server.public-name to a name of the router's outside address"
        ),
        (false, true) => format!("the router must forward {page}/tcp{outside} to {to}"),
        (false, false) => format!("the router must forward to {to}: {page}/tcp{outside} is enough, {faster} is faster"),
    };
    let meaning = if is_closed {
        "the box is behind a router: calls work within this network, and nobody outside reaches it"
    } else {
        "the box is behind a router, which must let people in"
    };
    Finding::note("router.forwarding", to, meaning).remedy(remedy)
}

/// Whether the outside address leads back to this box from within the network.
async fn hairpin(subject: &Subject, outside: IpAddr) -> Finding {
    let port = subject.config.page_port(&subject.listeners.http);
    let address = SocketAddr::new(outside, port);
    let Some(page) = subject.page().filter(|_| subject.daemon.is_running() && subject.certificate.is_some()) else {
        return Finding::note("router.hairpin", address.to_string(), "not tried, because the page does not answer here either");
    };
    let remedy = "forward the port on the router, and switch on its NAT loopback (hairpin); or have the school's own DNS answer the name \
        with the box's inside address";
    let seen = tokio::time::timeout(PATIENCE, handshake::connect(address)).await.ok().and_then(Result::ok);
    let own = tokio::time::timeout(PATIENCE, handshake::connect(page)).await.ok().and_then(Result::ok);
    match (seen.map(|stream| handshake::chain(&stream)), own.map(|stream| handshake::chain(&stream))) {
        (Some(seen), Some(own)) if seen.first() == own.first() => {
            Finding::ok("router.hairpin", address.to_string(), "from inside, the outside address leads back to this box")
        }
        (Some(_), _) => {
            Finding::warning("router.hairpin", address.to_string(), "from inside, something else answers at the outside address")
                .remedy(remedy)
        }
        (None, _) => Finding::warning(
            "router.hairpin",
            address.to_string(),
            "from inside, nothing answers at the outside address; whether people outside get through cannot be seen from here",
        )
        .remedy(remedy),
    }
}

/// Where the router leads to.
fn inside_port(subject: &Subject) -> u16 {
    subject.listeners.http.first().map_or(443, SocketAddr::port)
}

/// Of a box without a router.
fn ports(subject: &Subject) -> String {
    let mut udp: Vec<_> = subject.listeners.turn_udp.iter().map(|address| format!("{}/udp", address.port())).collect();
    udp.dedup();
    let relayed = &subject.config.turn.relay_ports;
    format!("{}/tcp, {} and {}-{}/udp", inside_port(subject), udp.join(", "), relayed.start(), relayed.end())
}

const PATIENCE: Duration = Duration::from_secs(3);
