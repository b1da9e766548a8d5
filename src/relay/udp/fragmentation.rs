//! Whether routers may cut what is sent (RFC 8656 sections 14 and 15). Linux has that by socket and not by datagram, so the rare one that
//! must stay whole switches its socket over and back.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use libc::c_int;

use super::{send_one, set_option};

/// Datagrams over IPv4 may be cut on their way, whatever became of the bit in the one they came in (the alternate behavior of section
/// 14); what routers say of the path's MTU is not taken for the kernel's own, since anybody can say it. Over IPv6 nothing changes: no
/// router cuts there.
///
/// # Errors
/// The kernel is older than 3.15.
pub(super) fn allow(socket: &impl AsRawFd, ipv4: bool) -> io::Result<()> {
    if ipv4 { set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, USUAL_V4) } else { Ok(()) }
}

/// Sends one datagram that nobody may cut; it is lost if it is too long for the network at this box.
pub(in crate::relay) fn send_unfragmented(socket: RawFd, to: SocketAddr, bytes: &[u8]) {
    let (level, name, whole, usual) = match to {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO, USUAL_V4),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO, libc::IPV6_PMTUDISC_WANT),
    };
    if set_option(&socket, level, name, whole).is_err() {
        // Rather lost than cut, as the client asked.
        return;
    }
    send_one(socket, to, None, bytes);
    if let Err(cause) = set_option(&socket, level, name, usual) {
        log::error!(event = "unfragmented", cause:% = cause; "a relay socket will not have its datagrams cut any more");
    }
}

const USUAL_V4: c_int = libc::IP_PMTUDISC_OMIT;

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::super::bind;
    use super::*;

    #[test]
    fn what_is_longer_than_the_mtu_is_cut_unless_it_must_not_be() {
        // Loopback's MTU is 65536, which IPv6's header and such a payload exceed.
        let long = vec![7; 65_500];
        let (receiver, relay) = (UdpSocket::bind("[::1]:0").unwrap(), bind("[::1]:0".parse().unwrap()).unwrap());
        receiver.set_nonblocking(true).unwrap();
        let to = receiver.local_addr().unwrap();
        let mut buffer = vec![0; 70_000];
        for whole in [false, true, false] {
            let send = |bytes| {
                if whole {
                    send_unfragmented(relay.as_raw_fd(), to, bytes)
                } else {
                    let _ = send_one(relay.as_raw_fd(), to, None, bytes);
                }
            };
            send(&long);
            assert_eq!(receiver.recv(&mut buffer).ok(), (!whole).then_some(long.len()), "{whole}");
            send(b"short");
            assert_eq!(receiver.recv(&mut buffer).ok(), Some(5), "{whole}");
        }
    }

    /// Headers are shown to root alone; elsewhere IPv6's test stands for both.
    #[test]
    fn the_bit_is_set_for_one_datagram_and_no_other() {
        let Ok(raw) = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)) else { return };
        raw.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        raw.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let raw = UdpSocket::from(raw);
        let (receiver, relay) = (UdpSocket::bind("127.0.0.1:0").unwrap(), bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let (from, to) = (relay.local_addr().unwrap(), receiver.local_addr().unwrap());
        let forbidden = || loop {
            let mut packet = [0; 2048];
            let length = raw.recv(&mut packet).unwrap();
            if length >= 28 && packet[20..22] == from.port().to_be_bytes() {
                break packet[6] & 0x40 != 0;
            }
        };
        send_one(relay.as_raw_fd(), to, None, b"x");
        assert!(!forbidden());
        send_unfragmented(relay.as_raw_fd(), to, b"x");
        assert!(forbidden());
        send_one(relay.as_raw_fd(), to, None, b"x");
        assert!(!forbidden());
    }
}
