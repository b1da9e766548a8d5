//! The box's own addresses and networks are looked at again and again, since DHCP and IPv6 change them: whose services are no peers.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::watch;
use tokio::time::Instant;

use super::tasks::ticks;
use crate::sys::names;
use crate::sys::signals::stopped;

/// Where the box is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) networks: Vec<IpNet>,
}

impl Place {
    /// As the interfaces say now.
    pub(super) fn now() -> Self {
        Self { addresses: names::addresses(), networks: names::networks() }
    }
}

/// Calls `moved` with where the box is whenever that has changed, until the daemon stops; the first look is told in any case.
pub(super) async fn keep(look: impl Fn() -> Place, moved: impl Fn(Place), mut stopping: watch::Receiver<bool>) {
    let mut ticks = ticks(Instant::now(), LOOK_EVERY);
    let mut known = None;
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = ticks.tick() => {}
        }
        let place = look();
        if known.as_ref() != Some(&place) {
            moved(place.clone());
            known = Some(place);
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_box_with_a_new_address_says_so_within_seconds_and_once() {
        let (stop, stopping) = watch::channel(false);
        let (address, at) = watch::channel([10, 0, 0, 1]);
        let told = RefCell::new(Vec::new());
        let place = |ip: [u8; 4]| Place { addresses: vec![ip.into()], networks: Vec::new() };
        let moving = async {
            tokio::time::sleep(LOOK_EVERY * 3).await;
            address.send([10, 0, 0, 2]).unwrap();
            tokio::time::sleep(LOOK_EVERY * 3).await;
            stop.send(true).unwrap();
        };
        tokio::join!(keep(|| place(*at.borrow()), |place| told.borrow_mut().push(place), stopping), moving);
        assert_eq!(told.into_inner(), [place([10, 0, 0, 1]), place([10, 0, 0, 2])]);
    }
}
