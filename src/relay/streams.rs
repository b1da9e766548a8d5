//! Every stream of a shard, by its place and by its client.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::ready::Ready;
use super::stream::{NewStream, Stream};
use crate::proto::turn::{ClientAddr, FiveTuple, Transport};

/// The streams, and which of them have something to write.
#[derive(Default)]
pub(super) struct Streams {
    places: Vec<Option<Stream>>,
    free: Vec<usize>,
    by_client: HashMap<FiveTuple, usize>,
    dirty: Ready,
    fallen_out: u64,
}

impl Streams {
    /// Takes a stream in; `token` names its place.
    ///
    /// # Errors
    /// It is gone already, or cannot be waited for.
    pub(super) fn adopt(
        &mut self,
        new: NewStream,
        now: Instant,
        registry: &Registry,
        token: impl Fn(usize) -> Token,
    ) -> io::Result<Token> {
        let tuple = tuple_of(&new)?;
        let _ = SockRef::from(&new.socket).set_tcp_notsent_lowat(NOT_SENT_MAX);
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let mut stream = Stream::new(new, tuple, now);
        let registered = registry.register(&mut stream.socket, token(place), Interest::READABLE | Interest::WRITABLE);
        if let Err(cause) = registered {
            self.free.push(place);
            return Err(cause);
        }
        self.by_client.insert(tuple, place);
        self.places[place] = Some(stream);
        Ok(token(place))
    }

    /// Where a stream of the very same client stands.
    pub(super) fn place_of_same(&self, new: &NewStream) -> Option<usize> {
        self.by_client.get(&tuple_of(new).ok()?).copied()
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Stream> {
        self.places.get_mut(place)?.as_mut()
    }

    /// A stream's end was announced.
    pub(super) fn ending(&mut self, place: usize) {
        if let Some(stream) = self.get_mut(place) {
            stream.ends = true;
        }
    }

    /// Queues a frame for a client.
    pub(super) fn push(&mut self, tuple: FiveTuple, frame: &[u8]) {
        let Some(place) = self.by_client.get(&tuple).copied() else { return };
        if let Some(stream) = self.get_mut(place) {
            let fallen_out = stream.push(frame);
            self.fallen_out += fallen_out;
            self.note(place);
        }
    }

    /// Remembers that a stream may have something to write.
    pub(super) fn note(&mut self, place: usize) {
        self.dirty.push(place);
    }

    /// The next place that has something to write.
    pub(super) fn next_dirty(&mut self) -> Option<usize> {
        self.dirty.pop()
    }

    /// Drops a stream; whose it was.
    pub(super) fn remove(&mut self, place: usize, registry: &Registry) -> Option<FiveTuple> {
        let mut stream = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        if self.by_client.get(&stream.tuple) == Some(&place) {
            self.by_client.remove(&stream.tuple);
        }
        // A closed socket leaves the list by itself.
        let _ = registry.deregister(&mut stream.socket);
        Some(stream.tuple)
    }

    /// Frames that fell out of the queues of slow streams since the start.
    pub(super) const fn fallen_out(&self) -> u64 {
        self.fallen_out
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_client.is_empty()
    }

    /// The places of streams that have had no allocation for [`IDLE_MAX`].
    pub(super) fn idle(&mut self, now: Instant, has_allocation: impl Fn(FiveTuple) -> bool) -> Vec<usize> {
        let mut idle = Vec::new();
        for (place, stream) in self.places.iter_mut().enumerate().filter_map(|(place, s)| Some((place, s.as_mut()?))) {
            stream.idle_since = if has_allocation(stream.tuple) { None } else { stream.idle_since.or(Some(now)) };
            if stream.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= IDLE_MAX) {
                idle.push(place);
            }
        }
        idle
    }
}

fn tuple_of(new: &NewStream) -> io::Result<FiveTuple> {
    let transport = if new.tls.is_some() { Transport::Tls } else { Transport::Tcp };
    Ok(FiveTuple { client: ClientAddr(new.socket.peer_addr()?), server: new.socket.local_addr()?, transport })
}

/// What the kernel takes before it can send it: the rest waits here, where old frames can still fall out.
const NOT_SENT_MAX: u32 = 32 * 1024;
/// An Allocate takes two round trips; a stream that has none by then holds a place for nothing.
const IDLE_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use mio::Poll;

    use super::*;

    #[test]
    fn a_stream_that_has_no_allocation_in_time_is_idle_whatever_it_has_begun_to_say() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut streams, poll, now) = (Streams::default(), Poll::new().unwrap(), Instant::now());
        let mut clients = Vec::new();
        for _ in 0..2 {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            let new = NewStream { socket: listener.accept().unwrap().0, tls: None, said: Vec::new(), place: Box::new(()) };
            streams.adopt(new, now, poll.registry(), Token).unwrap();
        }
        let served = ClientAddr(clients[1].local_addr().unwrap());
        let has_allocation = |tuple: FiveTuple| tuple.client == served;
        assert!(streams.idle(now + IDLE_MAX / 2, has_allocation).is_empty());
        clients[0].write_all(&[0x00, 0x01, 0x00]).unwrap();
        assert_eq!(streams.idle(now + IDLE_MAX, has_allocation), [0]);
        assert_eq!(streams.idle(now + 2 * IDLE_MAX, |_| false), [0], "who had one has as long again");
        assert_eq!(streams.idle(now + 3 * IDLE_MAX, |_| false), [0, 1]);
    }
}
