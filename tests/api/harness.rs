//! A daemon on free ports with its own authority, and clients that trust it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use visavis::accounts::Accounts;
use visavis::app::App;
use visavis::config;
use visavis::proto::signal::Role;
use visavis::store::Store;

pub(crate) const PASSWORD: &str = "correct horse";
const HOST: &str = "localhost";

/// A running daemon with the people of the tests in it.
pub(crate) struct Appliance {
    pub(crate) app: App,
    pub(crate) folder: tempfile::TempDir,
    client: Client,
}

/// Knows where a daemon answers, and trusts its authority.
pub(crate) struct Client {
    address: SocketAddr,
    connector: TlsConnector,
}

/// A browser: it keeps its cookie.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    /// Status and stable code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or(""))
    }
}

impl Appliance {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// `more` is appended to the configuration.
    pub(crate) async fn start_with(more: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more).await
    }

    pub(crate) async fn start_in(folder: tempfile::TempDir, more: &str) -> Self {
        populate(folder.path()).await;
        Self::restart(folder, more).await
    }

    pub(crate) async fn restart(folder: tempfile::TempDir, more: &str) -> Self {
        let text = configuration(folder.path(), more);
        Self::configured(folder, &text).await
    }

    /// Runs on a configuration of the test's own.
    pub(crate) async fn configured(folder: tempfile::TempDir, text: &str) -> Self {
        let app = App::start(&config::parse(text).unwrap()).await.unwrap();
        let client = Client::new(app.http_addresses()[0], folder.path());
        Self { app, folder, client }
    }

    /// From here on connections are another device's, which has never been here.
    pub(crate) fn forget_tls_sessions(&mut self) {
        self.client = Client::new(self.app.http_addresses()[0], self.folder.path());
    }
}

impl std::ops::Deref for Appliance {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Makes the people of the tests.
pub(crate) async fn populate(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let accounts = Accounts::new(store.clone());
    let people =
        [("admin", Role::Admin), ("mara", Role::Mentor), ("milo", Role::Mentor), ("stu", Role::Student), ("sam", Role::Student)];
    for (name, role) in people {
        accounts.add(name.parse().unwrap(), name.parse().unwrap(), role, PASSWORD.parse().unwrap()).await.unwrap();
    }
    store.close().await;
}

/// Free ports of loopback; `more` is appended.
pub(crate) fn configuration(folder: &Path, more: &str) -> String {
    format!(
        "[server]\ndata-dir = \"{}\"\n[metrics]\nlisten = [\"127.0.0.1:0\"]\n[http]\nlisten = [\"127.0.0.1:0\"]\nredirect-listen = [\"127.0.0.1:0\"]\n[turn]\nlisten-udp = [\"127.0.0.1:0\"]\nlisten-tcp = [\"127.0.0.1:0\"]\nlisten-tls = []\n{more}",
        folder.display()
    )
}

impl Client {
    /// For the daemon at `address`, whose data is in `folder`.
    pub(crate) fn new(address: SocketAddr, folder: &Path) -> Self {
        let ca = CertificateDer::from_pem_file(folder.join("tls/ca.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        Self { address, connector: TlsConnector::from(Arc::new(client)) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn host(&self) -> String {
        format!("{HOST}:{}", self.address().port())
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        self.connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap()
    }

    /// Sends a request as it stands.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(self.tls().await)).await.unwrap();
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        driver.abort();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), text }
    }

    /// Sends what the page would.
    pub(crate) async fn call(&self, browser: &Browser, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.host()).header("sec-fetch-site", "same-origin");
        if let Some(cookie) = &browser.cookie {
            request = request.header("cookie", cookie);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send(request.body(Full::from(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, browser: &Browser, path: &str) -> Reply {
        self.call(browser, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, browser: &Browser, path: &str, body: Value) -> Reply {
        self.call(browser, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn sign_in(&self, username: &str) -> Browser {
        let reply =
            self.post(&Browser::default(), "/api/auth/login/", json!({ "username": username, "password": PASSWORD })).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        let cookie = reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Browser { cookie: Some(cookie) }
    }

    /// A session of these two that was accepted; its id.
    pub(crate) async fn accepted_session(&self, mentor: &Browser, student: &Browser) -> String {
        let mentor_id = self.get(mentor, "/api/auth/me/").await.body["user"]["id"].clone();
        let session = self.post(student, "/api/mentoring/sessions/", json!({ "mentor_id": mentor_id, "topic": "algebra" })).await;
        assert_eq!(session.status, StatusCode::CREATED, "{}", session.text);
        let id = session.body["id"].as_str().unwrap().to_owned();
        let accepted = self.call(mentor, Method::POST, &format!("/api/mentoring/sessions/{id}/accept/"), None).await;
        assert_eq!(accepted.body["status"], "accepted", "{}", accepted.text);
        id
    }

    /// The standing room of a session; its id.
    pub(crate) async fn room(&self, browser: &Browser, session: &str) -> String {
        let room = self.post(browser, "/api/mentoring/video-call/create/", json!({ "session_id": session })).await;
        assert!(room.status.is_success(), "{}", room.text);
        room.body["id"].as_str().unwrap().to_owned()
    }

    /// Opens the signaling socket as the page would; a refusal comes back as status and code.
    pub(crate) async fn socket(
        &self,
        browser: &Browser,
        room: &str,
    ) -> Result<WebSocketStream<TlsStream<TcpStream>>, (u16, String)> {
        self.socket_from(browser, room, Some(&format!("https://{}", self.host()))).await
    }

    pub(crate) async fn socket_from(
        &self,
        browser: &Browser,
        room: &str,
        origin: Option<&str>,
    ) -> Result<WebSocketStream<TlsStream<TcpStream>>, (u16, String)> {
        let mut request = format!("wss://{}/ws/video-call/{room}/", self.host()).into_client_request().unwrap();
        if let Some(cookie) = &browser.cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, self.tls().await).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(refused)) => {
                let body: Value = serde_json::from_slice(refused.body().as_deref().unwrap_or_default()).unwrap_or(Value::Null);
                Err((refused.status().as_u16(), body["code"].as_str().unwrap_or("").to_owned()))
            }
            Err(error) => panic!("{error}"),
        }
    }
}
