//! Guests: by an invitation into the lobby, and out of it for good.

use hyper::Method;
use serde_json::{Value, json};

use crate::calls::{greeted, joined, receive, send};
use crate::harness::{Appliance, Browser, PASSWORD};
use crate::sockets::close_code;

#[tokio::test]
async fn a_guest_comes_by_a_link_waits_and_is_let_in() {
    let (visavis, mara, session) = a_session().await;
    let invitation = invite(&visavis, &mara, &session, json!({})).await;
    let (guest, welcome) = follow(&visavis, &invitation, "Gil Guest").await;
    assert_eq!((&welcome["user"]["role"], &welcome["session_id"]), (&json!("guest"), &json!(session)));

    let sessions = visavis.get(&guest, "/api/mentoring/sessions/").await.body["sessions"].clone();
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    let room = visavis.room(&guest, &session).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut socket = greeted(&visavis, &guest, &room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    assert_eq!(receive(&mut socket).await["reason"], "not_admitted");
    let waiting = receive(&mut mentor).await["waiting"][0].clone();
    assert_eq!((&waiting["display_name"], &waiting["role"]), (&json!("Gil Guest"), &json!("guest")));
    send(&mut mentor, json!({ "type": "admit", "participant_id": waiting["participant_id"] })).await;
    assert_eq!(receive(&mut socket).await["type"], "joined");
    visavis.app.stop().await;
}

/// Scenario 16: a kicked guest's seat, login, sockets and invitation end together, and its credentials with them.
#[tokio::test]
async fn a_kicked_guest_loses_login_sockets_and_invitation() {
    let (visavis, mara, session) = a_session().await;
    let invitation = invite(&visavis, &mara, &session, json!({ "uses_max": 5 })).await;
    let (guest, _) = follow(&visavis, &invitation, "Gil").await;
    let room = visavis.room(&guest, &session).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut second_tab = greeted(&visavis, &guest, &room).await;
    let mut socket = greeted(&visavis, &guest, &room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    let id = receive(&mut mentor).await["waiting"][0]["participant_id"].clone();
    send(&mut mentor, json!({ "type": "admit", "participant_id": id })).await;
    for kind in ["waiting", "joined"] {
        assert_eq!(receive(&mut socket).await["type"], kind);
    }
    send(&mut mentor, json!({ "type": "kick", "participant_id": id })).await;
    assert_eq!((close_code(&mut socket).await, close_code(&mut second_tab).await), (4003, 4003));
    while visavis.get(&guest, "/api/auth/me/").await.status != 401 {
        tokio::task::yield_now().await;
    }
    let again = redeem(&visavis, &Browser::default(), &invitation, "Gil").await;
    assert_eq!(again.refusal(), (404, "invitation_void"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_link_lets_in_as_many_as_it_says_and_nobody_once_it_is_taken_back() {
    let (visavis, mara, session) = a_session().await;
    let twice = invite(&visavis, &mara, &session, json!({ "uses_max": 2 })).await;
    let rush = (0..8).map(|n| {
        let (visavis, twice) = (&visavis, &twice);
        async move { redeem(visavis, &Browser::default(), twice, &format!("Guest {n}")).await.status.as_u16() }
    });
    let mut answers = futures_util::future::join_all(rush).await;
    answers.sort_unstable();
    assert_eq!(answers, [201, 201, 404, 404, 404, 404, 404, 404]);

    let other = invite(&visavis, &mara, &session, json!({})).await;
    let path = format!("/api/mentoring/sessions/{session}/invitations/");
    let listed = visavis.get(&mara, &path).await.body["invitations"].clone();
    assert_eq!(listed.as_array().unwrap().iter().map(|i| i["uses_left"].as_u64().unwrap()).sum::<u64>(), 1);
    assert!(!listed.to_string().contains(token(&other)), "a token is shown once");
    let revoked = visavis.call(&mara, Method::DELETE, &format!("{path}{}/", other["id"].as_str().unwrap()), None).await;
    assert_eq!(revoked.status, 204);
    for invitation in [&other, &json!({ "link": "https://x/join#AAAAAAAAAAAAAAAAAAAAAA" }), &json!({ "link": "#x" })] {
        let refused = redeem(&visavis, &Browser::default(), invitation, "Gil").await;
        assert_eq!(refused.refusal(), (404, "invitation_void"), "{invitation}");
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn whoever_is_signed_in_stays_who_they_are() {
    let (visavis, mara, session) = a_session().await;
    let sam = visavis.sign_in("sam").await;
    let invitation = invite(&visavis, &mara, &session, json!({})).await;
    let welcome = redeem(&visavis, &sam, &invitation, "Somebody").await;
    assert_eq!((welcome.status.as_u16(), &welcome.body["user"]["username"]), (201, &json!("sam")));
    assert!(!welcome.headers.contains_key("set-cookie"));
    let room = visavis.room(&sam, &session).await;
    let grant = visavis.call(&sam, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
    assert_eq!(grant.body["participant"]["role"], "guest");
    // The mentor tries it too, which costs no use and changes nothing.
    assert_eq!(redeem(&visavis, &mara, &invitation, "Mara").await.refusal(), (201, ""));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_guest_takes_no_mentor_s_name_and_can_do_nothing_else() {
    let (visavis, mara, session) = a_session().await;
    let invitation = invite(&visavis, &mara, &session, json!({})).await;
    let posing = redeem(&visavis, &Browser::default(), &invitation, "M\u{430}r\u{430}").await;
    assert_eq!(posing.refusal(), (422, "invalid_field"), "{}", posing.text);
    let (guest, welcome) = follow(&visavis, &invitation, "Gil").await;
    let posing = redeem(&visavis, &Browser::default(), &invitation, "Mara").await;
    assert_eq!(posing.refusal(), (404, "invitation_void"), "a link that lets nobody in tells nobody's name");
    let mentors = visavis.get(&mara, "/api/mentoring/mentors/").await.body["mentors"].clone();
    let wish = json!({ "mentor_id": mentors[0]["id"], "topic": "algebra" });
    assert_eq!(visavis.post(&guest, "/api/mentoring/sessions/", wish).await.refusal(), (403, "forbidden_role"));
    assert_eq!(visavis.get(&guest, "/api/mentoring/mentors/").await.refusal(), (403, "forbidden_role"));
    let username = welcome["user"]["username"].as_str().unwrap();
    for password in ["", PASSWORD] {
        let credentials = json!({ "username": username, "password": password });
        let refused = visavis.post(&Browser::default(), "/api/auth/login/", credentials).await;
        assert_eq!(refused.refusal(), (401, "invalid_credentials"));
    }
    visavis.app.stop().await;
}

async fn a_session() -> (Appliance, Browser, String) {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    (visavis, mara, session)
}

pub(crate) async fn invite(visavis: &Appliance, by: &Browser, session: &str, wish: Value) -> Value {
    let invitation = visavis.post(by, &format!("/api/mentoring/sessions/{session}/invitations/"), wish).await;
    assert_eq!(invitation.status, 201, "{}", invitation.text);
    invitation.body
}

fn token(invitation: &Value) -> &str {
    invitation["link"].as_str().unwrap().split('#').nth(1).unwrap()
}

pub(crate) async fn redeem(visavis: &Appliance, browser: &Browser, invitation: &Value, name: &str) -> crate::harness::Reply {
    visavis.post(browser, "/api/guests/", json!({ "invitation": token(invitation), "display_name": name })).await
}

/// The browser of the guest who was made, and what it was told.
async fn follow(visavis: &Appliance, invitation: &Value, name: &str) -> (Browser, Value) {
    let welcome = redeem(visavis, &Browser::default(), invitation, name).await;
    assert_eq!(welcome.status, 201, "{}", welcome.text);
    let cookie = welcome.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    (Browser { cookie: Some(cookie) }, welcome.body)
}
