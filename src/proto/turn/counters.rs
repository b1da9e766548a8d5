//! What a server has done since it started: plain numbers, since one thread owns them.

use super::{DropReason, Transport};

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that fell out of what waits for a stream that is read too slowly; the driver knows.
    pub fallen_out: u64,
    /// Datagrams that the kernel refused to send; the driver knows.
    pub refused: u64,
    /// Requests whose proof does not hold, answered or not.
    pub failed_proofs: u64,
    relayed: [Relayed; Transport::ALL.len()],
    allocations: [Allocated; Transport::ALL.len()],
    dropped: [u64; DropReason::ALL.len()],
}

/// What was relayed for clients of one transport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// From clients, to peers or to other clients' relayed addresses.
    pub to_peers: Traffic,
    /// To clients, from peers or from other clients' relayed addresses.
    pub to_clients: Traffic,
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
    /// What was relayed for clients who came by this transport.
    pub const fn relayed(&self, transport: Transport) -> Relayed {
        self.relayed[transport as usize]
    }

    /// What was relayed for all clients.
    pub fn relayed_in_all(&self) -> Relayed {
        self.relayed.iter().fold(Relayed::default(), |sum, relayed| sum.plus(relayed))
    }

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
        for (own, other) in self.relayed.iter_mut().zip(&other.relayed) {
            *own = own.plus(other);
        }
        self.failed_proofs += other.failed_proofs;
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

    pub(super) fn count_to_peer(&mut self, client: Transport, bytes: usize) {
        self.relayed[client as usize].to_peers.count(bytes);
    }

    pub(super) fn count_to_client(&mut self, client: Transport, bytes: usize) {
        self.relayed[client as usize].to_clients.count(bytes);
    }

    pub(super) fn count_made(&mut self, transport: Transport) {
        self.allocations[transport as usize].made += 1;
        self.allocations[transport as usize].live += 1;
    }

    pub(super) fn count_ended(&mut self, transport: Transport) {
        self.allocations[transport as usize].live -= 1;
    }
}

impl Relayed {
    const fn plus(self, other: &Self) -> Self {
        Self { to_peers: self.to_peers.plus(other.to_peers), to_clients: self.to_clients.plus(other.to_clients) }
    }
}

impl Traffic {
    const fn plus(self, other: Self) -> Self {
        Self { packets: self.packets + other.packets, bytes: self.bytes + other.bytes }
    }

    fn count(&mut self, bytes: usize) {
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
