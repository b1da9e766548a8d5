//! Behind a reverse proxy that speaks TLS in the daemon's place: whom it is believed about, and whom not.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use visavis::app::App;
use visavis::config;

use crate::harness::{PASSWORD, configuration, populate};

/// A peer that the configuration names, and one that it does not.
const PROXY: &str = "127.0.0.1:0";
const STRANGER: &str = "127.0.0.2:0";
const INNER_PROXY: &str = "127.0.1.1";

#[tokio::test]
async fn throttles_tell_the_browsers_behind_a_trusted_proxy_apart() {
    let visavis = Proxied::start().await;
    for _ in 0..5 {
        assert_eq!(visavis.guess(PROXY, "203.0.113.1").await, 401);
    }
    assert_eq!(visavis.guess(PROXY, "203.0.113.1").await, 429);
    assert_eq!(visavis.guess(PROXY, "198.51.100.9").await, 401);
    assert_eq!(visavis.guess(PROXY, &format!("192.0.2.1, 203.0.113.1, {INNER_PROXY}")).await, 429, "through a chain of proxies");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_stranger_cannot_be_somebody_else_for_each_guess() {
    let visavis = Proxied::start().await;
    for n in 0..5 {
        assert_eq!(visavis.guess(STRANGER, &format!("203.0.{n}.1")).await, 401);
    }
    assert_eq!(visavis.guess(STRANGER, "198.51.100.9").await, 429);
    visavis.app.stop().await;
}

#[tokio::test]
async fn host_and_scheme_are_taken_from_a_trusted_proxy_alone() {
    let visavis = Proxied::start().await;
    let get = |from, headers: &'static [(&str, &str)]| visavis.get(from, "10.9.9.9", headers);
    let (status, headers) = get(PROXY, &[("x-forwarded-host", "localhost"), ("x-forwarded-proto", "https")]).await;
    assert_eq!(status, 401);
    assert!(headers["content-security-policy"].to_str().unwrap().contains("wss://localhost"));
    assert_eq!(get(PROXY, &[("forwarded", "for=203.0.113.1;host=evil.example")]).await.0, 421);
    let (status, headers) = get(STRANGER, &[("x-forwarded-host", "localhost"), ("x-forwarded-proto", "http")]).await;
    assert_eq!(status, 401);
    assert!(headers["content-security-policy"].to_str().unwrap().contains("wss://10.9.9.9"));
    let (status, headers) = get(PROXY, &[("x-forwarded-host", "localhost"), ("x-forwarded-proto", "http")]).await;
    assert_eq!((status.as_u16(), headers["location"].to_str().unwrap()), (308, "https://localhost/api/auth/me/"));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_person_signs_in_and_opens_a_socket_through_the_proxy() {
    let visavis = Proxied::start().await;
    let body = json!({ "username": "mara", "password": PASSWORD });
    let (status, headers, _) = visavis.post(PROXY, "/api/auth/login/", None, "203.0.113.1", &body).await;
    assert_eq!(status, 200);
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-sid=") && cookie.contains("; Secure;"), "{cookie}");
    let mara = cookie.split(';').next().unwrap().to_owned();
    let (_, headers, _) =
        visavis.post(PROXY, "/api/auth/login/", None, "203.0.113.2", &json!({ "username": "stu", "password": PASSWORD })).await;
    let stu = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let me = visavis.body(PROXY, "/api/auth/me/", &mara).await;
    let wish = json!({ "mentor_id": me["user"]["id"], "topic": "algebra" });
    let (_, _, session) = visavis.post(PROXY, "/api/mentoring/sessions/", Some(&stu), "203.0.113.2", &wish).await;
    let session = session["id"].as_str().unwrap().to_owned();
    let accept = format!("/api/mentoring/sessions/{session}/accept/");
    visavis.post(PROXY, &accept, Some(&mara), "203.0.113.1", &json!({})).await;
    let create = json!({ "session_id": session });
    let (_, _, room) = visavis.post(PROXY, "/api/mentoring/video-call/create/", Some(&mara), "203.0.113.1", &create).await;
    let room = room["id"].as_str().unwrap();
    assert!(visavis.opens_socket(&mara, room, "https://localhost").await);
    assert!(!visavis.opens_socket(&mara, room, "https://10.9.9.9").await, "the proxy's own name is not the page's");
    visavis.app.stop().await;
}

struct Proxied {
    app: App,
    _folder: tempfile::TempDir,
}

impl Proxied {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        populate(folder.path()).await;
        let text = configuration(folder.path(), "[tls]\nsource = \"off\"\n");
        let text = text.replace("[http]\n", "[http]\ntrusted-proxies = [\"127.0.0.1/32\", \"127.0.1.0/24\"]\n");
        let app = App::start(&config::parse(&text).unwrap()).await.unwrap();
        Self { app, _folder: folder }
    }

    /// A wrong password for Mara, as `from` passes it on.
    async fn guess(&self, from: &str, forwarded_for: &str) -> u16 {
        let body = json!({ "username": "mara", "password": "a wrong guess" });
        self.post(from, "/api/auth/login/", None, forwarded_for, &body).await.0.as_u16()
    }

    async fn post(
        &self,
        from: &str,
        path: &str,
        cookie: Option<&str>,
        forwarded_for: &str,
        body: &Value,
    ) -> (StatusCode, hyper::HeaderMap, Value) {
        let request = Request::post(path).header("host", "10.9.9.9").header("x-forwarded-host", "localhost");
        let request = request.header("x-forwarded-proto", "https").header("x-forwarded-for", forwarded_for);
        let request = request.header("sec-fetch-site", "same-origin").header("content-type", "application/json");
        let request = cookie.iter().fold(request, |request, cookie| request.header("cookie", *cookie));
        self.send(from, request.body(Full::from(body.to_string())).unwrap()).await
    }

    async fn get(&self, from: &str, host: &str, headers: &[(&str, &str)]) -> (StatusCode, hyper::HeaderMap) {
        let request = Request::get("/api/auth/me/").header("host", host);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (status, headers, _) = self.send(from, request.body(Full::default()).unwrap()).await;
        (status, headers)
    }

    async fn body(&self, from: &str, path: &str, cookie: &str) -> Value {
        let request = Request::get(path).header("host", "localhost").header("cookie", cookie);
        self.send(from, request.body(Full::default()).unwrap()).await.2
    }

    async fn send(&self, from: &str, request: Request<Full<Bytes>>) -> (StatusCode, hyper::HeaderMap, Value) {
        let stream = self.connect(from).await;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        driver.abort();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn opens_socket(&self, cookie: &str, room: &str, origin: &str) -> bool {
        let mut request = format!("ws://10.9.9.9/ws/video-call/{room}/").into_client_request().unwrap();
        let headers =
            [("cookie", cookie), ("origin", origin), ("x-forwarded-host", "localhost"), ("x-forwarded-for", "203.0.113.1")];
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, self.connect(PROXY).await).await {
            Ok(_) => true,
            Err(tungstenite::Error::Http(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn connect(&self, from: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from.parse::<SocketAddr>().unwrap()).unwrap();
        socket.connect(self.app.http_addresses()[0]).await.unwrap()
    }
}
