//! A stream to a TURN server as the `turn` crate's client wants it: one frame a call (RFC 8656 section 3.1).

use std::any::Any;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Mutex;
use webrtc_util::{Conn, Error};

use crate::proto::stun::frame_length;

/// A TCP or TLS stream to a server.
pub struct Framed<S> {
    reader: Mutex<(ReadHalf<S>, Vec<u8>)>,
    writer: Mutex<WriteHalf<S>>,
    server: SocketAddr,
}

impl<S: AsyncRead + AsyncWrite> Framed<S> {
    /// Over a stream that is connected to `server`.
    pub fn new(stream: S, server: SocketAddr) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: Mutex::new((reader, Vec::new())), writer: Mutex::new(writer), server }
    }
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Send + 'static> Conn for Framed<S> {
    async fn connect(&self, _: SocketAddr) -> Result<(), Error> {
        Ok(())
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let (reader, held) = &mut *self.reader.lock().await;
        loop {
            let length = frame_length(held).map_err(|_| Error::Other("not a frame of STUN or TURN".to_owned()))?;
            if let Some(length) = length.filter(|length| *length <= held.len()) {
                let room = buffer.get_mut(..length).ok_or(Error::ErrBufferShort)?;
                room.copy_from_slice(&held[..length]);
                held.drain(..length);
                return Ok(length);
            }
            if reader.read_buf(held).await? == 0 {
                return Err(Error::ErrClosedListener);
            }
        }
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        Ok((self.recv(buffer).await?, self.server))
    }

    async fn send(&self, frame: &[u8]) -> Result<usize, Error> {
        let mut writer = self.writer.lock().await;
        writer.write_all(frame).await?;
        writer.flush().await?;
        Ok(frame.len())
    }

    async fn send_to(&self, frame: &[u8], _: SocketAddr) -> Result<usize, Error> {
        self.send(frame).await
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.server)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.server)
    }

    async fn close(&self) -> Result<(), Error> {
        self.writer.lock().await.shutdown().await?;
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
