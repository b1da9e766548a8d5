//! The first admin, by the box's set-up link.

use serde_json::{Value, json};

use crate::harness::{Appliance, Browser, PASSWORD, Reply, configuration};

#[tokio::test]
async fn the_link_makes_one_admin_who_is_signed_in_and_then_nothing() {
    let visavis = empty_box().await;
    assert_eq!(needed(&visavis).await, json!(true));
    let token = token_of(&visavis).await;
    let proved = visavis.post(&Browser::default(), "/api/setup/link/", json!({ "token": token })).await;
    assert_eq!(proved.status, 204, "{}", proved.text);
    let made = set_up(&visavis, &token, "Ada", PASSWORD).await;
    assert_eq!((made.status.as_u16(), &made.body["user"]["role"]), (201, &json!("admin")), "{}", made.text);
    let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let me = visavis.get(&Browser { cookie: Some(cookie) }, "/api/auth/me/").await;
    assert_eq!(me.body["user"]["username"], "ada");
    assert_eq!(needed(&visavis).await, json!(false));
    assert_eq!(set_up(&visavis, &token, "eve", PASSWORD).await.refusal(), (410, "already_set_up"));
    let proved = visavis.post(&Browser::default(), "/api/setup/link/", json!({ "token": token })).await;
    assert_eq!(proved.refusal(), (410, "already_set_up"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn of_browsers_that_race_exactly_one_wins() {
    let visavis = empty_box().await;
    let token = token_of(&visavis).await;
    let race = ["ada", "bea", "cy", "dan"].map(|name| set_up(&visavis, &token, name, PASSWORD));
    let mut answers: Vec<_> = futures_util::future::join_all(race).await.iter().map(|reply| reply.status.as_u16()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [201, 410, 410, 410]);
    visavis.app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_leaves_the_link_as_it_was() {
    let visavis = empty_box().await;
    let token = token_of(&visavis).await;
    assert_eq!(set_up(&visavis, &token, "ada", "short").await.refusal(), (422, "invalid_field"));
    assert_eq!(set_up(&visavis, &token, "two words", PASSWORD).await.refusal(), (422, "invalid_field"));
    assert_eq!(set_up(&visavis, &token, "ada", PASSWORD).await.status, 201);
    visavis.app.stop().await;
}

#[tokio::test]
async fn wrong_tokens_are_told_so_and_then_made_to_wait() {
    let visavis = empty_box().await;
    for _ in 0..5 {
        assert_eq!(set_up(&visavis, "AAAAAAAAAAAAAAAAAAAAAA", "eve", PASSWORD).await.refusal(), (404, "setup_link_void"));
    }
    let waits = visavis.post(&Browser::default(), "/api/setup/link/", json!({ "token": "AAAAAAAAAAAAAAAAAAAAAA" })).await;
    assert_eq!(waits.refusal(), (429, "too_many_attempts"));
    assert!(waits.headers.contains_key("retry-after"));
    visavis.app.stop().await;
}

async fn empty_box() -> Appliance {
    let folder = tempfile::tempdir().unwrap();
    let text = configuration(folder.path(), "");
    Appliance::configured(folder, &text).await
}

/// The daemon's, as soon as it has made it.
async fn token_of(visavis: &Appliance) -> String {
    loop {
        match std::fs::read_to_string(visavis.folder.path().join("setup.token")) {
            Ok(token) => return token,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    }
}

async fn needed(visavis: &Appliance) -> Value {
    visavis.get(&Browser::default(), "/api/setup/").await.body["needed"].clone()
}

async fn set_up(visavis: &Appliance, token: &str, username: &str, password: &str) -> Reply {
    let body = json!({ "token": token, "username": username, "display_name": "Ada Admin", "password": password });
    visavis.post(&Browser::default(), "/api/setup/", body).await
}
