//! Sockets of relayed addresses that are over, kept for a moment where there are several shards: what another one has on its way there must not
//! meet whoever was given the port meanwhile.

use std::collections::VecDeque;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// The sockets that wait to be closed, the oldest first.
#[derive(Debug)]
pub(super) struct Parting {
    linger: Duration,
    sockets: VecDeque<(Instant, UdpSocket)>,
}

impl Parting {
    /// None; zero closes at once.
    pub(super) const fn new(linger: Duration) -> Self {
        Self { linger, sockets: VecDeque::new() }
    }

    /// Nobody reads the socket any more.
    pub(super) fn part(&mut self, now: Instant, socket: UdpSocket) {
        if !self.linger.is_zero() {
            self.sockets.push_back((now + self.linger, socket));
        }
    }

    /// When [`Self::close`] has something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        self.sockets.front().map(|(at, _)| *at)
    }

    /// Closes those whose time has come.
    pub(super) fn close(&mut self, now: Instant) {
        while self.next().is_some_and(|at| at <= now) {
            self.sockets.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_for_a_moment_and_nobody_has_it_meanwhile() {
        let (mut parting, now, linger) = (Parting::new(Duration::from_secs(1)), Instant::now(), Duration::from_secs(1));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        parting.part(now, socket);
        parting.close(now + linger / 2);
        assert_eq!((parting.next(), UdpSocket::bind(address).is_err()), (Some(now + linger), true));
        parting.close(now + linger);
        assert_eq!(parting.next(), None);
    }

    #[test]
    fn one_shard_keeps_none() {
        let mut parting = Parting::new(Duration::ZERO);
        parting.part(Instant::now(), UdpSocket::bind("127.0.0.1:0").unwrap());
        assert_eq!(parting.next(), None);
    }
}
