//! Sending: all departures of a socket in one system call, and those of equal size that go the same way as segments of one message,
//! which crosses the kernel once (UDP GSO, Linux 4.18).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::RawFd;
use std::ptr;

use libc::{iovec, mmsghdr};
use socket2::SockAddr;

use super::control::{self, Control};
use super::{BATCH, errors, set_option};

/// Bytes of an arena that are to be sent.
#[derive(Debug, Clone)]
pub(in crate::relay) struct Departure {
    pub(in crate::relay) socket: RawFd,
    pub(in crate::relay) to: SocketAddr,
    /// The address to send from; `None` leaves it to the kernel.
    pub(in crate::relay) from: Option<IpAddr>,
    pub(in crate::relay) bytes: Range<usize>,
}

/// Sends departures; its tables are used again and again.
pub(in crate::relay) struct Sender {
    /// Whether the kernel and the network card cut messages into segments.
    segments: bool,
    refused: u64,
    headers: Vec<mmsghdr>,
    vectors: Vec<iovec>,
    names: Vec<SockAddr>,
    controls: Vec<Control>,
}

// SAFETY: the pointers in headers and vectors are written anew before each call and used by no one after it.
unsafe impl Send for Sender {}

impl Sender {
    pub(in crate::relay) fn new() -> Self {
        // An older kernel would take no notice of the size and send one datagram.
        let probe = UdpSocket::bind("127.0.0.1:0").or_else(|_| UdpSocket::bind("[::1]:0"));
        let segments = probe.and_then(|socket| set_option(&socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0)).is_ok();
        Self {
            segments,
            refused: 0,
            headers: Vec::with_capacity(BATCH),
            vectors: Vec::with_capacity(BATCH),
            names: Vec::with_capacity(BATCH),
            controls: Vec::with_capacity(BATCH),
        }
    }

    /// Sends and forgets departures; one that the kernel refuses concerns that datagram alone. The order is kept among those of one
    /// socket to one address.
    pub(in crate::relay) fn send(&mut self, departures: &mut Vec<Departure>, arena: &[u8]) {
        // What stands further back in the arena came later. (A stable sort would take memory.)
        departures.sort_unstable_by_key(|departure| (departure.socket, departure.to, departure.bytes.start));
        for run in departures.chunk_by(|one, next| one.socket == next.socket) {
            for batch in run.chunks(BATCH) {
                self.send_run(batch, arena);
            }
        }
        departures.clear();
    }

    /// Sends up to [`BATCH`] departures of one socket.
    fn send_run(&mut self, mut run: &[Departure], arena: &[u8]) {
        let Some(socket) = run.first().map(|departure| departure.socket) else { return };
        while !run.is_empty() {
            self.lay_out(run, arena);
            let (headers, count) = (self.headers.as_mut_ptr(), self.headers.len());
            // SAFETY: every header points to a name, vectors and a control buffer that outlive the call; the kernel only reads.
            let sent = errors::again(|| unsafe { libc::sendmmsg(socket, headers, count as _, libc::MSG_DONTWAIT as _) as isize });
            let refusal = io::Error::last_os_error();
            let gone = &self.headers[..usize::try_from(sent).unwrap_or(0)];
            run = &run[gone.iter().map(|header| header.msg_hdr.msg_iovlen).sum()..];
            if sent <= 0 {
                // It is about the first message: its datagrams leave one by one or not at all.
                let (first, rest) = run.split_at(self.headers[0].msg_hdr.msg_iovlen);
                self.refused += self.send_singly(first, arena, &refusal);
                run = rest;
            }
        }
    }

