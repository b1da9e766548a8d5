//! Signing in and out.

use futures_util::StreamExt;
use hyper::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Appliance, Browser, PASSWORD};

#[tokio::test]
async fn the_cookie_is_this_host_s_alone_and_no_script_s() {
    let visavis = Appliance::start().await;
    let reply = visavis.post(&Browser::default(), "/api/auth/login", json!({ "username": "Mara", "password": PASSWORD })).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-sid="), "{cookie}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
    }
    assert_eq!(reply.body["user"]["role"], "mentor");
    assert!(!reply.text.contains("argon2"), "{}", reply.text);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_answered_alike() {
    let visavis = Appliance::start().await;
    let try_with = |username: &'static str, password: &'static str| {
        let visavis = &visavis;
        async move {
            visavis.post(&Browser::default(), "/api/auth/login/", json!({ "username": username, "password": password })).await
        }
    };
    let (wrong, unknown) = (try_with("mara", "guess").await, try_with("nobody", "guess").await);
    assert_eq!(wrong.refusal(), (401, "invalid_credentials"));
    assert_eq!(wrong.text, unknown.text);
    visavis.app.stop().await;
}

#[tokio::test]
async fn the_sixth_failure_waits_and_says_how_long() {
    let visavis = Appliance::start().await;
    for _ in 0..5 {
        visavis.post(&Browser::default(), "/api/auth/login/", json!({ "username": "mara", "password": "guess" })).await;
    }
    let refused =
        visavis.post(&Browser::default(), "/api/auth/login/", json!({ "username": "mara", "password": PASSWORD })).await;
    assert_eq!(refused.refusal(), (429, "too_many_attempts"));
    assert_eq!(refused.headers["retry-after"], "1");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_new_login_ends_the_one_before_in_the_same_browser() {
    let visavis = Appliance::start().await;
    let before = visavis.sign_in("mara").await;
    let again = visavis.post(&before, "/api/auth/login/", json!({ "username": "mara", "password": PASSWORD })).await;
    assert_eq!(again.status, 200);
    assert_eq!(visavis.get(&before, "/api/auth/me/").await.refusal(), (401, "unauthenticated"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn signing_out_closes_the_sockets_of_that_login_alone() {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    let (mut leaving, mut staying) = (visavis.socket(&mara, &room).await.unwrap(), visavis.socket(&stu, &room).await.unwrap());
    let reply = visavis.call(&mara, Method::POST, "/api/auth/logout/", None).await;
    assert_eq!(reply.status, 204);
    assert_eq!(visavis.get(&mara, "/api/auth/me/").await.refusal(), (401, "unauthenticated"));
    let close = leaving.next().await.unwrap().unwrap();
    assert!(matches!(&close, Message::Close(Some(frame)) if u16::from(frame.code) == 4001), "{close:?}");
    futures_util::SinkExt::send(&mut staying, Message::text(r#"{"type":"hello","versions":[1]}"#)).await.unwrap();
    assert_eq!(staying.next().await.unwrap().unwrap().into_text().unwrap().as_str(), r#"{"type":"welcome","version":1}"#);
    visavis.app.stop().await;
}
