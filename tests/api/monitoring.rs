//! What monitoring is told: metrics, health, readiness, status; and what is made of it.

use std::collections::BTreeSet;
use std::path::Path;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::attendance::{a_request, a_room_in, lock, seated};
use crate::exposition::Exposition;
use crate::harness::{Appliance, Browser};

#[tokio::test]
async fn metrics_count_what_goes_on_and_name_nobody() {
    let (visavis, [mara, stu], session, room) = a_room_in(tempfile::tempdir().unwrap()).await;
    let (_mentor, _) = seated(&visavis, &mara, &room).await;
    let (_student, _) = seated(&visavis, &stu, &room).await;
    let wrong = json!({ "username": "mara", "password": "wrong horse" });
    assert_eq!(visavis.post(&Browser::default(), "/api/auth/login/", wrong).await.status, 401);
    let (status, kind, text) = ask(&visavis, "GET", "/metrics").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let metrics = Exposition::read(&text);
    for (series, value) in [
        (concat!("visavis_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
        ("visavis_ready", 1.0),
        ("visavis_rooms", 1.0),
        ("visavis_seats", 2.0),
        ("visavis_waiting", 0.0),
        ("visavis_sockets", 2.0),
        ("visavis_sign_ins_total{result=\"accepted\"}", 2.0),
        ("visavis_sign_ins_total{result=\"refused\"}", 1.0),
        ("visavis_http_requests_total{class=\"1xx\"}", 2.0),
        ("visavis_relay_live_allocations{transport=\"udp\"}", 0.0),
        ("visavis_warning{warning=\"disk_full\"}", 0.0),
    ] {
        assert_eq!(metrics.value(series), value, "{series}");
    }
    assert!(metrics.value("visavis_database_commit_duration_seconds_count") > 3.0);
    assert!(metrics.value("visavis_certificate_expiry_timestamp_seconds") > 1.7e9);
    assert!(metrics.value("process_resident_memory_bytes") > 1e6);
    assert!(metrics.series() < 100, "{}", metrics.series());
    for personal in ["mara", "stu", "Mara", &session, &room, "127.0.0.1"] {
        assert!(!text.contains(personal), "{personal}");
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_ready_and_says_why_to_monitoring_alone() {
    let (visavis, [mara, stu], ..) = a_room_in(tempfile::tempdir().unwrap()).await;
    let public = |path| visavis.get(&mara, path);
    assert_eq!(ask(&visavis, "GET", "/readyz").await, (200, PLAIN.to_owned(), "ok\n".to_owned()));
    assert_eq!(public("/readyz").await.text, "ok\n");
    let wish = a_request(&visavis, &stu).await;
    let locked = lock(&visavis);
    assert_eq!(visavis.post(&stu, "/api/mentoring/sessions/", wish.clone()).await.refusal(), (503, "busy"));
    let reason = "the database takes no writes: database_busy\n";
    assert_eq!(ask(&visavis, "GET", "/readyz").await, (503, PLAIN.to_owned(), reason.to_owned()));
    let told = public("/readyz").await;
    assert_eq!((told.status.as_u16(), told.text.as_str()), (503, "not ready\n"));
    for alive in [ask(&visavis, "GET", "/healthz").await.2, public("/healthz").await.text] {
        assert_eq!(alive, "ok\n", "it lives all the same");
    }
    let report: Value = serde_json::from_str(&ask(&visavis, "GET", "/status").await.2).unwrap();
    assert_eq!((&report["ready"], &report["warnings"]), (&json!(false), &json!(["database_busy"])));
    locked.execute_batch("COMMIT").unwrap();
    assert_eq!(visavis.post(&stu, "/api/mentoring/sessions/", wish).await.status, 201);
    assert_eq!(ask(&visavis, "GET", "/readyz").await.0, 200);
    visavis.app.stop().await;
}

#[tokio::test]
async fn the_monitoring_listener_knows_no_other_path_or_method_and_the_page_has_no_metrics() {
    let visavis = Appliance::start().await;
    assert_eq!(ask(&visavis, "GET", "/").await.0, 404);
    assert_eq!(ask(&visavis, "GET", "/api/auth/me/").await.0, 404);
    assert_eq!(ask(&visavis, "POST", "/metrics").await.0, 405);
    for path in ["/metrics", "/status"] {
        let page = visavis.get(&Browser::default(), path).await;
        assert!(!page.text.contains("visavis_build_info") && !page.text.contains("uptime_seconds"), "{}", page.text);
    }
    visavis.app.stop().await;
}

#[tokio::test]
async fn every_metric_that_the_dashboard_and_the_alerts_name_is_there() {
    let visavis = Appliance::start().await;
    let metrics = Exposition::read(&ask(&visavis, "GET", "/metrics").await.2).names();
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/grafana");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(packaging.join("visavis.json")).unwrap()).unwrap();
    let alerts = std::fs::read_to_string(packaging.join("visavis.rules.yml")).unwrap();
    for named in [names(&dashboard.to_string()), names(&alerts)] {
        assert!(named.len() > 5, "{named:?}");
        let missing: Vec<_> = named.difference(&metrics).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    // What nobody looks at is not worth counting.
    let shown: BTreeSet<_> = names(&dashboard.to_string()).union(&names(&alerts)).cloned().collect();
    let unseen: Vec<_> = metrics.difference(&shown).filter(|name| !name.ends_with("_count") && !name.ends_with("_sum")).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
    visavis.app.stop().await;
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    words.filter(|word| word.starts_with("visavis_") || word.starts_with("process_")).map(str::to_owned).collect()
}

/// Status, kind and text of an answer on the monitoring listener.
/// Scenario: a page that somebody on the box looks at has its own name lead to the box (DNS rebinding).
#[tokio::test]
async fn monitoring_answers_to_the_box_s_own_names_alone() {
    let visavis = Appliance::start().await;
    let port = visavis.app.metrics_addresses()[0].port();
    for path in ["/metrics", "/status", "/readyz"] {
        for (host, expected) in [("evil.example", 421), ("localhost", 200), ("192.0.2.1", 200)] {
            let (status, ..) = ask_as(&visavis, &format!("{host}:{port}"), "GET", path).await;
            assert_eq!(status, expected, "{path} of {host}");
        }
    }
    visavis.app.stop().await;
}

async fn ask(visavis: &Appliance, method: &str, path: &str) -> (u16, String, String) {
    ask_as(visavis, &visavis.app.metrics_addresses()[0].to_string(), method, path).await
}

async fn ask_as(visavis: &Appliance, host: &str, method: &str, path: &str) -> (u16, String, String) {
    let address = visavis.app.metrics_addresses()[0];
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", host);
    let (parts, body) = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    driver.abort();
    (parts.status.as_u16(), parts.headers["content-type"].to_str().unwrap().to_owned(), text)
}

const PLAIN: &str = "text/plain; charset=utf-8";
