//! One client over TCP or TLS: frames in, frames out, both bounded. Whoever accepted it has shaken hands already.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream as StdTcpStream;
use std::time::Instant;

use mio::net::TcpStream;

use crate::proto::stun::frame_length;
use crate::proto::turn::FiveTuple;
use crate::tls::SecureChannel;

/// A stream that was accepted, to be handed to the relay.
pub struct NewStream {
    /// Not blocking, its handshake done.
    pub socket: StdTcpStream,
    /// The TLS within it.
    pub tls: Option<SecureChannel>,
    /// What the client has said already.
    pub said: Vec<u8>,
    /// Dropped with the stream: its place among the connections there may be.
    pub place: Box<dyn Any + Send>,
}

/// A client's stream.
pub(super) struct Stream {
    pub(super) tuple: FiveTuple,
    /// When it was seen without an allocation first; such a stream is not kept.
    pub(super) idle_since: Option<Instant>,
    pub(super) socket: TcpStream,
    /// Whether its end was announced, which nobody announces again.
    pub(super) ends: bool,
    tls: Option<SecureChannel>,
    _place: Box<dyn Any + Send>,
    /// What was read and is no whole frame yet.
    held: Vec<u8>,
    /// How much of it was taken as frames.
    taken: usize,
    outbox: Outbox,
}

/// The stream cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

impl Stream {
    pub(super) fn new(new: NewStream, tuple: FiveTuple, now: Instant) -> Self {
        let NewStream { socket, tls, said, place } = new;
        let socket = TcpStream::from_std(socket);
        Self {
            tuple,
            idle_since: Some(now),
            socket,
            ends: false,
            tls,
            _place: place,
            held: said,
            taken: 0,
            outbox: Outbox::default(),
        }
    }

    /// Reads what there is, within bounds, so that others get their turn; whether there may be more. `buffer` is anybody's.
    ///
    /// # Errors
    /// The other side is gone, or what it sent is no TLS.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, Closed> {
        self.held.drain(..self.taken);
        self.taken = 0;
        let mut source = Source { socket: &mut self.socket, ends: self.ends, drained: false };
        for _ in 0..READS_MAX {
            let length = match source.read(buffer) {
                Ok(0) => return Err(Closed),
                Ok(length) => length,
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(Closed),
            };
            match &mut self.tls {
                None => self.held.extend_from_slice(&buffer[..length]),
                Some(tls) => receive(tls, &mut buffer[..length], &mut self.held, source.socket)?,
            }
            if source.drained {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes whole frames out of what is held, in order, until `take` has no room.
    ///
    /// # Errors
    /// What is held can never become a frame.
    pub(super) fn take_frames(&mut self, mut take: impl FnMut(&[u8]) -> bool) -> Result<(), Closed> {
        loop {
            let rest = &self.held[self.taken..];
            match frame_length(rest) {
                Err(_) => return Err(Closed),
                Ok(Some(length)) if length <= rest.len() && take(&rest[..length]) => self.taken += length,
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Whether a whole frame is held.
    pub(super) fn holds_frame(&self) -> bool {
        let rest = &self.held[self.taken..];
        matches!(frame_length(rest), Ok(Some(length)) if length <= rest.len())
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.held.len() - self.taken
    }

    /// Queues a frame; the oldest ones that wait fall out where there is no room, and their number is returned.
    pub(super) fn push(&mut self, frame: &[u8]) -> u64 {
        self.outbox.push(frame)
    }

    /// Writes what waits, as far as the kernel takes it.
    ///
    /// # Errors
    /// The other side is gone.
    pub(super) fn flush(&mut self) -> Result<(), Closed> {
        match self.write_waiting() {
            Ok(()) => Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(Closed),
        }
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        loop {
            if let Some(tls) = &mut self.tls {
                while !tls.outgoing().is_empty() {
                    let sent = self.socket.write(tls.outgoing())?;
                    tls.sent(sent);
                }
            }
            let bytes = self.outbox.next();
            if bytes.is_empty() {
                return Ok(());
            }
            let written = match &mut self.tls {
                None => self.socket.write(bytes)?,
                Some(tls) => tls.send(bytes).map_err(io::Error::other)?,
            };
            self.outbox.wrote(written);
        }
    }
}

/// A socket, and whether the last read emptied it: one that brings less than it has room for has (epoll(7), question 9).
struct Source<'a> {
    socket: &'a mut TcpStream,
    /// Its end may stand behind whatever is read.
    ends: bool,
    drained: bool,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.socket.read(buffer)?;
        self.drained = length > 0 && length < buffer.len() && !self.ends;
        Ok(length)
    }
}

/// Appends the plaintext of what was read.
fn receive(tls: &mut SecureChannel, wire: &mut [u8], held: &mut Vec<u8>, socket: &mut TcpStream) -> Result<(), Closed> {
    match tls.receive(wire, held) {
        Ok(()) if tls.peer_has_closed() => Err(Closed),
        Ok(()) => Ok(()),
        Err(_) => {
            // The alert says why, if there is room for it.
            let _ = socket.write(tls.outgoing());
            Err(Closed)
        }
    }
}

/// What waits to be written: bytes on their way, and whole frames behind them.
#[derive(Debug, Default)]
struct Outbox {
    leaving: Vec<u8>,
    left: usize,
    waiting: VecDeque<u8>,
    lengths: VecDeque<usize>,
    /// Answers to requests, which nobody asks for again over a stream: they neither fall out nor wait behind media.
    answers: Vec<u8>,
}

impl Outbox {
    fn push(&mut self, frame: &[u8]) -> u64 {
        if frame.first() == Some(&ANSWER) && self.answers.len() + frame.len() <= ANSWERS_MAX {
            self.answers.extend_from_slice(frame);
            return 0;
        }
        let mut fallen_out = 0;
        while self.waiting.len() + frame.len() > WAITING_MAX {
            let Some(oldest) = self.lengths.pop_front() else { break };
            self.waiting.drain(..oldest);
            fallen_out += 1;
        }
        self.waiting.extend(frame);
        self.lengths.push_back(frame.len());
        fallen_out
    }

    /// The next bytes to write, all that wait at once.
    fn next(&mut self) -> &[u8] {
        if self.left == self.leaving.len() {
            self.leaving.clear();
            self.left = 0;
            self.leaving.append(&mut self.answers);
            let frames = self.lengths.iter().scan(0, |total, length| {
                *total += length;
                (*total <= WRITE_MAX || *total == *length).then_some(*length)
            });
            let (count, bytes) = frames.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length));
            self.lengths.drain(..count);
            self.leaving.extend(self.waiting.drain(..bytes));
        }
        &self.leaving[self.left..]
    }

    fn wrote(&mut self, length: usize) {
        self.left += length;
    }
}

/// First byte of every success and error response to the methods of TURN (RFC 8489 section 5).
const ANSWER: u8 = 0x01;
const ANSWERS_MAX: usize = 32 * 1024;
/// One read, about a TLS record.
pub(super) const READ_CHUNK: usize = 16 * 1024;
/// Reads a turn.
const READS_MAX: usize = 8;
/// What one write takes, about a TLS record.
const WRITE_MAX: usize = 16 * 1024;
/// About half a second of video: what is older is of no use to anybody.
const WAITING_MAX: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::turn::{ClientAddr, Transport};

