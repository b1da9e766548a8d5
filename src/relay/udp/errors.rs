//! What ICMP says of datagrams that left a relay socket, from the socket's error queue (`ip(7)`, `IP_RECVERR`).

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{c_int, iovec, msghdr, sock_extended_err};
use socket2::{SockAddr, SockAddrStorage};

use super::control::{Control, extended_error};
use super::set_option;
use crate::proto::stun::Icmp;

/// Asks for what ICMP says. The kernel also fails the next call with it, whatever that one is about: see [`again`].
///
/// # Errors
/// What the kernel says.
pub(super) fn report(socket: &impl AsRawFd, ipv4: bool) -> io::Result<()> {
    let (level, name) = if ipv4 { (libc::IPPROTO_IP, libc::IP_RECVERR) } else { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) };
    set_option(socket, level, name, 1)
}

/// Calls a second time where the first failed: it may have been told of an earlier datagram's fate, and done nothing.
pub(super) fn again(mut call: impl FnMut() -> isize) -> isize {
    let done = call();
    let failed = done < 0 && io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock;
    if failed { call() } else { done }
}

/// Tells of each error that waits: the peer that a datagram was for, and what was said of it; the same said again at once is told once.
/// Reads no more than [`ERRORS_MAX`]; what is left waits for the next error.
pub(in crate::relay) fn read_errors(socket: &UdpSocket, mut tell: impl FnMut(SocketAddr, Icmp)) {
    let mut last = None;
    for _ in 0..ERRORS_MAX {
        let Ok(error) = read_error(socket) else { break };
        if let Some((peer, icmp)) = error.filter(|_| error != last) {
            tell(peer, icmp);
        }
        last = error;
    }
}

/// The oldest error; `None` if it is not about a datagram on its way.
fn read_error(socket: &UdpSocket) -> io::Result<Option<(SocketAddr, Icmp)>> {
    let mut name = SockAddrStorage::zeroed();
    let mut control = Control::EMPTY;
    // The datagram itself comes along, and is cut off.
    let mut vector = iovec { iov_base: ptr::null_mut(), iov_len: 0 };
    // SAFETY: all zeros are a valid value of this C structure.
    let mut header: msghdr = unsafe { zeroed() };
    header.msg_name = ptr::from_mut(&mut name).cast();
    header.msg_namelen = name.size_of();
    header.msg_iov = ptr::from_mut(&mut vector);
    header.msg_iovlen = 1;
    header.msg_control = ptr::from_mut(&mut control).cast();
    header.msg_controllen = size_of::<Control>() as _;
    // SAFETY: the header points to a name, an empty vector and a control buffer that outlive the call; the kernel writes no more than the
    // lengths beside them.
    let read = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    if header.msg_namelen == 0 {
        return Ok(None);
    }
    // SAFETY: the kernel wrote an address of this length.
    let peer = unsafe { SockAddr::new(name, header.msg_namelen) }.as_socket();
    Ok(peer.zip(extended_error(&header)).and_then(|(peer, error)| Some((peer, icmp(peer, &error)?))))
}

fn icmp(peer: SocketAddr, error: &sock_extended_err) -> Option<Icmp> {
    let too_long = error.ee_errno == EMSGSIZE;
    match error.ee_origin {
        libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6 => {
            Some(Icmp { kind: error.ee_type, code: error.ee_code, data: if too_long { error.ee_info } else { 0 } })
        }
        // Too long for the network at this box: what a router would have said had it been the next one's.
        libc::SO_EE_ORIGIN_LOCAL if too_long => {
            let (kind, code) = if peer.is_ipv4() { (3, 4) } else { (2, 0) };
            Some(Icmp { kind, code, data: error.ee_info })
        }
        _ => None,
    }
}

/// Bounds the work for one event.
const ERRORS_MAX: usize = 64;
const EMSGSIZE: u32 = libc::EMSGSIZE as c_int as u32;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::{Batch, bind, send_one, send_unfragmented};
    use super::*;

    #[test]
    fn a_port_where_nobody_listens_is_told_once_for_all_that_was_sent_at_once() {
        for (ip, icmp) in [("127.0.0.1", Icmp { kind: 3, code: 3, data: 0 }), ("::1", Icmp { kind: 1, code: 4, data: 0 })] {
            let (relay, nobody) = (relay(ip), nobody(ip));
            assert_eq!(errors(&relay), []);
            for _ in 0..3 {
                send_one(relay.as_raw_fd(), nobody, None, b"anybody there?");
            }
            assert_eq!(errors(&relay), [(nobody, icmp)]);
            assert_eq!(errors(&relay), []);
        }
    }

    #[test]
    fn an_error_costs_no_other_datagram_on_its_way_out_or_in() {
        for ip in ["127.0.0.1", "::1"] {
            let (relay, nobody) = (relay(ip), nobody(ip));
            let peer = UdpSocket::bind((ip.parse::<IpAddr>().unwrap(), 0)).unwrap();
            peer.set_nonblocking(true).unwrap();
            let to = peer.local_addr().unwrap();
            for _ in 0..3 {
                send_one(relay.as_raw_fd(), nobody, None, b"x");
                send_one(relay.as_raw_fd(), to, None, b"one");
                assert_eq!(peer.recv(&mut [0; 8]).ok(), Some(3));
                peer.send_to(b"four", relay.local_addr().unwrap()).unwrap();
                send_one(relay.as_raw_fd(), nobody, None, b"x");
                assert_eq!(Batch::new().receive(&relay).ok(), Some(1));
            }
        }
    }

    #[test]
    fn what_is_too_long_for_this_box_is_told_with_the_mtu() {
        let (relay, nobody) = (relay("::1"), nobody("::1"));
        send_unfragmented(relay.as_raw_fd(), nobody, &[7; 65_500]);
        assert_eq!(errors(&relay), [(nobody, Icmp { kind: 2, code: 0, data: 65_536 })]);
    }

    #[test]
    fn no_more_is_read_at_once_than_the_bound() {
        let relay = relay("127.0.0.1");
        let nobodies = [nobody("127.0.0.1"), nobody("127.0.0.1")];
        for n in 0..ERRORS_MAX + 10 {
            send_one(relay.as_raw_fd(), nobodies[n % 2], None, b"x");
        }
        let told = [errors(&relay).len(), errors(&relay).len()];
        assert!(told[0] <= ERRORS_MAX && told[1] <= 10, "{told:?}");
        assert!(told[0] > 1, "they alternate");
    }

    fn errors(relay: &UdpSocket) -> Vec<(SocketAddr, Icmp)> {
        let mut told = Vec::new();
        read_errors(relay, |peer, icmp| told.push((peer, icmp)));
        told
    }

    fn relay(ip: &str) -> UdpSocket {
        bind(SocketAddr::new(ip.parse().unwrap(), 0)).unwrap()
    }

    /// An address where nobody listens any more.
    fn nobody(ip: &str) -> SocketAddr {
        UdpSocket::bind((ip.parse::<IpAddr>().unwrap(), 0)).unwrap().local_addr().unwrap()
    }
}
