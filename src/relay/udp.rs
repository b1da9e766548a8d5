//! Datagrams in batches: `recvmmsg` into one arena with room for headers, `sendmmsg` out of it. The one module with `unsafe`:
//! no maintained crate has both calls with the address a datagram was sent to, which a box with several addresses answers from.
#![allow(unsafe_code, reason = "recvmmsg, sendmmsg and packet information, behind a safe face")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use libc::{c_int, c_void, cmsghdr, in_pktinfo, in6_pktinfo, iovec, mmsghdr, msghdr, socklen_t};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use crate::proto::stun::Packet;

/// Binds a socket of clients: many reach it, and each is answered from the address it reached.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind_listener(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = bind(address)?;
    let (level, name) = match address {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    let on: c_int = 1;
    // SAFETY: the option takes an int, whose address and size are handed over.
    let set =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&on).cast(), size_of::<c_int>() as socklen_t) };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

/// Binds a socket; IPv6 ones take IPv6 alone.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A key frame arrives as a burst; the kernel grants what net.core.rmem_max lets it.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    let _ = socket.set_send_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Received datagrams, in one arena that is used again and again.
pub(super) struct Batch {
    arena: Vec<u8>,
    arrivals: Vec<Arrival>,
}

/// Where a datagram came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) source: SocketAddr,
    /// The address it was sent to; only of sockets made by [`bind_listener`].
    pub(super) reached: Option<IpAddr>,
    length: usize,
}

/// Bytes of the arena that are to be sent.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    pub(super) socket: RawFd,
    pub(super) to: SocketAddr,
    /// The address to send from; `None` leaves it to the kernel.
    pub(super) from: Option<IpAddr>,
    pub(super) bytes: Range<usize>,
}

/// Room for one control message with an address in it, aligned as the kernel wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

impl Batch {
    pub(super) fn new() -> Self {
        Self { arena: vec![0; BATCH * SLOT], arrivals: Vec::with_capacity(BATCH) }
    }

    /// Receives what waits, at most [`BATCH`] datagrams; how many.
    ///
    /// # Errors
    /// `WouldBlock` if nothing waits, or what the kernel says.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.arrivals.clear();
        // SAFETY: all zeros are a valid value of this C structure.
        let mut headers: [mmsghdr; BATCH] = unsafe { zeroed() };
        let mut names: [SockAddrStorage; BATCH] = std::array::from_fn(|_| SockAddrStorage::zeroed());
        let mut controls = [Control([0; CONTROL]); BATCH];
        let mut vectors = [iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
        for (index, slot) in self.arena.chunks_exact_mut(SLOT).enumerate() {
            let room = &mut slot[Packet::HEAD_ROOM..SLOT - Packet::TAIL_ROOM];
            vectors[index] = iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            let header = &mut headers[index].msg_hdr;
            header.msg_name = ptr::from_mut(&mut names[index]).cast();
            header.msg_namelen = names[index].size_of();
            header.msg_iov = ptr::from_mut(&mut vectors[index]);
            header.msg_iovlen = 1;
            header.msg_control = ptr::from_mut(&mut controls[index]).cast();
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: every header points to a name, a vector and a control buffer that outlive the call, and each vector to a slot of
        // its own; the kernel writes no more than the lengths beside them.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as _, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (header, name) in headers[..count].iter().zip(names) {
            self.arrivals.push(arrival(header, name));
        }
        Ok(count)
    }

    /// Forgets what was received.
    pub(super) fn clear(&mut self) {
        self.arrivals.clear();
    }

    /// Takes a frame of a stream in as if it had been received; false if every place is taken.
    pub(super) fn place(&mut self, source: SocketAddr, frame: &[u8]) -> bool {
        let start = self.arrivals.len() * SLOT + Packet::HEAD_ROOM;
        if self.arrivals.len() == BATCH {
            return false;
        }
        if let Some(room) = self.arena.get_mut(start..start + frame.len()).filter(|_| frame.len() <= ROOM) {
            room.copy_from_slice(frame);
        }
        self.arrivals.push(Arrival { source, reached: None, length: frame.len() });
        true
    }

    /// How many datagrams were received last.
    pub(super) fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// What stands in the arena now.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.arena[range]
    }

    /// One of the datagrams received last; `None` if it was cut off or has no source.
    pub(super) fn datagram(&mut self, index: usize) -> Option<(Arrival, Packet<'_>)> {
        let arrival = *self.arrivals.get(index)?;
        let start = index * SLOT + Packet::HEAD_ROOM;
        let usable = arrival.source.port() != 0 && arrival.length <= ROOM;
        let slot = &mut self.arena[..(index + 1) * SLOT];
        usable.then(|| (arrival, Packet::new(slot, start, start + arrival.length)))
    }

    /// Sends and forgets departures; one that the kernel refuses concerns that datagram alone.
    pub(super) fn send(&self, departures: &mut Vec<Departure>) {
        for run in departures.chunk_by(|one, next| one.socket == next.socket) {
            for batch in run.chunks(BATCH) {
                send_run(batch, &self.arena);
            }
        }
        departures.clear();
    }
}

/// Sends one message that lies in no arena.
pub(super) fn send_one(socket: RawFd, to: SocketAddr, from: Option<IpAddr>, bytes: &[u8]) {
    send_run(&[Departure { socket, to, from, bytes: 0..bytes.len() }], bytes);
}

