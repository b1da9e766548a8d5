//! A browser's side of the signaling, as the page has it: hello, join, resume, and the same waits before it comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::people::Person;

pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Where a server is, and how its certificate is known.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    connector: TlsConnector,
}

/// A socket whose owner sits in the room.
pub(crate) struct Seated {
    pub(crate) socket: Socket,
    /// Takes the seat back.
    pub(crate) resume: String,
    /// Who sits there too, if anybody.
    pub(crate) peer: Option<Peer>,
}

/// Whom to address.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) epoch: u64,
}

impl Site {
    pub(crate) fn new(address: SocketAddr, certificate: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(crate) async fn tls(&self) -> Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(self.connector.connect(ServerName::try_from("localhost")?, stream).await?)
    }

    /// Opens a socket and takes the seat, or takes it back; waits in the lobby if it has to.
    pub(crate) async fn join(&self, person: &Person, resume: Option<&str>) -> Result<Seated> {
        let mut request = format!("wss://{}{}", self.host(), person.socket_path).into_client_request()?;
        request.headers_mut().insert("cookie", person.cookie.parse()?);
        request.headers_mut().insert("origin", format!("https://{}", self.host()).parse()?);
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let stream = self.tls().await?;
        let (mut socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        say(&mut socket, serde_json::json!({ "type": "hello", "versions": [2, 1] })).await?;
        let join = match resume {
            Some(resume) => serde_json::json!({ "type": "join", "resume": resume }),
            None => serde_json::json!({ "type": "join" }),
        };
        loop {
            let message = hear(&mut socket).await?;
            match message["type"].as_str() {
                Some("welcome") => say(&mut socket, join.clone()).await?,
                Some("joined") => {
                    let resume = message["resume"].as_str().unwrap_or_default().to_owned();
                    let peer = Peer::read(&message["peers"][0]);
                    return Ok(Seated { socket, resume, peer });
                }
                Some("error") => bail!("refused: {message}"),
                _ => {}
            }
        }
    }
}

impl Seated {
    /// The other one, whom this one was told of when they came.
    pub(crate) async fn peer(&mut self) -> Result<Peer> {
        while self.peer.is_none() {
            let message = hear(&mut self.socket).await?;
            self.peer = Peer::read(&message["peer"]);
        }
        self.peer.clone().context("there is somebody")
    }
}

impl Peer {
    fn read(peer: &Value) -> Option<Self> {
        Some(Self { id: peer["participant_id"].as_str()?.to_owned(), epoch: peer["epoch"].as_u64()? })
    }

    /// An offer of some 300 bytes, whose text begins with when it was sent.
    pub(crate) fn offer(&self, sent: Duration) -> Message {
        let Self { id, epoch } = self;
        Message::text(format!(r#"{{"type":"offer","to":"{id}","epoch":{epoch},"sdp":"{:020}{FILLING}"}}"#, sent.as_nanos()))
    }
}

/// When an offer was sent; `None` if the message is another.
pub(crate) fn sent_at(message: &Message) -> Option<Duration> {
    let Message::Text(text) = message else { return None };
    let (_, sdp) = text.split_once(r#""sdp""#)?;
    let digits = sdp.trim_start_matches([':', ' ', '"']).get(..20)?;
    Some(Duration::from_nanos(digits.parse().ok()?))
}

/// As `web/src/signaling/backoff.ts` has it.
pub(crate) fn backoff(attempt: usize, dice: &mut Dice) -> Duration {
    const DELAYS: [f64; 6] = [0.0, 300.0, 1200.0, 2700.0, 4800.0, 7000.0];
    let base = DELAYS[attempt.min(DELAYS.len() - 1)];
    Duration::from_secs_f64(base * (1.0 + 0.5 * (dice.fraction() - 0.5)) / 1000.0)
}

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// In [0, 1).
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

async fn say(socket: &mut Socket, message: Value) -> Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

async fn hear(socket: &mut Socket) -> Result<Value> {
    let hearing = async {
        loop {
            match socket.next().await.context("the socket closed")?? {
                Message::Text(text) => return anyhow::Ok(serde_json::from_str(&text)?),
                Message::Close(frame) => bail!("the socket was closed: {frame:?}"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(ANSWER_MAX, hearing).await.context("no answer")?
}

const ANSWER_MAX: Duration = Duration::from_secs(60);
/// With its head an offer has 300 bytes.
const FILLING: &str = " v=0 o=- 4611731400430051336 2 IN IP4 127.0.0.1 s=- t=0 0 a=group:BUNDLE 0 1 a=extmap-allow-mixed a=msid-semantic: WMS stream m=audio 9 UDP/TLS/RTP/SAVPF 111";
