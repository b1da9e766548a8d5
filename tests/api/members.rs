//! More people in a session: colleagues and other students.

use hyper::Method;
use serde_json::json;
use visavis::accounts::Accounts;
use visavis::proto::signal::Role;
use visavis::store::Store;

use crate::calls::{greeted, joined, receive, send};
use crate::guests::{invite, redeem};
use crate::harness::{Appliance, Browser, PASSWORD};
use crate::sockets::close_code;

#[tokio::test]
async fn a_colleague_and_another_student_join_and_each_is_what_they_were_added_as() {
    let (visavis, [mara, stu, milo, sam], session) = a_session().await;
    for (username, role) in [("milo", "mentor"), ("sam", "student")] {
        let added = add(&visavis, &mara, &session, username, role).await;
        assert_eq!(added.status, 200, "{}", added.text);
    }
    let seen = visavis.get(&stu, "/api/mentoring/sessions/").await.body["sessions"][0]["members"].clone();
    assert_eq!(seen.as_array().unwrap().iter().map(|m| &m["role"]).collect::<Vec<_>>(), ["mentor", "student"]);

    let room = visavis.room(&sam, &session).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut sockets = Vec::new();
    for browser in [&milo, &sam, &stu] {
        sockets.push(joined(&visavis, browser, &room).await);
    }
    let peers = [receive(&mut mentor).await, receive(&mut mentor).await, receive(&mut mentor).await];
    assert_eq!(peers.each_ref().map(|told| told["peer"]["moderator"].as_bool().unwrap()), [true, false, false]);
    let end = format!("/api/mentoring/video-call/{room}/end/");
    assert_eq!(visavis.call(&sam, Method::POST, &end, None).await.refusal(), (403, "forbidden_role"));
    assert_eq!(visavis.call(&milo, Method::POST, &end, None).await.body["status"], "ended");
    visavis.app.stop().await;
}

#[tokio::test]
async fn whoever_is_removed_is_out_of_the_call_and_of_the_session() {
    let (visavis, [mara, _, _, sam], session) = a_session().await;
    assert_eq!(add(&visavis, &mara, &session, "sam", "student").await.status, 200);
    let room = visavis.room(&sam, &session).await;
    let _mentor = joined(&visavis, &mara, &room).await;
    let mut socket = joined(&visavis, &sam, &room).await;
    let id = visavis.get(&sam, "/api/auth/me/").await.body["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/mentoring/sessions/{session}/members/{id}/");
    assert_eq!(visavis.call(&mara, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(close_code(&mut socket).await, 4003);
    assert_eq!(visavis.socket(&sam, &room).await.map(drop), Err((404, "not_found".to_owned())));
    assert_eq!(visavis.get(&sam, "/api/mentoring/sessions/").await.body["sessions"], json!([]));
    assert_eq!(visavis.call(&mara, Method::DELETE, &path, None).await.refusal(), (404, "not_found"));
    visavis.app.stop().await;
}

/// What the room's records say of an earlier role does not outlive it.
#[tokio::test]
async fn a_removed_colleague_who_follows_a_link_is_a_guest_and_waits() {
    let (visavis, [mara, _, milo, _], session) = a_session().await;
    assert_eq!(add(&visavis, &mara, &session, "milo", "mentor").await.status, 200);
    let room = visavis.room(&mara, &session).await;
    let _mentor = joined(&visavis, &mara, &room).await;
    drop(joined(&visavis, &milo, &room).await);
    let id = visavis.get(&milo, "/api/auth/me/").await.body["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/mentoring/sessions/{session}/members/{id}/");
    assert_eq!(visavis.call(&mara, Method::DELETE, &path, None).await.status, 204);
    let invitation = invite(&visavis, &mara, &session, json!({})).await;
    assert_eq!(redeem(&visavis, &milo, &invitation, "Milo").await.status, 201);
    let mut socket = greeted(&visavis, &milo, &room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    let answer = receive(&mut socket).await;
    assert_eq!((&answer["type"], &answer["you"]["role"]), (&json!("waiting"), &json!("guest")));
    visavis.app.stop().await;
}

#[tokio::test]
async fn an_account_is_added_as_what_it_is_and_by_the_mentor_alone() {
    let (visavis, [mara, stu, milo, _], session) = a_session().await;
    let no_such = (422, "invalid_field");
    for (username, role) in [("nobody", "student"), ("sam", "mentor"), ("milo", "student"), ("stu", "student"), ("sam", "guest")]
    {
        assert_eq!(add(&visavis, &mara, &session, username, role).await.refusal(), no_such, "{username} as {role}");
    }
    assert_eq!(add(&visavis, &stu, &session, "sam", "student").await.refusal(), (403, "forbidden_role"));
    assert_eq!(add(&visavis, &milo, &session, "sam", "student").await.refusal(), (404, "not_found"));
    assert_eq!(add(&visavis, &mara, &session, "milo", "mentor").await.status, 200);
    assert_eq!(add(&visavis, &milo, &session, "sam", "student").await.refusal(), (403, "forbidden_role"), "a colleague invites");
    let invitations = format!("/api/mentoring/sessions/{session}/invitations/");
    assert_eq!(visavis.post(&milo, &invitations, json!({})).await.status, 201);
    assert_eq!(visavis.post(&stu, &invitations, json!({})).await.refusal(), (403, "forbidden_role"));
    for wish in
        [json!({ "uses_max": 0 }), json!({ "uses_max": 21 }), json!({ "valid_for_hours": 0 }), json!({ "valid_for_hours": 721 })]
    {
        assert_eq!(visavis.post(&mara, &invitations, wish.clone()).await.refusal(), no_such, "{wish}");
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_username_is_read_as_at_sign_in() {
    let (visavis, [mara, ..], session) = a_session().await;
    let accounts = Accounts::new(Store::open(visavis.folder.path()).unwrap());
    accounts
        .add("zo\u{eb}".parse().unwrap(), "Zo\u{eb}".parse().unwrap(), Role::Student, PASSWORD.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(add(&visavis, &mara, &session, " ZOE\u{308} ", "student").await.status, 200);
    for name in ["zo\u{eb} x", ""] {
        assert_eq!(add(&visavis, &mara, &session, name, "student").await.refusal(), (422, "invalid_field"), "{name:?}");
    }
    visavis.app.stop().await;
}

async fn add(visavis: &Appliance, by: &Browser, session: &str, username: &str, role: &str) -> crate::harness::Reply {
    let wish = json!({ "username": username, "role": role });
    visavis.post(by, &format!("/api/mentoring/sessions/{session}/members/"), wish).await
}

async fn a_session() -> (Appliance, [Browser; 4], String) {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let (milo, sam) = (visavis.sign_in("milo").await, visavis.sign_in("sam").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    (visavis, [mara, stu, milo, sam], session)
}
