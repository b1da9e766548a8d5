//! Each role says each message to somebody of its own room, of another, and of one that has ended.

use visavis::proto::id::{ConnectionId, ParticipantId};
use visavis::proto::room::{Effect, LobbyPolicy};
use visavis::proto::signal::{Candidate, ClientMessage, Description, ErrorCode, Media, Of, Participant, Role, ServerMessage, To};

use crate::world::{Effects, World, id, named_in, person, room};

/// Whom a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Itself,
    Mentor,
    Student,
    Waiter,
    /// Sits in another room.
    OthersPeer,
    /// Waits for another room.
    OthersWaiter,
    /// Sat in a room that has ended.
    EndedPeer,
    Nobody,
}

/// What the rules say.
#[derive(Debug, PartialEq, Eq)]
enum Ruling {
    /// Answered with this code, and nothing else happens.
    Refused(ErrorCode),
    /// To this one seat.
    ToPeer(ParticipantId),
    /// Somebody hears of it; whoever it is sits or waits in this room.
    ToTheRoom,
}

#[test]
fn each_role_reaches_its_own_room_alone_and_what_is_forbidden_changes_nothing() {
    let mut cells = 0;
    for role in ROLES {
        for target in TARGETS {
            for message in messages(target) {
                check(role, target, message);
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 4 * 8 * 13);
}

#[test]
fn who_has_no_seat_reaches_nobody() {
    for target in TARGETS {
        for message in messages(target) {
            if matches!(message, ClientMessage::Hello { .. } | ClientMessage::Join { .. } | ClientMessage::Leave {}) {
                continue;
            }
            let (mut world, _) = furnished(Role::Student);
            let opened = world.open(room(OWN), person(OWN, 9, Role::Student));
            let waiting = world.enter(room(OWN), person(OWN, 8, Role::Guest));
            world.effects();
            for silent in [opened, waiting] {
                world.say(silent, message.clone());
                assert_eq!(world.effects(), refusal(silent, ErrorCode::NotJoined), "{message:?} to {target:?}");
            }
        }
    }
}

#[test]
fn a_socket_of_a_room_that_has_ended_reaches_nobody() {
    for target in TARGETS {
        for message in messages(target) {
            let (mut world, _) = furnished(Role::Mentor);
            let late = world.open(room(ENDED), person(ENDED, 1, Role::Mentor));
            world.effects();
            world.say(late, message.clone());
            assert_eq!(world.effects(), [], "{message:?} to {target:?}");
        }
    }
}

fn check(role: Role, target: Target, message: ClientMessage) {
    let (mut world, sender) = furnished(role);
    let (own, other) = (look(&mut world, OWN), look(&mut world, OTHER));
    let what = format!("{role:?} says {message:?} to {target:?}");
    let ruling = ruling(role, target, &message);
    world.say(sender, message);
    let effects = world.effects();
    world.assert_no_leak(&effects);
    assert!(effects.iter().all(|(touched, _)| *touched == room(OWN)), "{what}: {effects:?}");
    match ruling {
        Ruling::Refused(code) => {
            assert_eq!(effects, refusal(sender, code), "{what}");
            assert_eq!(look(&mut world, OWN), own, "{what}");
        }
        Ruling::ToPeer(peer) => {
            let [(_, Effect::Send(receiver, sent))] = effects.as_slice() else { panic!("{what}: {effects:?}") };
            assert_eq!((world.owner[receiver], named_in(sent)), (peer, vec![id(OWN, SENDER)]), "{what}");
        }
        Ruling::ToTheRoom => assert!(!effects.is_empty(), "{what}"),
    }
    assert_eq!(look(&mut world, OTHER), other, "{what}");
}

fn ruling(role: Role, target: Target, message: &ClientMessage) -> Ruling {
    use ClientMessage as M;
    use ErrorCode::{AlreadyJoined, Forbidden, NoSuchPeer};
    let ours = matches!(target, Target::Mentor | Target::Student);
    let refused = |code| Ruling::Refused(code);
    match message {
        M::Hello { .. } | M::Join { .. } => refused(AlreadyJoined),
        M::Offer(_) | M::Answer(_) | M::Candidate(_) if ours => Ruling::ToPeer(named(target)),
        M::Offer(_) | M::Answer(_) | M::Candidate(_) => refused(NoSuchPeer),
        M::Media(_) | M::Leave {} => Ruling::ToTheRoom,
        _ if !role.is_staff() => refused(Forbidden),
        M::Admit(_) | M::Deny(_) if target == Target::Waiter => Ruling::ToTheRoom,
        M::Kick(_) if target == Target::Itself => refused(Forbidden),
        M::Kick(_) if ours => Ruling::ToTheRoom,
        M::Moderate { .. } if target == Target::Student => refused(Forbidden),
        M::Moderate { .. } if matches!(target, Target::Mentor | Target::Itself) => Ruling::ToTheRoom,
        M::Admit(_) | M::Deny(_) | M::Kick(_) | M::Moderate { .. } => refused(NoSuchPeer),
        M::Lock { .. } | M::End {} => Ruling::ToTheRoom,
    }
}

/// A room with the sender, a mentor, a student and somebody who waits; another like it; and one that has ended.
fn furnished(role: Role) -> (World, ConnectionId) {
    let mut world = World::new(LobbyPolicy::Early);
    for n in [OWN, OTHER, ENDED] {
        world.enter(room(n), person(n, 1, Role::Mentor));
        world.enter(room(n), person(n, 2, Role::Student));
        world.enter(room(n), person(n, 3, Role::Guest));
    }
    world.end(room(ENDED));
    let sender = world.enter(room(OWN), person(OWN, SENDER, role));
    let mentor = *world.owner.iter().find(|(_, owner)| **owner == id(OWN, 1)).unwrap().0;
    // Guests wait for a word; for the others there is nobody to admit.
    world.say(mentor, ClientMessage::Admit(Of { participant_id: id(OWN, SENDER) }));
    world.effects();
    (world, sender)
}

/// What somebody sees who comes into a room: the roster, the lobby, the lock. They leave no trace but an epoch.
fn look(world: &mut World, n: u32) -> Vec<String> {
    let onlooker: Participant = person(n, 200, Role::Admin);
    let connection = world.enter(room(n), onlooker);
    let seen = world.effects().into_iter().filter_map(|(_, effect)| match effect {
        Effect::Send(to, ServerMessage::Joined { peers, locked, .. }) if to == connection => {
            let peers: Vec<_> =
                peers.into_iter().map(|peer| (peer.participant, peer.moderator, peer.connected, peer.media)).collect();
            Some(format!("{peers:?} {locked}"))
        }
        Effect::Send(to, ServerMessage::Lobby { waiting }) if to == connection => Some(format!("{waiting:?}")),
        _ => None,
    });
    let seen = seen.collect();
    world.say(connection, ClientMessage::Leave {});
    world.effects();
    seen
}

/// One of each kind.
fn messages(target: Target) -> Vec<ClientMessage> {
    let participant_id = named(target);
    // Each pair's epoch is that of whoever came last: the sender.
    let epoch = if matches!(target, Target::Mentor | Target::Student) { 3 } else { 1 };
    let sdp = Description { sdp: "v=0".to_owned() };
    vec![
        ClientMessage::Hello { versions: vec![2] },
        ClientMessage::Join { resume: None, takeover: true },
        ClientMessage::Offer(To { to: participant_id, epoch, body: sdp.clone() }),
        ClientMessage::Answer(To { to: participant_id, epoch, body: sdp }),
        ClientMessage::Candidate(To { to: participant_id, epoch, body: Candidate { candidate: None } }),
        ClientMessage::Media(Media { microphone: true, ..Media::default() }),
        ClientMessage::Leave {},
        ClientMessage::Admit(Of { participant_id }),
        ClientMessage::Deny(Of { participant_id }),
        ClientMessage::Kick(Of { participant_id }),
        ClientMessage::Lock { locked: true },
        ClientMessage::Moderate { participant_id, moderator: false },
        ClientMessage::End {},
    ]
}

fn named(target: Target) -> ParticipantId {
    match target {
        Target::Itself => id(OWN, SENDER),
        Target::Mentor => id(OWN, 1),
        Target::Student => id(OWN, 2),
        Target::Waiter => id(OWN, 3),
        Target::OthersPeer => id(OTHER, 2),
        Target::OthersWaiter => id(OTHER, 3),
        Target::EndedPeer => id(ENDED, 1),
        Target::Nobody => id(99, 99),
    }
}

fn refusal(to: ConnectionId, code: ErrorCode) -> Effects {
    vec![(room(OWN), Effect::Send(to, ServerMessage::Error { code, message: code.message().to_owned() }))]
}

const ROLES: [Role; 4] = [Role::Admin, Role::Mentor, Role::Student, Role::Guest];
const TARGETS: [Target; 8] = [
    Target::Itself,
    Target::Mentor,
    Target::Student,
    Target::Waiter,
    Target::OthersPeer,
    Target::OthersWaiter,
    Target::EndedPeer,
    Target::Nobody,
];
const OWN: u32 = 1;
const OTHER: u32 = 2;
const ENDED: u32 = 3;
/// Sits in its own room, whatever its role.
const SENDER: u8 = 4;
