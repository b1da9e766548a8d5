//! Who was there: from sockets to rows, and to the mentor's report.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::calls::{Socket, greeted, joined, receive, send};
use crate::harness::{Appliance, Browser, Client, Reply};
use crate::sockets::close_code;

#[tokio::test]
async fn a_drop_and_a_return_are_two_intervals_in_the_report_of_the_mentor() {
    let (visavis, [mara, stu], session, room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let (student, seat) = seated(&visavis, &stu, &room).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_joined");
    drop(student);
    assert_eq!(receive(&mut mentor).await["connected"], false);
    let mut student = resumed(&visavis, &stu, &room, &seat).await;
    send(&mut student, json!({ "type": "leave" })).await;
    assert_eq!(close_code(&mut student).await, 1000);

    let report = report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["dropped", "left"]).await;
    let people = report["participants"].as_array().unwrap();
    assert_eq!(people.iter().map(|person| &person["role"]).collect::<Vec<_>>(), ["mentor", "student"]);
    let (mara_s, stu_s) = (&people[0], &people[1]);
    assert_eq!((&mara_s["last_leave"], &mara_s["intervals"][0]["until"]), (&Value::Null, &Value::Null));
    assert_eq!(stu_s["first_join"], stu_s["intervals"][0]["from"]);
    assert_eq!(stu_s["last_leave"], stu_s["intervals"][1]["until"]);
    assert!(time(&stu_s["intervals"][0]["until"]) <= time(&stu_s["intervals"][1]["from"]), "{report}");
    visavis.app.stop().await;
}

