//! Who waits, until when, and what everybody hears of it.

use super::*;

#[test]
fn an_early_student_waits_until_a_moderator_comes_and_admits() {
    let mut room = TestRoom::new();
    room.greeted(2, Role::Student);
    room.join(2);
    assert_eq!(room.effects(), [waiting(2, Role::Student, WaitReason::NoStaff)]);

    room.greeted(1, Role::Mentor);
    room.join(1);
    let effects = room.effects();
    assert!(matches!(sent(&effects[0]), ServerMessage::Joined { moderator: true, peers, .. } if peers.is_empty()));
    assert_eq!(effects[1], lobby(1, &[(2, Role::Student)]));
    assert_eq!(effects.last(), Some(&waiting(2, Role::Student, WaitReason::NotAdmitted)));

    room.greeted_as(4, 2, Role::Student);
    room.join(4);
    assert_eq!(room.effects()[1], waiting_on(4, 2, Role::Student, WaitReason::NotAdmitted), "asking again is no way in");

    room.say(1, ClientMessage::Admit(of(2)));
    let effects = room.effects();
    assert!(matches!(sent(&effects[0]), ServerMessage::Joined { moderator: false, resume, .. } if *resume == token(4)));
    assert!(matches!(sent(&effects[1]), ServerMessage::PeerJoined { peer } if peer.participant.participant_id == id(2)));
    assert_eq!(effects.last(), Some(&lobby(1, &[])));
}

#[test]
fn a_student_who_comes_after_the_mentor_does_not_wait() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(2, Role::Student);
    room.join(2);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { .. }));
}

#[test]
fn who_waits_depends_on_role_policy_and_lock() {
    use LobbyPolicy::{Early, Everyone, Off};
    for (role, policy, attended, locked, waits) in [
        (Role::Student, Early, true, false, false),
        (Role::Student, Early, true, true, true),
        (Role::Student, Early, false, false, true),
        (Role::Student, Off, false, false, false),
        (Role::Student, Off, true, false, false),
        (Role::Student, Off, true, true, true),
        (Role::Student, Everyone, true, false, true),
        (Role::Student, Everyone, false, false, true),
        (Role::Guest, Early, true, false, true),
        (Role::Guest, Off, true, false, true),
        (Role::Guest, Off, false, false, true),
        (Role::Mentor, Everyone, true, true, false),
        (Role::Mentor, Early, false, true, false),
        (Role::Admin, Everyone, true, true, false),
    ] {
        let mut room = TestRoom::with_lobby(policy);
        if attended {
            room.greeted(1, Role::Mentor);
            room.join(1);
            room.say(1, ClientMessage::Lock { locked });
        } else {
            room.entry = Entry { locked, ..Entry::default() };
        }
        room.effects();
        room.greeted(2, role);
        room.join(2);
        let waited = matches!(sent(&room.effects()[0]), ServerMessage::Waiting { .. });
        assert_eq!(waited, waits, "{role:?}, {policy:?}, attended {attended}, locked {locked}");
    }
}

#[test]
fn whoever_waits_may_leave_and_nothing_else() {
    let mut room = TestRoom::new();
    room.greeted(2, Role::Student);
    room.join(2);
    room.effects();
    room.say(2, ClientMessage::Media(Media::default()));
    room.say(2, offer(1, 1));
    room.say(2, ClientMessage::Admit(of(2)));
    assert!(room.effects().iter().all(|effect| error(effect) == Some(ErrorCode::NotJoined)));
    room.registry.handle_timeout(room.now + Duration::from_secs(3600));
    assert_eq!(room.effects(), [], "waiting has no end of its own");
    room.say(2, ClientMessage::Leave {});
    assert_eq!(room.effects(), [Effect::Close(connection(2), CloseCode::Left)], "a room where nobody sat is not over");
    assert_eq!(room.registry.live_rooms(), 0, "but forgotten");
}

#[test]
fn who_is_denied_is_closed_and_may_ask_again() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(3, Role::Guest);
    room.join(3);
    room.effects();
    room.say(1, ClientMessage::Deny(of(3)));
    assert_eq!(room.effects(), [Effect::Close(connection(3), CloseCode::Denied), lobby(1, &[])]);
    room.greeted_as(4, 3, Role::Guest);
    room.join(4);
    assert_eq!(room.effects(), [waiting_on(4, 3, Role::Guest, WaitReason::NotAdmitted), lobby(1, &[(3, Role::Guest)])]);
}

#[test]
fn whoever_was_let_in_comes_back_without_a_word() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(3, Role::Guest);
    room.join(3);
    room.say(1, ClientMessage::Admit(of(3)));
    room.say(1, ClientMessage::Lock { locked: true });
    room.say(3, ClientMessage::Leave {});
    room.greeted_as(4, 3, Role::Guest);
    room.join(4);
    assert!(
        room.effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Send(to, ServerMessage::Joined { .. }) if *to == connection(4)))
    );
}

#[test]
fn a_newer_tab_waits_in_the_older_one_s_place() {
    let mut room = TestRoom::with_mentor_seated();
    for n in [3, 4] {
        room.greeted_as(n, 3, Role::Guest);
        room.effects();
        room.join(n);
    }
    assert_eq!(
        room.effects(),
        [
            Effect::Close(connection(3), CloseCode::Replaced),
            waiting_on(4, 3, Role::Guest, WaitReason::NotAdmitted),
            lobby(1, &[(3, Role::Guest)])
        ]
    );
}

#[test]
fn nobody_is_admitted_to_a_full_room() {
    let mut room = TestRoom::with_both_seated();
    for n in [3, 4, 5] {
        room.greeted(n, Role::Guest);
        room.join(n);
        room.effects();
        room.say(1, ClientMessage::Admit(of(n)));
    }
    assert_eq!(room.effects().iter().find_map(error), Some(ErrorCode::RoomFull));
}

