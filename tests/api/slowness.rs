//! Whoever takes their time, or says nothing at all, is sent away and makes nobody wait.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Appliance, Browser};

#[tokio::test]
async fn the_oldest_silent_connection_makes_room_and_those_that_asked_stay() {
    let visavis = Appliance::start_with("[limits]\nhalf-open-per-source = 8\nheader-timeout = \"2m\"\n").await;
    let mut asked = visavis.tls().await;
    ask(&visavis, &mut asked).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(visavis.address()).await.unwrap());
    }
    let mut buffer = [0; 1];
    let evicted = async {
        tokio::select! {
            _ = silent[0].read(&mut buffer) => {}
            () = async { loop { silence(&visavis).await } } => {}
        }
    };
    within_ten_seconds(evicted).await;
    ask(&visavis, &mut asked).await;
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let visavis = Appliance::start_with(IMPATIENT).await;
    let mut stream = TcpStream::connect(visavis.address()).await.unwrap();
    stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let visavis = Appliance::start_with(IMPATIENT).await;
    let mut stream = visavis.tls().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_end_is_refused() {
    let visavis = Appliance::start_with(IMPATIENT).await;
    let mut stream = visavis.tls().await;
    let host = visavis.host();
    let head = format!(
        "POST /api/auth/login/ HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_connection_idle_between_requests_is_closed() {
    let visavis = Appliance::start_with(IMPATIENT).await;
    let mut stream = visavis.tls().await;
    ask(&visavis, &mut stream).await;
    ask(&visavis, &mut stream).await;
    assert_eq!(rest(&mut stream).await, "");
    visavis.app.stop().await;
}

#[tokio::test]
async fn silent_connections_make_room_when_every_place_is_taken() {
    let visavis = Appliance::start_with("[limits]\nconnections-max = 16\nheader-timeout = \"2m\"\n").await;
    let mut silent = Vec::new();
    for _ in 0..32 {
        silent.push(TcpStream::connect(visavis.address()).await.unwrap());
    }
    within_ten_seconds(async { assert_eq!(visavis.get(&Browser::default(), "/api/auth/me/").await.status, 401) }).await;
    visavis.app.stop().await;
}

/// Asks for something on a connection that stays open.
async fn ask<S: AsyncReadExt + AsyncWriteExt + Unpin>(visavis: &Appliance, stream: &mut S) {
    stream.write_all(format!("GET /api/auth/me/ HTTP/1.1\r\nhost: {}\r\n\r\n", visavis.host()).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer));
}

/// One more connection that says nothing.
async fn silence(visavis: &Appliance) {
    drop(TcpStream::connect(visavis.address()).await.unwrap());
    tokio::task::yield_now().await;
}

/// What comes until the box closes the connection.
async fn rest<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut answer = Vec::new();
    within_ten_seconds(async { while stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} }).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn within_ten_seconds<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("nothing happened for ten seconds")
}

const IMPATIENT: &str = "[limits]\nheader-timeout = \"1s\"\n";
