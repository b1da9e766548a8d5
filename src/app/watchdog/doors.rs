//! The doors of the daemon, tried from outside: a connection like a browser's to each kind of listener.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A listener, how to speak to it, and the places it has for connections.
pub(super) struct Door {
    address: SocketAddr,
    tls: Option<TlsConnector>,
    speaks: For,
    places: Arc<Semaphore>,
    /// Shorter than the whole check's, so that what was found is looked into.
    limit: Duration,
}

/// What a listener is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum For {
    Http,
    Turn,
}

impl Door {
    /// To the first of these addresses, if there is one; the whole check comes twice in each `period`.
    pub(super) fn first(
        addresses: &[SocketAddr],
        tls: Option<TlsConnector>,
        speaks: For,
        places: &Arc<Semaphore>,
        period: Duration,
    ) -> Option<Self> {
        let address = *addresses.first()?;
        Some(Self { address, tls, speaks, places: Arc::clone(places), limit: period / 4 })
    }

    /// Whether somebody is served here, or nobody is for a reason that is no hang: every place or every file descriptor is taken.
    pub(super) async fn answers(self: Arc<Self>) -> bool {
        match timeout(self.limit, self.ask()).await {
            Ok(Ok(())) => true,
            Ok(Err(cause)) if is_out_of_files(&cause) => true,
            Ok(Err(_)) | Err(_) => self.places.available_permits() == 0 || no_file_is_left(),
        }
    }

    async fn ask(&self) -> io::Result<()> {
        let stream = TcpStream::connect(reachable(self.address)).await?;
        match &self.tls {
            None => self.question(stream).await,
            Some(tls) => self.question(tls.connect(ServerName::from(Ipv4Addr::LOCALHOST), stream).await?).await,
        }
    }

    /// The kernel accepts connections for a daemon that hangs: one byte of an answer is the proof.
    async fn question(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let question: &[u8] = match self.speaks {
            For::Http => b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            For::Turn => b"\x00\x01\x00\x00\x21\x12\xa4\x42self-check..",
        };
        stream.write_all(question).await?;
        stream.flush().await?;
        stream.read_u8().await.map(drop)
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.speaks, self.address)
    }
}

/// Who listens everywhere listens on the loopback address too.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn no_file_is_left() -> bool {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).is_err_and(|cause| is_out_of_files(&cause))
}

fn is_out_of_files(cause: &io::Error) -> bool {
    matches!(cause.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_nobody_accepts_from_hangs_unless_all_places_are_taken() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for (places, answers) in [(1, false), (0, true)] {
            let (address, places) = (silent.local_addr().unwrap(), Arc::new(Semaphore::new(places)));
            let limit = Duration::from_secs(4);
            let door = Arc::new(Door { address, tls: None, speaks: For::Http, places, limit });
            assert_eq!(door.answers().await, answers);
        }
    }

    #[test]
    fn who_listens_everywhere_is_reached_by_loopback() {
        for (listens, reached) in
            [("0.0.0.0:443", "127.0.0.1:443"), ("[::]:443", "[::1]:443"), ("192.0.2.1:443", "192.0.2.1:443")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
