//! A TURN client's control side: requests that wait for their answers, many clients at a time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_ERROR_CODE, ATTR_LIFETIME, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME,
};
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter, METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION,
    METHOD_REFRESH, Message, MessageType, Setter,
};
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use visavis::proto::credential::CredentialSecret;

use crate::frame::CHANNEL;
use crate::server::{SECRET, Server};
use crate::stream::{self, Stream};

/// How clients reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// One five-tuple.
pub(crate) enum Link {
    Udp(UdpSocket),
    Stream(Box<Stream>),
}

/// A client with, sooner or later, an allocation.
pub(crate) struct Client {
    pub(crate) link: Link,
    /// Its relayed transport address.
    pub(crate) relayed: Option<SocketAddr>,
    credential: Credential,
    challenge: Option<Challenge>,
}

/// What a client asks of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    Allocate,
    BindChannel(SocketAddr),
    Permit(SocketAddr),
    Free,
}

/// What a 401 said, and the key that follows from it.
struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: MessageIntegrity,
}

/// A credential of the shared secret, good for longer than any run.
struct Credential {
    username: String,
    password: String,
}

/// Makes clients with an allocation each.
pub(crate) fn allocate(server: &Server, transport: Transport, count: usize) -> Result<Vec<Client>> {
    allocate_from(Ipv4Addr::LOCALHOST.into(), server, transport, count)
}

/// The same, at an address of this machine; streams leave from the usual one.
pub(crate) fn allocate_from(own: IpAddr, server: &Server, transport: Transport, count: usize) -> Result<Vec<Client>> {
    let tls = (transport == Transport::Tls).then(stream::trusting_anybody).transpose()?;
    let connect = |index| Client::connect(own, server, transport, tls.as_ref(), Credential::mint(index)?);
    let mut clients = (0..count).map(connect).collect::<Result<Vec<_>>>()?;
    ask_all(&mut clients, |_| Ask::Allocate)?;
    Ok(clients)
}

/// Asks for something on behalf of every client, [`AT_ONCE`] of them at a time.
pub(crate) fn ask_all(clients: &mut [Client], ask: impl Fn(usize) -> Ask) -> Result<()> {
    for (chunk, first) in clients.chunks_mut(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
        let mut pending: Vec<usize> = (0..chunk.len()).collect();
        for _ in 0..ATTEMPTS_MAX {
            let mut asked = Vec::new();
            for index in pending.drain(..) {
                let request = chunk[index].request(ask(first + index))?;
                chunk[index].link.send(&request.raw)?;
                asked.push((index, request));
            }
            for (index, request) in asked {
                if !chunk[index].take_answer(&request)? {
                    pending.push(index);
                }
            }
        }
        if !pending.is_empty() {
            bail!("{} of {} clients got no answer", pending.len(), chunk.len());
        }
    }
    Ok(())
}

impl Client {
    fn connect(
        own: IpAddr,
        server: &Server,
        transport: Transport,
        tls: Option<&Arc<rustls::ClientConfig>>,
        credential: Credential,
    ) -> Result<Self> {
        let link = match transport {
            Transport::Udp => {
                let socket = UdpSocket::bind((own, 0))?;
                socket.connect(server.plain)?;
                socket.set_read_timeout(Some(ANSWER_MAX))?;
                Link::Udp(socket)
            }
            Transport::Tcp => Link::Stream(Box::new(Stream::connect(server.plain, None, ANSWER_MAX)?)),
            Transport::Tls => Link::Stream(Box::new(Stream::connect(server.tls, tls, ANSWER_MAX)?)),
        };
        Ok(Self { link, relayed: None, credential, challenge: None })
    }

