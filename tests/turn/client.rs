//! The `turn` crate's client, over `webrtc-util`'s `Conn`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use turn::client::{Client, ClientConfig};
use visavis::doctor::Framed;
use visavis::proto::credential::CredentialSecret;
use visavis::proto::id::{ParticipantId, RoomId};
use visavis::proto::turn::{Allocated, Traffic, Transport};
use webrtc_util::Conn;

use crate::{SHARED_SECRET, daemon, daemon_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_s_own_credential_relays_to_a_peer_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
    let credential = secret.mint(now(), RoomId::from_random([1; 16]), ParticipantId::from_random([2; 16]));
    let client = client(address, credential.username, credential.password).await;
    let relayed = client.allocate().await.unwrap();
    echoes(&relayed, &[0, 1, 3, 160, 1200, 8000]).await;
    let relay = app.relay();
    let counted = relay.counters().await.unwrap();
    let traffic = Traffic { packets: 6, bytes: 9364 };
    let (relayed, allocated) = (counted.relayed(Transport::Udp), counted.allocations(Transport::Udp));
    assert_eq!((relayed.to_peers, relayed.to_clients, allocated), (traffic, traffic, Allocated { made: 1, live: 1 }));
    client.close().await.unwrap();
    app.stop().await;
    assert_eq!(relay.counters().await, None, "it is gone, and says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_ends_takes_its_allocations_along() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
    let room = RoomId::from_random([1; 16]);
    let credential = secret.mint(now(), room, ParticipantId::from_random([2; 16]));
    let client = client(address, credential.username, credential.password).await;
    let relayed = client.allocate().await.unwrap();
    echoes(&relayed, &[160]).await;
    app.relay().revoke_room(SystemTime::now(), room);
    let outside = relayed.local_addr().unwrap();
    freed(outside).await;
    client.close().await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_over_stays_over_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (before, _) = daemon(&folder, "127.0.0.1:0").await;
    before.stop().await;
    let room = RoomId::from_random([1; 16]);
    let database = rusqlite::Connection::open(folder.path().join("visavis.db")).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    let sql = "INSERT INTO video_call_rooms (id, session_id, status, created_at, ended_at) VALUES (?1, 'any', 'ended', 0, ?2)";
    database.execute(sql, (room.to_string(), i64::try_from(now().as_millis()).unwrap())).unwrap();
    drop(database);
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
    for (room, allowed) in [(room, false), (RoomId::from_random([9; 16]), true)] {
        let credential = secret.mint(now(), room, ParticipantId::from_random([2; 16]));
        let client = client(address, credential.username, credential.password).await;
        assert_eq!(client.allocate().await.is_ok(), allowed);
        client.close().await.unwrap();
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_allow_peers_the_box_s_own_services_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon_with(&folder, "127.0.0.1:0", "").await;
    let username = format!("{}:alice", (now() + Duration::from_secs(3600)).as_secs());
    let password = CredentialSecret::new(SHARED_SECRET.as_bytes()).password(&username);
    let client = client(address, username, password).await;
    let relayed = client.allocate().await.unwrap();
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    relayed.send_to(b"hello", service.local_addr().unwrap()).await.unwrap();
    // Answered after what was sent before it.
    client.send_binding_request().await.unwrap();
    assert!(service.try_recv(&mut [0; 8]).is_err(), "no packet left");
    client.close().await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lose_nothing_in_the_clear_within_tls_and_on_the_page_s_port() {
    let folder = tempfile::tempdir().unwrap();
    let (app, _) = daemon(&folder, "127.0.0.1:0").await;
    let connector = trusting(&folder.path().join("tls/ca.pem"));
    let sizes: Vec<usize> = (0..300).map(|n| n * 37 % 1400).collect();
    for (address, secure) in
        [(app.turn_tcp_addresses()[0], false), (app.turn_tls_addresses()[0], true), (app.http_addresses()[0], true)]
    {
        let stream = TcpStream::connect(address).await.unwrap();
        let conn: Arc<dyn Conn + Send + Sync> = match secure {
            false => Arc::new(Framed::new(stream, address)),
            true => {
                let name = ServerName::try_from("localhost").unwrap();
                Arc::new(Framed::new(connector.connect(name, stream).await.unwrap(), address))
            }
        };
        let username = format!("{}:alice", (now() + Duration::from_secs(3600)).as_secs());
        let password = CredentialSecret::new(SHARED_SECRET.as_bytes()).password(&username);
        let client = client_over(conn, address, username, password).await;
        let relayed = client.allocate().await.unwrap();
        let outside = relayed.local_addr().unwrap();
        echoes(&relayed, &sizes).await;
        client.close().await.unwrap();
        drop((relayed, client));
        freed(outside).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_turn_closes_its_stream() {
    let folder = tempfile::tempdir().unwrap();
    let (app, _) = daemon(&folder, "127.0.0.1:0").await;
    let mut stream = TcpStream::connect(app.turn_tcp_addresses()[0]).await.unwrap();
    stream.write_all(b"\x16\x03\x01\x02\x00").await.unwrap();
    let mut rest = Vec::new();
    assert_eq!(soon(stream.read_to_end(&mut rest)).await.unwrap_or(0), 0);
    app.stop().await;
}

fn trusting(ca: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(client.with_root_certificates(roots).with_no_client_auth()))
}

/// A peer hears each message and is heard.
async fn echoes(relayed: &impl Conn, sizes: &[usize]) {
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut there, mut back) = (vec![0; 9000], vec![0; 9000]);
    for (seed, size) in sizes.iter().enumerate() {
        let message = vec![seed as u8; *size];
        relayed.send_to(&message, peer.local_addr().unwrap()).await.unwrap();
        let (length, from) = soon(peer.recv_from(&mut there)).await.unwrap();
        assert_eq!((&there[..length], from), (&message[..], relayed.local_addr().unwrap()));
        peer.send_to(&there[..length], from).await.unwrap();
        let (length, from) = soon(relayed.recv_from(&mut back)).await.unwrap();
        assert_eq!((&back[..length], from), (&message[..], peer.local_addr().unwrap()));
    }
}

/// Waits until a relayed address can be bound by others.
pub(crate) async fn freed(address: SocketAddr) {
    let free = async {
        while UdpSocket::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(free).await;
}

async fn client(server: SocketAddr, username: String, password: String) -> Client {
    client_over(Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()), server, username, password).await
}

async fn client_over(conn: Arc<dyn Conn + Send + Sync>, server: SocketAddr, username: String, password: String) -> Client {
    let client = Client::new(ClientConfig {
        stun_serv_addr: server.to_string(),
        turn_serv_addr: server.to_string(),
        username,
        password,
        realm: "visavis".to_owned(),
        software: String::new(),
        rto_in_ms: 0,
        conn,
        vnet: None,
    })
    .await
    .unwrap();
    client.listen().await.unwrap();
    client
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it comes soon")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
