//! The UDP listeners of every shard: each has a socket at each address, and the kernel keeps a client's datagrams at one of them.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroU8;

use super::udp;
use crate::sys::handover::Handover;
use crate::sys::names;

/// The listeners of one shard, in the order of the configuration.
pub(super) type Listeners = Vec<UdpSocket>;

/// Takes or binds what each shard listens on; a box without IPv6 does without those addresses.
///
/// # Errors
/// An address cannot be had.
pub(super) fn bind(addresses: &[SocketAddr], shards: NonZeroU8, handover: &mut Handover) -> io::Result<Vec<Listeners>> {
    let mut of_shards: Vec<_> = (0..shards.get()).map(|_| Listeners::new()).collect();
    for address in addresses {
        match take_each(*address, shards, handover) {
            Err(cause) if names::is_without_ipv6(*address, &cause) => {
                log::warn!(event = "no_ipv6", address:% = address; "this box has no IPv6, so nothing listens there");
            }
            bound => of_shards.iter_mut().zip(bound?).for_each(|(listeners, listener)| {
                handover.keep(&listener);
                listeners.push(listener);
            }),
        }
    }
    Ok(of_shards)
}

/// What was handed over comes first. All sockets of an address together hold it, so nobody else can have got between them, and what is
/// lacking, after a change of `turn.shards`, is bound beside.
fn take_each(address: SocketAddr, shards: NonZeroU8, handover: &mut Handover) -> io::Result<Listeners> {
    let mut taken: Listeners = Vec::new();
    while taken.len() < shards.get().into() {
        let Some(socket) = handover.udp(address) else { break };
        taken.push(udp::adopt_listener(socket)?);
    }
    if taken.is_empty() {
        return bind_each(address, shards);
    }
    if taken.len() < shards.get().into() {
        taken.iter().try_for_each(udp::share)?;
    }
    while taken.len() < shards.get().into() {
        taken.push(udp::bind_listener_beside(address)?);
    }
    Ok(taken)
}

/// The first socket is bound alone, so that an address that somebody else has is an error, whether they would share it or not.
fn bind_each(address: SocketAddr, shards: NonZeroU8) -> io::Result<Listeners> {
    let first = udp::bind_listener(address)?;
    if shards == NonZeroU8::MIN {
        return Ok(vec![first]);
    }
    udp::share(&first)?;
    // Of port 0, the first knows which it became.
    let address = first.local_addr()?;
    let others = (1..shards.get()).map(|_| udp::bind_listener_beside(address));
    std::iter::once(Ok(first)).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const THREE: NonZeroU8 = NonZeroU8::new(3).unwrap();

    #[test]
    fn a_client_s_datagrams_stay_at_one_socket_and_clients_spread() {
        for any in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let shards = bind(&[any.parse().unwrap()], THREE, &mut Handover::default()).unwrap();
            let listeners: Vec<_> = shards.iter().map(|shard| &shard[0]).collect();
            let mut address = listeners[0].local_addr().unwrap();
            if address.ip().is_unspecified() {
                address.set_ip([127, 0, 0, 1].into());
            }
            let mut reached = HashSet::new();
            for _ in 0..64 {
                let client = UdpSocket::bind((address.ip(), 0)).unwrap();
                for _ in 0..4 {
                    client.send_to(b"x", address).unwrap();
                }
                let counts = listeners.iter().map(|listener| received(listener)).collect::<Vec<_>>();
                let place = counts.iter().position(|count| *count == 4).expect("all at one");
                assert_eq!(counts.iter().sum::<usize>(), 4);
                reached.insert(place);
            }
            assert_eq!(reached.len(), 3, "each has some");
        }
    }

    #[test]
    fn an_address_that_somebody_has_is_an_error_even_if_they_would_share_it() {
        for shards in [NonZeroU8::MIN, THREE] {
            let first = bind(&["127.0.0.1:0".parse().unwrap()], shards, &mut Handover::default()).unwrap();
            let address = first[0][0].local_addr().unwrap();
            for others in [NonZeroU8::MIN, THREE] {
                assert_eq!(bind(&[address], others, &mut Handover::default()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
            }
        }
    }

    fn received(listener: &UdpSocket) -> usize {
        let mut buffer = [0; 8];
        // Loopback delivers before the sender's call returns.
        std::iter::from_fn(|| listener.recv(&mut buffer).ok()).count()
    }
}
