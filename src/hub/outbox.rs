//! What waits for one socket: bounded in bytes, so that a slow reader costs itself alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, watch};

use crate::proto::signal::{CloseCode, ServerMessage};

/// The hub's end.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedSender<Outgoing>,
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
    overflow: watch::Sender<bool>,
}

/// The socket's end.
#[derive(Debug)]
pub struct Inbox {
    queue: mpsc::UnboundedReceiver<Outgoing>,
    bytes: Arc<AtomicUsize>,
    overflow: watch::Receiver<bool>,
}

/// Something to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// One text message.
    Text(String),
    /// The last thing: a close frame.
    Close(CloseCode),
}

/// More waits than may.
#[derive(Debug)]
pub(super) struct Overflow;

pub(super) fn outbox(bytes_max: usize) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (overflow, overflowed) = watch::channel(false);
    let bytes = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox { queue: sender, bytes: Arc::clone(&bytes), bytes_max, overflow };
    (outbox, Inbox { queue: receiver, bytes, overflow: overflowed })
}

impl Outbox {
    pub(super) fn push(&self, message: &ServerMessage) -> Result<(), Overflow> {
        let text = serde_json::to_string(message).expect("invariant: messages have string keys alone");
        let waiting = self.bytes.fetch_add(text.len(), Ordering::Relaxed) + text.len();
        if waiting > self.bytes_max {
            let _ = self.overflow.send(true);
            return Err(Overflow);
        }
        // A socket that is gone says so itself.
        let _ = self.queue.send(Outgoing::Text(text));
        Ok(())
    }

    pub(super) fn close(self, code: CloseCode) {
        let _ = self.queue.send(Outgoing::Close(code));
    }
}

impl Inbox {
    /// The next thing to write; `None` if the hub dropped the socket without a word.
    pub async fn next(&mut self) -> Option<Outgoing> {
        let next = self.queue.recv().await;
        if let Some(Outgoing::Text(text)) = &next {
            self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
        }
        next
    }

    /// Comes when more waited than may: whatever is being written is given up.
    pub async fn overflowed(&mut self) {
        if self.overflow.wait_for(|overflow| *overflow).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
