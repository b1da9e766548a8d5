//! Seats: taken, dropped, resumed, taken over, given up; and what passes between them.

use super::*;

#[test]
fn a_first_join_gets_an_empty_roster() {
    let mut room = TestRoom::new();
    room.greeted(1, Role::Mentor);
    room.join(1);
    let joined = ServerMessage::Joined {
        resumed: false,
        resume: token(1),
        you: participant(1, Role::Mentor),
        moderator: true,
        locked: false,
        peers: vec![],
    };
    assert_eq!(
        room.effects(),
        [
            Effect::Send(connection(1), joined),
            Effect::Event(RoomEventKind::Joined { participant: id(1), connection: connection(1) })
        ]
    );
}

#[test]
fn a_second_join_meets_the_first_and_makes_the_room_active() {
    let mut room = TestRoom::with_mentor_seated();
    room.greeted(2, Role::Student);
    room.join(2);
    let effects = room.effects();
    let ServerMessage::Joined { peers, .. } = sent(&effects[0]) else { panic!("{effects:?}") };
    assert_eq!((peers.len(), peers[0].polite, peers[0].epoch), (1, true, 2));
    let ServerMessage::PeerJoined { peer } = sent(&effects[1]) else { panic!("{effects:?}") };
    assert_eq!((peer.polite, peer.epoch, peer.connected), (false, 2, true));
    assert_eq!(
        effects[2..],
        [
            Effect::Event(RoomEventKind::Joined { participant: id(2), connection: connection(2) }),
            Effect::Event(RoomEventKind::Active)
        ]
    );
}

#[test]
fn in_each_pair_one_is_polite_and_one_is_not() {
    for (first, second) in [
        (Role::Mentor, Role::Student),
        (Role::Student, Role::Mentor),
        (Role::Student, Role::Student),
        (Role::Mentor, Role::Admin),
    ] {
        let mut room = TestRoom::with_lobby(LobbyPolicy::Off);
        room.greeted(1, first);
        room.join(1);
        room.greeted(2, second);
        room.effects();
        room.join(2);
        let effects = room.effects();
        let ServerMessage::Joined { peers, .. } = sent(&effects[0]) else { panic!("{effects:?}") };
        let ServerMessage::PeerJoined { peer } = sent(&effects[1]) else { panic!("{effects:?}") };
        assert_ne!(peers[0].polite, peer.polite, "{first:?} {second:?}");
        if first != second && (first == Role::Student || second == Role::Student) {
            assert_eq!(peers[0].polite, second == Role::Student, "staff is impolite to students");
        }
    }
}

#[test]
fn an_offer_reaches_its_receiver_alone_stamped_with_its_sender() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, offer(2, 2));
    let stamped = ServerMessage::Offer(From { from: id(1), epoch: 2, body: Description { sdp: "v=0".to_owned() } });
    assert_eq!(room.effects(), [Effect::Send(connection(2), stamped)]);
}

#[test]
fn a_message_of_an_older_epoch_is_dropped_without_a_word() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, offer(2, 1));
    room.say(1, offer(2, 3));
    assert_eq!(room.effects(), []);
}

#[test]
fn nobody_is_reached_but_the_seats_of_the_room() {
    let mut room = TestRoom::with_both_seated();
    room.say(1, offer(9, 2));
    room.say(1, offer(1, 2));
    let refused = room.effects();
    assert!(refused.iter().all(|effect| error(effect) == Some(ErrorCode::NoSuchPeer)) && refused.len() == 2, "{refused:?}");
}

#[test]
fn hello_comes_first_and_join_second() {
    let mut room = TestRoom::new();
    room.open(1, Role::Mentor);
    room.join(1);
    room.say(1, offer(2, 1));
    room.say(1, ClientMessage::Hello { versions: vec![1] });
    room.say(1, offer(2, 1));
    let effects = room.effects();
    assert_eq!(
        effects.iter().map(error).collect::<Vec<_>>(),
        [Some(ErrorCode::NotJoined), Some(ErrorCode::NotJoined), None, Some(ErrorCode::NotJoined)]
    );
}

