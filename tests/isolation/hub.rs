//! The same through the hub's door, where effects have become texts in outboxes.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use visavis::hub::{self, Entry, HubHandle, Inbox, LobbyPolicy, Member, Outgoing};
use visavis::proto::id::{ConnectionId, LoginId, UserId};
use visavis::proto::signal::{ClientMessage, Media, Of, Role, ServerMessage};

use crate::world::{id, named_in, person, room};

#[tokio::test(start_paused = true)]
async fn what_is_said_to_the_hub_arrives_in_its_own_room_alone() {
    let (events, _received) = mpsc::channel(65_536);
    let (hub, _task) = hub::spawn(config(), events);
    let mut sockets = Vec::new();
    for n in 0..ROOMS {
        for who in 0..3 {
            sockets.push((n, seated(&hub, n, who).await));
        }
    }
    let mut heard = 0;
    for round in 0..2_000usize {
        let (n, (connection, _)) = &sockets[round % sockets.len()];
        let (n, connection) = (*n, *connection);
        let elsewhere = id((n + 1) % ROOMS, 1);
        hub.said(connection, Ok(ClientMessage::Media(Media { screen: Some(format!("room {n}")), ..Media::default() }))).await;
        hub.said(connection, Ok(ClientMessage::Kick(Of { participant_id: elsewhere }))).await;
        // Whatever is asked of the hub is answered after what was said before.
        hub.admits(room(n), person(n, 0, Role::Mentor), Entry::default()).await;
        for (own, (_, inbox)) in &mut sockets {
            while let Some(Some(Outgoing::Text(text))) = inbox.next().now_or_never() {
                let message: ServerMessage = serde_json::from_str(&text).unwrap();
                assert!(named_in(&message).iter().all(|named| (0..3).any(|who| *named == id(*own, who))), "{text} in room {own}");
                if let ServerMessage::Media { media, .. } = &message {
                    assert_eq!(media.screen, Some(format!("room {own}")));
                    heard += 1;
                }
            }
        }
    }
    assert_eq!(heard, 2 * 2_000);
}

async fn seated(hub: &HubHandle, n: u32, who: u8) -> (ConnectionId, Inbox) {
    let participant = person(n, who, Role::Mentor);
    let member = Member {
        participant,
        user: UserId::from_random([who; 16]),
        login: LoginId::from_random([who; 16]),
        source: Some([10, 0, 0, who].into()),
        entry: Entry::default(),
    };
    let (connection, inbox) = hub.open(room(n), member).await.unwrap();
    hub.said(connection, Ok(ClientMessage::Hello { versions: vec![2] })).await;
    hub.said(connection, Ok(ClientMessage::Join { resume: None, takeover: false })).await;
    (connection, inbox)
}

fn config() -> hub::Config {
    hub::Config {
        participants_max: 4,
        reconnect_grace: Duration::from_secs(45),
        unattended_grace: Duration::from_secs(120),
        lobby: LobbyPolicy::Off,
        refused_messages_max: 1_000_000,
        outbox_bytes_max: 1 << 20,
    }
}

const ROOMS: u32 = 4;
