//! A socket with TLS in it, for tokio.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{Error, ServerConfig};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::SecureChannel;

/// A connection whose handshake is done. It owns no buffer while nothing is under way: reads take place on the stack.
///
/// Reading fails with `UnexpectedEof` when the peer vanished without a `close_notify`, with `InvalidData` when it broke TLS. What was
/// written is on its way after a flush.
pub struct SecureStream<T> {
    io: T,
    tls: SecureChannel,
    /// What came and was not read yet.
    plaintext: Vec<u8>,
    read: usize,
}

impl<T: AsyncRead + AsyncWrite + Unpin> SecureStream<T> {
    /// Shakes hands as the server. How long that may take is the caller's to say.
    ///
    /// # Errors
    /// The peer is gone, or does not speak TLS; it was told which, if it listens.
    pub async fn accept(config: Arc<ServerConfig>, io: T) -> io::Result<Self> {
        let tls = SecureChannel::new(config).map_err(invalid)?;
        let mut stream = Self { io, tls, plaintext: Vec::new(), read: 0 };
        std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    /// What both sides agreed to speak within (RFC 7301), if the client named anything.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// The socket, its TLS, and the plaintext that came and was not read.
    pub fn into_parts(mut self) -> (T, SecureChannel, Vec<u8>) {
        self.plaintext.drain(..self.read);
        (self.io, self.tls, self.plaintext)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sending = self.poll_send(cx)?;
            if !self.tls.is_handshaking() {
                ready!(sending);
                return Pin::new(&mut self.io).poll_flush(cx);
            }
            // Also while it cannot send: the client may have to say something before it reads on.
            ready!(self.poll_receive(cx))?;
        }
    }

    /// Takes what the socket has.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_CHUNK];
        let mut wire = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut wire))?;
        if wire.filled().is_empty() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the peer left without a close_notify")));
        }
        Poll::Ready(self.tls.receive(wire.filled_mut(), &mut self.plaintext).map_err(|error| {
            // The alert, if the socket takes it at once: nobody waits for a peer that breaks the protocol.
            let _ = self.poll_send(cx);
            invalid(error)
        }))
    }

    /// Sends the records that wait.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.tls.outgoing().is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, self.tls.outgoing()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.tls.sent(sent),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for SecureStream<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let stream = self.get_mut();
        while stream.plaintext.is_empty() && !stream.tls.peer_has_closed() {
            if let Some(failure) = stream.tls.failure() {
                return Poll::Ready(Err(invalid(failure.clone())));
            }
            let received = ready!(stream.poll_receive(cx));
            // What came before the failure is read before it.
            if stream.plaintext.is_empty() {
                received?;
            }
        }
        Poll::Ready(Ok(&stream.plaintext[stream.read..]))
    }

    fn consume(mut self: Pin<&mut Self>, length: usize) {
        self.read += length;
        if self.read == self.plaintext.len() {
            (self.plaintext, self.read) = (Vec::new(), 0);
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for SecureStream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let plaintext = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = plaintext.len().min(buffer.remaining());
        buffer.put_slice(&plaintext[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for SecureStream<T> {
    /// One record at a time waits for the socket, and no more.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let written = self.tls.send(bytes).map_err(io::Error::other)?;
        match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(written)),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut pieces = bytes.iter().filter(|piece| !piece.is_empty());
        let Some(first) = pieces.next() else { return Poll::Ready(Ok(0)) };
        if first.len() >= GATHERED_MAX {
            return self.poll_write(cx, first);
        }
        let mut gathered = first.to_vec();
        for piece in pieces {
            let room = GATHERED_MAX - gathered.len();
            gathered.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        self.poll_write(cx, &gathered)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Says `close_notify` first.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tls.close();
        ready!(self.poll_send(cx))?;
        match ready!(Pin::new(&mut self.io).poll_shutdown(cx)) {
            // It is down already.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            shut => Poll::Ready(shut),
        }
    }
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// One read: about a record.
const READ_CHUNK: usize = 16 * 1024;
/// One record's worth of small pieces.
const GATHERED_MAX: usize = 16 * 1024;
