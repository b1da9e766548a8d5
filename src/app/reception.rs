//! Who accepts connections at which listener, how many there may be, and who gets them.

use std::future::ready;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};

use super::listeners::Listeners;
use super::observation::{self, Observed};
use super::site::Site;
use super::tasks::Tasks;
use crate::config::Config;
use crate::http::{self, Divert, Diverted, HalfOpen, Listener, Listening};
use crate::relay::{self, RelayHandle};

/// How connections are treated, by what their listener is for.
pub(super) struct Reception {
    pub(super) page: Listening,
    pub(super) plain: Listening,
    pub(super) turn_tcp: Listening,
    pub(super) turn_tls: Listening,
    to_relay: Divert,
}

impl Reception {
    pub(super) fn new(
        config: &Config,
        tls: Option<Arc<ServerConfig>>,
        relay: RelayHandle,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let limits = &config.limits;
        let plain = Listening {
            tls: None,
            header_timeout: limits.header_timeout.0,
            connections: Arc::new(Semaphore::new(limits.connections_max)),
            half_open: HalfOpen::new(limits.half_open_per_source),
            divert: None,
            stopping,
        };
        let to_relay = divert_to(relay);
        let page = Listening { tls, divert: Some(Arc::clone(&to_relay)), ..plain.clone() };
        // Streams to the relay have places of their own: whoever takes them all leaves the page alone.
        let places = Arc::new(Semaphore::new(limits.connections_max / 2));
        let half_open = HalfOpen::new(limits.half_open_per_source);
        let turn_tcp = plain.clone().with_places(&places, &half_open);
        let turn_tls = page.clone().with_places(&places, &half_open);
        Self { page, plain, turn_tcp, turn_tls, to_relay }
    }

    /// Accepts connections from now on.
    pub(super) fn open(&self, listeners: Listeners, site: &Arc<Site>, observed: &Arc<Observed>, tasks: &mut Tasks) {
        for listener in listeners.http {
            let page = Arc::clone(&site.page);
            tasks.spawn(listener.serve(self.page.clone(), move |source, request| Arc::clone(&page).handle(source, request)));
        }
        for listener in listeners.redirect {
            let site = Arc::clone(site);
            tasks.spawn(listener.serve(self.plain.clone(), move |_, request| ready(site.plain(&request))));
        }
        for listener in listeners.metrics {
            self.open_to_monitoring(listener, site, observed, tasks);
        }
        for (listeners, listening) in [(listeners.turn_tcp, &self.turn_tcp), (listeners.turn_tls, &self.turn_tls)] {
            for listener in listeners {
                tasks.spawn(listener.divert(listening.clone(), Arc::clone(&self.to_relay)));
            }
        }
    }

    fn open_to_monitoring(&self, listener: Listener, site: &Site, observed: &Arc<Observed>, tasks: &mut Tasks) {
        let (places, half_open) = (Arc::new(Semaphore::new(observation::PLACES)), HalfOpen::new(observation::PLACES));
        let (hosts, observed) = (site.page.hosts.clone(), Arc::clone(observed));
        let answer = move |_, request| {
            let (hosts, observed) = (hosts.clone(), Arc::clone(&observed));
            async move { http::monitoring(&hosts, request, || observed.snapshot()).await }
        };
        tasks.spawn(listener.serve(self.plain.clone().with_places(&places, &half_open), answer));
    }
}

/// Streams that speak TURN go to the relay, whichever listener accepted them.
fn divert_to(relay: RelayHandle) -> Divert {
    Arc::new(move |Diverted { socket, tls, said, place }| {
        relay.adopt(relay::NewStream { socket, tls, said, place: Box::new(place) })
    })
}
