//! Control messages: the address a datagram reached, the address to send from, the size of segments.

use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use libc::{c_int, cmsghdr, in_pktinfo, in6_pktinfo, msghdr, sock_extended_err};

/// Room for an address and a size of segments, aligned as the kernel wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Control([u8; Self::ROOM]);

impl Control {
    pub(super) const ROOM: usize = 64;
    pub(super) const EMPTY: Self = Self([0; Self::ROOM]);
}

/// The address a datagram was sent to, from its control message.
pub(super) fn reached(header: &msghdr) -> Option<IpAddr> {
    find(header, |kind, data| match kind {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            // SAFETY: the data of this kind of message is this structure.
            let info: in_pktinfo = unsafe { ptr::read_unaligned(data.cast()) };
            Some(Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr)).into())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: as above.
            let info: in6_pktinfo = unsafe { ptr::read_unaligned(data.cast()) };
            Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
        }
        _ => None,
    })
}

/// What ICMP said of a datagram, from its control message.
pub(super) fn extended_error(header: &msghdr) -> Option<sock_extended_err> {
    find(header, |kind, data| match kind {
        (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
            // SAFETY: the data of these kinds of messages begins with this structure.
            Some(unsafe { ptr::read_unaligned(data.cast()) })
        }
        _ => None,
    })
}

/// The first thing that `read` makes of a message's level and type, and its data, which need not be aligned.
fn find<T>(header: &msghdr, read: impl Fn((c_int, c_int), *const u8) -> Option<T>) -> Option<T> {
    // SAFETY: the header's control buffer was filled by the kernel, whose macros walk it within msg_controllen.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let found = read(((*message).cmsg_level, (*message).cmsg_type), libc::CMSG_DATA(message));
            if found.is_some() {
                return found;
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    None
}

/// Asks the kernel to send from an address, and in segments of a size; `control` becomes the header's control buffer.
pub(super) fn write(header: &mut msghdr, control: &mut Control, from: Option<IpAddr>, segment: Option<u16>) {
    header.msg_control = ptr::from_mut(control).cast();
    let mut used = 0;
    used += match from {
        None => 0,
        Some(IpAddr::V4(ip)) => {
            // SAFETY: all zeros are a valid value of this C structure.
            let mut info: in_pktinfo = unsafe { zeroed() };
            info.ipi_spec_dst.s_addr = ip.to_bits().to_be();
            put(control, used, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        Some(IpAddr::V6(ip)) => {
            // SAFETY: as above.
            let mut info: in6_pktinfo = unsafe { zeroed() };
            info.ipi6_addr.s6_addr = ip.octets();
            put(control, used, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
    };
    used += segment.map_or(0, |size| put(control, used, libc::SOL_UDP, libc::UDP_SEGMENT, size));
    header.msg_controllen = used as _;
    if used == 0 {
        header.msg_control = ptr::null_mut();
    }
}

/// Writes one message `at` bytes into the buffer; how many bytes it takes.
fn put<T>(control: &mut Control, at: usize, level: c_int, kind: c_int, data: T) -> usize {
    // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
    let (space, length) = unsafe { (libc::CMSG_SPACE(size_of::<T>() as _) as usize, libc::CMSG_LEN(size_of::<T>() as _)) };
    assert!(at + space <= Control::ROOM, "invariant: an address and a size fit a control buffer");
    let message: *mut cmsghdr = control.0[at..].as_mut_ptr().cast();
    // SAFETY: `space` bytes were just seen to be there, which hold a header and the data behind it. The buffer is aligned for headers, and
    // so is `at`, a sum of spaces.
    unsafe {
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = length as _;
        ptr::write_unaligned(libc::CMSG_DATA(message).cast(), data);
    }
    space
}
