//! What moderators do, and that nobody else can.

use super::*;

#[test]
fn only_moderators_moderate() {
    let acts = || {
        let moderate = ClientMessage::Moderate { participant_id: id(1), moderator: false };
        let lock = ClientMessage::Lock { locked: true };
        let of = of(1);
        [ClientMessage::Admit(of), ClientMessage::Deny(of), ClientMessage::Kick(of), lock, moderate, ClientMessage::End {}]
    };
    for act in acts() {
        let mut room = TestRoom::with_both_seated();
        room.say(2, act.clone());
        let effects = room.effects();
        assert_eq!(effects.iter().map(error).collect::<Vec<_>>(), [Some(ErrorCode::Forbidden)], "{act:?}");
    }
}

/// Scenario 16: the seat, its resume token and its credentials go at once, and the way back needs a word.
#[test]
fn a_kicked_user_s_token_is_void_and_the_way_back_needs_approval() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, ClientMessage::Kick(of(2)));
    assert_eq!(
        room.effects(),
        [
            Effect::Close(connection(2), CloseCode::Kicked),
            Effect::Send(connection(1), ServerMessage::PeerLeft { participant_id: id(2), reason: LeaveReason::Kicked }),
            Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Kicked }),
        ]
    );
    room.greeted_as(3, 2, Role::Student);
    room.say(3, ClientMessage::Join { resume: Some(token(2)), takeover: true });
    assert_eq!(room.effects()[0], waiting_on(3, 2, Role::Student, WaitReason::NotAdmitted));
    room.say(1, ClientMessage::Admit(of(2)));
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { resumed: false, .. }));
}

#[test]
fn who_was_kicked_before_a_restart_needs_approval_after_it() {
    let mut room = TestRoom::with_mentor_seated();
    room.entry = Entry { standing: Standing::Kicked, ..Entry::default() };
    room.greeted(2, Role::Student);
    room.join(2);
    assert_eq!(room.effects()[0], waiting(2, Role::Student, WaitReason::NotAdmitted));
}

#[test]
fn a_kick_reaches_a_seat_whose_socket_dropped() {
    let mut room = TestRoom::with_both_seated();
    room.drop_socket(2);
    room.effects();
    room.say(1, ClientMessage::Kick(of(2)));
    assert!(room.effects().contains(&Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Kicked })));
    room.say(1, ClientMessage::Kick(of(2)));
    room.say(1, ClientMessage::Kick(of(1)));
    assert_eq!(room.effects().iter().filter_map(error).collect::<Vec<_>>(), [ErrorCode::NoSuchPeer, ErrorCode::Forbidden]);
}

#[test]
fn a_lock_is_told_once_to_everybody_and_to_later_joiners() {
    let mut room = TestRoom::with_both_seated();
    for _ in 0..2 {
        room.say(1, ClientMessage::Lock { locked: true });
    }
    let told = |n| Effect::Send(connection(n), ServerMessage::Locked { locked: true });
    assert_eq!(room.effects(), [told(1), told(2), Effect::Event(RoomEventKind::Locked { locked: true })]);
    room.greeted(3, Role::Admin);
    room.join(3);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { locked: true, .. }));
}

#[test]
fn a_room_handed_over_has_its_new_moderator_alone() {
    let mut room = TestRoom::with_mentor_and_guest();
    room.say(1, ClientMessage::Moderate { participant_id: id(3), moderator: true });
    let told = |n| Effect::Send(connection(n), ServerMessage::Moderator { participant_id: id(3), moderator: true });
    let event = Effect::Event(RoomEventKind::Moderator { participant: id(3), moderator: true });
    assert_eq!(room.effects(), [told(1), told(3), event]);
    room.say(1, ClientMessage::Leave {});
    room.effects();
    room.registry.handle_timeout(room.now + UNATTENDED);
    assert_eq!(room.effects(), [], "somebody moderates");
    room.say(3, ClientMessage::End {});
    assert!(room.effects().contains(&Effect::Event(RoomEventKind::Ended { reason: EndReason::EndedByStaff })));
}

#[test]
fn students_are_never_made_moderators_and_the_last_moderator_stays_one() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, ClientMessage::Moderate { participant_id: id(2), moderator: true });
    room.say(1, ClientMessage::Moderate { participant_id: id(1), moderator: false });
    room.say(1, ClientMessage::Moderate { participant_id: id(9), moderator: true });
    let codes: Vec<_> = room.effects().iter().map(error).collect();
    assert_eq!(codes, [Some(ErrorCode::Forbidden), Some(ErrorCode::Forbidden), Some(ErrorCode::NoSuchPeer)]);
}

