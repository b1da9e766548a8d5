//! The TCP sockets that connections come in by: bound or handed over by the last daemon, and not accepted from yet.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use super::{HTTPS, observation};
use crate::config::Config;
use crate::http::Listener;
use crate::sys::handover::Handover;
use crate::sys::names;

/// Where they ended up, with the relay's beside them.
pub(super) use crate::doctor::Listeners as Addresses;

/// By what they are for.
pub(super) struct Listeners {
    pub(super) http: Vec<Listener>,
    /// Plain HTTP.
    pub(super) redirect: Vec<Listener>,
    pub(super) turn_tcp: Vec<Listener>,
    pub(super) turn_tls: Vec<Listener>,
    pub(super) metrics: Vec<Listener>,
}

impl Listeners {
    /// Listens everywhere the configuration says, on what was handed over where it can.
    ///
    /// # Errors
    /// An address cannot be had, unless it is monitoring's.
    pub(super) fn bind(config: &Config, handover: &mut Handover) -> Result<Self> {
        Ok(Self {
            http: bind(&config.http.listen, "http.listen", handover)?,
            redirect: bind(&config.http.redirect_listen, "http.redirect-listen", handover)?,
            turn_tcp: bind(&config.turn.listen_tcp, "turn.listen-tcp", handover)?,
            turn_tls: bind(&config.turn.listen_tls, "turn.listen-tls", handover)?,
            metrics: observation::bind(&config.metrics.listen, handover),
        })
    }

    /// With true ports where 0 was asked for.
    pub(super) fn addresses(&self, turn_udp: &[SocketAddr]) -> Addresses {
        let addresses = |listeners: &[Listener]| listeners.iter().map(Listener::address).collect();
        Addresses {
            http: addresses(&self.http),
            redirect: addresses(&self.redirect),
            turn_udp: turn_udp.to_vec(),
            turn_tcp: addresses(&self.turn_tcp),
            turn_tls: addresses(&self.turn_tls),
            metrics: addresses(&self.metrics),
        }
    }
}

/// Names every address in the log.
pub(super) fn announce(addresses: &Addresses) {
    let listening = |what: &str, addresses: &[SocketAddr]| {
        for address in addresses {
            log::info!(event = "listening", what = what, address:% = address; "listening");
        }
    };
    listening("https", &addresses.http);
    listening("redirect", &addresses.redirect);
    listening("turn-udp", &addresses.turn_udp);
    listening("turn-tcp", &addresses.turn_tcp);
    listening("turn-tls", &addresses.turn_tls);
    listening("metrics", &addresses.metrics);
}

pub(super) fn first_port(addresses: &[SocketAddr]) -> Option<u16> {
    addresses.first().map(SocketAddr::port)
}

/// The first port, and 443 where it is another one: more would slow browsers down.
pub(super) fn udp_ports(addresses: &[SocketAddr]) -> Vec<u16> {
    let ports = || addresses.iter().map(SocketAddr::port);
    let first = ports().next();
    first.into_iter().chain(ports().find(|port| *port == HTTPS && first != Some(HTTPS))).collect()
}

/// Listens everywhere it was asked to; a box without IPv6 does without its IPv6 listeners.
fn bind(addresses: &[SocketAddr], key: &str, handover: &mut Handover) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        match handover.tcp(*address).map_or_else(|| Listener::bind(*address), Listener::adopt) {
            Ok(listener) => {
                handover.keep(listener.socket());
                listeners.push(listener);
            }
            Err(cause) if names::is_without_ipv6(*address, &cause) => {
                log::warn!(event = "no_ipv6", address:% = address; "this box has no IPv6, so nothing listens there");
            }
            Err(cause) => {
                let remedy = "free the port (ss -lntp shows who holds it), or change the key";
                return Err(cause).with_context(|| format!("cannot listen on {address} ({key}): {remedy}"));
            }
        }
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_the_first_udp_port_and_443() {
        for (listening, told) in [
            (&["0.0.0.0:3478", "[::]:3478"][..], &[3478][..]),
            (&["0.0.0.0:3478", "0.0.0.0:5000", "0.0.0.0:443", "[::]:443"], &[3478, 443]),
            (&["0.0.0.0:443", "0.0.0.0:3478"], &[443]),
            (&[], &[]),
        ] {
            let addresses: Vec<SocketAddr> = listening.iter().map(|address| address.parse().unwrap()).collect();
            assert_eq!(udp_ports(&addresses), told, "{listening:?}");
        }
    }
}
