//! A stream whose reader has to keep up a pace: whoever asks for much and takes it byte by byte is cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Writes fail with `TimedOut` when something waits to be written and the reader takes less than [`BYTES_MIN`] in [`WINDOW`].
pub(super) struct Paced<T> {
    stream: T,
    /// Since the reader stopped keeping up.
    blocked: Option<Blocked>,
}

struct Blocked {
    written: usize,
    window: Pin<Box<Sleep>>,
}

impl<T> Paced<T> {
    pub(super) fn new(stream: T) -> Self {
        Self { stream, blocked: None }
    }

    fn wrote(&mut self, bytes: usize) {
        if let Some(blocked) = &mut self.blocked {
            blocked.written += bytes;
        }
    }

    fn poll_pace(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let start = || Blocked { written: 0, window: Box::pin(sleep(WINDOW)) };
        let blocked = self.blocked.get_or_insert_with(start);
        loop {
            ready!(blocked.window.as_mut().poll(cx));
            if blocked.written < BYTES_MIN {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the other side reads too slowly"));
            }
            blocked.written = 0;
            blocked.window.as_mut().reset(Instant::now() + WINDOW);
        }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.poll_pace(cx).map(Err),
            Poll::Ready(result) => {
                self.wrote(result.as_ref().map_or(0, |bytes| *bytes));
                written
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_written(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.poll_written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.poll_pace(cx).map(Err),
            flushed => {
                self.blocked = None;
                flushed
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => self.poll_pace(cx).map(Err),
            shut => shut,
        }
    }
}

/// As long as unacknowledged data may take.
const WINDOW: Duration = Duration::from_secs(30);
/// Four kilobits a second.
const BYTES_MIN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_of_a_byte_a_second_is_cut_off() {
        let (taken, failed) = read_by(1, Duration::from_secs(1)).await;
        assert_eq!(failed, Some(io::ErrorKind::TimedOut));
        assert!(taken < WINDOW * 2, "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_is_waited_for() {
        let (taken, failed) = read_by(1024, Duration::from_secs(1)).await;
        assert_eq!(failed, None);
        assert!(taken > WINDOW * 2, "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_with_nothing_to_write_is_no_slowness() {
        let (stream, mut reader) = tokio::io::duplex(64);
        let mut stream = Paced::new(stream);
        for _ in 0..3 {
            let mut taken = [0; 100];
            let (written, _) = tokio::join!(write(&mut stream, 100), reader.read_exact(&mut taken));
            written.unwrap();
            tokio::time::sleep(WINDOW * 2).await;
        }
    }

    /// Writes 100 KiB to somebody who takes so many bytes each time; how long it took, and how it failed.
    async fn read_by(bytes: usize, pause: Duration) -> (Duration, Option<io::ErrorKind>) {
        let (stream, mut reader) = tokio::io::duplex(1024);
        let started = Instant::now();
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; bytes];
            while reader.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                tokio::time::sleep(pause).await;
            }
        });
        let written = write(&mut Paced::new(stream), 100 * 1024).await;
        reading.abort();
        (started.elapsed(), written.err().map(|error| error.kind()))
    }

    async fn write<T: AsyncWrite + Unpin>(stream: &mut Paced<T>, bytes: usize) -> io::Result<()> {
        stream.write_all(&vec![0; bytes]).await?;
        stream.flush().await
    }
}
