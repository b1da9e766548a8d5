//! The TLS of one connection, without its socket: records in, plaintext out, and the other way round.
//!
//! Over rustls' unbuffered interface, because its buffered one keeps 4 KiB for reads that a silent connection never gets back. Here a
//! connection with nothing under way owns its keys and no buffer at all.

use std::mem;
use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{Error, ServerConfig};

/// The server's side of TLS 1.2 or 1.3 (RFC 5246, RFC 8446).
pub struct SecureChannel {
    tls: Box<UnbufferedServerConnection>,
    /// What came and is no whole record, or no whole message of the handshake, yet.
    partial: Vec<u8>,
    /// Records to be sent, and how much of them was.
    outgoing: Vec<u8>,
    sent: usize,
    peer_has_closed: bool,
    failure: Option<Error>,
}

impl SecureChannel {
    /// Waits for the client's first message.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let tls = Box::new(UnbufferedServerConnection::new(config)?);
        Ok(Self { tls, partial: Vec::new(), outgoing: Vec::new(), sent: 0, peer_has_closed: false, failure: None })
    }

    /// Whether nothing can be said yet.
    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// What both sides agreed to speak within (RFC 7301), if the client named anything.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// Whether the peer has said that nothing more will come (`close_notify`); it may still be spoken to.
    pub const fn peer_has_closed(&self) -> bool {
        self.peer_has_closed
    }

    /// Why the channel is over, if it failed.
    pub const fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Takes what came from the socket, decrypting it in place, and appends its plaintext, all of it. There may be something to send then.
    ///
    /// # Errors
    /// The peer does not speak TLS, or broke it, now or before. The alert that tells it so is to be sent; the plaintext from before stands.
    pub fn receive(&mut self, wire: &mut [u8], plaintext: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.partial.is_empty() {
            let taken = self.process(wire, plaintext)?;
            self.partial = wire[taken..].to_vec();
        } else {
            let mut whole = mem::take(&mut self.partial);
            whole.extend_from_slice(wire);
            let taken = self.process(&mut whole, plaintext)?;
            self.partial = if taken == 0 { whole } else { whole[taken..].to_vec() };
        }
        if self.partial.len() > PARTIAL_MAX {
            return Err(self.fail(Error::General("a message of the handshake is too long".into())));
        }
        Ok(())
    }

    /// Encrypts the beginning of `plaintext`, at most 16 KiB, and returns how much; nothing while other records wait to be sent.
    ///
    /// # Errors
    /// The channel is over, or not there yet.
    pub fn send(&mut self, plaintext: &[u8]) -> Result<usize, Error> {
        if !self.outgoing().is_empty() {
            return Ok(0);
        }
        let plaintext = &plaintext[..plaintext.len().min(RECORD_MAX)];
        self.append(plaintext.len() + RECORD_OVERHEAD, |traffic, space| traffic.encrypt(plaintext, space))?;
        Ok(plaintext.len())
    }

    /// Says that nothing more will be said (`close_notify`), unless that was said, or the channel is over.
    pub fn close(&mut self) {
        // A channel that cannot be closed any more has no need of it.
        let _ = self.append(RECORD_OVERHEAD, |traffic, space| traffic.queue_close_notify(space));
    }

    /// Records that wait to be sent.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing[self.sent..]
    }

    /// So many bytes of [`Self::outgoing`] were sent.
    pub fn sent(&mut self, length: usize) {
        self.sent += length;
        if self.sent == self.outgoing.len() {
            (self.outgoing, self.sent) = (Vec::new(), 0);
        }
    }

    /// Memory held for what is under way.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.partial.capacity() + self.outgoing.capacity()
    }

    /// Processes every whole record of `wire`; how many bytes of it are done with.
    fn process(&mut self, wire: &mut [u8], plaintext: &mut Vec<u8>) -> Result<usize, Error> {
        let mut taken = 0;
        loop {
            let UnbufferedStatus { discard, state, .. } = self.tls.process_tls_records(&mut wire[taken..]);
            taken += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        taken += record.discard;
                        plaintext.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing),
                // What was encoded is ours to send now.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.peer_has_closed = true,
                // Whatever follows a `close_notify` is ignored (RFC 8446 section 6.1).
                Ok(_) if self.peer_has_closed => return Ok(wire.len()),
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => return Ok(taken),
                // Early data was never offered, and a channel that both sides closed takes nothing.
                Ok(_) => return Ok(wire.len()),
                Err(error) => {
                    self.encode_alert(&mut wire[taken..]);
                    return Err(self.fail(error));
                }
            }
        }
    }

    /// Takes the alert that goes with an error, and nothing else: what came is not looked at again.
    fn encode_alert(&mut self, rest: &mut [u8]) {
        while self.tls.wants_write() {
            let Ok(ConnectionState::EncodeTlsData(data)) = self.tls.process_tls_records(rest).state else { return };
            encode(data, &mut self.outgoing);
        }
    }

    /// Appends what `write` encrypts, which takes about `length` bytes.
    fn append(
        &mut self,
        length: usize,
        mut write: impl FnMut(&mut WriteTraffic<'_, ServerConnectionData>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        // No whole record is ever left in `partial`, so this only asks for the state.
        let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.tls.process_tls_records(&mut self.partial).state else {
            return Err(Error::HandshakeNotComplete);
        };
        let start = self.outgoing.len();
        self.outgoing.resize(start + length, 0);
        let mut written = write(&mut traffic, &mut self.outgoing[start..]);
        // An answer to the peer's change of keys goes first.
        if let Err(EncryptError::InsufficientSize(size)) = written {
            self.outgoing.resize(start + size.required_size, 0);
            written = write(&mut traffic, &mut self.outgoing[start..]);
        }
        self.outgoing.truncate(start + *written.as_ref().unwrap_or(&0));
        written.map(drop).map_err(|_| self.fail(Error::EncryptError))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.partial = Vec::new();
        self.failure = Some(error.clone());
        error
    }
}

fn encode(mut data: EncodeTlsData<'_, ServerConnectionData>, outgoing: &mut Vec<u8>) {
    let start = outgoing.len();
    if let Err(EncodeError::InsufficientSize(size)) = data.encode(&mut []) {
        outgoing.resize(start + size.required_size, 0);
        let encoded = data.encode(&mut outgoing[start..]);
        debug_assert!(encoded.is_ok(), "there is as much space as was asked for");
    }
}

/// Plaintext of one record (RFC 8446 section 5.1).
const RECORD_MAX: usize = 1 << 14;
/// Header, nonce or content type, and tag of a record are no longer.
const RECORD_OVERHEAD: usize = 64;
/// The longest record (RFC 5246 section 6.2.3); no client's first message is longer either, and a stranger's is held.
const PARTIAL_MAX: usize = 5 + RECORD_MAX + 2048;