/// Sends up to [`BATCH`] departures of one socket.
fn send_run(run: &[Departure], arena: &[u8]) {
    let Some(socket) = run.first().map(|departure| departure.socket) else { return };
    // SAFETY: all zeros are a valid value of this C structure.
    let mut headers: [mmsghdr; BATCH] = unsafe { zeroed() };
    let mut controls = [Control([0; CONTROL]); BATCH];
    let mut vectors = [iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
    let names: [SockAddr; BATCH] =
        std::array::from_fn(|index| run.get(index).map_or(UNSPECIFIED, |departure| departure.to).into());
    let count = run.len().min(BATCH);
    for (index, departure) in run.iter().take(count).enumerate() {
        let bytes = &arena[departure.bytes.clone()];
        vectors[index] = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let header = &mut headers[index].msg_hdr;
        header.msg_namelen = names[index].len();
        header.msg_name = names[index].as_ptr().cast_mut().cast::<c_void>();
        header.msg_iov = ptr::from_mut(&mut vectors[index]);
        header.msg_iovlen = 1;
        if let Some(from) = departure.from {
            header.msg_control = ptr::from_mut(&mut controls[index]).cast();
            header.msg_controllen = CONTROL as _;
            header.msg_controllen = write_source(header, from) as _;
        }
    }
    let mut sent = 0;
    while sent < count {
        // SAFETY: every header points to a name, a vector and a control buffer that outlive the call; the kernel only reads.
        let done = unsafe { libc::sendmmsg(socket, headers[sent..].as_mut_ptr(), (count - sent) as _, libc::MSG_DONTWAIT as _) };
        // A refusal is about the first message that is left.
        sent += usize::try_from(done).unwrap_or(1).max(1);
    }
}

fn arrival(header: &mmsghdr, name: SockAddrStorage) -> Arrival {
    // SAFETY: the kernel wrote an address of this length; a shorter one leaves the zeros, which are of no family.
    let source = unsafe { SockAddr::new(name, header.msg_hdr.msg_namelen) }.as_socket();
    let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
    let length = if whole { header.msg_len as usize } else { usize::MAX };
    Arrival { source: source.unwrap_or(UNSPECIFIED), reached: reached(&header.msg_hdr), length }
}

/// The address a datagram was sent to, from its control message.
fn reached(header: &msghdr) -> Option<IpAddr> {
    // SAFETY: the header's control buffer was filled by the kernel, whose macros walk it within msg_controllen; the data of these two
    // kinds of messages are these two structures, read without regard to alignment.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info: in_pktinfo = ptr::read_unaligned(data.cast());
                    return Some(Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr)).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info: in6_pktinfo = ptr::read_unaligned(data.cast());
                    return Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
                }
                _ => message = libc::CMSG_NXTHDR(header, message),
            }
        }
    }
    None
}

/// Asks the kernel to send from this address; the length of the control message.
fn write_source(header: &msghdr, from: IpAddr) -> usize {
    // SAFETY: the control buffer has CONTROL bytes, which hold either message, and is aligned for its header.
    unsafe {
        let message = libc::CMSG_FIRSTHDR(header);
        if message.is_null() {
            return 0;
        }
        match from {
            IpAddr::V4(ip) => {
                let mut info: in_pktinfo = zeroed();
                info.ipi_spec_dst.s_addr = ip.to_bits().to_be();
                put(message, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
            }
            IpAddr::V6(ip) => {
                let mut info: in6_pktinfo = zeroed();
                info.ipi6_addr.s6_addr = ip.octets();
                put(message, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
            }
        }
    }
}

/// # Safety
/// The message stands in a buffer with room for `info` behind its header.
unsafe fn put<T>(message: *mut cmsghdr, level: c_int, kind: c_int, info: T) -> usize {
    // SAFETY: as the caller promised; CMSG_LEN and CMSG_SPACE only compute.
    unsafe {
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = libc::CMSG_LEN(size_of::<T>() as _) as _;
        ptr::write_unaligned(libc::CMSG_DATA(message).cast(), info);
        libc::CMSG_SPACE(size_of::<T>() as _) as usize
    }
}

/// Datagrams a system call.
pub(super) const BATCH: usize = 32;
/// The largest datagram and its room; pages that no datagram reaches are never touched.
const SLOT: usize = 64 * 1024;
const ROOM: usize = SLOT - Packet::HEAD_ROOM - Packet::TAIL_ROOM;
const CONTROL: usize = 64;
const RECEIVE_BUFFER: usize = 1 << 20;
const UNSPECIFIED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

#[cfg(test)]
mod tests {
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
    fn departures_of_several_sockets_all_leave_and_a_refused_one_stops_no_other() {
        let (one, two) = (bind("127.0.0.1:0".parse().unwrap()).unwrap(), bind_listener("0.0.0.0:0".parse().unwrap()).unwrap());
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_nonblocking(true).unwrap();
        let mut batch = Batch::new();
        batch.arena[..4].copy_from_slice(b"abcd");
        let to = receiver.local_addr().unwrap();
        let departure = |socket: &UdpSocket, to, from, bytes| Departure { socket: socket.as_raw_fd(), to, from, bytes };
        let mut departures = vec![
            departure(&one, to, None, 0..1),
            departure(&one, "[::1]:9".parse().unwrap(), None, 0..4),
            departure(&one, to, None, 1..2),
            departure(&two, to, Some(Ipv4Addr::new(127, 0, 0, 2).into()), 2..4),
        ];
        batch.send(&mut departures);
        let mut buffer = [0; 8];
        let mut received = || receiver.recv_from(&mut buffer).map(|(length, from)| (buffer[..length].to_vec(), from)).unwrap();
        assert_eq!(received(), (b"a".to_vec(), one.local_addr().unwrap()));
        assert_eq!(received(), (b"b".to_vec(), one.local_addr().unwrap()));
        let (bytes, from) = received();
        assert_eq!((bytes, from.ip()), (b"cd".to_vec(), Ipv4Addr::new(127, 0, 0, 2).into()));
        assert!(departures.is_empty());
    }
}
