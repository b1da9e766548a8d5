//! From a request to the rows of an ended call.

use futures_util::{SinkExt, StreamExt};
use hyper::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Appliance, Browser, Client, configuration, populate};

#[tokio::test]
async fn a_call_goes_from_request_to_rows() {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&stu, &session).await;
    assert_eq!(visavis.room(&mara, &session).await, room, "create is idempotent");

    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    let arrived = receive(&mut mentor).await;
    assert_eq!(
        (&arrived["type"], &arrived["peer"]["role"], &arrived["peer"]["polite"]),
        (&json!("peer_joined"), &json!("student"), &json!(false))
    );

    let (to, epoch) = (arrived["peer"]["participant_id"].clone(), arrived["peer"]["epoch"].clone());
    send(&mut mentor, json!({ "type": "offer", "to": to, "epoch": epoch, "sdp": "v=0" })).await;
    let offer = receive(&mut student).await;
    assert_eq!((&offer["type"], &offer["sdp"]), (&json!("offer"), &json!("v=0")));

    // What happens in a room is written down beside it.
    while visavis.get(&stu, &format!("/api/mentoring/video-call/{room}/")).await.body["status"] != "active" {
        tokio::task::yield_now().await;
    }
    let ended = visavis.call(&mara, Method::POST, &format!("/api/mentoring/video-call/{room}/end/"), None).await;
    assert_eq!(ended.body["status"], "ended");
    for socket in [&mut mentor, &mut student] {
        assert_eq!(receive(socket).await, json!({ "type": "ended", "reason": "ended_by_staff" }));
        let close = socket.next().await.unwrap().unwrap();
        assert!(matches!(&close, Message::Close(Some(frame)) if u16::from(frame.code) == 4000), "{close:?}");
    }

    visavis.app.stop().await;
    let rows = rusqlite::Connection::open(visavis.folder.path().join("visavis.db")).unwrap();
    let (status, created, started, finished): (String, i64, i64, i64) = rows
        .query_row("SELECT status, created_at, started_at, ended_at FROM video_call_rooms", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })
        .unwrap();
    assert!(status == "ended" && created <= started && started <= finished, "{status} {created} {started} {finished}");
    let sql = "SELECT role, joined_at, left_at, online FROM video_call_participants ORDER BY role";
    let people: Vec<(String, i64, i64, bool)> = rows
        .prepare(sql)
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(people.iter().map(|p| (p.0.as_str(), p.3)).collect::<Vec<_>>(), [("mentor", false), ("student", false)]);
    assert!(people.iter().all(|p| created <= p.1 && p.1 <= p.2 && p.2 <= finished), "{people:?} in {created}..{finished}");
}

#[tokio::test]
async fn the_last_leave_ends_the_room_and_the_next_join_makes_a_new_one() {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&stu, &session).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    send(&mut mentor, json!({ "type": "leave" })).await;
    while mentor.next().await.is_some_and(|message| message.is_ok()) {}
    let mut next = visavis.room(&stu, &session).await;
    while next == room {
        tokio::task::yield_now().await;
        next = visavis.room(&stu, &session).await;
    }
    let before = visavis.get(&stu, &format!("/api/mentoring/video-call/{room}/")).await;
    assert_eq!(before.body["status"], "ended");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_member_is_handed_ice_servers_under_the_name_they_used() {
    let visavis = Appliance::start_with("relay-only = true\n").await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&stu, &session).await;
    let joined = visavis.call(&mara, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
    let (port, tcp) = (visavis.app.turn_addresses()[0].port(), visavis.app.turn_tcp_addresses()[0].port());
    assert_eq!(joined.body["ice_servers"][0]["urls"], json!([format!("stun:localhost:{port}")]));
    let turn = [
        format!("turn:localhost:{port}?transport=udp"),
        format!("turn:localhost:{tcp}?transport=tcp"),
        format!("turns:localhost:{}?transport=tcp", visavis.address().port()),
    ];
    assert_eq!(joined.body["ice_servers"][1]["urls"], json!(turn));
    let username = joined.body["ice_servers"][1]["username"].as_str().unwrap();
    let participant = joined.body["participant"]["participant_id"].as_str().unwrap();
    assert!(username.ends_with(&format!(":{room}:{participant}")), "{username}");
    assert_eq!(joined.body["ice_transport_policy"], "relay");
    assert_eq!(joined.body["socket_url"], format!("/ws/video-call/{room}/"));
    let again = visavis.call(&mara, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
    assert_eq!(again.body["participant"], joined.body["participant"]);
    visavis.app.stop().await;
}

#[tokio::test]
async fn where_a_router_turns_443_into_another_port_browsers_are_told_443() {
    let folder = tempfile::tempdir().unwrap();
    populate(folder.path()).await;
    let text = configuration(folder.path(), "").replace("[http]\n", "[http]\npublic-port = 443\n");
    let visavis = Appliance::configured(folder, &text).await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&stu, &session).await;
    let joined = visavis.call(&mara, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
    assert_eq!(joined.body["ice_servers"][1]["urls"][2], "turns:localhost:443?transport=tcp");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_session_that_was_not_accepted_has_no_room() {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let mentors = visavis.get(&stu, "/api/mentoring/mentors/").await.body["mentors"].clone();
    let new = json!({ "mentor_id": mentors[0]["id"], "topic": "algebra" });
    let session = visavis.post(&stu, "/api/mentoring/sessions/", new.clone()).await.body["id"].clone();
    let room = json!({ "session_id": session });
    assert_eq!(
        visavis.post(&stu, "/api/mentoring/video-call/create/", room.clone()).await.refusal(),
        (409, "session_not_accepted")
    );
    let declined =
        visavis.call(&mara, Method::POST, &format!("/api/mentoring/sessions/{}/decline/", session.as_str().unwrap()), None).await;
    assert_eq!(declined.body["status"], "declined");
    assert_eq!(visavis.post(&stu, "/api/mentoring/video-call/create/", room).await.refusal(), (409, "session_not_accepted"));
    assert_eq!(visavis.post(&mara, "/api/mentoring/sessions/", new).await.refusal(), (403, "forbidden_role"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_stopping_box_tells_its_sockets_to_come_back() {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&stu, &session).await;
    let mut socket = joined(&visavis, &mara, &room).await;
    visavis.app.stop().await;
    let close = socket.next().await.unwrap().unwrap();
    assert!(matches!(&close, Message::Close(Some(frame)) if u16::from(frame.code) == 1001), "{close:?}");
}

pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub(crate) async fn joined(visavis: &Client, browser: &Browser, room: &str) -> Socket {
    let mut socket = greeted(visavis, browser, room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    assert_eq!(receive(&mut socket).await["type"], "joined");
    socket
}

pub(crate) async fn greeted(visavis: &Client, browser: &Browser, room: &str) -> Socket {
    let mut socket = visavis.socket(browser, room).await.unwrap();
    send(&mut socket, json!({ "type": "hello", "versions": [2, 1] })).await;
    assert_eq!(receive(&mut socket).await["type"], "welcome");
    socket
}

pub(crate) async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

pub(crate) async fn receive(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.next().await.unwrap().unwrap().into_text().unwrap()).unwrap()
}
