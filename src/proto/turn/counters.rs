//! What a server has done since it started: plain numbers, since one thread owns them.

use super::{DropReason, Transport};

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// From clients, to peers or to other clients' relayed addresses.
    pub to_peers: Traffic,
    /// To clients, from peers or from other clients' relayed addresses.
    pub to_clients: Traffic,
    /// Frames that fell out of what waits for a stream that is read too slowly; the driver knows.
    pub fallen_out: u64,
    /// Datagrams that the kernel refused to send; the driver knows.
    pub refused: u64,
    allocations: [Allocated; Transport::ALL.len()],
    dropped: [u64; DropReason::ALL.len()],
}

/// What was relayed one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams, or frames of a stream.
    pub packets: u64,
    /// Of data, without headers.
    pub bytes: u64,
}

/// The allocations of one transport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Since the start.
    pub made: u64,
    /// Of those, the ones that live.
    pub live: u64,
}

impl Counters {
    /// How many datagrams went nowhere for this reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// The allocations whose clients came by this transport.
    pub const fn allocations(&self, transport: Transport) -> Allocated {
        self.allocations[transport as usize]
    }

    /// The numbers of two shards together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (own, other) in [(&mut self.to_peers, &other.to_peers), (&mut self.to_clients, &other.to_clients)] {
            own.packets += other.packets;
            own.bytes += other.bytes;
        }
        self.fallen_out += other.fallen_out;
        self.refused += other.refused;
        for (own, other) in self.allocations.iter_mut().zip(&other.allocations) {
            own.made += other.made;
            own.live += other.live;
        }
        for (own, other) in self.dropped.iter_mut().zip(&other.dropped) {
            *own += other;
        }
        self
    }

    pub(super) fn count_drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(super) fn count_made(&mut self, transport: Transport) {
        self.allocations[transport as usize].made += 1;
        self.allocations[transport as usize].live += 1;
    }

    pub(super) fn count_ended(&mut self, transport: Transport) {
        self.allocations[transport as usize].live -= 1;
    }
}

impl Traffic {
    pub(super) fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

impl DropReason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::NoAllocation,
        Self::NoChannel,
        Self::NoPermission,
        Self::ForbiddenPeer,
        Self::TooLong,
        Self::RateLimited,
        Self::TooManyFailures,
        Self::TooMuchData,
    ];
}

impl Transport {
    /// Every transport, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_its_place() {
        assert!(DropReason::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
        assert!(Transport::ALL.iter().enumerate().all(|(place, transport)| *transport as usize == place));
    }
}
