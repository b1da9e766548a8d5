//! The generator's sockets while load runs: nothing blocks.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::client::Link;
use crate::frame::Stamp;
use crate::stream::Stream;

/// One socket that sends, receives or both.
pub(crate) enum Endpoint {
    /// A client over UDP.
    Client(UdpSocket),
    /// A client over TCP or TLS.
    Stream(Box<Stream>),
    /// Behind the relay: whom clients talk to.
    Peer(UdpSocket),
}

impl Endpoint {
    pub(crate) fn client(link: Link) -> Result<Self> {
        match link {
            Link::Udp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Self::Client(socket))
            }
            Link::Stream(stream) => {
                stream.socket.set_nonblocking(true)?;
                Ok(Self::Stream(stream))
            }
        }
    }

    /// A peer of the client whose relayed address this is, and the peer's own address.
    pub(crate) fn peer(relayed: SocketAddr) -> Result<(Self, SocketAddr)> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(relayed)?;
        socket.set_nonblocking(true)?;
        // The generator is to lose nothing; the kernel grants what it lets anybody have.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let address = socket.local_addr()?;
        Ok((Self::Peer(socket), address))
    }

    pub(crate) fn register(&self, registry: &Registry, token: Token) -> Result<()> {
        let descriptor = match self {
            Self::Client(socket) | Self::Peer(socket) => socket.as_raw_fd(),
            Self::Stream(stream) => stream.socket.as_raw_fd(),
        };
        registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE).context("a socket cannot be waited for")
    }

    /// Sends. What the kernel has no room for is lost, as on any network.
    pub(crate) fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let sent = match self {
            Self::Client(socket) | Self::Peer(socket) => socket.send(frame).map(|_| ()),
            Self::Stream(stream) => stream.send(frame),
        };
        match sent {
            Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionRefused) => Ok(()),
            sent => sent,
        }
    }

    /// Receives until nothing waits.
    pub(crate) fn receive_all(&mut self, mut take: impl FnMut(Stamp)) -> io::Result<()> {
        let (socket, of_client) = match self {
            Self::Client(socket) => (socket, true),
            Self::Peer(socket) => (socket, false),
            Self::Stream(stream) => return stream.receive_all(|frame| Stamp::of_frame(frame).into_iter().for_each(&mut take)),
        };
        let stamp = |head: &[u8]| if of_client { Stamp::of_frame(head) } else { Stamp::of_payload(head) };
        // The rest of a packet need not be copied to know that it came.
        let mut head = [0; HEAD];
        loop {
            match socket.recv(&mut head) {
                Ok(length) => stamp(&head[..length]).into_iter().for_each(&mut take),
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(cause) => return Err(cause),
            }
        }
    }
}

/// Enough for the header of a Data indication, whatever a server adds, and the stamp.
const HEAD: usize = 128;
const RECEIVE_BUFFER: usize = 4 << 20;
