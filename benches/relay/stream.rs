//! A client's stream to the server, in the clear or within TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use visavis::proto::stun::frame_length;
use visavis::tls::AnyCertificate;

/// Frames in, frames out.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What was read and is no whole frame yet.
    held: Vec<u8>,
    /// What the kernel did not take yet.
    waiting: Vec<u8>,
}

impl Stream {
    /// Connects and shakes hands; blocks, `patience` at most for each answer.
    pub(crate) fn connect(server: SocketAddr, tls: Option<&Arc<ClientConfig>>, patience: Duration) -> Result<Self> {
        let mut socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(patience))?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let mut tls = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut socket).context("no TLS handshake")?;
                }
                Some(Box::new(tls))
            }
        };
        Ok(Self { socket, tls, held: Vec::new(), waiting: Vec::new() })
    }

    /// Queues a frame and writes what the kernel takes; a frame is not begun while [`WAITING_MAX`] bytes wait.
    pub(crate) fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        if self.waiting.len() < WAITING_MAX {
            match &mut self.tls {
                None => self.waiting.extend_from_slice(frame),
                Some(tls) => {
                    tls.writer().write_all(frame)?;
                    while tls.wants_write() {
                        tls.write_tls(&mut self.waiting)?;
                    }
                }
            }
        }
        match self.socket.write(&self.waiting) {
            Ok(written) => drop(self.waiting.drain(..written)),
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
            Err(cause) => return Err(cause),
        }
        Ok(())
    }

    /// One whole frame.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(length) = self.whole_frame(0)? {
                let frame = buffer.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
                frame.copy_from_slice(&self.held[..length]);
                self.held.drain(..length);
                return Ok(length);
            }
            self.read_some()?;
        }
    }

    /// Reads until nothing waits, and hands out every whole frame.
    pub(crate) fn receive_all(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            let state = self.read_some();
            let mut taken = 0;
            while let Some(length) = self.whole_frame(taken)? {
                take(&self.held[taken..taken + length]);
                taken += length;
            }
            self.held.drain(..taken);
            match state {
                Ok(()) => {}
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(cause) => return Err(cause),
            }
        }
    }

    fn whole_frame(&self, from: usize) -> io::Result<Option<usize>> {
        let rest = &self.held[from..];
        let length = frame_length(rest).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(length.filter(|length| *length <= rest.len()))
    }

    fn read_some(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ_CHUNK];
        let length = match &mut self.tls {
            None => self.socket.read(&mut buffer)?,
            Some(tls) => loop {
                match tls.reader().read(&mut buffer) {
                    Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                    read => break read?,
                }
                if tls.read_tls(&mut self.socket)? == 0 {
                    break 0;
                }
                tls.process_new_packets().map_err(io::Error::other)?;
            },
        };
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.held.extend_from_slice(&buffer[..length]);
        Ok(())
    }
}

/// One suite that both servers have, so that both encrypt alike: of TLS 1.2, because Debian's coturn 4.6.1 shares no suite of 1.3 with
/// anybody unless it is told to. Who answers is not in doubt: we started it.
pub(crate) fn trusting_anybody() -> Result<Arc<ClientConfig>> {
    let suites = vec![ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
    let provider = Arc::new(CryptoProvider { cipher_suites: suites, ..ring::default_provider() });
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&rustls::version::TLS12])?;
    let anybody = Arc::new(AnyCertificate::new(provider));
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()))
}

/// One read, about a TLS record.
const READ_CHUNK: usize = 16 * 1024;
/// What may wait before frames are lost at the client already.
const WAITING_MAX: usize = 256 * 1024;
