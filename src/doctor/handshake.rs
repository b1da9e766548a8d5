//! TLS to a server that is examined: its certificate is looked at afterwards, so any is taken.

use std::io;
use std::net::SocketAddr;

use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls;

/// Connects and shakes hands, as a browser would that was given the address.
pub(super) async fn connect(address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
    let client = tls::client_of_anybody().map_err(io::Error::other)?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    TlsConnector::from(client).connect(ServerName::from(address.ip()), stream).await
}

/// What the server showed, its own certificate first.
pub(super) fn chain(stream: &TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec()
}
