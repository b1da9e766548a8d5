//! What waits for one socket: bounded in bytes, so that a slow reader costs itself alone. Empty, as it nearly always is, it holds no
//! memory but itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::proto::signal::{CloseCode, ServerMessage};

/// The hub's end.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Arc<Mutex<Queue>>,
    bytes_max: usize,
}

/// The socket's end.
#[derive(Debug)]
pub struct Inbox {
    queue: Arc<Mutex<Queue>>,
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

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    overflowed: bool,
    /// Whether the hub's end is gone: nothing more will come.
    ended: bool,
    /// Of the socket's task, while it waits.
    reader: Option<Waker>,
}

pub(super) fn outbox(bytes_max: usize) -> (Outbox, Inbox) {
    let queue = Arc::new(Mutex::new(Queue::default()));
    (Outbox { queue: Arc::clone(&queue), bytes_max }, Inbox { queue })
}

impl Outbox {
    pub(super) fn push(&self, message: &ServerMessage) -> Result<(), Overflow> {
        let text = serde_json::to_string(message).expect("invariant: messages have string keys alone");
        let mut queue = lock(&self.queue);
        queue.bytes += text.len();
        if queue.bytes > self.bytes_max {
            queue.overflowed = true;
        } else {
            queue.waiting.push_back(Outgoing::Text(text));
        }
        let overflowed = queue.overflowed;
        wake(queue);
        if overflowed { Err(Overflow) } else { Ok(()) }
    }

    pub(super) fn close(self, code: CloseCode) {
        lock(&self.queue).waiting.push_back(Outgoing::Close(code));
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        queue.ended = true;
        wake(queue);
    }
}

impl Inbox {
    /// The next thing to write; `None` if the hub dropped the socket without a word. Safe to cancel.
    pub async fn next(&mut self) -> Option<Outgoing> {
        poll_fn(|cx| lock(&self.queue).poll_next(cx)).await
    }

    /// Comes when more waited than may: whatever is being written is given up.
    pub async fn overflowed(&mut self) {
        poll_fn(|cx| lock(&self.queue).poll_overflowed(cx)).await;
    }
}

impl Queue {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        let Some(next) = self.waiting.pop_front() else {
            return if self.ended { Poll::Ready(None) } else { self.wait(cx) };
        };
        if let Outgoing::Text(text) = &next {
            self.bytes -= text.len();
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Poll::Ready(Some(next))
    }

    fn poll_overflowed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.overflowed { Poll::Ready(()) } else { self.wait(cx) }
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the reader once the lock is free.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::proto::signal::ErrorCode;

    #[tokio::test]
    async fn what_was_pushed_comes_out_in_order_and_the_close_code_last() {
        let (outbox, mut inbox) = outbox(1000);
        outbox.push(&message()).unwrap();
        outbox.push(&message()).unwrap();
        outbox.close(CloseCode::GoingAway);
        let text = Some(Outgoing::Text(serde_json::to_string(&message()).unwrap()));
        assert_eq!([inbox.next().await, inbox.next().await], [text.clone(), text]);
        assert_eq!([inbox.next().await, inbox.next().await], [Some(Outgoing::Close(CloseCode::GoingAway)), None]);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken_by_a_message_and_by_the_end() {
        let (outbox, mut inbox) = outbox(1000);
        let reading = tokio::spawn(async move { (inbox.next().await.is_some(), inbox.next().await.is_some()) });
        tokio::task::yield_now().await;
        outbox.push(&message()).unwrap();
        tokio::task::yield_now().await;
        drop(outbox);
        assert_eq!(reading.await.unwrap(), (true, false));
    }

    #[tokio::test]
    async fn what_was_taken_makes_room_again() {
        let length = serde_json::to_string(&message()).unwrap().len();
        let (outbox, mut inbox) = outbox(2 * length);
        for _ in 0..10 {
            outbox.push(&message()).unwrap();
            outbox.push(&message()).unwrap();
            inbox.next().await.unwrap();
            inbox.next().await.unwrap();
        }
        assert_eq!(lock(&inbox.queue).waiting.capacity(), 0, "an empty outbox keeps no memory");
        outbox.push(&message()).unwrap();
        outbox.push(&message()).unwrap();
        outbox.push(&message()).unwrap_err();
        outbox.push(&message()).unwrap_err();
        assert_eq!(lock(&inbox.queue).waiting.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_hears_of_an_overflow_alone() {
        let (outbox, mut inbox) = outbox(100);
        let moment = Duration::from_secs(1);
        assert!(timeout(moment, inbox.overflowed()).await.is_err());
        outbox.push(&message()).unwrap();
        assert!(timeout(moment, inbox.overflowed()).await.is_err());
        while outbox.push(&message()).is_ok() {}
        outbox.close(CloseCode::TryAgainLater);
        timeout(moment, inbox.overflowed()).await.unwrap();
    }

    fn message() -> ServerMessage {
        ServerMessage::Error { code: ErrorCode::RateLimited, message: String::new() }
    }
}