    /// Fills the tables with one message for each stretch of departures that can be segments of one.
    fn lay_out(&mut self, run: &[Departure], arena: &[u8]) {
        self.headers.clear();
        self.names.clear();
        self.vectors.clear();
        self.controls.clear();
        let mut rest = run;
        while let Some(first) = rest.first() {
            let (message, behind) = rest.split_at(if self.segments { stretch(rest) } else { 1 });
            rest = behind;
            let size = (message.len() > 1).then(|| u16::try_from(first.bytes.len()).unwrap_or(u16::MAX));
            let vectors = self.vectors.len();
            self.vectors.extend(message.iter().map(|departure| {
                let bytes = &arena[departure.bytes.clone()];
                iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
            }));
            self.names.push(first.to.into());
            self.controls.push(Control::EMPTY);
            // SAFETY: all zeros are a valid value of this C structure.
            let mut header: mmsghdr = unsafe { std::mem::zeroed() };
            let (name, control) = (self.names.len() - 1, self.controls.len() - 1);
            header.msg_hdr.msg_name = self.names[name].as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = self.names[name].len();
            // No table grows beyond what it was made with, so nothing moves.
            header.msg_hdr.msg_iov = ptr::from_mut(&mut self.vectors[vectors]);
            header.msg_hdr.msg_iovlen = message.len() as _;
            control::write(&mut header.msg_hdr, &mut self.controls[control], first.from, size);
            self.headers.push(header);
        }
    }

    /// How many of them are lost.
    fn send_singly(&mut self, refused: &[Departure], arena: &[u8], cause: &io::Error) -> u64 {
        if refused.len() < 2 {
            return refused.len() as u64;
        }
        if matches!(cause.raw_os_error(), Some(libc::EIO | libc::EINVAL)) {
            log::info!(event = "no_segments", cause:% = cause; "the network card takes no segments, so datagrams leave one by one");
            self.segments = false;
        }
        let is_lost =
            |departure: &&Departure| !send_one(departure.socket, departure.to, departure.from, &arena[departure.bytes.clone()]);
        refused.iter().filter(is_lost).count() as u64
    }

    /// Datagrams that the kernel refused since the start.
    pub(in crate::relay) const fn refused(&self) -> u64 {
        self.refused
    }
}

/// Sends one message that lies in no arena; one that the kernel refuses is lost, as it may be on any network: then false.
pub(in crate::relay) fn send_one(socket: RawFd, to: SocketAddr, from: Option<IpAddr>, bytes: &[u8]) -> bool {
    let name = SockAddr::from(to);
    let mut control = Control::EMPTY;
    let mut vector = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: all zeros are a valid value of this C structure.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = name.as_ptr().cast_mut().cast();
    header.msg_namelen = name.len();
    header.msg_iov = ptr::from_mut(&mut vector);
    header.msg_iovlen = 1;
    control::write(&mut header, &mut control, from, None);
    // SAFETY: the header points to a name, a vector and a control buffer that outlive the call; the kernel only reads.
    errors::again(|| unsafe { libc::sendmsg(socket, &raw const header, libc::MSG_DONTWAIT) }) >= 0
}

/// How many of the first departures can be segments of one message: the same way, all of one size but a shorter last.
fn stretch(run: &[Departure]) -> usize {
    let first = &run[0];
    let size = first.bytes.len();
    if !(1..=SEGMENT_MAX).contains(&size) {
        return 1;
    }
    let same = |departure: &Departure| departure.to == first.to && departure.from == first.from;
    let most = run.len().min(SEGMENTS_MAX).min(MESSAGE_MAX / size);
    let equal = run[..most].iter().take_while(|departure| same(departure) && departure.bytes.len() == size).count();
    let shorter = run[..most].get(equal).is_some_and(|last| same(last) && (1..size).contains(&last.bytes.len()));
    equal + usize::from(shorter)
}

