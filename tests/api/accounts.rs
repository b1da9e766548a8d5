//! Accounts as admins manage them, one's own password, and sessions that staff arrange.

use hyper::Method;
use serde_json::{Value, json};

use crate::attendance::{a_room_in, seated};
use crate::harness::{Appliance, Browser, Client, PASSWORD, Reply};
use crate::sockets::close_code;

#[tokio::test]
async fn an_admin_makes_an_account_whose_one_time_password_opens_one_page_alone() {
    let visavis = Appliance::start().await;
    let admin = visavis.sign_in("admin").await;
    let made = make(&visavis, &admin, "Nora", "student").await;
    assert_eq!((made.status.as_u16(), &made.body["user"]["username"]), (201, &json!("nora")), "{}", made.text);
    let one_time = made.body["password"].as_str().unwrap();
    let (nora, who) = sign_in(&visavis, "nora", one_time).await;
    assert_eq!(who["one_time_password"], true);
    assert_eq!(visavis.get(&nora, "/api/mentoring/sessions/").await.refusal(), (403, "password_needed"));
    assert_eq!(choose(&visavis, &nora, "a guess", "battery staple").await.refusal(), (401, "invalid_credentials"));
    assert_eq!(choose(&visavis, &nora, one_time, "short").await.refusal(), (422, "invalid_field"));
    assert_eq!(choose(&visavis, &nora, one_time, one_time).await.refusal(), (422, "same_password"));
    let chosen = choose(&visavis, &nora, one_time, "battery staple").await;
    assert_eq!((chosen.status.as_u16(), &chosen.body["one_time_password"]), (200, &json!(false)), "{}", chosen.text);
    assert_eq!(visavis.get(&nora, "/api/auth/me/").await.status, 401, "the login with the one-time password is over");
    assert_eq!(visavis.get(&browser(&chosen), "/api/mentoring/sessions/").await.status, 200);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_reset_signs_out_and_makes_a_new_one_time_password() {
    let visavis = Appliance::start().await;
    let (admin, stu) = (visavis.sign_in("admin").await, visavis.sign_in("stu").await);
    let id = id_of(&visavis, &stu).await;
    let reset = visavis.call(&admin, Method::POST, &format!("/api/accounts/{id}/password/"), None).await;
    assert_eq!(visavis.get(&stu, "/api/auth/me/").await.status, 401);
    let (_, who) = sign_in(&visavis, "stu", reset.body["password"].as_str().unwrap()).await;
    assert_eq!(who["one_time_password"], true);
    visavis.app.stop().await;
}

#[tokio::test]
async fn whoever_is_removed_is_out_of_the_call_at_once() {
    let (visavis, [mara, stu], _, room) = a_room_in(tempfile::tempdir().unwrap()).await;
    let (admin, id) = (visavis.sign_in("admin").await, id_of(&visavis, &stu).await);
    let _mentor = seated(&visavis, &mara, &room).await;
    let (mut socket, _) = seated(&visavis, &stu, &room).await;
    assert_eq!(visavis.call(&admin, Method::DELETE, &format!("/api/accounts/{id}/"), None).await.status, 204);
    assert_eq!(close_code(&mut socket).await, 4003, "by the removal, before anybody looks for ended logins");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_one_time_password_opens_no_socket() {
    let (visavis, [_, stu], _, room) = a_room_in(tempfile::tempdir().unwrap()).await;
    let (admin, id) = (visavis.sign_in("admin").await, id_of(&visavis, &stu).await);
    let reset = visavis.call(&admin, Method::POST, &format!("/api/accounts/{id}/password/"), None).await;
    let (stu, _) = sign_in(&visavis, "stu", reset.body["password"].as_str().unwrap()).await;
    let refused = visavis.socket(&stu, &room).await.err();
    assert_eq!(refused, Some((403, "password_needed".to_owned())));
    visavis.app.stop().await;
}

#[tokio::test]
async fn accounts_are_listed_by_the_page_and_found_by_a_part_of_their_name() {
    let visavis = Appliance::start().await;
    let admin = visavis.sign_in("admin").await;
    // Straight into the table: 60 hashes would take long.
    let store = visavis::store::Store::open(visavis.folder.path()).unwrap();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 69)
                INSERT INTO users SELECT 'aa0000000000000000000000000000' || i, 'pupil' || i, 'Pupil ' || i, 'student', '', 0 FROM n";
    store.write(move |connection| connection.execute(fill, [])).await.unwrap();
    store.close().await;
    let page = |query: &'static str| visavis.get(&admin, query);
    let first = page("/api/accounts/").await.body;
    assert_eq!((first["accounts"].as_array().unwrap().len(), &first["more"]), (50, &json!(true)));
    let last = first["accounts"][49]["username"].as_str().unwrap();
    let rest = visavis.get(&admin, &format!("/api/accounts/?after={last}")).await.body;
    assert_eq!((rest["accounts"].as_array().unwrap().len(), &rest["more"]), (15, &json!(false)));
    let found = page("/api/accounts/?search=PUPIL+42").await.body;
    assert_eq!(found["accounts"].as_array().unwrap().iter().map(|a| &a["username"]).collect::<Vec<_>>(), ["pupil42"]);
    assert_eq!(page("/api/accounts/?search=%25").await.body["accounts"], json!([]), "it is no pattern");
    visavis.app.stop().await;
}

#[tokio::test]
async fn only_admins_manage_accounts_and_none_removes_their_own() {
    let visavis = Appliance::start().await;
    let (admin, mara, stu) = (visavis.sign_in("admin").await, visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    for browser in [&mara, &stu] {
        assert_eq!(visavis.get(browser, "/api/accounts/").await.refusal(), (403, "forbidden_role"));
        assert_eq!(make(&visavis, browser, "eve", "admin").await.refusal(), (403, "forbidden_role"));
    }
    assert_eq!(make(&visavis, &admin, "mara", "mentor").await.refusal(), (409, "username_taken"));
    assert_eq!(make(&visavis, &admin, "gil", "guest").await.refusal(), (422, "invalid_field"));
    let remove = |id: String| visavis.call(&admin, Method::DELETE, "/api/accounts/ID/".replace("ID", &id).leak(), None);
    assert_eq!(remove(id_of(&visavis, &admin).await).await.refusal(), (409, "own_account"));
    let session = visavis.accepted_session(&mara, &stu).await;
    assert_eq!(remove(id_of(&visavis, &stu).await).await.status, 204);
    assert_eq!(visavis.get(&stu, "/api/auth/me/").await.status, 401);
    let left = visavis.get(&mara, "/api/mentoring/sessions/").await.body;
    assert_eq!(left["sessions"], json!([]), "{session}");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_mentor_arranges_a_session_with_a_student_and_an_admin_one_of_any_two() {
    let visavis = Appliance::start().await;
    let (admin, mara, stu) = (visavis.sign_in("admin").await, visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let students = visavis.get(&mara, "/api/mentoring/students/").await.body["students"].clone();
    let student = students.as_array().unwrap().iter().find(|s| s["display_name"] == "stu").unwrap()["id"].clone();
    let arrange = |browser: Browser, body: Value| {
        let visavis = &visavis;
        async move { visavis.post(&browser, "/api/mentoring/sessions/", body).await }
    };
    let made = arrange(mara.clone(), json!({ "student_id": student, "topic": "algebra" })).await;
    assert_eq!((made.status.as_u16(), &made.body["status"]), (201, &json!("accepted")), "{}", made.text);
    visavis.room(&stu, made.body["id"].as_str().unwrap()).await;

    let milo = visavis.get(&admin, "/api/mentoring/mentors/").await.body["mentors"][1]["id"].clone();
    let body = json!({ "mentor_id": milo, "student_id": student, "topic": "rivers" });
    assert_eq!(arrange(mara.clone(), body.clone()).await.refusal(), (403, "forbidden_role"));
    assert_eq!(arrange(stu.clone(), body.clone()).await.refusal(), (403, "forbidden_role"));
    assert_eq!(arrange(admin.clone(), body).await.body["status"], "accepted");
    let wrong = json!({ "student_id": milo, "topic": "rivers" });
    assert_eq!(arrange(mara.clone(), wrong).await.refusal(), (422, "invalid_field"));
    assert_eq!(visavis.get(&stu, "/api/mentoring/students/").await.refusal(), (403, "forbidden_role"));
    visavis.app.stop().await;
}

async fn make(visavis: &Client, by: &Browser, username: &str, role: &str) -> Reply {
    let body = json!({ "username": username, "display_name": "Nora N", "role": role });
    visavis.post(by, "/api/accounts/", body).await
}

async fn choose(visavis: &Client, browser: &Browser, current: &str, chosen: &str) -> Reply {
    visavis.post(browser, "/api/auth/password/", json!({ "current": current, "chosen": chosen })).await
}

async fn sign_in(visavis: &Client, username: &str, password: &str) -> (Browser, Value) {
    assert_ne!(password, PASSWORD);
    let reply =
        visavis.post(&Browser::default(), "/api/auth/login/", json!({ "username": username, "password": password })).await;
    (browser(&reply), reply.body)
}

fn browser(reply: &Reply) -> Browser {
    let cookie = reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    Browser { cookie: Some(cookie) }
}

async fn id_of(visavis: &Client, browser: &Browser) -> String {
    visavis.get(browser, "/api/auth/me/").await.body["user"]["id"].as_str().unwrap().to_owned()
}
