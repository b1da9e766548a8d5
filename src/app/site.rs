//! What browsers are answered from: the page with its API, and the little that is said over plain HTTP.

use std::sync::Arc;

use hyper::Request;

use super::calls::Calls;
use super::identity::Identity;
use super::listeners::{Addresses, first_port, udp_ports};
use super::{authority, certificate, examination};
use crate::accounts::Setup;
use crate::config::Config;
use crate::config::checked::Tls;
use crate::http::{self, Answer, Hosts, Http, IceServers, Proxies};
use crate::proto::credential::CredentialSecret;
use crate::tls::acme::Challenges;

/// Both answers.
pub(super) struct Site {
    pub(super) page: Arc<Http>,
    challenges: Arc<Challenges>,
}

impl Site {
    /// `secret` signs the credentials of the relay.
    pub(super) fn new(
        config: &Config,
        identity: &Identity,
        calls: &Calls,
        secret: CredentialSecret,
        addresses: &Addresses,
    ) -> Self {
        let https_port = config.page_port(&addresses.http);
        let certificates = identity.certificates.as_ref();
        let page = Arc::new(Http {
            counted: Arc::default(),
            accounts: calls.accounts.clone(),
            setup: Setup::new(calls.accounts.clone(), &config.server.data_dir),
            mentoring: calls.mentoring.clone(),
            hub: calls.hub.clone(),
            signaling: calls.signaling.clone(),
            hosts: Hosts::new(identity.names().dns),
            doctor: examination::doctor(config, addresses),
            proxies: Proxies { trusted: config.http.trusted_proxies.clone(), required: config.tls == Tls::Off },
            https_port,
            trust: authority::trust(certificates, https_port, first_port(&addresses.redirect)),
            ice: IceServers {
                secret,
                tls_name: certificate::tls_name(config),
                udp_ports: udp_ports(&addresses.turn_udp),
                tcp_port: first_port(&addresses.turn_tcp),
                tls_port: certificates.map(|_| https_port),
                relay_only: config.turn.relay_only,
            },
            https_alone: certificate::https_alone(certificates),
            body_bytes_max: config.limits.body_bytes_max,
            body_timeout: config.limits.header_timeout.0,
        });
        Self { page, challenges: identity.challenges() }
    }

    /// Over plain HTTP: what the ACME server asks, how to trust the box, and the way to the page.
    pub(super) fn plain<B>(&self, request: &Request<B>) -> Answer {
        let challenge = http::acme::challenge(request, |token| self.challenges.key_authorization(token));
        let Http { hosts, https_port, trust, .. } = &*self.page;
        challenge.unwrap_or_else(|| http::plain(hosts, *https_port, trust.as_deref(), request))
    }
}