#[test]
fn no_version_in_common_closes() {
    let mut room = TestRoom::new();
    room.open(1, Role::Mentor);
    room.say(1, ClientMessage::Hello { versions: vec![99] });
    let effects = room.effects();
    assert_eq!(error(&effects[0]), Some(ErrorCode::VersionUnsupported));
    assert_eq!(effects[1..], [Effect::Close(connection(1), CloseCode::VersionUnsupported)]);
}

#[test]
fn a_dropped_socket_keeps_its_seat_and_resumes_with_what_waited() {
    let mut room = TestRoom::with_both_seated();
    room.drop_socket(2);
    assert_eq!(
        room.effects(),
        [
            Effect::Send(connection(1), ServerMessage::PeerStatus { participant_id: id(2), connected: false }),
            Effect::Event(RoomEventKind::Disconnected { participant: id(2) }),
        ]
    );
    room.say(1, offer(2, 2));
    assert_eq!(room.effects(), []);
    room.greeted_as(3, 2, Role::Student);
    room.say(3, ClientMessage::Join { resume: Some(token(2)), takeover: false });
    let effects = room.effects();
    assert!(
        matches!(sent(&effects[0]), ServerMessage::Joined { resumed: true, peers, .. } if peers[0].epoch == 2),
        "{effects:?}"
    );
    assert!(matches!(sent(&effects[1]), ServerMessage::Offer(_)), "{effects:?}");
    assert_eq!(
        effects[2..],
        [
            Effect::Send(connection(1), ServerMessage::PeerStatus { participant_id: id(2), connected: true }),
            Effect::Event(RoomEventKind::Resumed { participant: id(2), connection: connection(3) }),
        ]
    );
}

#[test]
fn a_seat_that_missed_too_much_is_taken_anew() {
    let mut room = TestRoom::with_both_seated();
    room.drop_socket(2);
    for _ in 0..129 {
        room.say(1, offer(2, 2));
    }
    room.greeted_as(3, 2, Role::Student);
    room.effects();
    room.say(3, ClientMessage::Join { resume: Some(token(2)), takeover: false });
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { resumed: false, peers, .. } if peers[0].epoch == 3));
}

#[test]
fn a_wrong_token_takes_a_dropped_seat_anew() {
    let mut room = TestRoom::with_both_seated();
    room.drop_socket(2);
    room.greeted_as(3, 2, Role::Student);
    room.effects();
    room.say(3, ClientMessage::Join { resume: Some(token(99)), takeover: false });
    let effects = room.effects();
    assert!(matches!(sent(&effects[0]), ServerMessage::Joined { resumed: false, .. }));
    assert!(matches!(sent(&effects[1]), ServerMessage::PeerJoined { peer } if peer.epoch == 3));
}

#[test]
fn a_seat_whose_socket_does_not_come_back_is_freed() {
    let mut room = TestRoom::with_both_seated();
    room.drop_socket(2);
    room.effects();
    room.registry.handle_timeout(room.now + GRACE - Duration::from_millis(1));
    assert_eq!(room.effects(), []);
    assert_eq!(room.registry.poll_timeout(), Some(room.now + GRACE));
    room.registry.handle_timeout(room.now + GRACE);
    assert_eq!(
        room.effects(),
        [
            Effect::Send(connection(1), ServerMessage::PeerLeft { participant_id: id(2), reason: LeaveReason::Timeout }),
            Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Timeout }),
        ]
    );
}

#[test]
fn a_page_may_come_back_before_its_old_socket_is_known_to_be_gone() {
    let mut room = TestRoom::with_both_seated();
    room.greeted_as(3, 2, Role::Student);
    room.effects();
    room.say(3, ClientMessage::Join { resume: Some(token(2)), takeover: false });
    let effects = room.effects();
    assert_eq!(effects[0], Effect::Close(connection(2), CloseCode::Replaced));
    assert!(matches!(sent(&effects[1]), ServerMessage::Joined { resumed: true, .. }));
    room.say(2, offer(1, 2));
    room.drop_socket(2);
    assert_eq!(room.effects(), [], "the old socket is nobody's");
}

