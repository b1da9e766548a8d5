//! Sockets at their edges: sizes, kinds, numbers, slowness, resumption.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::calls::{Socket, greeted, joined, receive, send};
use crate::harness::{Appliance, Browser};

#[tokio::test]
async fn a_message_of_64_kib_passes_and_one_byte_more_closes() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    let offer = |bytes: usize| {
        let mut offer = json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "" });
        offer["sdp"] = "x".repeat(bytes - offer.to_string().len()).into();
        offer.to_string()
    };
    mentor.send(Message::text(offer(65_536))).await.unwrap();
    assert_eq!(receive(&mut student).await["type"], "offer");
    mentor.send(Message::text(offer(65_537))).await.unwrap();
    assert_eq!(close_code(&mut mentor).await, 1009);
    visavis.app.stop().await;
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_socket_stays() {
    let (visavis, [mara, _], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let deep = "[".repeat(60_000);
    for text in [
        "",
        "x",
        "{}",
        "null",
        r#"{"type":"shout"}"#,
        r#"{"type":"offer"}"#,
        r#"{"type":"offer","to":"x","epoch":1,"sdp":""}"#,
        &deep,
    ] {
        mentor.send(Message::text(text.to_owned())).await.unwrap();
        assert_eq!(receive(&mut mentor).await["code"], "malformed", "{}", &text[..text.len().min(60)]);
    }
    mentor.send(Message::binary(vec![0; 16])).await.unwrap();
    assert_eq!(receive(&mut mentor).await["code"], "malformed");
    send(&mut mentor, json!({ "type": "hello", "versions": [1] })).await;
    assert_eq!(receive(&mut mentor).await["code"], "already_joined");
    visavis.app.stop().await;
}

#[tokio::test]
async fn refusals_without_end_close_the_socket() {
    let (visavis, [mara, _], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    for _ in 0..21 {
        mentor.send(Message::text("x")).await.unwrap();
    }
    assert_eq!(close_code(&mut mentor).await, 1008);
    visavis.app.stop().await;
}

#[tokio::test]
async fn messages_above_the_rate_are_dropped_with_a_word() {
    let (visavis, [mara, stu], room) = a_room_with("[limits]\nmessages-burst = 10\nmessages-per-second = 10\n").await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let _student = joined(&visavis, &stu, &room).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_joined");
    for _ in 0..12 {
        send(&mut mentor, json!({ "type": "media", "microphone": true, "camera": true, "screen": null })).await;
    }
    assert_eq!(receive(&mut mentor).await["code"], "rate_limited");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_person_holds_so_many_sockets_and_no_more() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(visavis.socket(&mara, &room).await.unwrap());
    }
    assert_eq!(visavis.socket(&mara, &room).await.map(drop), Err((429, "too_many_sockets".to_owned())));
    assert!(visavis.socket(&stu, &room).await.is_ok());
    sockets.pop().unwrap().close(None).await.unwrap();
    while visavis.socket(&mara, &room).await.is_err() {
        tokio::task::yield_now().await;
    }
    visavis.app.stop().await;
}

/// What happens in rooms is written down for all of them, in order: nobody may keep the disk busy alone.
#[tokio::test]
async fn who_opens_and_closes_sockets_in_a_loop_is_held_to_a_few_a_second() {
    let (visavis, [mara, _], room) = a_room().await;
    let started = std::time::Instant::now();
    let mut opened = 0;
    while opened < 7 {
        if let Ok(mut socket) = visavis.socket(&mara, &room).await {
            opened += 1;
            socket.close(None).await.unwrap();
        }
    }
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_dropped_socket_resumes_and_hears_what_it_missed() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = greeted(&visavis, &stu, &room).await;
    send(&mut student, json!({ "type": "join" })).await;
    let seat = receive(&mut student).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    drop(student);
    assert_eq!(
        receive(&mut mentor).await,
        json!({ "type": "peer_status", "participant_id": peer["participant_id"], "connected": false })
    );
    send(&mut mentor, json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "missed" })).await;

    let mut student = greeted(&visavis, &stu, &room).await;
    send(&mut student, json!({ "type": "join", "resume": seat["resume"] })).await;
    let resumed = receive(&mut student).await;
    assert_eq!((&resumed["resumed"], &resumed["peers"][0]["epoch"]), (&json!(true), &peer["epoch"]));
    assert_eq!(receive(&mut student).await["sdp"], "missed");
    assert_eq!(receive(&mut mentor).await["connected"], true);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_second_tab_may_take_the_seat_over() {
    let (visavis, [mara, _], room) = a_room().await;
    let mut first = joined(&visavis, &mara, &room).await;
    let mut second = greeted(&visavis, &mara, &room).await;
    send(&mut second, json!({ "type": "join" })).await;
    assert_eq!(receive(&mut second).await["code"], "seat_taken");
    send(&mut second, json!({ "type": "join", "takeover": true })).await;
    assert_eq!(receive(&mut second).await["type"], "joined");
    assert_eq!(close_code(&mut first).await, 4002);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_slow_reader_alone_is_dropped_and_told_to_come_back() {
    let (visavis, [mara, stu], room) = a_room_with("[limits]\nmessages-burst = 100000\nmessages-per-second = 10000\n").await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut slow = joined(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    let offer = json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "x".repeat(60_000) });
    let dropped = loop {
        let told = tokio::select! {
            biased;
            told = mentor.next() => told.unwrap().unwrap(),
            () = std::future::ready(()) => {
                send(&mut mentor, offer.clone()).await;
                continue;
            }
        };
        break serde_json::from_str::<Value>(&told.into_text().unwrap()).unwrap();
    };
    assert_eq!((&dropped["type"], &dropped["connected"]), (&json!("peer_status"), &json!(false)));
    assert_eq!(close_code(&mut slow).await, 1013);
    assert_eq!(visavis.get(&mara, "/api/auth/me/").await.status, 200);
    visavis.app.stop().await;
}

