//! A WebSocket with this box's bounds of memory (RFC 6455).

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::proto::signal::CloseCode;

/// The server's side of an open socket over `S`.
pub struct Socket<S>(Box<WebSocketStream<S>>);

/// The other side is gone, or has to be told why it is closed.
pub type Ended = Option<CloseCode>;

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// After the opening handshake; one byte more than `message_bytes_max` ends it.
    pub async fn new(stream: S, message_bytes_max: usize) -> Self {
        let config = config(message_bytes_max);
        Self(Box::new(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await))
    }

    /// The next frame that is no close frame; pings are answered by the way. Safe to cancel.
    ///
    /// # Errors
    /// How the socket ends.
    pub async fn read(&mut self) -> Result<Message, Ended> {
        match self.0.next().await {
            Some(Ok(Message::Close(_))) | None => Err(None),
            Some(Ok(message)) => Ok(message),
            Some(Err(Error::Capacity(_))) => Err(Some(CloseCode::MessageTooBig)),
            Some(Err(_)) => Err(None),
        }
    }

    /// Writes a message whole. If it is cancelled, the rest of the message goes out before what is written next.
    ///
    /// # Errors
    /// The other side is gone.
    pub async fn write(&mut self, message: Message) -> Result<(), Ended> {
        self.0.send(message).await.map_err(|_| None)
    }

    /// Says why, and gives the other side a moment to hear it.
    pub async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: (code as u16).into(), reason: code.reason().into() };
        let goodbye = async {
            if self.0.as_mut().close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        // Whoever does not answer is gone.
        let _ = timeout(GOODBYE_MAX, goodbye).await;
    }
}

/// tungstenite's own defaults take 128 KiB a socket at once, and let 64 MiB messages and endless writes through.
fn config(message_bytes_max: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX.max(2 * message_bytes_max))
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max))
}

/// Larger messages take room of their own: nearly all are shorter, and every socket holds this much for as long as it stands.
const READ_BUFFER: usize = 256;
const WRITE_BUFFER_MAX: usize = 256 * 1024;
const GOODBYE_MAX: Duration = Duration::from_secs(1);