#[test]
fn the_close_of_an_old_socket_never_frees_the_new_seat() {
    let mut room = TestRoom::with_both_seated();
    room.greeted_as(3, 2, Role::Student);
    room.say(3, ClientMessage::Join { resume: None, takeover: true });
    room.effects();
    room.drop_socket(2);
    assert_eq!(room.effects(), []);
}

#[test]
fn a_second_tab_that_closes_leaves_the_seat_to_the_first() {
    let mut room = TestRoom::with_both_seated();
    room.greeted_as(3, 2, Role::Student);
    room.effects();
    room.drop_socket(3);
    assert_eq!(room.effects(), []);
}

#[test]
fn a_second_tab_asks_before_it_takes_the_seat() {
    let mut room = TestRoom::with_both_seated();
    room.greeted_as(3, 2, Role::Student);
    room.effects();
    room.say(3, ClientMessage::Join { resume: None, takeover: false });
    assert_eq!(room.effects().iter().map(error).collect::<Vec<_>>(), [Some(ErrorCode::SeatTaken)]);
    room.say(3, ClientMessage::Join { resume: None, takeover: true });
    let effects = room.effects();
    assert_eq!(effects[0], Effect::Close(connection(2), CloseCode::Replaced));
    assert!(matches!(sent(&effects[2]), ServerMessage::PeerJoined { peer } if peer.epoch == 3), "{effects:?}");
}

#[test]
fn a_full_room_takes_nobody_else() {
    let mut room = TestRoom::with_both_seated();
    for (n, refusal) in [(3, None), (4, None), (5, Some(ErrorCode::RoomFull))] {
        room.greeted(n, Role::Student);
        room.join(n);
        assert_eq!(room.effects().iter().find_map(error), refusal, "seat {n}");
    }
}

#[test]
fn media_are_told_to_the_others_and_to_later_joiners() {
    let mut room = TestRoom::with_mentor_seated();
    let media = Media { microphone: true, camera: false, screen: Some("2".to_owned()) };
    room.say(1, ClientMessage::Media(media.clone()));
    assert_eq!(room.effects(), []);
    room.greeted(2, Role::Student);
    room.effects();
    room.join(2);
    assert!(matches!(sent(&room.effects()[0]), ServerMessage::Joined { peers, .. } if peers[0].media == media));
    room.say(2, ClientMessage::Media(media.clone()));
    assert_eq!(room.effects(), [Effect::Send(connection(1), ServerMessage::Media { from: id(2), media })]);
}

#[test]
fn the_last_leave_ends_the_room() {
    let mut room = TestRoom::with_mentor_seated();
    room.say(1, ClientMessage::Leave {});
    assert_eq!(
        room.effects(),
        [
            Effect::Close(connection(1), CloseCode::Left),
            Effect::Event(RoomEventKind::Left { participant: id(1), reason: LeaveReason::Left }),
            Effect::Event(RoomEventKind::Ended { reason: EndReason::Empty }),
        ]
    );
}

#[test]
fn an_end_tells_everybody_and_a_late_socket_too() {
    let mut room = TestRoom::with_both_seated();
    room.registry.handle_end(room.now, ROOM, EndReason::EndedByStaff);
    let told = room.effects();
    for n in [1, 2] {
        let ended = Effect::Send(connection(n), ServerMessage::Ended { reason: EndReason::EndedByStaff });
        let at = told.iter().position(|effect| *effect == ended).unwrap();
        assert_eq!(told[at + 1], Effect::Close(connection(n), CloseCode::RoomEnded));
    }
    room.open(3, Role::Student);
    let late = [
        Effect::Send(connection(3), ServerMessage::Ended { reason: EndReason::EndedByStaff }),
        Effect::Close(connection(3), CloseCode::RoomEnded),
    ];
    assert_eq!(room.effects(), late);
}