#[test]
fn a_moderator_that_drops_is_one_when_it_comes_back_even_after_a_restart() {
    let mut room = TestRoom::with_mentor_and_guest();
    room.say(1, ClientMessage::Moderate { participant_id: id(3), moderator: true });
    room.say(3, ClientMessage::Leave {});
    room.greeted_as(4, 3, Role::Guest);
    room.effects();
    room.join(4);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { moderator: true, .. }));

    let mut room = TestRoom::new();
    room.entry = Entry { standing: Standing::Admitted, moderator: Some(true), locked: true };
    room.greeted(3, Role::Guest);
    room.join(3);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { moderator: true, locked: true, .. }));
}

/// Scenario 25: what a demoted participant had sent before is judged by what it is when it is heard.
#[test]
fn a_role_change_in_flight_counts_for_what_was_queued_before() {
    let mut room = TestRoom::with_both_seated();
    room.greeted(3, Role::Mentor);
    room.join(3);
    room.say(1, ClientMessage::Moderate { participant_id: id(3), moderator: false });
    room.effects();
    room.say(3, ClientMessage::Kick(of(2)));
    assert_eq!(room.effects().iter().map(error).collect::<Vec<_>>(), [Some(ErrorCode::Forbidden)]);
}

#[test]
fn demoted_staff_leads_again_where_nobody_else_does() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(3, Role::Mentor);
    room.join(3);
    room.say(1, ClientMessage::Moderate { participant_id: id(3), moderator: false });
    room.effects();
    room.say(1, ClientMessage::Leave {});
    assert!(
        room.effects()
            .contains(&Effect::Send(connection(3), ServerMessage::Moderator { participant_id: id(3), moderator: true }))
    );
}

/// Scenario 19: candidates beyond what any negotiation needs go nowhere, and a new description starts anew.
#[test]
fn a_candidate_flood_is_dropped_past_a_hundred() {
    let mut room = TestRoom::with_both_seated();
    let candidate = || ClientMessage::Candidate(To { to: id(1), epoch: 2, body: Candidate { candidate: None } });
    for _ in 0..500 {
        room.say(2, candidate());
    }
    assert_eq!(room.effects().len(), 100);
    room.say(2, offer(1, 2));
    room.say(2, candidate());
    assert_eq!(room.effects().len(), 2);
}

/// Whoever has no seat may hold a credential, and has a row that says they were let in.
#[test]
fn who_is_removed_without_a_seat_loses_credentials_and_standing_too() {
    let kicked = || Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Kicked });
    let mut room = TestRoom::new();
    room.registry.handle_remove(room.now, ROOM, id(2));
    assert_eq!(room.effects(), [kicked()], "nobody is there");

    let mut room = TestRoom::with_both_seated();
    room.say(2, ClientMessage::Leave {});
    room.effects();
    room.registry.handle_remove(room.now, ROOM, id(2));
    assert_eq!(room.effects(), [kicked()], "they have left");

    room.registry.handle_end(room.now, ROOM, EndReason::EndedByStaff);
    room.effects();
    room.registry.handle_remove(room.now, ROOM, id(3));
    assert_eq!(room.effects(), [], "the room is over");
}

#[test]
fn who_is_removed_without_a_seat_comes_back_as_what_their_role_says() {
    let mut room = TestRoom::with_mentor_and_guest();
    room.say(1, ClientMessage::Moderate { participant_id: id(3), moderator: true });
    room.say(3, ClientMessage::Leave {});
    room.registry.handle_remove(room.now, ROOM, id(3));
    room.entry = Entry { standing: Standing::Admitted, moderator: Some(true), ..Entry::default() };
    room.greeted_as(4, 3, Role::Guest);
    room.join(4);
    room.say(1, ClientMessage::Admit(of(3)));
    let joined = room.effects().into_iter().find(|effect| matches!(effect, Effect::Send(_, ServerMessage::Joined { .. })));
    assert!(matches!(sent(&joined.unwrap()), ServerMessage::Joined { moderator: false, .. }));
}

/// A guest who moderated may have become a student of the session since.
#[test]
fn a_student_moderates_nothing_whatever_the_records_say() {
    let mut room = TestRoom::with_mentor_seated();
    room.entry = Entry { standing: Standing::Admitted, moderator: Some(true), ..Entry::default() };
    room.greeted(2, Role::Student);
    room.join(2);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { moderator: false, .. }));
}
