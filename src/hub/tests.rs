use super::*;
use crate::proto::id::ParticipantId;
use crate::proto::signal::{CloseCode, Role};

#[tokio::test(start_paused = true)]
async fn a_dropped_seat_is_freed_after_its_grace() {
    let (hub, mut events) = hub(256 * 1024);
    let (mentor, mut inbox) = seated(&hub, 1).await;
    let (student, _) = seated(&hub, 2).await;
    hub.closed(student).await;
    assert_eq!(kinds(&mut events, 4).await.last(), Some(&RoomEventKind::Disconnected { participant: id(2) }));
    let dropped = tokio::time::Instant::now();
    assert!(matches!(kinds(&mut events, 1).await[0], RoomEventKind::Left { .. }));
    assert_eq!(dropped.elapsed().as_secs(), 45);
    let told: Vec<_> = std::iter::from_fn(|| next_text(&mut inbox)).collect();
    assert!(told.last().is_some_and(|text| text.contains(r#""peer_left""#) && text.contains(r#""timeout""#)), "{told:?}");
    hub.said(mentor, Ok(ClientMessage::Leave {})).await;
}

#[tokio::test(start_paused = true)]
async fn who_joins_is_told_with_where_the_socket_comes_from() {
    let (hub, mut events) = hub(256 * 1024);
    let _mentor = seated(&hub, 1).await;
    let event = events.recv().await.unwrap();
    assert!(matches!(event.kind, RoomEventKind::Joined { .. }));
    assert_eq!(event.source, Some([10, 0, 0, 1].into()));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_because_the_room_ends_leaves_at_the_time_of_its_end() {
    let (hub, mut events) = hub(256 * 1024);
    let _mentor = seated(&hub, 1).await;
    let _student = seated(&hub, 2).await;
    kinds(&mut events, 3).await;
    hub.end_room(room(1), EndReason::EndedByStaff).await;
    let (mentor, student, end) = (events.recv().await.unwrap(), events.recv().await.unwrap(), events.recv().await.unwrap());
    assert!(matches!(end.kind, RoomEventKind::Ended { .. }), "{end:?}");
    assert_eq!((mentor.at, student.at), (end.at, end.at));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_alone_is_closed() {
    let (hub, mut events) = hub(2048);
    let (mentor, mut mentor_inbox) = seated(&hub, 1).await;
    let (_, mut slow) = seated(&hub, 2).await;
    for _ in 0..200 {
        hub.said(mentor, Err(ErrorCode::Malformed)).await;
        drain(&mut mentor_inbox);
        hub.said(mentor, Ok(ClientMessage::Media(Default::default()))).await;
    }
    tokio::time::timeout(Duration::from_secs(1), slow.overflowed()).await.unwrap();
    let dropped = RoomEventKind::Disconnected { participant: id(2) };
    assert_eq!(kinds(&mut events, 4).await.last(), Some(&dropped));
    drain(&mut mentor_inbox);
    assert_eq!(hub.open(room(1), member(1)).await.map(drop), Some(()), "the hub goes on");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_ends_closes_its_sockets_alone() {
    let (hub, _events) = hub(256 * 1024);
    let (_, mut signed_out) = seated(&hub, 1).await;
    let (_, mut other) = seated(&hub, 2).await;
    hub.close_login(member(1).login).await;
    assert_eq!(last(&mut signed_out).await, Outgoing::Close(CloseCode::SignedOut));
    let told = other.next().await;
    assert!(matches!(&told, Some(Outgoing::Text(text)) if text.contains("peer_left")), "{told:?}");
    assert!(tokio::time::timeout(Duration::from_secs(1), other.next()).await.is_err(), "nothing else came");
}

#[tokio::test(start_paused = true)]
async fn rooms_hear_nothing_of_each_other() {
    let (hub, _events) = hub(256 * 1024);
    let (_, mut here) = seated(&hub, 1).await;
    let (elsewhere, mut inbox) = hub.open(room(2), member(2)).await.unwrap();
    hub.said(elsewhere, Ok(ClientMessage::Hello { versions: vec![1] })).await;
    hub.said(elsewhere, Ok(ClientMessage::Join { resume: None, takeover: false })).await;
    hub.end_room(room(2), EndReason::EndedByStaff).await;
    assert_eq!(last(&mut inbox).await, Outgoing::Close(CloseCode::RoomEnded));
    drain(&mut here);
    assert!(tokio::time::timeout(Duration::from_secs(1), here.next()).await.is_err(), "nothing came");
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_every_socket_and_ends_the_task() {
    let (events, mut received) = mpsc::channel(64);
    let (hub, task) = spawn(config(256 * 1024), events);
    let (_, mut inbox) = seated(&hub, 1).await;
    hub.shutdown().await;
    task.await.unwrap();
    assert_eq!(last(&mut inbox).await, Outgoing::Close(CloseCode::GoingAway));
    let mut kinds = Vec::new();
    while let Some(event) = received.recv().await {
        kinds.push(event.kind);
    }
    assert!(matches!(kinds.last(), Some(RoomEventKind::Left { .. })), "{kinds:?}");
    assert!(hub.open(room(1), member(1)).await.is_none());
}

fn hub(outbox_bytes_max: usize) -> (HubHandle, mpsc::Receiver<RoomEvent>) {
    let (events, received) = mpsc::channel(4096);
    (spawn(config(outbox_bytes_max), events).0, received)
}

fn config(outbox_bytes_max: usize) -> Config {
    Config {
        participants_max: 4,
        reconnect_grace: Duration::from_secs(45),
        unattended_grace: Duration::from_secs(120),
        lobby: LobbyPolicy::Early,
        refused_messages_max: 1000,
        outbox_bytes_max,
    }
}

async fn seated(hub: &HubHandle, n: u8) -> (ConnectionId, Inbox) {
    let (connection, mut inbox) = hub.open(room(1), member(n)).await.unwrap();
    hub.said(connection, Ok(ClientMessage::Hello { versions: vec![1] })).await;
    inbox.next().await;
    hub.said(connection, Ok(ClientMessage::Join { resume: None, takeover: false })).await;
    inbox.next().await;
    (connection, inbox)
}

async fn kinds(events: &mut mpsc::Receiver<RoomEvent>, count: usize) -> Vec<RoomEventKind> {
    let mut kinds = Vec::new();
    while kinds.len() < count {
        kinds.push(events.recv().await.unwrap().kind);
    }
    kinds
}

async fn last(inbox: &mut Inbox) -> Outgoing {
    let mut last = None;
    while let Some(outgoing) = inbox.next().await {
        last = Some(outgoing);
    }
    last.unwrap()
}

fn drain(inbox: &mut Inbox) {
    while next_text(inbox).is_some() {}
}

fn next_text(inbox: &mut Inbox) -> Option<String> {
    match futures_util::FutureExt::now_or_never(inbox.next()) {
        Some(Some(Outgoing::Text(text))) => Some(text),
        _ => None,
    }
}

fn member(n: u8) -> Member {
    let role = if n == 1 { Role::Mentor } else { Role::Student };
    let participant = Participant { participant_id: id(n), display_name: format!("P{n}"), role };
    Member {
        participant,
        user: UserId::from_random([n; 16]),
        login: LoginId::from_random([n; 16]),
        source: Some([10, 0, 0, n].into()),
        entry: Entry::default(),
    }
}

fn id(n: u8) -> ParticipantId {
    ParticipantId::from_random([n; 16])
}

fn room(n: u8) -> RoomId {
    RoomId::from_random([n; 16])
}