/// Fits the smallest MTU of IPv6 (RFC 8200 section 5), so that a size is never what a segment is refused for.
const SEGMENT_MAX: usize = 1280 - 48;
/// The kernel's bound of older versions.
const SEGMENTS_MAX: usize = 64;
/// The largest UDP message over IPv4.
const MESSAGE_MAX: usize = 65_507;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::os::fd::AsRawFd;

    use super::super::{bind, bind_listener};
    use super::*;

    #[test]
    fn departures_of_several_sockets_all_leave_and_a_refused_one_stops_no_other() {
        let (one, two) = (bind("127.0.0.1:0".parse().unwrap()).unwrap(), bind_listener("0.0.0.0:0".parse().unwrap()).unwrap());
        let receiver = Receiver::new();
        let mut departures = vec![
            departure(&one, receiver.address, None, 0..1),
            departure(&one, "[::1]:9".parse().unwrap(), None, 0..4),
            departure(&two, receiver.address, Some(Ipv4Addr::new(127, 0, 0, 2).into()), 2..4),
            departure(&one, receiver.address, None, 1..2),
        ];
        let mut sender = Sender::new();
        sender.send(&mut departures, b"abcd");
        assert_eq!(sender.refused(), 1);
        let (mut received, from_two) = ([receiver.take(), receiver.take(), receiver.take()], Ipv4Addr::new(127, 0, 0, 2));
        received.sort();
        let from_one = one.local_addr().unwrap();
        assert_eq!(received[0], (b"a".to_vec(), from_one));
        assert_eq!(received[1], (b"b".to_vec(), from_one));
        assert_eq!((&received[2].0[..], received[2].1.ip()), (&b"cd"[..], from_two.into()));
        assert!(departures.is_empty());
    }

    #[test]
    fn what_goes_the_same_way_arrives_in_order_and_uncut_with_segments_and_without() {
        let socket = bind_listener("0.0.0.0:0".parse().unwrap()).unwrap();
        let receiver = Receiver::new();
        let arena: Vec<u8> = (0..8000).map(|n| (n / 7) as u8).collect();
        let sizes = [1200, 1200, 1200, 300, 1200, 1200, 0, 1, 1, 700];
        for segments in [true, false] {
            let mut sender = Sender::new();
            sender.segments &= segments;
            let from = Some(Ipv4Addr::LOCALHOST.into());
            let ranges = sizes.iter().scan(0, |at, size| {
                *at += size;
                Some(*at - size..*at)
            });
            let ranges: Vec<_> = ranges.collect();
            let mut departures: Vec<_> =
                ranges.iter().map(|bytes| departure(&socket, receiver.address, from, bytes.clone())).collect();
            sender.send(&mut departures, &arena);
            for bytes in ranges {
                assert_eq!(receiver.take().0, &arena[bytes]);
            }
        }
    }

    #[test]
    fn a_message_that_is_refused_in_segments_leaves_one_by_one() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let receiver = Receiver::new();
        let run = [0..2, 2..4].map(|bytes| departure(&socket, receiver.address, None, bytes));
        let mut sender = Sender { segments: true, ..Sender::new() };
        sender.send_singly(&run, b"abcd", &io::Error::from_raw_os_error(libc::EIO));
        assert_eq!((receiver.take().0, receiver.take().0), (b"ab".to_vec(), b"cd".to_vec()));
        assert!(!sender.segments);
    }

    #[test]
    fn a_stretch_ends_where_the_way_or_the_size_changes() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (one, two) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.1:2".parse().unwrap());
        let run = |sizes: &[(SocketAddr, usize)]| -> Vec<_> {
            sizes.iter().map(|(to, size)| departure(&socket, *to, None, 0..*size)).collect()
        };
        for (expected, sizes) in [
            (3, vec![(one, 100), (one, 100), (one, 50), (one, 50)]),
            (2, vec![(one, 100), (one, 100), (two, 100)]),
            (1, vec![(one, 100), (one, 101)]),
            (1, vec![(one, 100), (one, 0)]),
            (1, vec![(one, 0), (one, 0)]),
            (1, vec![(one, SEGMENT_MAX + 1), (one, SEGMENT_MAX + 1)]),
            (MESSAGE_MAX / 1200, vec![(one, 1200); 64]),
            (64, vec![(one, 100); 70]),
        ] {
            assert_eq!(stretch(&run(&sizes)), expected, "{sizes:?}");
        }
    }

    fn departure(socket: &UdpSocket, to: SocketAddr, from: Option<IpAddr>, bytes: Range<usize>) -> Departure {
        Departure { socket: socket.as_raw_fd(), to, from, bytes }
    }

    struct Receiver {
        socket: UdpSocket,
        address: SocketAddr,
    }

    impl Receiver {
        fn new() -> Self {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            Self { address: socket.local_addr().unwrap(), socket }
        }

        fn take(&self) -> (Vec<u8>, SocketAddr) {
            let mut buffer = [0; 2000];
            let (length, from) = self.socket.recv_from(&mut buffer).unwrap();
            (buffer[..length].to_vec(), from)
        }
    }
}
