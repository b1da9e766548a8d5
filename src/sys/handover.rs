//! Listening sockets that outlive the process: the service manager keeps them while the daemon restarts (sd_pid_notify_with_fds(3)), or
//! opened them itself (systemd.socket(5)). What connects meanwhile waits in the kernel, and is served by whoever comes next.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

use listenfd::ListenFd;
use socket2::{SockRef, Type};

use super::notify;

/// What was handed over and what is to be; the default is nothing.
#[derive(Debug, Default)]
pub struct Handover {
    tcp: Vec<Received<TcpListener>>,
    udp: Vec<Received<UdpSocket>>,
    /// Names of what is no socket of a kind that is used here.
    useless: Vec<String>,
    /// What a socket unit opened, it keeps itself.
    of_units: HashSet<String>,
    kept: Vec<(String, OwnedFd)>,
}

#[derive(Debug)]
struct Received<S> {
    /// The service manager's.
    name: String,
    address: SocketAddr,
    socket: S,
}

impl Handover {
    /// Takes every socket that the service manager passed to this process (`LISTEN_FDS`, sd_listen_fds(3)). Called once, before there is
    /// a second thread, since the variables are taken out of the environment.
    pub fn receive() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(str::to_owned);
        let mut passed = ListenFd::from_env();
        let mut handover = Self::default();
        for index in 0..passed.len() {
            handover.sort(&mut passed, index, names.next().unwrap_or_default());
        }
        handover
    }

    /// The socket that listens at this address, if there is one.
    pub fn tcp(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let found = self.tcp.iter().position(|received| received.address == address)?;
        let received = self.tcp.swap_remove(found);
        self.note_unit(name(Type::STREAM, address), &received.name);
        Some(received.socket)
    }

    /// One of the sockets that stand at this address, if there are any.
    pub fn udp(&mut self, address: SocketAddr) -> Option<UdpSocket> {
        let found = self.udp.iter().position(|received| received.address == address)?;
        let received = self.udp.swap_remove(found);
        self.note_unit(name(Type::DGRAM, address), &received.name);
        Some(received.socket)
    }

    /// Has this socket kept over a restart.
    pub fn keep(&mut self, socket: &impl AsFd) {
        let Some(name) = name_of(socket) else { return };
        if !self.of_units.contains(&name)
            && let Ok(copy) = socket.as_fd().try_clone_to_owned()
        {
            self.kept.push((name, copy));
        }
    }

    /// Closes what nobody took, and tells the service manager which sockets to keep from now on.
    pub fn settle(self) {
        let tcp = self.tcp.into_iter().map(|received| received.name);
        let left: Vec<_> = tcp.chain(self.udp.into_iter().map(|received| received.name)).chain(self.useless).collect();
        for name in left {
            log::warn!(event = "socket_closed", socket = name; "a socket was handed over that the configuration does not name: it is closed");
            notify::forget(&name);
        }
        // After the others: sockets at one address have one name.
        for (name, socket) in self.kept {
            notify::keep(&name, socket.as_fd());
        }
    }

    fn sort(&mut self, passed: &mut ListenFd, index: usize, name: String) {
        if let Ok(Some(socket)) = passed.take_tcp_listener(index)
            && SockRef::from(&socket).is_listener().unwrap_or(false)
            && let Ok(address) = socket.local_addr()
            && socket.set_nonblocking(true).is_ok()
        {
            self.tcp.push(Received { name, address, socket });
        } else if let Ok(Some(socket)) = passed.take_udp_socket(index)
            && let Ok(address) = socket.local_addr()
        {
            self.udp.push(Received { name, address, socket });
        } else {
            self.useless.push(name);
        }
    }

    fn note_unit(&mut self, own: String, given: &str) {
        if own != given {
            self.of_units.insert(own);
        }
    }
}

fn name_of(socket: &impl AsFd) -> Option<String> {
    let socket = SockRef::from(socket);
    Some(name(socket.r#type().ok()?, socket.local_addr().ok()?.as_socket()?))
}

/// A colon would end the name (sd_notify(3), FDNAME).
fn name(kind: Type, address: SocketAddr) -> String {
    let transport = if kind == Type::STREAM { "tcp" } else { "udp" };
    format!("{transport}-{address}").replace(':', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_what_tells_sockets_apart_and_no_colon() {
        let name = |kind, address: &str| name(kind, address.parse().unwrap());
        assert_eq!(name(Type::STREAM, "0.0.0.0:443"), "tcp-0.0.0.0_443");
        assert_eq!(name(Type::DGRAM, "[::]:3478"), "udp-[__]_3478");
    }
}
