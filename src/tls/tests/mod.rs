//! The channel and the stream against rustls' own clients of both versions.

mod channel;
mod stream;

use std::sync::{Arc, LazyLock};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, SupportedProtocolVersion};

static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A server's configuration, and that of clients which trust it.
static CONFIGS: LazyLock<(Arc<ServerConfig>, RootCertStore)> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["box.local".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider).with_protocol_versions(&VERSIONS).unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (Arc::new(server), roots)
});

fn server_config() -> Arc<ServerConfig> {
    Arc::clone(&CONFIGS.0)
}

fn client_config(version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(&[version]).unwrap();
    Arc::new(client.with_root_certificates(CONFIGS.1.clone()).with_no_client_auth())
}

fn client(config: Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(config, server_name()).unwrap()
}

fn server_name() -> ServerName<'static> {
    ServerName::try_from("box.local").unwrap()
}
