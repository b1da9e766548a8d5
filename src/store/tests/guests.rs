use super::*;
use crate::proto::id::{InvitationId, ParticipantId, RoomId, SessionId, UserId};
use crate::proto::signal::EndReason;

#[tokio::test]
async fn guests_are_forgotten_a_while_after_their_room_ended_and_not_before() {
    let (_folder, store) = with_invitation(2).await;
    let gil = come(&store, 1).await;
    let room = RoomId::from_random([9; 16]);
    store.standing_room(SESSION, room).await.unwrap();
    let later = UnixMillis::now().after(Duration::from_secs(3600));
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 0, "the room stands");
    store.end_room(room, EndReason::Empty, UnixMillis::now()).await.unwrap();
    assert_eq!(store.forget_guests(UnixMillis::now().before(Duration::from_secs(60)), UnixMillis(0)).await.unwrap(), 0);
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 1);
    let names: Vec<_> = store.users(Some(Role::Guest)).await.unwrap().into_iter().map(|guest| guest.display_name).collect();
    assert_eq!(names, ["Guest"]);
    assert!(store.login_session([1; 32]).await.unwrap().is_none(), "{gil} is signed out");
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 0, "once");
}

#[tokio::test]
async fn guests_who_never_came_into_a_room_are_forgotten_too() {
    let (_folder, store) = with_invitation(1).await;
    come(&store, 1).await;
    assert_eq!(store.forget_guests(UnixMillis(i64::MAX), UnixMillis(0)).await.unwrap(), 0);
    let later = UnixMillis::now().after(Duration::from_secs(3600));
    assert_eq!(store.forget_guests(UnixMillis(i64::MAX), later).await.unwrap(), 1);
}

#[tokio::test]
async fn a_guest_who_was_removed_is_forgotten_too() {
    let (_folder, store) = with_invitation(1).await;
    let gil = come(&store, 1).await;
    let room = sit(&store, gil).await;
    assert!(store.remove_member(SESSION, gil).await.unwrap());
    let later = UnixMillis::now().after(Duration::from_secs(3600));
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 0, "still there");
    store.end_room(room, EndReason::Empty, UnixMillis::now()).await.unwrap();
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 1);
    assert_eq!(store.users(Some(Role::Guest)).await.unwrap()[0].display_name, "Guest");
}

#[tokio::test]
async fn a_guest_of_a_later_meeting_is_not_forgotten_for_an_earlier_one() {
    let (_folder, store) = with_invitation(1).await;
    let gil = come(&store, 1).await;
    let room = sit(&store, gil).await;
    store.end_room(room, EndReason::Empty, UnixMillis::now()).await.unwrap();
    let next = SessionId::from_random([8; 16]);
    store.insert_session(next, MENTOR, UserId::from_random([2; 16]), "geometry".to_owned()).await.unwrap();
    let invited = Invitation { id: InvitationId::from_random([8; 16]), session: next, ..invitation(1) };
    store.insert_invitation(invited, [8; 32], MENTOR).await.unwrap();
    assert_eq!(store.redeem([8; 32], Invitee::Account(gil), 30).await.unwrap(), Redeemed::Welcome(next));
    let later = UnixMillis::now().after(Duration::from_secs(3600));
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 0);
    assert_eq!(store.forget_guests(later, later).await.unwrap(), 1);
}

/// After a crash a room stands with nobody in it, perhaps for ever.
#[tokio::test]
async fn a_room_that_everybody_has_left_keeps_no_names_though_it_stands() {
    let (_folder, store) = with_invitation(1).await;
    let gil = come(&store, 1).await;
    sit(&store, gil).await;
    let later = UnixMillis::now().after(Duration::from_secs(3600));
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 0, "still there");
    store.end_crashed_attendance().await.unwrap();
    assert_eq!(store.forget_guests(later, UnixMillis(0)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_session_uses_up_no_invitation() {
    let (_folder, store) = with_invitation(2).await;
    come(&store, 1).await;
    let full = store.redeem([7; 32], guest(2), 1).await.unwrap();
    assert_eq!(full, Redeemed::Full);
    assert_eq!(store.invitations(SESSION).await.unwrap()[0].uses_left, 1);
    assert_eq!(store.users(Some(Role::Guest)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_expired_link_lets_nobody_in() {
    let (_folder, store) = with_invitation(2).await;
    let expired = Invitation { expires_at: UnixMillis::now(), id: InvitationId::from_random([6; 16]), ..invitation(2) };
    store.insert_invitation(expired, [6; 32], MENTOR).await.unwrap();
    assert_eq!(store.redeem([6; 32], guest(1), 30).await.unwrap(), Redeemed::Void);
}

#[tokio::test]
async fn the_logins_that_ended_are_told_from_those_that_go_on() {
    let (_folder, store) = with_invitation(1).await;
    come(&store, 1).await;
    let [here, gone] = [1, 2].map(|n| crate::proto::id::LoginId::from_random([n; 16]));
    assert_eq!(store.ended_logins(vec![here, gone]).await.unwrap(), [gone]);
}

const SESSION: SessionId = SessionId::from_random([5; 16]);
const MENTOR: UserId = UserId::from_random([1; 16]);

async fn with_invitation(uses: u32) -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    add_user(&store, 1, "mara", Role::Mentor).await;
    add_user(&store, 2, "stu", Role::Student).await;
    store.insert_session(SESSION, MENTOR, UserId::from_random([2; 16]), "algebra".to_owned()).await.unwrap();
    store.insert_invitation(invitation(uses), [7; 32], MENTOR).await.unwrap();
    (folder, store)
}

fn invitation(uses_left: u32) -> Invitation {
    let expires_at = UnixMillis::now().after(Duration::from_secs(3600));
    Invitation { id: InvitationId::from_random([7; 16]), session: SESSION, expires_at, uses_left, revoked: false }
}

async fn come(store: &Store, n: u8) -> UserId {
    assert_eq!(store.redeem([7; 32], guest(n), 30).await.unwrap(), Redeemed::Welcome(SESSION));
    UserId::from_random([100 + n; 16])
}

/// In the session's standing room.
async fn sit(store: &Store, user: UserId) -> RoomId {
    let (room, participant) = (RoomId::from_random([9; 16]), ParticipantId::from_random([9; 16]));
    store.standing_room(SESSION, room).await.unwrap();
    store.participant(room, user, Role::Guest, participant).await.unwrap().unwrap();
    record(store, UnixMillis::now().0, Change::Seated(participant)).await;
    room
}

fn guest(n: u8) -> Invitee {
    let id = UserId::from_random([100 + n; 16]);
    Invitee::Guest(User { id, username: format!("guest {id}"), display_name: format!("Gil {n}"), role: Role::Guest }, [n; 32])
}
