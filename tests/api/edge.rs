//! What no page sends: foreign hosts and origins, other methods, broken and oversized bodies.

use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::json;

use crate::harness::{Appliance, Browser};

#[tokio::test]
async fn a_foreign_host_is_refused_before_anything_else() {
    let visavis = Appliance::start().await;
    let request = Request::get("/api/auth/me/").header("host", "evil.example").body(Full::default()).unwrap();
    assert_eq!(visavis.send(request).await.refusal(), (421, "unknown_host"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn another_site_s_page_cannot_act() {
    let visavis = Appliance::start().await;
    let mara = visavis.sign_in("mara").await;
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
    ] {
        let mut request =
            Request::post("/api/auth/logout/").header("host", visavis.host()).header("cookie", mara.cookie.clone().unwrap());
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        assert_eq!(visavis.send(request.body(Full::default()).unwrap()).await.refusal(), (403, "foreign_origin"), "{headers:?}");
    }
    assert_eq!(visavis.get(&mara, "/api/auth/me/").await.status, 200);
    visavis.app.stop().await;
}

#[tokio::test]
async fn each_broken_request_has_its_own_code() {
    let visavis = Appliance::start().await;
    let raw = |content_type: &'static str, body: Vec<u8>| {
        let visavis = &visavis;
        async move {
            let request =
                Request::post("/api/auth/login/").header("host", visavis.host()).header("sec-fetch-site", "same-origin");
            visavis.send(request.header("content-type", content_type).body(Full::from(body)).unwrap()).await
        }
    };
    assert_eq!(raw("text/plain", b"{}".to_vec()).await.refusal(), (415, "unsupported_media_type"));
    assert_eq!(raw("application/json", b"{".to_vec()).await.refusal(), (400, "malformed_json"));
    assert_eq!(raw("application/json", b"{}".to_vec()).await.refusal(), (422, "invalid_field"));
    assert_eq!(raw("application/json", b"[".repeat(10_000)).await.refusal(), (422, "invalid_field"));
    assert_eq!(raw("application/json", vec![b' '; 16 * 1024 + 1]).await.refusal(), (413, "body_too_large"));
    assert_eq!(
        visavis.call(&Browser::default(), Method::PUT, "/api/auth/login/", None).await.refusal(),
        (405, "method_not_allowed")
    );
    assert_eq!(visavis.get(&Browser::default(), "/api/nothing/").await.refusal(), (404, "not_found"));
    let stu = visavis.sign_in("stu").await;
    for new in [json!({ "mentor_id": "0".repeat(32), "topic": "x" }), json!({ "mentor_id": "x", "topic": "x" })] {
        assert_eq!(visavis.post(&stu, "/api/mentoring/sessions/", new).await.refusal(), (422, "invalid_field"));
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let visavis = Appliance::start().await;
    for path in ["/", "/api/auth/me/", "/assets/none.js"] {
        let reply = visavis.get(&Browser::default(), path).await;
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains(&format!("wss://{}", visavis.host())),
            "{path}: {policy}"
        );
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        assert!(!reply.headers.contains_key("strict-transport-security"), "HSTS is for publicly trusted certificates alone");
    }
    visavis.app.stop().await;
}