#[test]
fn the_end_of_a_room_where_nobody_sits_is_an_event_too_and_happens_once() {
    let mut room = TestRoom::new();
    room.registry.handle_end(room.now, ROOM, EndReason::EndedByStaff);
    assert_eq!(room.effects(), [Effect::Event(RoomEventKind::Ended { reason: EndReason::EndedByStaff })]);
    room.registry.handle_end(room.now, ROOM, EndReason::EndedByStaff);
    assert_eq!(room.effects(), []);
}

#[test]
fn a_socket_that_takes_no_seat_is_closed_in_time() {
    let mut room = TestRoom::new();
    room.greeted(1, Role::Mentor);
    room.effects();
    room.registry.handle_timeout(room.now + Duration::from_secs(10));
    assert_eq!(room.effects(), [Effect::Close(connection(1), CloseCode::PolicyViolation)]);
}

#[test]
fn endless_refusals_close_the_socket_and_free_its_seat() {
    let mut room = TestRoom::with_both_seated();
    for _ in 0..4 {
        room.registry.handle_refused(room.now, connection(2), ErrorCode::Malformed);
    }
    let effects = room.effects();
    assert_eq!(effects[4], Effect::Close(connection(2), CloseCode::PolicyViolation));
    assert!(effects.contains(&Effect::Event(RoomEventKind::Left { participant: id(2), reason: LeaveReason::Left })));
}

#[test]
fn a_stop_sends_everybody_away_to_come_back() {
    let mut room = TestRoom::with_mentor_seated();
    room.registry.handle_shutdown(room.now);
    let left = Effect::Event(RoomEventKind::Left { participant: id(1), reason: LeaveReason::Timeout });
    assert_eq!(room.effects(), [Effect::Close(connection(1), CloseCode::GoingAway), left]);
}

/// Scenario 5: the records may not have heard of the end yet.
#[test]
fn a_room_that_has_just_ended_admits_nobody() {
    let mut room = TestRoom::new();
    let admits = |room: &TestRoom| room.registry.admits(ROOM, &participant(1, Role::Mentor), Entry::default());
    assert!(admits(&room));
    room.registry.handle_end(room.now, ROOM, EndReason::EndedByStaff);
    assert!(!admits(&room));
}

#[test]
fn new_limits_hold_for_rooms_that_open_afterwards_and_nobody_s_time_is_missed() {
    let mut room = TestRoom::with_both_seated();
    let limits = Limits { participants_max: 2, reconnect_grace: Duration::from_secs(5), ..room.registry.limits() };
    room.drop_socket(2);
    room.registry.set_limits(limits);
    let other = RoomId::from_random([8; 16]);
    for n in [4, 5, 6] {
        room.registry.handle_open(room.now, other, connection(n), participant(n, Role::Mentor), Entry::default());
        room.say(n, ClientMessage::Hello { versions: vec![2] });
        room.join(n);
    }
    assert!(room.effects().iter().any(|effect| error(effect) == Some(ErrorCode::RoomFull)));
    room.drop_socket(5);
    room.effects();
    for (grace, gone) in [(5, 5), (40, 2)] {
        room.now += Duration::from_secs(grace);
        assert!(room.registry.poll_timeout() <= Some(room.now), "{gone}");
        room.registry.handle_timeout(room.now);
        let left = Effect::Event(RoomEventKind::Left { participant: id(gone), reason: LeaveReason::Timeout });
        assert!(room.effects().contains(&left), "{gone}");
    }
}

#[test]
fn everybody_is_counted() {
    let mut room = TestRoom::with_both_seated();
    room.greeted(3, Role::Guest);
    room.join(3);
    room.drop_socket(2);
    assert_eq!(room.registry.census(), Census { rooms: 1, seats: 2, waiting: 1, sockets: 2 });
}
