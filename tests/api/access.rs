//! Who gets in: every path and the socket of a room, tried by everybody.

use hyper::Method;
use serde_json::json;

use crate::harness::{Appliance, Browser};

/// What each of these gets from a path: nobody, an outsider with an account, a member of another session, the student, the mentor.
struct Row {
    method: Method,
    path: &'static str,
    body: Option<serde_json::Value>,
    expected: [(u16, &'static str); 5],
}

#[tokio::test]
async fn nobody_but_members_reaches_a_room() {
    let (visavis, [nobody, outsider, other, student, mentor], session, room) = a_room().await;
    let no = (401, "unauthenticated");
    let hidden = (404, "not_found");
    let fine = |status| (status, "");
    let rows = [
        Row {
            method: Method::POST,
            path: "/api/mentoring/video-call/create/",
            body: Some(json!({ "session_id": session })),
            expected: [no, hidden, hidden, fine(200), fine(200)],
        },
        Row {
            method: Method::GET,
            path: "/api/mentoring/video-call/ROOM/",
            body: None,
            expected: [no, hidden, hidden, fine(200), fine(200)],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/video-call/ROOM/join/",
            body: None,
            expected: [no, hidden, hidden, fine(200), fine(200)],
        },
        Row {
            method: Method::GET,
            path: "/api/mentoring/video-call/session/SESSION/",
            body: None,
            expected: [no, hidden, hidden, fine(200), fine(200)],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/sessions/SESSION/accept/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), (409, "already_answered")],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/sessions/SESSION/decline/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), (409, "already_answered")],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/sessions/SESSION/members/",
            body: Some(json!({ "username": "nobody", "role": "student" })),
            expected: [no, hidden, hidden, (403, "forbidden_role"), (422, "invalid_field")],
        },
        Row {
            method: Method::DELETE,
            path: "/api/mentoring/sessions/SESSION/members/00000000000000000000000000000000/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), hidden],
        },
        Row {
            method: Method::GET,
            path: "/api/mentoring/sessions/SESSION/invitations/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), fine(200)],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/sessions/SESSION/invitations/",
            body: Some(json!({})),
            expected: [no, hidden, hidden, (403, "forbidden_role"), fine(201)],
        },
        Row {
            method: Method::DELETE,
            path: "/api/mentoring/sessions/SESSION/invitations/00000000000000000000000000000000/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), hidden],
        },
        Row {
            method: Method::GET,
            path: "/api/mentoring/sessions/SESSION/attendance/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), fine(200)],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/video-call/ROOM/end/",
            body: None,
            expected: [no, hidden, hidden, (403, "forbidden_role"), fine(200)],
        },
        Row {
            method: Method::POST,
            path: "/api/mentoring/video-call/ROOM/join/",
            body: None,
            expected: [no, hidden, hidden, (410, "room_ended"), (410, "room_ended")],
        },
    ];
    for row in rows {
        let path = row.path.replace("ROOM", &room).replace("SESSION", &session);
        for slash in [true, false] {
            let path = if slash { path.clone() } else { path.trim_end_matches('/').to_owned() };
            for (who, (browser, expected)) in
                [&nobody, &outsider, &other, &student, &mentor].into_iter().zip(row.expected).enumerate()
            {
                let reply = visavis.call(browser, row.method.clone(), &path, row.body.clone()).await;
                assert_eq!(reply.refusal(), expected, "{} {path} by person {who}: {}", row.method, reply.text);
                if expected.0 >= 400 {
                    assert_eq!(reply.headers["content-type"], "application/problem+json");
                    assert!(!reply.text.contains(&room) && !reply.text.contains("algebra"), "{}", reply.text);
                }
            }
        }
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn nobody_but_members_reaches_a_socket() {
    let (visavis, [nobody, outsider, other, student, mentor], _, room) = a_room().await;
    let refused = |status: u16, code: &str| Err((status, code.to_owned()));
    let expected = [refused(401, "unauthenticated"), refused(404, "not_found"), refused(404, "not_found"), Ok(()), Ok(())];
    for (who, (browser, expected)) in [&nobody, &outsider, &other, &student, &mentor].into_iter().zip(expected).enumerate() {
        assert_eq!(visavis.socket(browser, &room).await.map(drop), expected, "person {who}");
    }
    let unknown = "0".repeat(32);
    for (who, browser) in [&outsider, &student].into_iter().enumerate() {
        assert_eq!(visavis.socket(browser, &unknown).await.map(drop), refused(404, "not_found"), "person {who}");
    }
    let ended = visavis.call(&mentor, Method::POST, &format!("/api/mentoring/video-call/{room}/end/"), None).await;
    assert_eq!(ended.body["status"], "ended");
    assert_eq!(visavis.socket(&outsider, &room).await.map(drop), refused(404, "not_found"));
    assert_eq!(visavis.socket(&student, &room).await.map(drop), refused(410, "room_ended"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_socket_needs_this_box_s_own_page() {
    let (visavis, [.., student, _], _, room) = a_room().await;
    let foreign = Err((403, "foreign_origin".to_owned()));
    let port = visavis.address().port();
    let wrong_scheme = format!("http://localhost:{port}");
    for origin in [None, Some("https://evil.example"), Some("null"), Some("https://localhost"), Some(wrong_scheme.as_str())] {
        assert_eq!(visavis.socket_from(&student, &room, origin).await.map(drop), foreign, "{origin:?}");
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn an_unknown_room_and_a_foreign_one_are_answered_alike() {
    let (visavis, [_, outsider, ..], _, room) = a_room().await;
    let of = |id: String| {
        let (visavis, outsider) = (&visavis, &outsider);
        async move { visavis.get(outsider, &format!("/api/mentoring/video-call/{id}/")).await }
    };
    let (foreign, unknown, malformed) = (of(room).await, of("0".repeat(32)).await, of("x".to_owned()).await);
    assert_eq!((&foreign.text, foreign.status), (&unknown.text, unknown.status));
    assert_eq!((&foreign.text, foreign.status), (&malformed.text, malformed.status));
    visavis.app.stop().await;
}

/// A box with a room of mara and stu; then nobody, a mentor of another session, its student, stu and mara.
async fn a_room() -> (Appliance, [Browser; 5], String, String) {
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let (milo, sam) = (visavis.sign_in("milo").await, visavis.sign_in("sam").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let elsewhere = visavis.accepted_session(&milo, &sam).await;
    let room = visavis.room(&mara, &session).await;
    visavis.room(&milo, &elsewhere).await;
    let outsider = milo.clone();
    (visavis, [Browser::default(), outsider, sam, stu, mara], session, room)
}