#[test]
fn a_full_lobby_takes_nobody_else() {
    let mut room = TestRoom::with_mentor_seated();
    for n in 10..42 {
        room.greeted(n, Role::Guest);
        room.join(n);
        assert_eq!(room.effects().iter().find_map(error), None, "{n}");
    }
    room.greeted(42, Role::Guest);
    room.join(42);
    assert_eq!(room.effects().iter().find_map(error), Some(ErrorCode::RoomFull));
}

/// Scenario 15: both mentors moderate; once the last is gone the others have a grace, then the lobby; no student is promoted.
#[test]
fn two_mentors_moderate_and_after_the_last_comes_grace_then_the_lobby() {
    let mut room = TestRoom::with_both_seated();
    room.greeted(3, Role::Mentor);
    room.join(3);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { moderator: true, .. }));
    room.say(1, ClientMessage::Leave {});
    room.effects();
    assert_eq!(room.registry.poll_timeout(), room.join_timeout(), "one mentor is enough");

    room.say(3, ClientMessage::Leave {});
    let effects = room.effects();
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Send(_, ServerMessage::Moderator { .. }))), "{effects:?}");
    room.registry.handle_timeout(room.now + UNATTENDED - Duration::from_millis(1));
    assert_eq!(room.effects(), []);
    room.registry.handle_timeout(room.now + UNATTENDED);
    let left = Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Unattended });
    assert_eq!(room.effects(), [left, waiting(2, Role::Student, WaitReason::NoStaff)]);

    room.greeted(4, Role::Mentor);
    room.join(4);
    let effects = room.effects();
    let back =
        effects.iter().any(|effect| matches!(effect, Effect::Send(to, ServerMessage::Joined { .. }) if *to == connection(2)));
    assert!(back, "who was let in before is in again with the mentor: {effects:?}");
}

#[test]
fn a_mentor_who_comes_back_within_the_grace_finds_everybody() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, ClientMessage::Leave {});
    room.greeted_as(3, 1, Role::Mentor);
    room.join(3);
    room.effects();
    room.registry.handle_timeout(room.now + UNATTENDED);
    assert_eq!(room.effects(), []);
}

#[test]
fn after_the_grace_dropped_seats_are_freed_and_an_empty_room_ends() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, ClientMessage::Leave {});
    room.now += UNATTENDED - Duration::from_secs(1);
    room.drop_socket(2);
    room.effects();
    room.registry.handle_timeout(room.now + Duration::from_secs(1));
    assert_eq!(
        room.effects(),
        [
            Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Unattended }),
            Effect::Event(RoomEventKind::Ended { reason: EndReason::Empty })
        ]
    );
}

/// Scenario 4: after a restart whoever sat there sits down again, whoever of them comes first.
#[test]
fn after_a_restart_a_student_who_sat_there_has_the_grace_too() {
    let mut room = TestRoom::new();
    room.entry = Entry { standing: Standing::Admitted, ..Entry::default() };
    room.greeted(2, Role::Student);
    room.join(2);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { .. }));
    room.registry.handle_timeout(room.now + UNATTENDED);
    assert_eq!(room.effects().last(), Some(&waiting(2, Role::Student, WaitReason::NoStaff)));
}

#[test]
fn with_the_lobby_off_students_may_be_alone() {
    let mut room = TestRoom::with_lobby(LobbyPolicy::Off);
    room.greeted(1, Role::Mentor);
    room.join(1);
    room.greeted(2, Role::Student);
    room.join(2);
    room.say(1, ClientMessage::Leave {});
    room.effects();
    room.registry.handle_timeout(room.now + 100 * UNATTENDED);
    assert_eq!(room.effects(), []);
}

#[test]
fn a_room_that_somebody_waits_for_goes_on_without_seats_and_ends_after_them() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(3, Role::Guest);
    room.join(3);
    room.effects();
    room.say(1, ClientMessage::Leave {});
    assert_eq!(room.effects().last(), Some(&waiting(3, Role::Guest, WaitReason::NoStaff)));
    room.drop_socket(3);
    assert_eq!(room.effects(), [Effect::Event(RoomEventKind::Ended { reason: EndReason::Empty })]);
}

#[test]
fn an_end_and_a_stop_reach_those_who_wait() {
    for (stop, code) in [(false, CloseCode::RoomEnded), (true, CloseCode::GoingAway)] {
        let mut room = TestRoom::with_mentor_seated();
        room.greeted(3, Role::Guest);
        room.join(3);
        room.effects();
        match stop {
            true => room.registry.handle_shutdown(room.now),
            false => room.say(1, ClientMessage::End {}),
        }
        assert!(room.effects().contains(&Effect::Close(connection(3), code)));
    }
}

/// Whoever was let in before, found the room full and came in by another tab.
#[test]
fn who_sits_down_waits_on_no_other_socket() {
    let mut room = TestRoom::with_mentor_seated();
    room.entry = Entry { standing: Standing::Admitted, ..Entry::default() };
    for n in [2, 3, 4] {
        room.greeted(n, Role::Student);
        room.join(n);
    }
    room.say(1, ClientMessage::Leave {});
    room.registry.handle_timeout(room.now + UNATTENDED);
    room.effects();
    for (n, role) in [(5, Role::Student), (1, Role::Mentor)] {
        room.greeted(n, role);
        room.join(n);
    }
    room.say(2, ClientMessage::Leave {});
    room.greeted_as(6, 5, Role::Student);
    room.join(6);
    let effects = room.effects();
    assert!(effects.contains(&Effect::Close(connection(5), CloseCode::Replaced)), "{effects:?}");
    assert_eq!(effects.last(), Some(&lobby(1, &[])));
}
