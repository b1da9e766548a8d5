//! The TURN server as a pure state machine (RFC 8656): allocations, permissions, channels, authentication.
//!
//! Driven by `relay`, which owns sockets, clock and randomness: it hands in datagrams with `now`, carries out the [`Effect`]s and sends
//! what [`Route`] says. Nothing is kept for a source before its MESSAGE-INTEGRITY holds. Knows nothing of rooms beyond their names
//! in credentials.

mod address;
mod allocate;
mod allocation;
mod authentication;
mod census;
mod channel;
mod counters;
mod fingerprints;
mod hash;
mod icmp;
mod ledger;
mod nonce;
mod observed;
mod peer_policy;
mod permission;
mod quota;
mod reach;
mod relayed;
mod requests;
mod reservation;
mod revocation;
mod server;
mod tally;
mod timer;

pub use address::{AddressFamily, ClientAddr, FiveTuple, PeerAddr, RelayAddr, Transport};
pub use allocation::AllocationId;
pub use counters::{Allocated, Counters, Relayed, Traffic};
pub use ledger::Ledger;
pub use peer_policy::PeerPolicy;
pub use quota::{DataLimits, Limits};
pub use server::Server;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::proto::credential::CredentialSecret;

/// What a server is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// RFC 8489 section 14.9; 1 to 127 bytes.
    pub realm: String,
    /// Proves credentials of this box's own seats.
    pub own_secret: CredentialSecret,
    /// Proves credentials minted by other software.
    pub shared_secret: Option<CredentialSecret>,
    /// Signs nonces, and hides which bucket or slot is whose; random, new with every start.
    pub nonce_key: [u8; 32],
    /// Whom may be relayed to.
    pub policy: PeerPolicy,
    /// What may be used.
    pub limits: Limits,
    /// The families a relayed address can be had of.
    pub families: Vec<AddressFamily>,
}

/// Both clocks: leases live on the one that never jumps, credentials on the one everybody shares.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// Since the Unix epoch.
    pub unix: Duration,
}

/// What the driver is to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a message to a client: an answer, or what ICMP said.
    Reply {
        /// To whom, from the address it reached.
        to: FiveTuple,
        /// A whole STUN message.
        message: Vec<u8>,
    },
    /// Bind a relayed address and tell [`Server::handle_bound`]; the client waits for it.
    Bind {
        /// Whose.
        allocation: AllocationId,
        /// Of this family.
        family: AddressFamily,
        /// The address of this box that the client reached.
        reached: IpAddr,
        /// Its port is to be even (RTP without multiplexing, RFC 8656 section 18.7).
        even: bool,
    },
    /// Bind an even port and the next one at the same address, or neither, and tell [`Server::handle_bound`] of each, of the reserved one
    /// first (RFC 8656 section 7.2).
    BindPair {
        /// Whose the even port is.
        allocation: AllocationId,
        /// Names the socket of the odd one; an allocation may have it later.
        reserved: AllocationId,
        /// Of this family.
        family: AddressFamily,
        /// The address of this box that the client reached.
        reached: IpAddr,
    },
    /// Close an allocation's socket.
    Release {
        /// Whose.
        allocation: AllocationId,
    },
}

/// Where a datagram goes, rewritten in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To a peer, from the relayed address of this allocation.
    Peer(AllocationId, PeerAddr),
    /// The same, with the IP header's bit that forbids fragmentation set (RFC 8656 section 14).
    PeerUnfragmented(AllocationId, PeerAddr),
    /// To a client.
    Client(FiveTuple),
    /// Nowhere: it was a request, and its effects wait.
    Handled,
    /// Nowhere.
    Dropped(DropReason),
}

/// Why a datagram went nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Neither STUN nor ChannelData, or broken.
    Malformed,
    /// From a client without an allocation.
    NoAllocation,
    /// The channel is not bound.
    NoChannel,
    /// The peer has no permission.
    NoPermission,
    /// The peer may not be relayed to.
    ForbiddenPeer,
    /// It does not fit with its header on.
    TooLong,
    /// Its source has proved nothing, and asks too much.
    RateLimited,
    /// Its source fails to prove itself too often.
    TooManyFailures,
    /// Its allocation carries more than one may.
    TooMuchData,
}

#[cfg(test)]
mod tests;
