//! What holds once it has been calm for a minute: everybody sees the same room, and the records say who was where.

use std::collections::BTreeSet;

use visavis::proto::id::{ParticipantId, RoomId};

use crate::people::{Page, State};
use crate::world::World;

pub(crate) fn holds(world: &mut World) {
    for page in &world.pages {
        assert!(!matches!(page.state, State::Opening | State::Returning), "a page is still on its way: {page:?}");
        if page.state == State::Joined {
            page_sees_the_room(world, page);
        }
    }
    seats_have_their_pages(world);
    pairs_agree(world);
    world.records.flush(world.now);
    attendance_is_whole(world);
    nothing_is_left_of_empty_rooms(world);
}

fn page_sees_the_room(world: &World, page: &Page) {
    let (room, me) = place(world, page);
    let seated: BTreeSet<_> =
        world.witness.seats().keys().filter(|seat| seat.0 == room && seat.1 != me).map(|seat| seat.1).collect();
    let seen: BTreeSet<_> = page.roster.keys().copied().collect();
    assert_eq!(seen, seated, "{me} sees another roster than there is");
    for (peer, seen) in &page.roster {
        let holder = world.witness.seats()[&(room, *peer)];
        assert_eq!((seen.connected, seen.moderator), (holder.socket.is_some(), holder.moderator), "{me} sees {peer} wrongly");
    }
    let own = world.witness.seats().get(&(room, me)).unwrap_or_else(|| panic!("{me} thinks it has a seat"));
    assert_eq!((own.socket, own.moderator), (page.connection, page.moderator), "{me} is wrong about itself");
}

/// Nobody is a ghost: each seat is some page's.
fn seats_have_their_pages(world: &World) {
    for (seat, holder) in world.witness.seats() {
        let pages = world.pages.iter().filter(|page| page.state == State::Joined && place(world, page) == *seat);
        assert_eq!(pages.count(), 1, "{seat:?} is held by {holder:?}");
        assert!(holder.socket.is_some_and(|socket| world.witness.has_socket(socket)), "{seat:?} is a ghost");
    }
}

/// Both sides of a pair name the same epoch, and one of them is polite.
fn pairs_agree(world: &World) {
    let joined: Vec<_> = world.pages.iter().filter(|page| page.state == State::Joined).collect();
    for one in &joined {
        for other in &joined {
            let ((room, me), (other_room, peer)) = (place(world, one), place(world, other));
            if room != other_room || me == peer {
                continue;
            }
            let (here, there) = (one.roster[&peer], other.roster[&me]);
            assert_eq!(here.epoch, there.epoch, "{me} and {peer} are in different epochs");
            assert_ne!(here.polite, there.polite, "{me} and {peer}: who yields?");
            assert_eq!(one.locked, other.locked, "{me} and {peer}: is it locked?");
        }
    }
}

/// Intervals follow each other, and exactly those who sit there with a socket have one that is open.
fn attendance_is_whole(world: &World) {
    for (seat, intervals) in world.records.attendance() {
        for pair in intervals.windows(2) {
            assert!(pair[0].until.is_some_and(|until| until <= pair[1].from), "{seat:?} was there twice: {intervals:?}");
        }
        assert!(intervals.iter().all(|interval| interval.until.is_none_or(|until| interval.from <= until)), "{intervals:?}");
        let open = intervals.last().is_some_and(|interval| interval.until.is_none());
        let there = world.witness.seats().get(seat).is_some_and(|holder| holder.socket.is_some());
        assert_eq!(open, there, "{seat:?}: {intervals:?}");
    }
    for (seat, holder) in world.witness.seats() {
        assert!(holder.socket.is_none() || world.records.attendance().contains_key(seat), "{seat:?} is nowhere in the records");
    }
}

fn nothing_is_left_of_empty_rooms(world: &World) {
    let rooms = |pages: &mut dyn Iterator<Item = &Page>| pages.map(|page| place(world, page).0).collect::<BTreeSet<RoomId>>();
    let alive = rooms(&mut world.pages.iter().filter(|page| matches!(page.state, State::Joined | State::Waiting)));
    assert_eq!(world.registry.live_rooms(), alive.len(), "rooms that nobody is in");
}

fn place(world: &World, page: &Page) -> (RoomId, ParticipantId) {
    let person = &world.people[page.person];
    (person.room, person.participant.participant_id)
}
