//! Who waits, who lets in and who is sent out, from the API to the rows.

use hyper::Method;
use serde_json::{Value, json};

use crate::calls::{Socket, greeted, joined, receive, send};
use crate::harness::{Appliance, Browser};
use crate::sockets::close_code;

#[tokio::test]
async fn an_early_student_waits_and_has_no_credential_until_admitted() {
    let (visavis, [mara, stu], room) = a_room().await;
    assert_eq!(turn_servers(&visavis, &stu, &room).await, 0);
    let mut student = waiting(&visavis, &stu, &room).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let lobby = receive(&mut mentor).await;
    assert_eq!((&lobby["type"], &lobby["waiting"][0]["display_name"]), (&json!("lobby"), &json!("stu")));
    assert_eq!(receive(&mut student).await["reason"], "not_admitted");
    assert_eq!(turn_servers(&visavis, &stu, &room).await, 0);

    send(&mut mentor, json!({ "type": "admit", "participant_id": lobby["waiting"][0]["participant_id"] })).await;
    assert_eq!(receive(&mut student).await["type"], "joined");
    assert_eq!(receive(&mut mentor).await["type"], "peer_joined");
    assert_eq!(turn_servers(&visavis, &stu, &room).await, 1);
    visavis.app.stop().await;
}

#[tokio::test]
async fn whoever_is_kicked_is_closed_and_waits_for_a_word_without_a_credential() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    let student_id = receive(&mut mentor).await["peer"]["participant_id"].clone();
    send(&mut mentor, json!({ "type": "kick", "participant_id": student_id })).await;
    assert_eq!(close_code(&mut student).await, 4003);
    assert_eq!(receive(&mut mentor).await["reason"], "kicked");
    assert_eq!(turn_servers(&visavis, &stu, &room).await, 0);
    let _waiting = waiting(&visavis, &stu, &room).await;
    assert_eq!(receive(&mut mentor).await["waiting"][0]["participant_id"], student_id);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_student_moderates_nothing_and_a_mentor_ends_the_room_by_a_word() {
    let (visavis, [mara, stu], room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    receive(&mut mentor).await;
    send(&mut student, json!({ "type": "end" })).await;
    assert_eq!(receive(&mut student).await["code"], "forbidden");
    send(&mut mentor, json!({ "type": "end" })).await;
    for socket in [&mut mentor, &mut student] {
        assert_eq!(receive(socket).await, json!({ "type": "ended", "reason": "ended_by_staff" }));
    }
    while visavis.get(&stu, &format!("/api/mentoring/video-call/{room}/")).await.body["status"] != "ended" {
        tokio::task::yield_now().await;
    }
    visavis.app.stop().await;
}

async fn waiting(visavis: &Appliance, browser: &Browser, room: &str) -> Socket {
    let mut socket = greeted(visavis, browser, room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    assert_eq!(receive(&mut socket).await["type"], "waiting");
    socket
}

/// How many TURN servers, with their credential, somebody is handed.
async fn turn_servers(visavis: &Appliance, browser: &Browser, room: &str) -> usize {
    let grant = visavis.call(browser, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
    let servers = grant.body["ice_servers"].as_array().unwrap();
    servers.iter().filter(|server| server.get("credential").is_some_and(Value::is_string)).count()
}

async fn a_room() -> (Appliance, [Browser; 2], String) {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    (visavis, [mara, stu], room)
}