#[tokio::test]
async fn the_mentor_and_admins_see_the_report_and_nobody_else() {
    let (visavis, [mara, stu], session, _) = a_room().await;
    let (admin, milo, sam) = (visavis.sign_in("admin").await, visavis.sign_in("milo").await, visavis.sign_in("sam").await);
    let nobody = Browser::default();
    for name in ["attendance/", "attendance", "attendance.csv"] {
        let path = format!("/api/mentoring/sessions/{session}/{name}");
        for (browser, expected) in [
            (&nobody, (401, "unauthenticated")),
            (&milo, (404, "not_found")),
            (&sam, (404, "not_found")),
            (&stu, (403, "forbidden_role")),
            (&mara, (200, "")),
            (&admin, (200, "")),
        ] {
            let reply = visavis.get(browser, &path).await;
            assert_eq!(reply.refusal(), expected, "{path}: {}", reply.text);
        }
        assert_eq!(visavis.call(&mara, Method::POST, &path, None).await.refusal(), (405, "method_not_allowed"));
    }
    let unknown = visavis.get(&admin, &format!("/api/mentoring/sessions/{}/attendance/", "0".repeat(32))).await;
    assert_eq!(unknown.refusal(), (404, "not_found"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn the_report_is_a_table_for_a_spreadsheet_too() {
    let (visavis, [mara, stu], session, room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let _student = joined(&visavis, &stu, &room).await;
    send(&mut mentor, json!({ "type": "end" })).await;
    assert_eq!(close_code(&mut mentor).await, 4000);
    let report = report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["ended"]).await;
    assert_eq!(reasons(&report, "mara"), ["ended"]);

    let reply = visavis.get(&mara, &format!("/api/mentoring/sessions/{session}/attendance.csv")).await;
    assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let lines: Vec<_> = reply.text.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "name,role,from,until,end_reason,seconds,first_join,last_leave,total_seconds");
    let student = &report["participants"][1];
    let (from, until) = (student["first_join"].as_str().unwrap(), student["last_leave"].as_str().unwrap());
    let seconds = &student["total_seconds"];
    assert_eq!(lines[2], format!("stu,student,{from},{until},ended,{seconds},{from},{until},{seconds}"));
    assert_eq!(lines.len(), 3);
    assert_eq!(accepting_csv(&visavis, &mara, &session).await.text, reply.text);
    visavis.app.stop().await;
}

#[tokio::test]
async fn what_happens_while_the_database_is_locked_is_written_afterwards_at_its_time() {
    let (visavis, [mara, stu], session, room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let (student, seat) = seated(&visavis, &stu, &room).await;
    receive(&mut mentor).await;
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["running"]).await;

    let locked = lock(&visavis);
    drop(student);
    assert_eq!(receive(&mut mentor).await["connected"], false);
    let mut student = resumed(&visavis, &stu, &room, &seat).await;
    assert_eq!(receive(&mut mentor).await["connected"], true);
    send(&mut student, json!({ "type": "leave" })).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_left");
    // By now what happened in the room was refused too.
    let refused = visavis.post(&stu, "/api/mentoring/sessions/", a_request(&visavis, &stu).await).await;
    assert_eq!(refused.refusal(), (503, "busy"));
    let released = std::time::SystemTime::now();
    locked.execute_batch("COMMIT").unwrap();

    let report = report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["dropped", "left"]).await;
    let left = report["participants"][1]["last_leave"].as_str().unwrap().to_owned();
    let left = time::OffsetDateTime::parse(&left, &time::format_description::well_known::Rfc3339).unwrap();
    assert!(left < released, "{left} is when they left, not when it was written");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_stop_ends_intervals_and_the_next_start_finds_none_running() {
    let (visavis, [mara, _], _, room) = a_room().await;
    let _mentor = joined(&visavis, &mara, &room).await;
    let Appliance { app, folder, .. } = visavis;
    app.stop().await;
    let rows = rusqlite::Connection::open(folder.path().join("visavis.db")).unwrap();
    let reason: String = rows.query_row("SELECT end_reason FROM video_call_attendance", [], |row| row.get(0)).unwrap();
    assert_eq!(reason, "stopped");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_locked_database_and_the_next_start_ends_what_ran() {
    let (visavis, [mara, _], session, room) = a_room().await;
    let _mentor = joined(&visavis, &mara, &room).await;
    report_when(&visavis, &mara, &session, |report| reasons(report, "mara") == ["running"]).await;
    let locked = lock(&visavis);
    let Appliance { app, folder, .. } = visavis;
    app.stop().await;
    locked.execute_batch("COMMIT").unwrap();
    let visavis = Appliance::restart(folder, "").await;
    let report = report_when(&visavis, &mara, &session, |_| true).await;
    assert_eq!(reasons(&report, "mara"), ["crash"]);
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_restart_knows_who_was_let_in_and_that_the_room_was_locked() {
    let (visavis, [mara, stu], session, room) = a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let _student = joined(&visavis, &stu, &room).await;
    send(&mut mentor, json!({ "type": "lock", "locked": true })).await;
    while receive(&mut mentor).await["type"] != "locked" {}
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["running"]).await;
    let Appliance { app, folder, .. } = visavis;
    app.stop().await;
    let visavis = Appliance::restart(folder, "").await;
    let mut student = greeted(&visavis, &stu, &room).await;
    send(&mut student, json!({ "type": "join" })).await;
    let seat = receive(&mut student).await;
    assert_eq!((&seat["type"], &seat["locked"]), (&json!("joined"), &json!(true)), "who was let in comes back without a word");
    visavis.app.stop().await;
}

/// Holds the database as another program would.
pub(crate) fn lock(visavis: &Appliance) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(visavis.folder.path().join("visavis.db")).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

pub(crate) async fn seated(visavis: &Client, browser: &Browser, room: &str) -> (Socket, Value) {
    let mut socket = greeted(visavis, browser, room).await;
    send(&mut socket, json!({ "type": "join" })).await;
    let seat = receive(&mut socket).await;
    assert_eq!(seat["type"], "joined");
    (socket, seat)
}

pub(crate) async fn resumed(visavis: &Client, browser: &Browser, room: &str, seat: &Value) -> Socket {
    let mut socket = greeted(visavis, browser, room).await;
    send(&mut socket, json!({ "type": "join", "resume": seat["resume"] })).await;
    assert_eq!(receive(&mut socket).await["resumed"], true);
    socket
}

/// The report, once it is as `wanted`: rows are written beside the room.
pub(crate) async fn report_when(visavis: &Client, mentor: &Browser, session: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let asking = async {
        loop {
            let reply = visavis.get(mentor, &format!("/api/mentoring/sessions/{session}/attendance/")).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            last = reply.body;
            if wanted(&last) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(Duration::from_secs(60), asking).await;
    assert!(came.is_ok(), "the report stays {last}");
    last
}

/// Why each of somebody's intervals ended, in order.
pub(crate) fn reasons<'a>(report: &'a Value, name: &str) -> Vec<&'a str> {
    let people = report["participants"].as_array().unwrap();
    let person = people.iter().find(|person| person["display_name"] == name);
    let intervals = person.and_then(|person| person["intervals"].as_array()).map_or(&[][..], |intervals| intervals);
    intervals.iter().map(|interval| interval["end_reason"].as_str().unwrap_or("running")).collect()
}

pub(crate) fn time(text: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(text.as_str().unwrap(), &Rfc3339).unwrap()
}

async fn accepting_csv(visavis: &Client, browser: &Browser, session: &str) -> Reply {
    let request = hyper::Request::builder()
        .uri(format!("/api/mentoring/sessions/{session}/attendance/"))
        .header("host", visavis.host())
        .header("sec-fetch-site", "same-origin")
        .header("cookie", browser.cookie.as_deref().unwrap())
        .header("accept", "text/html, text/csv;q=0.9");
    visavis.send(request.body(http_body_util::Full::default()).unwrap()).await
}

/// A student's wish for another session.
pub(crate) async fn a_request(visavis: &Client, student: &Browser) -> Value {
    let mentors = visavis.get(student, "/api/mentoring/mentors/").await.body["mentors"].clone();
    json!({ "mentor_id": mentors[0]["id"], "topic": "geometry" })
}

async fn a_room() -> (Appliance, [Browser; 2], String, String) {
    a_room_in(tempfile::tempdir().unwrap()).await
}

/// A box with a session of mara and stu, and its room.
pub(crate) async fn a_room_in(folder: tempfile::TempDir) -> (Appliance, [Browser; 2], String, String) {
    let visavis = Appliance::start_in(folder, "").await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    (visavis, [mara, stu], session, room)
}
