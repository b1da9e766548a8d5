//! UDP sockets, and datagrams in batches: `recvmmsg` into one arena with room for headers, `sendmmsg` out of it, in segments where
//! several go the same way. The one module of the relay with `unsafe`: no maintained crate has these calls together with the address
//! a datagram was sent to, which a box with several addresses answers from (quinn-udp sends to one destination at a time).
#![allow(unsafe_code, reason = "recvmmsg, sendmmsg and their control messages, behind a safe face")]

mod control;
mod errors;
mod fragmentation;
mod receive;
mod send;

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{c_int, socklen_t};
use socket2::{Domain, Protocol, Socket, Type};

pub(super) use errors::read_errors;
pub(super) use fragmentation::send_unfragmented;
pub(super) use receive::{Arrival, Batch};
pub(super) use send::{Departure, Sender, send_one};

/// Binds a socket of clients: many reach it, and each is answered from the address it reached.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind_listener(address: SocketAddr) -> io::Result<UdpSocket> {
    listener(open(address, LISTENER_BUFFER)?, address)
}

/// Binds another listener at an address that others have been told to [`share`]; the kernel spreads clients over them.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind_listener_beside(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(address, LISTENER_BUFFER)?;
    share(&socket)?;
    listener(socket, address)
}

/// Lets further sockets of this user be bound where this one is.
///
/// # Errors
/// The kernel does not know how.
pub(super) fn share(socket: &impl AsRawFd) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
}

/// Takes over a socket that stands at its address already, whoever bound it.
///
/// # Errors
/// The kernel refuses an option.
pub(super) fn adopt_listener(socket: UdpSocket) -> io::Result<UdpSocket> {
    let address = socket.local_addr()?;
    let socket = Socket::from(socket);
    socket.set_nonblocking(true)?;
    tune(&socket, address.is_ipv4(), LISTENER_BUFFER)?;
    tell_reached(&socket, address)?;
    Ok(socket.into())
}

fn listener(socket: Socket, address: SocketAddr) -> io::Result<UdpSocket> {
    socket.bind(&address.into())?;
    tell_reached(&socket, address)?;
    Ok(socket.into())
}

/// Has each datagram come with the address it was sent to.
fn tell_reached(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    let (level, name) = match address {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    set_option(socket, level, name, 1)
}

/// Binds a socket of one allocation, which also hears what ICMP says of what it sent.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(address, RELAY_BUFFER)?;
    socket.bind(&address.into())?;
    errors::report(&socket, address.is_ipv4())?;
    Ok(socket.into())
}

/// IPv6 sockets take IPv6 alone.
fn open(address: SocketAddr, buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    tune(&socket, address.is_ipv4(), buffer)?;
    Ok(socket)
}

fn tune(socket: &Socket, is_ipv4: bool, buffer: usize) -> io::Result<()> {
    fragmentation::allow(socket, is_ipv4)?;
    // The kernel grants twice what is asked for, its own overhead included, up to what net.core.rmem_max lets it.
    let _ = socket.set_recv_buffer_size(buffer);
    let _ = socket.set_send_buffer_size(LISTENER_BUFFER);
    Ok(())
}

fn set_option(socket: &impl AsRawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the option takes an int, whose address and size are handed over.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&value).cast(), size_of::<c_int>() as socklen_t)
    };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Datagrams a turn.
pub(super) const BATCH: usize = 64;
/// Every client sends to the listener.
const LISTENER_BUFFER: usize = 1 << 20;
/// A key frame of video arrives as a burst of 200 datagrams at most; what waits longer than that is late anyway.
const RELAY_BUFFER: usize = 512 << 10;
const UNSPECIFIED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
