//! The relay through clients that others wrote: coturn's tools, and the `turn` crate's client.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_hand;
mod client;
mod coturn;
mod direct;
mod shards;

use std::net::SocketAddr;

use visavis::app::App;
use visavis::config;

const SHARED_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A daemon whose relay reaches loopback peers, at `listen`.
async fn daemon(folder: &tempfile::TempDir, listen: &str) -> (App, SocketAddr) {
    daemon_with(folder, listen, "allow-peers = [\"127.0.0.0/8\"]").await
}

/// `listen` is one address, or several for UDP; `more` goes to the `[turn]` section.
async fn daemon_with(folder: &tempfile::TempDir, listen: &str, more: &str) -> (App, SocketAddr) {
    let first = listen.split('"').next().unwrap();
    let text = format!(
        "[server]\ndata-dir = \"{}\"\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = []\n[turn]\nlisten-udp = [\"{listen}\"]\nlisten-tcp = [\"{first}\"]\nlisten-tls = [\"{first}\"]\nshared-secret = \"{SHARED_SECRET}\"\n{more}\n",
        folder.path().display()
    );
    let app = App::start(&config::parse(&text).unwrap()).await.unwrap();
    let address = app.turn_addresses()[0];
    (app, address)
}
