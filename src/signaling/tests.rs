use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role as Side};

use super::*;
use crate::hub::{self, Entry, LobbyPolicy, Member, RoomEvent, RoomEventKind};
use crate::proto::id::{LoginId, ParticipantId, RoomId};
use crate::proto::signal::{ClientMessage, Media, Participant, Role};

#[tokio::test(start_paused = true)]
async fn a_half_open_socket_is_found_dead_within_45_seconds() {
    let mut stage = Stage::with_pipes_of(PIPE);
    let mut silent = stage.seated(1).await;
    let since = Instant::now();
    stage.wait_for_disconnection(1).await;
    assert!(since.elapsed() <= Duration::from_secs(45), "{:?}", since.elapsed());
    drop(silent.next());
}

#[tokio::test(start_paused = true)]
async fn a_half_open_socket_that_takes_no_byte_is_found_dead_as_soon() {
    let mut stage = Stage::with_pipes_of(1024);
    let mut other = stage.seated(2).await;
    let mut stuck = stage.seated(1).await;
    let since = Instant::now();
    // More than the pipe holds, less than may wait.
    for _ in 0..40 {
        say(&mut other, &ClientMessage::Media(Media::default())).await;
    }
    let reading = tokio::spawn(async move { while other.next().await.is_some_and(|message| message.is_ok()) {} });
    stage.wait_for_disconnection(1).await;
    assert!(since.elapsed() <= Duration::from_secs(45), "{:?}", since.elapsed());
    reading.abort();
    drop(stuck.next());
}

#[tokio::test(start_paused = true)]
async fn a_half_open_socket_delays_nobody_in_its_room() {
    let mut stage = Stage::with_pipes_of(1024);
    let (mut mentor, mut student) = (stage.seated(2).await, stage.seated(3).await);
    let _stuck = stage.seated(1).await;
    let since = Instant::now();
    for round in 0..40 {
        say(&mut mentor, &ClientMessage::Media(Media { screen: Some(round.to_string()), ..Media::default() })).await;
        hears(&mut student, &format!(r#""screen":"{round}""#)).await;
    }
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_pings_stays() {
    let mut stage = Stage::with_pipes_of(PIPE);
    let mut page = stage.seated(1).await;
    let mut pings = 0;
    let hour = tokio::time::sleep(Duration::from_secs(3601));
    tokio::pin!(hour);
    loop {
        tokio::select! {
            message = page.next() => match message.unwrap().unwrap() {
                Message::Ping(_) => pings += 1,
                other => panic!("{other:?}"),
            },
            () = &mut hour => break,
        }
    }
    assert_eq!(pings, 180);
}

type Page = WebSocketStream<DuplexStream>;

/// A hub and the sockets of one room, each over a pipe of so many bytes.
struct Stage {
    hub: HubHandle,
    events: mpsc::Receiver<RoomEvent>,
    pipe: usize,
}

impl Stage {
    fn with_pipes_of(pipe: usize) -> Self {
        let (events, received) = mpsc::channel(4096);
        let config = hub::Config {
            participants_max: 4,
            reconnect_grace: Duration::from_secs(45),
            unattended_grace: Duration::from_secs(120),
            lobby: LobbyPolicy::Off,
            refused_messages_max: 1000,
            outbox_bytes_max: 256 * 1024,
        };
        Self { hub: hub::spawn(config, events).0, events: received, pipe }
    }

    /// A page that has joined and, from here on, does only what the test makes it do.
    async fn seated(&mut self, n: u8) -> Page {
        let (ours, theirs) = tokio::io::duplex(self.pipe);
        let hub = self.hub.clone();
        tokio::spawn(async move {
            let socket = Socket::new(ours, limits().message_bytes_max).await;
            connection::run(socket, RoomId::from_random([1; 16]), member(n), &hub, &limits()).await;
        });
        let mut page = WebSocketStream::from_raw_socket(theirs, Side::Client, None).await;
        say(&mut page, &ClientMessage::Hello { versions: vec![2] }).await;
        say(&mut page, &ClientMessage::Join { resume: None, takeover: false }).await;
        hears(&mut page, r#""type":"joined""#).await;
        page
    }

    async fn wait_for_disconnection(&mut self, n: u8) {
        let gone = RoomEventKind::Disconnected { participant: ParticipantId::from_random([n; 16]) };
        let heard = async { while self.events.recv().await.unwrap().kind != gone {} };
        tokio::time::timeout(Duration::from_secs(60), heard).await.expect("the socket still stands");
    }
}

async fn say(page: &mut Page, message: &ClientMessage) {
    page.send(Message::text(serde_json::to_string(message).unwrap())).await.unwrap();
}

async fn hears(page: &mut Page, part: &str) {
    while !page.next().await.unwrap().unwrap().to_text().unwrap().contains(part) {}
}

fn member(n: u8) -> Member {
    let participant_id = ParticipantId::from_random([n; 16]);
    Member {
        participant: Participant { participant_id, display_name: format!("P{n}"), role: Role::Mentor },
        user: UserId::from_random([n; 16]),
        login: LoginId::from_random([n; 16]),
        source: Some([10, 0, 0, n].into()),
        entry: Entry::default(),
    }
}

fn limits() -> Limits {
    Limits {
        message_bytes_max: 64 * 1024,
        messages_per_second: 50,
        messages_burst: 200,
        sockets_per_user: 3,
        ping_interval: Duration::from_secs(20),
        dead_after: Duration::from_secs(45),
    }
}

const PIPE: usize = 64 * 1024;
