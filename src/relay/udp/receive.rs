//! Receiving: whatever waits at one socket after another, into one arena.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{iovec, mmsghdr};
use socket2::{SockAddr, SockAddrStorage};

use super::control::{self, Control};
use super::{BATCH, UNSPECIFIED, errors};
use crate::proto::stun::Packet;

/// Received datagrams, each in a slot of an arena that is used again and again.
pub(in crate::relay) struct Batch {
    arena: Vec<u8>,
    arrivals: Vec<Arrival>,
    headers: Vec<mmsghdr>,
    vectors: Vec<iovec>,
    names: Vec<SockAddrStorage>,
    controls: Vec<Control>,
}

// SAFETY: the pointers in headers and vectors are written anew before each call and used by no one after it.
unsafe impl Send for Batch {}

/// Where a datagram came from.
#[derive(Debug, Clone, Copy)]
pub(in crate::relay) struct Arrival {
    pub(in crate::relay) source: SocketAddr,
    /// The address it was sent to; only of sockets made by [`super::bind_listener`].
    pub(in crate::relay) reached: Option<IpAddr>,
    length: usize,
}

impl Batch {
    pub(in crate::relay) fn new() -> Self {
        let vector = iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        Self {
            arena: vec![0; BATCH * SLOT],
            arrivals: Vec::with_capacity(BATCH),
            // SAFETY: all zeros are a valid value of this C structure.
            headers: vec![unsafe { std::mem::zeroed() }; BATCH],
            vectors: vec![vector; BATCH],
            names: (0..BATCH).map(|_| SockAddrStorage::zeroed()).collect(),
            controls: vec![Control::EMPTY; BATCH],
        }
    }

    /// Receives what waits, as far as there is room, behind what was received before; how many datagrams.
    ///
    /// # Errors
    /// `WouldBlock` if nothing waits, or what the kernel says.
    pub(in crate::relay) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let first = self.arrivals.len();
        for index in first..BATCH {
            let room = &mut self.arena[index * SLOT..][..SLOT][Packet::HEAD_ROOM..SLOT - Packet::TAIL_ROOM];
            self.vectors[index] = iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.names[index]).cast();
            header.msg_namelen = self.names[index].size_of();
            header.msg_iov = ptr::from_mut(&mut self.vectors[index]);
            header.msg_iovlen = 1;
            header.msg_control = ptr::from_mut(&mut self.controls[index]).cast();
            header.msg_controllen = Control::ROOM as _;
        }
        let (headers, room) = (self.headers[first..].as_mut_ptr(), BATCH - first);
        // SAFETY: every header points to a name, a vector and a control buffer that outlive the call, and each vector to a slot of
        // its own; the kernel writes no more than the lengths beside them.
        let count = errors::again(|| unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers, room as _, libc::MSG_DONTWAIT as _, ptr::null_mut()) as isize
        });
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for index in first..first + count {
            self.arrivals.push(arrival(&self.headers[index], &self.names[index]));
        }
        Ok(count)
    }

    /// Forgets what was received.
    pub(in crate::relay) fn clear(&mut self) {
        self.arrivals.clear();
    }

    /// Takes a frame of a stream in as if it had been received; false if every place is taken.
    pub(in crate::relay) fn place(&mut self, source: SocketAddr, frame: &[u8]) -> bool {
        let start = self.arrivals.len() * SLOT + Packet::HEAD_ROOM;
        if self.is_full() {
            return false;
        }
        if let Some(room) = self.arena.get_mut(start..start + frame.len()).filter(|_| frame.len() <= ROOM) {
            room.copy_from_slice(frame);
        }
        self.arrivals.push(Arrival { source, reached: None, length: frame.len() });
        true
    }

    /// How many datagrams it holds.
    pub(in crate::relay) fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether it has no room for another.
    pub(in crate::relay) fn is_full(&self) -> bool {
        self.arrivals.len() == BATCH
    }

    /// What stands in the arena now.
    pub(in crate::relay) fn arena(&self) -> &[u8] {
        &self.arena
    }

    /// What stands in a part of it.
    pub(in crate::relay) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.arena[range]
    }

    /// One of the datagrams it holds; `None` if it was cut off or has no source.
    pub(in crate::relay) fn datagram(&mut self, index: usize) -> Option<(Arrival, Packet<'_>)> {
        let arrival = *self.arrivals.get(index)?;
        let start = index * SLOT + Packet::HEAD_ROOM;
        let usable = arrival.source.port() != 0 && arrival.length <= ROOM;
        let slot = &mut self.arena[..(index + 1) * SLOT];
        usable.then(|| (arrival, Packet::new(slot, start, start + arrival.length)))
    }
}

fn arrival(header: &mmsghdr, name: &SockAddrStorage) -> Arrival {
    let source = (header.msg_hdr.msg_namelen > 0).then(|| {
        // SAFETY: the kernel wrote an address of this length.
        unsafe { SockAddr::new(ptr::read(name), header.msg_hdr.msg_namelen) }
    });
    let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
    let length = if whole { header.msg_len as usize } else { usize::MAX };
    let source = source.and_then(|name| name.as_socket()).unwrap_or(UNSPECIFIED);
    Arrival { source, reached: control::reached(&header.msg_hdr), length }
}

/// The largest datagram and its room; pages that no datagram reaches are never touched.
const SLOT: usize = 64 * 1024;
const ROOM: usize = SLOT - Packet::HEAD_ROOM - Packet::TAIL_ROOM;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::super::bind_listener;
    use super::*;

    #[test]
    fn datagrams_arrive_whole_with_source_and_the_address_they_reached() {
        for any in ["0.0.0.0:0", "[::]:0"] {
            let listener = bind_listener(any.parse().unwrap()).unwrap();
            let port = listener.local_addr().unwrap().port();
            let local: IpAddr = if any.starts_with('[') { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
            let client = UdpSocket::bind((local, 0)).unwrap();
            let sizes = [0, 1, 1200, 60_000];
            for size in sizes {
                client.send_to(&vec![7; size], (local, port)).unwrap();
            }
            let mut batch = Batch::new();
            assert_eq!(batch.receive(&listener).unwrap(), sizes.len());
            for (index, size) in sizes.into_iter().enumerate() {
                let (arrival, packet) = batch.datagram(index).unwrap();
                assert_eq!((arrival.source, arrival.reached), (client.local_addr().unwrap(), Some(local)));
                assert_eq!(packet.bytes(), vec![7; size]);
            }
            assert_eq!(batch.receive(&listener).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn sockets_share_a_batch_until_it_is_full() {
        let sockets = [0; 2].map(|_| bind_listener("127.0.0.1:0".parse().unwrap()).unwrap());
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for (number, socket) in sockets.iter().enumerate() {
            for _ in 0..BATCH - 1 {
                client.send_to(&[number as u8; 3], socket.local_addr().unwrap()).unwrap();
            }
        }
        let mut batch = Batch::new();
        assert_eq!(sockets.each_ref().map(|socket| batch.receive(socket).unwrap()), [BATCH - 1, 1]);
        assert!(batch.is_full());
        assert_eq!(batch.datagram(BATCH - 2).unwrap().1.bytes(), [0; 3]);
        assert_eq!(batch.datagram(BATCH - 1).unwrap().1.bytes(), [1; 3]);
        batch.clear();
        assert_eq!(batch.receive(&sockets[1]).unwrap(), BATCH - 2);
        assert_eq!(batch.datagram(0).unwrap().1.bytes(), [1; 3]);
    }
}
