use proptest::prelude::*;

use super::*;
use crate::store::AttendanceEnd::{Crash, Dropped, Ended, Kicked, Left, Replaced};

const ID: ParticipantId = ParticipantId::from_random([1; 16]);

#[tokio::test]
async fn a_drop_ends_an_interval_and_coming_back_begins_the_next() {
    let (_folder, store, session) = seated_at(10).await;
    record(&store, 20, Change::Dropped(ID)).await;
    record(&store, 30, Change::Seated(ID)).await;
    record(&store, 45, Change::Left(ID, Left)).await;
    assert_eq!(intervals(&store, session).await, [(10, Some((20, Dropped))), (30, Some((45, Left)))]);
    let person = &store.attendance(session).await.unwrap()[0];
    assert_eq!((person.first_join(), person.last_leave()), (Some(UnixMillis(10)), Some(UnixMillis(45))));
    assert_eq!(person.total(UnixMillis(99)), Duration::from_millis(25));
}

#[tokio::test]
async fn another_tab_ends_the_interval_of_the_first() {
    let (_folder, store, session) = seated_at(10).await;
    record(&store, 30, Change::Seated(ID)).await;
    assert_eq!(intervals(&store, session).await, [(10, Some((30, Replaced))), (30, None)]);
    let person = &store.attendance(session).await.unwrap()[0];
    assert_eq!((person.last_leave(), person.total(UnixMillis(35))), (None, Duration::from_millis(25)));
}

#[tokio::test]
async fn the_end_of_a_room_ends_what_runs_there_and_names_itself_to_who_left_with_it() {
    let room = RoomId::from_random([1; 16]);
    let (_folder, store, session) = seated_at(10).await;
    store.end_room(room, EndReason::EndedByStaff, UnixMillis(20)).await.unwrap();
    record(&store, 21, Change::Left(ID, Left)).await;
    assert_eq!(intervals(&store, session).await, [(10, Some((20, Ended)))], "first the end, then the leave");
    for (reason, why) in [(EndReason::EndedByStaff, Ended), (EndReason::Empty, Left)] {
        let (_folder, store, session) = seated_at(10).await;
        record(&store, 20, Change::Left(ID, Left)).await;
        store.end_room(room, reason, UnixMillis(20)).await.unwrap();
        assert_eq!(intervals(&store, session).await, [(10, Some((20, why)))], "the leave first, {reason:?}");
    }
}

#[tokio::test]
async fn scenario_10_a_clock_that_jumps_back_makes_no_interval_negative() {
    let (_folder, store, session) = seated_at(1000).await;
    record(&store, 400, Change::Dropped(ID)).await;
    record(&store, 500, Change::Seated(ID)).await;
    record(&store, 1200, Change::Left(ID, Left)).await;
    assert_eq!(intervals(&store, session).await, [(1000, Some((1000, Dropped))), (1001, Some((1200, Left)))]);
}

#[tokio::test]
async fn a_crash_ends_what_ran_when_the_daemon_was_last_known_to_run() {
    let (folder, store, session) = seated_at(10).await;
    store.record_alive(UnixMillis(25)).await.unwrap();
    store.close().await;
    let store = Store::open(folder.path()).unwrap();
    store.end_crashed_attendance().await.unwrap();
    assert_eq!(intervals(&store, session).await, [(10, Some((25, Crash)))]);
    let room = store.room_of_session(session).await.unwrap().unwrap();
    assert_eq!((room.participants[0].online, room.participants[0].left_at), (false, Some(UnixMillis(25))));
    store.record_alive(UnixMillis(60)).await.unwrap();
    record(&store, 70, Change::Seated(ID)).await;
    store.end_crashed_attendance().await.unwrap();
    assert_eq!(intervals(&store, session).await[1], (70, Some((70, Crash))), "nobody was there to be alive for at 60");
}

