//! What ICMP says of datagrams to peers, told to the client that sent them (RFC 8656 section 11.5).

use std::time::Instant;

use super::{AllocationId, Effect, PeerAddr, Server};
use crate::proto::stun::{Icmp, indication};

impl Server {
    /// An ICMP message about a datagram from an allocation's relayed address to a peer. Whoever sent it need have no permission, but the
    /// peer must.
    pub fn handle_icmp(&mut self, now: Instant, id: AllocationId, peer: PeerAddr, icmp: Icmp) {
        let Some(allocation) = self.allocations.get(id).filter(|allocation| allocation.permits(now, peer)) else { return };
        let to = allocation.tuple;
        if let Some(icmp) = relayed(peer, icmp) {
            let message = indication::icmp(peer.0, icmp, self.indication_id());
            self.effects.push_back(Effect::Reply { to, message });
        }
    }
}

/// The messages a client is told of, and the data it may be told with them.
fn relayed(peer: PeerAddr, icmp: Icmp) -> Option<Icmp> {
    let (errors, too_long): (&[u8], _) =
        if peer.0.is_ipv4() { (ERRORS_V4, icmp.kind == 3 && icmp.code == 4) } else { (ERRORS_V6, icmp.kind == 2) };
    errors.contains(&icmp.kind).then_some(Icmp { data: if too_long { icmp.data } else { 0 }, ..icmp })
}

/// Destination unreachable and time exceeded (RFC 792).
const ERRORS_V4: &[u8] = &[3, 11];
/// Destination unreachable, packet too big and time exceeded (RFC 4443 section 3).
const ERRORS_V6: &[u8] = &[1, 2, 3];
