//! A stream to the relay as the `turn` crate's client wants it: one frame a call.

use std::any::Any;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Mutex;
use visavis::proto::stun::frame_length;
use webrtc_util::{Conn, Error};

pub(crate) struct Framed<S> {
    reader: Mutex<(ReadHalf<S>, Vec<u8>)>,
    writer: Mutex<WriteHalf<S>>,
    server: SocketAddr,
}

impl<S: AsyncRead + AsyncWrite> Framed<S> {
    pub(crate) fn new(stream: S, server: SocketAddr) -> Self {
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
            if let Some(length) = frame_length(held).expect("the relay sends frames").filter(|length| *length <= held.len()) {
                buffer[..length].copy_from_slice(&held[..length]);
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