    #[test]
    fn an_end_behind_the_last_bytes_is_seen_once_it_was_announced() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = StdTcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, source) = listener.accept().unwrap();
        let tuple = FiveTuple { client: ClientAddr(source), server: socket.local_addr().unwrap(), transport: Transport::Tcp };
        let mut stream =
            Stream::new(NewStream { socket, tls: None, said: Vec::new(), place: Box::new(()) }, tuple, Instant::now());
        client.write_all(&[0x40; 10]).unwrap();
        assert_eq!(stream.fill(&mut [0; 100]), Ok(false), "a short read has emptied it, so nothing blocks here");
        client.write_all(&[0x40; 10]).unwrap();
        drop(client);
        stream.ends = true;
        assert_eq!(stream.fill(&mut [0; 100]), Err(Closed));
        assert_eq!(stream.held(), 20);
    }

    #[test]
    fn the_oldest_whole_frames_fall_out_of_a_full_outbox() {
        let mut outbox = Outbox::default();
        outbox.push(&[0; 1000]);
        assert_eq!(outbox.next().len(), 1000);
        outbox.wrote(10);
        let fallen_out = (1..=200u8).map(|n| outbox.push(&[&[0x40][..], &[n; 999]].concat())).sum::<u64>();
        assert_eq!(fallen_out, 200 - 131);
        assert!(outbox.waiting.len() <= WAITING_MAX);
        assert_eq!(outbox.next(), vec![0; 990], "what has begun to leave is finished");
        outbox.wrote(990);
        let mut seen = Vec::new();
        while !outbox.next().is_empty() {
            let bytes = outbox.next().to_vec();
            assert!(bytes.len() <= WRITE_MAX && bytes.len() % 1000 == 0);
            seen.extend(bytes.chunks(1000).map(|frame| frame[1]));
            outbox.wrote(bytes.len());
        }
        assert_eq!(seen, (200 - 131 + 1..=200).collect::<Vec<u8>>(), "the newest are kept, in order");
    }

    #[test]
    fn answers_overtake_media_and_do_not_fall_out() {
        let mut outbox = Outbox::default();
        for _ in 0..300 {
            outbox.push(&[0x40; 1000]);
        }
        outbox.push(&[ANSWER; 20]);
        assert_eq!(outbox.next()[..20], [ANSWER; 20]);
    }

    #[test]
    fn a_frame_larger_than_a_write_leaves_alone() {
        let mut outbox = Outbox::default();
        outbox.push(&[0x40; 40_000]);
        outbox.push(&[0x41; 10]);
        assert_eq!(outbox.next().len(), 40_000);
        outbox.wrote(40_000);
        assert_eq!(outbox.next(), [0x41; 10]);
    }
}