#[tokio::test]
async fn a_restart_remembers_who_was_let_in_sent_out_and_made_a_moderator() {
    let (folder, store, session) = seated_at(10).await;
    record(&store, 10, Change::Moderator(ID, true)).await;
    record(&store, 10, Change::Locked(RoomId::from_random([1; 16]), true)).await;
    let standing = |store: &Store| {
        let store = store.clone();
        async move {
            let room = store.room_of_session(session).await.unwrap().unwrap();
            (room.participants[0].standing, room.participants[0].moderator, room.locked)
        }
    };
    assert_eq!(standing(&store).await, (Standing::Admitted, Some(true), true));
    record(&store, 20, Change::Left(ID, Kicked)).await;
    store.close().await;
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(standing(&store).await, (Standing::Kicked, None, true));
}

#[tokio::test]
async fn the_database_itself_refuses_intervals_that_overlap_or_run_twice() {
    let (_folder, store, _) = seated_at(10).await;
    record(&store, 20, Change::Left(ID, Left)).await;
    for (began, ended) in [(15, Some(25)), (10, Some(30)), (30, Some(29))] {
        let inserted = insert(&store, began, ended).await;
        assert!(matches!(inserted, Err(StoreError::Conflict)), "{began} {ended:?}: {inserted:?}");
    }
    insert(&store, 20, None).await.unwrap();
    assert!(matches!(insert(&store, 40, None).await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn what_can_never_be_written_keeps_nothing_else_from_it() {
    let (_folder, store, session) = seated_at(10).await;
    let nobody = ParticipantId::from_random([9; 16]);
    let records = [(20, Change::Dropped(ID)), (21, Change::Seated(nobody)), (30, Change::Seated(ID))];
    let failed = store.record(records.map(|(at, change)| Record { at: UnixMillis(at), change }).into()).await.unwrap();
    assert!(matches!(failed[..], [(1, StoreError::Conflict)]), "{failed:?}");
    assert_eq!(intervals(&store, session).await, [(10, Some((20, Dropped))), (30, None)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_whenever_intervals_stand_in_a_row(events in prop::collection::vec((0..4u8, 0..50i64), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let intervals = runtime.block_on(async {
            let (_folder, store, session) = seated_at(0).await;
            for (event, at) in events {
                match event {
                    0 => record(&store, at, Change::Seated(ID)).await,
                    1 => record(&store, at, Change::Dropped(ID)).await,
                    2 => record(&store, at, Change::Left(ID, Left)).await,
                    _ => store.end_crashed_attendance().await.unwrap(),
                }
            }
            intervals(&store, session).await
        });
        for pair in intervals.windows(2) {
            prop_assert!(pair[0].1.is_some_and(|(end, _)| pair[0].0 <= end && end <= pair[1].0), "{intervals:?}");
        }
    }
}

/// One person who took a seat.
async fn seated_at(at: i64) -> (tempfile::TempDir, Store, SessionId) {
    let (folder, store) = open();
    let session = add_session(&store).await;
    let (room, _) = store.standing_room(session, RoomId::from_random([1; 16])).await.unwrap();
    store.participant(room.id, user_id(2), Role::Student, ID).await.unwrap();
    record(&store, at, Change::Seated(ID)).await;
    (folder, store, session)
}

async fn intervals(store: &Store, session: SessionId) -> Vec<(i64, Option<(i64, AttendanceEnd)>)> {
    let people = store.attendance(session).await.unwrap();
    people[0].intervals.iter().map(|interval| (interval.began_at.0, interval.end.map(|(at, why)| (at.0, why)))).collect()
}

async fn insert(store: &Store, began: i64, ended: Option<i64>) -> Result<usize, StoreError> {
    let sql = "INSERT INTO video_call_attendance VALUES (?1, ?2, ?3, iif(?3 IS NULL, NULL, 'left'))";
    store.write(move |connection| connection.execute(sql, rusqlite::params![ID, began, ended])).await
}