    /// Its relayed transport address.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn relayed(&self) -> Result<SocketAddr> {
        self.relayed.context("a client has no allocation")
    }

    fn request(&self, ask: Ask) -> Result<Message> {
        let mut message = Message::new();
        message.new_transaction_id()?;
        let method = match ask {
            Ask::Allocate => METHOD_ALLOCATE,
            Ask::BindChannel(_) => METHOD_CHANNEL_BIND,
            Ask::Permit(_) => METHOD_CREATE_PERMISSION,
            Ask::Free => METHOD_REFRESH,
        };
        message.set_type(MessageType::new(method, CLASS_REQUEST));
        message.write_header();
        match ask {
            Ask::Allocate => message.add(ATTR_REQUESTED_TRANSPORT, &[UDP, 0, 0, 0]),
            Ask::BindChannel(_) => message.add(ATTR_CHANNEL_NUMBER, &(u32::from(CHANNEL) << 16).to_be_bytes()),
            Ask::Permit(_) => {}
            Ask::Free => message.add(ATTR_LIFETIME, &[0; 4]),
        }
        if let Ask::BindChannel(peer) | Ask::Permit(peer) = ask {
            PeerAddress { ip: peer.ip(), port: peer.port() }.add_to(&mut message)?;
        }
        if let Some(challenge) = &self.challenge {
            message.add(ATTR_USERNAME, self.credential.username.as_bytes());
            message.add(ATTR_REALM, &challenge.realm);
            message.add(ATTR_NONCE, &challenge.nonce);
            challenge.key.add_to(&mut message)?;
        }
        Ok(message)
    }

    /// Waits for the answer; false if the request is to be sent again, with what a challenge said or because it was lost.
    fn take_answer(&mut self, request: &Message) -> Result<bool> {
        let mut buffer = [0; 2048];
        let answer = loop {
            let Some(length) = self.link.receive(&mut buffer)? else { return Ok(false) };
            let mut answer = Message::new();
            answer.write(&buffer[..length])?;
            if answer.transaction_id == request.transaction_id {
                break answer;
            }
        };
        if answer.typ.class == CLASS_SUCCESS_RESPONSE {
            let mut relayed = RelayedAddress::default();
            if relayed.get_from(&answer).is_ok() {
                self.relayed = Some(SocketAddr::new(relayed.ip, relayed.port));
            }
            return Ok(true);
        }
        let code = answer.get(ATTR_ERROR_CODE)?;
        match code.get(2..4) {
            Some([4, 1 | 38]) => {
                self.challenge = Some(Challenge::of(&answer, &self.credential)?);
                Ok(false)
            }
            _ => bail!("the server refused {}: {:?}", request.typ, String::from_utf8_lossy(&code)),
        }
    }
}

impl Link {
    fn send(&mut self, frame: &[u8]) -> Result<()> {
        match self {
            Self::Udp(socket) => socket.send(frame).map(|_| ())?,
            Self::Stream(stream) => stream.send(frame)?,
        }
        Ok(())
    }

    /// One frame; `None` if none comes.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<usize>> {
        let received = match self {
            Self::Udp(socket) => socket.recv(buffer),
            Self::Stream(stream) => stream.receive(buffer),
        };
        match received {
            Ok(length) => Ok(Some(length)),
            Err(cause) if matches!(cause.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }
}

impl Challenge {
    fn of(answer: &Message, credential: &Credential) -> Result<Self> {
        let (realm, nonce) = (answer.get(ATTR_REALM)?, answer.get(ATTR_NONCE)?);
        let name = String::from_utf8_lossy(&realm).into_owned();
        let key = MessageIntegrity::new_long_term_integrity(credential.username.clone(), name, credential.password.clone());
        Ok(Self { realm, nonce, key })
    }
}

impl Credential {
    /// One for each client, since servers count what a credential holds.
    fn mint(index: usize) -> Result<Self> {
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(24 * 3600);
        let username = format!("{}:bench-{index}", expiry.as_secs());
        let password = CredentialSecret::new(SECRET.as_bytes()).password(&username);
        Ok(Self { username, password })
    }
}

/// As many requests as fit a socket's buffer with room to spare.
const AT_ONCE: usize = 64;
const ATTEMPTS_MAX: usize = 5;
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// IANA's number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
