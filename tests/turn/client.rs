//! The `turn` crate's client, over `webrtc-util`'s `Conn`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::UdpSocket;
use turn::client::{Client, ClientConfig};
use visavis::proto::credential::CredentialSecret;
use visavis::proto::id::{ParticipantId, RoomId};
use webrtc_util::Conn;

use crate::{SHARED_SECRET, daemon, daemon_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_s_own_credential_relays_to_a_peer_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
    let credential = secret.mint(in_an_hour(), RoomId::from_random([1; 16]), ParticipantId::from_random([2; 16]));
    let client = client(address, credential.username, credential.password).await;
    let relayed = client.allocate().await.unwrap();
    echoes(&relayed, &[0, 1, 3, 160, 1200, 8000]).await;
    client.close().await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_ends_takes_its_allocations_along() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon(&folder, "127.0.0.1:0").await;
    let secret = CredentialSecret::new(&std::fs::read(folder.path().join("turn.key")).unwrap());
    let room = RoomId::from_random([1; 16]);
    let credential = secret.mint(in_an_hour(), room, ParticipantId::from_random([2; 16]));
    let client = client(address, credential.username, credential.password).await;
    let relayed = client.allocate().await.unwrap();
    echoes(&relayed, &[160]).await;
    app.relay().revoke_room(room);
    let outside = relayed.local_addr().unwrap();
    freed(outside).await;
    client.close().await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_allow_peers_the_box_s_own_services_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let (app, address) = daemon_with(&folder, "127.0.0.1:0", "").await;
    let username = format!("{}:alice", in_an_hour().as_secs());
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

/// A peer hears each message and is heard.
async fn echoes(relayed: &impl Conn, sizes: &[usize]) {
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut there, mut back) = (vec![0; 9000], vec![0; 9000]);
    for (seed, size) in sizes.iter().enumerate() {
        let message = vec![u8::try_from(seed).unwrap(); *size];
        relayed.send_to(&message, peer.local_addr().unwrap()).await.unwrap();
        let (length, from) = soon(peer.recv_from(&mut there)).await.unwrap();
        assert_eq!((&there[..length], from), (&message[..], relayed.local_addr().unwrap()));
        peer.send_to(&there[..length], from).await.unwrap();
        let (length, from) = soon(relayed.recv_from(&mut back)).await.unwrap();
        assert_eq!((&back[..length], from), (&message[..], peer.local_addr().unwrap()));
    }
}

/// Waits until a relayed address can be bound by others.
async fn freed(address: SocketAddr) {
    let free = async {
        while UdpSocket::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(free).await;
}

async fn client(server: SocketAddr, username: String, password: String) -> Client {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(ClientConfig {
        stun_serv_addr: server.to_string(),
        turn_serv_addr: server.to_string(),
        username,
        password,
        realm: "visavis".to_owned(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(socket),
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

fn in_an_hour() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600)
}