#[tokio::test]
async fn candidates_without_end_are_dropped_after_the_hundredth() {
    let (visavis, [mara, stu], room) = a_room_with("[limits]\nmessages-burst = 100000\n").await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    let to_peer = |kind: &str, field: &str, value: Value| json!({ "type": kind, "to": peer["participant_id"], "epoch": peer["epoch"], field: value });
    for negotiation in 0..2 {
        send(&mut mentor, to_peer("offer", "sdp", negotiation.to_string().into())).await;
        for n in 0..300 {
            let candidate =
                json!({ "candidate": format!("candidate:{n}"), "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": null });
            send(&mut mentor, to_peer("candidate", "candidate", candidate)).await;
        }
        // What comes after the flood is not behind it.
        send(&mut mentor, json!({ "type": "media", "microphone": true, "camera": true, "screen": null })).await;
        assert_eq!(receive(&mut student).await["sdp"], negotiation.to_string());
        for n in 0..100 {
            assert_eq!(receive(&mut student).await["candidate"]["candidate"], format!("candidate:{n}"));
        }
        assert_eq!(receive(&mut student).await["type"], "media");
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn the_newest_version_in_common_is_spoken_and_without_one_the_page_is_told_once() {
    let (visavis, [mara, _], room) = a_room_with("[limits]\nsockets-per-user = 16\n").await;
    for (spoken, welcome) in [(json!([2, 1]), 2), (json!([1]), 1), (json!([99, 2, 1]), 2)] {
        let mut socket = visavis.socket(&mara, &room).await.unwrap();
        send(&mut socket, json!({ "type": "hello", "versions": spoken })).await;
        assert_eq!(receive(&mut socket).await, json!({ "type": "welcome", "version": welcome }));
        socket.close(None).await.unwrap();
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    }
    for unknown in [json!([99]), json!([])] {
        let mut socket = visavis.socket(&mara, &room).await.unwrap();
        send(&mut socket, json!({ "type": "hello", "versions": unknown })).await;
        assert_eq!(receive(&mut socket).await["code"], "version_unsupported");
        assert_eq!(close_code(&mut socket).await, 4004);
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_join_that_meets_the_end_is_told_of_it() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut student = greeted(&visavis, &stu, &room).await;
    visavis.call(&mara, Method::POST, &format!("/api/mentoring/video-call/{room}/end/"), None).await;
    assert_eq!(receive(&mut student).await, json!({ "type": "ended", "reason": "ended_by_staff" }));
    assert_eq!(close_code(&mut student).await, 4000);
    visavis.app.stop().await;
}

pub(crate) async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?} instead of a close frame"),
        }
    }
}

pub(crate) async fn a_room() -> (Appliance, [Browser; 2], String) {
    a_room_with("").await
}

async fn a_room_with(more: &str) -> (Appliance, [Browser; 2], String) {
    let visavis = Appliance::start_with(more).await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    (visavis, [mara, stu], room)
}
