//! What stands between the daemon and pebble: passes requests on, counts orders, and can be down, rate-limited or full of suggestions.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What becomes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Passes,
    /// Every connection is closed.
    Down,
    /// Orders are refused, with a wait of so many seconds.
    Limits(u64),
    /// RFC 9773: every certificate had best been renewed an hour ago.
    SuggestsThePast,
}

pub(crate) struct Front {
    mood: Mutex<Mood>,
    orders: AtomicUsize,
    requests: AtomicUsize,
    address: Ipv4Addr,
    pebble: TlsConnector,
}

impl Front {
    pub(crate) const PORT: u16 = 14_443;

    pub(crate) async fn start(address: Ipv4Addr, folder: &Path) -> Arc<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        let chain = vec![CertificateDer::from_pem_file(folder.join("front.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(folder.join("front.key")).unwrap();
        let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = TlsAcceptor::from(Arc::new(server.with_no_client_auth().with_single_cert(chain, key).unwrap()));
        let front = Arc::new(Self {
            mood: Mutex::new(Mood::Passes),
            orders: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            address,
            pebble: TlsConnector::from(Arc::new(client)),
        });
        let listener = TcpListener::bind((address, Self::PORT)).await.unwrap();
        let serving = Arc::clone(&front);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if serving.mood() != Mood::Down {
                    tokio::spawn(Arc::clone(&serving).serve(tls.clone(), stream));
                }
            }
        });
        front
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Orders that were made or refused.
    pub(crate) fn orders(&self) -> usize {
        self.orders.load(Ordering::SeqCst)
    }

    /// Requests of any kind.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    async fn serve(self: Arc<Self>, tls: TlsAcceptor, stream: TcpStream) {
        let Ok(stream) = tls.accept(stream).await else { return };
        let service = service_fn(|request| {
            let front = Arc::clone(&self);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_owned();
        if path == "/order-plz" {
            self.orders.fetch_add(1, Ordering::SeqCst);
        }
        match self.mood() {
            Mood::Limits(seconds) if path == "/order-plz" => {
                let problem =
                    r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates for school.example"}"#;
                let answer = Response::builder().status(429).header("retry-after", seconds).header("replay-nonce", "none");
                answer.body(Full::from(problem)).unwrap()
            }
            Mood::SuggestsThePast if path.starts_with("/ari/") => {
                let text = |ago: i64| {
                    let time = time::OffsetDateTime::now_utc() - time::Duration::minutes(ago);
                    time.format(&time::format_description::well_known::Rfc3339).unwrap()
                };
                let window = serde_json::json!({ "suggestedWindow": { "start": text(120), "end": text(60) } });
                Response::builder().header("retry-after", 21_600).body(Full::from(window.to_string())).unwrap()
            }
            mood => self.pass(request, mood).await,
        }
    }

    /// Asks pebble itself for something on this port of its.
    pub(crate) async fn ask(&self, port: u16, path: &str) -> String {
        let host = format!("{}:{port}", self.address);
        let request = Request::get(path).header("host", host).body(Full::default()).unwrap();
        String::from_utf8(self.exchange(port, request).await.1.to_vec()).unwrap()
    }

    async fn pass(&self, request: Request<Incoming>, mood: Mood) -> Response<Full<Bytes>> {
        let is_directory = request.uri().path() == "/dir";
        let (mut parts, body) = request.into_parts();
        parts.uri = Uri::from(parts.uri.path_and_query().cloned().unwrap());
        let body = Full::<Bytes>::from(body.collect().await.unwrap().to_bytes());
        let (mut parts, mut body) = self.exchange(14_000, Request::from_parts(parts, body)).await;
        if is_directory && mood == Mood::SuggestsThePast {
            let mut directory: serde_json::Value = serde_json::from_slice(&body).unwrap();
            directory["renewalInfo"] = format!("https://{}:{}/ari", self.address, Self::PORT).into();
            body = directory.to_string().into();
            parts.headers.remove("content-length");
        }
        Response::from_parts(parts, Full::from(body))
    }

    async fn exchange(&self, port: u16, request: Request<Full<Bytes>>) -> (hyper::http::response::Parts, Bytes) {
        let stream = TcpStream::connect((self.address, port)).await.unwrap();
        let stream = self.pebble.connect(ServerName::from(std::net::IpAddr::from(self.address)), stream).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        driver.abort();
        (parts, body)
    }
}
