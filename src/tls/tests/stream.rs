use std::io::ErrorKind;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::SecureStream;

#[tokio::test]
async fn both_sides_talk_at_once_through_the_narrowest_pipe() {
    let said: Vec<u8> = (0..50_000u32).map(|n| (n % 251) as u8).collect();
    for version in VERSIONS {
        for pipe in [1, 2, 3, 5, 64, 1000, 100_000] {
            let said = if pipe < 64 { &said[..3000] } else { &said };
            let (client, server) = shaken(version, pipe).await;
            let ((mut client_in, mut client_out), (mut server_in, mut server_out)) = (split(client), split(server));
            let (mut there, mut back) = (vec![0; said.len()], vec![0; said.len()]);
            let talk = async |out: &mut (dyn AsyncWrite + Unpin + Send)| {
                out.write_all(said).await?;
                out.flush().await
            };
            let all = async {
                tokio::join!(
                    talk(&mut client_out),
                    talk(&mut server_out),
                    server_in.read_exact(&mut there),
                    client_in.read_exact(&mut back),
                )
            };
            let (a, b, c, d) = timeout(PATIENCE, all).await.expect("the talk hangs");
            assert!(a.is_ok() && b.is_ok());
            assert_eq!((c.unwrap(), d.unwrap()), (said.len(), said.len()));
            assert!(there == said && back == said, "a pipe of {pipe}");
        }
    }
}

#[tokio::test]
async fn what_came_with_the_end_of_the_handshake_is_read() {
    for version in VERSIONS {
        let (ours, theirs) = duplex(PIPE);
        let connecting = tokio::spawn(async move {
            let mut client = connect(version, theirs).await.unwrap();
            client.write_all(b"at once").await.unwrap();
            client.flush().await.unwrap();
            client
        });
        let mut server = SecureStream::accept(server_config(), ours).await.unwrap();
        assert_eq!(server.fill_buf().await.unwrap()[0], b'a', "looking takes nothing");
        server.read_exact(&mut [0; 3]).await.unwrap();
        let _client = connecting.await.unwrap();
        let (_, tls, rest) = server.into_parts();
        assert_eq!((&rest[..], tls.is_handshaking()), (&b"once"[..], false));
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_handshake_is_an_early_end() {
    for version in VERSIONS {
        let mut hello = Vec::new();
        client(client_config(version)).write_tls(&mut hello).unwrap();
        for length in (0..=hello.len()).step_by(13).chain([hello.len()]) {
            let (ours, mut theirs) = duplex(PIPE);
            theirs.write_all(&hello[..length]).await.unwrap();
            theirs.shutdown().await.unwrap();
            let failed = SecureStream::accept(server_config(), ours).await.err().unwrap();
            assert_eq!(failed.kind(), ErrorKind::UnexpectedEof, "after {length} bytes");
        }
    }
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_told_so() {
    let (ours, mut theirs) = duplex(PIPE);
    theirs.write_all(b"GET / HTTP/1.1\r\nHost: box.local\r\n\r\n").await.unwrap();
    let failed = SecureStream::accept(server_config(), ours).await.err().unwrap();
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    let mut answer = Vec::new();
    theirs.read_to_end(&mut answer).await.unwrap();
    assert_eq!((answer.len(), answer[0]), (7, 21), "an alert and the end: {answer:?}");
}

#[tokio::test]
async fn an_end_without_a_close_notify_is_told_apart() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(version, PIPE).await;
        client.write_all(b"half a wo").await.unwrap();
        client.flush().await.unwrap();
        drop(client);
        let mut heard = Vec::new();
        let failed = server.read_to_end(&mut heard).await.unwrap_err();
        assert_eq!((failed.kind(), &heard[..]), (ErrorKind::UnexpectedEof, &b"half a wo"[..]));
    }
}

#[tokio::test]
async fn whoever_has_closed_is_still_spoken_to() {
    for version in VERSIONS {
        let (client, mut server) = shaken(version, 10).await;
        let (mut client_in, mut client_out) = split(client);
        let (mut there, mut back) = (Vec::new(), Vec::new());
        let asking = async {
            client_out.write_all(b"a question").await.unwrap();
            client_out.shutdown().await.unwrap();
        };
        let answering = async {
            server.read_to_end(&mut there).await.unwrap();
            server.write_all(&vec![5; 40_000]).await.unwrap();
            server.shutdown().await.unwrap();
            server.shutdown().await.unwrap();
        };
        let (_, _, heard) = tokio::join!(asking, answering, client_in.read_to_end(&mut back));
        heard.unwrap();
        assert_eq!((&there[..], back), (&b"a question"[..], vec![5; 40_000]));
    }
}

#[tokio::test]
async fn a_break_is_heard_after_what_was_said_before() {
    let (client, mut server) = shaken(&TLS13, PIPE).await;
    let (mut io, mut tls) = client.into_inner();
    std::io::Write::write_all(&mut tls.writer(), b"good").unwrap();
    let mut wire = Vec::new();
    tls.write_tls(&mut wire).unwrap();
    wire.extend([0x17, 3, 3, 0, 30]);
    wire.extend([0; 30]);
    io.write_all(&wire).await.unwrap();
    let mut heard = Vec::new();
    assert_eq!(server.read_to_end(&mut heard).await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(heard, b"good");
    assert_eq!(server.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::InvalidData);
    let mut alert = Vec::new();
    drop(server);
    io.read_to_end(&mut alert).await.unwrap();
    assert!(alert.len() > 7, "an alert under the keys: {alert:?}");
}

#[tokio::test]
async fn whoever_reads_nothing_holds_the_writer_back() {
    for version in VERSIONS {
        let (client, mut server) = shaken(version, 1000).await;
        let (mut cx, mut taken) = (Context::from_waker(Waker::noop()), 0);
        while let Poll::Ready(written) = std::pin::Pin::new(&mut server).poll_write(&mut cx, &[0; 5000]) {
            taken += written.unwrap();
        }
        assert!((1..=10_000).contains(&taken), "{taken}");
        drop(client);
    }
}

#[tokio::test]
async fn small_pieces_leave_together() {
    let (mut client, mut server) = shaken(&TLS13, PIPE).await;
    let pieces = [&b"head, "[..], b"", b"body, ", b"end"].map(std::io::IoSlice::new);
    assert_eq!(server.write_vectored(&pieces).await.unwrap(), 15);
    assert_eq!(server.write_vectored(&[std::io::IoSlice::new(b"")]).await.unwrap(), 0);
    let large = vec![1; 40_000];
    let pieces = [&b"!"[..], &large].map(std::io::IoSlice::new);
    assert_eq!(server.write_vectored(&pieces).await.unwrap(), 16 * 1024);
    server.flush().await.unwrap();
    let mut heard = vec![0; 15 + 16 * 1024];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!((&heard[..16], heard[16..].iter().all(|byte| *byte == 1)), (&b"head, body, end!"[..], true));
}

async fn shaken(
    version: &'static SupportedProtocolVersion,
    pipe: usize,
) -> (TlsStream<DuplexStream>, SecureStream<DuplexStream>) {
    let (ours, theirs) = duplex(pipe);
    // The last of the server's words are tickets, which the client reads with what comes next.
    let connecting = async {
        let mut client = connect(version, theirs).await.unwrap();
        client.read_exact(&mut [0; 2]).await.unwrap();
        client
    };
    let accepting = async {
        let mut server = SecureStream::accept(server_config(), ours).await.unwrap();
        server.write_all(b"hi").await.unwrap();
        server.flush().await.unwrap();
        server
    };
    let both = async { tokio::join!(connecting, accepting) };
    timeout(PATIENCE, both).await.expect("the handshake hangs")
}

async fn connect(version: &'static SupportedProtocolVersion, pipe: DuplexStream) -> std::io::Result<TlsStream<DuplexStream>> {
    TlsConnector::from(client_config(version)).connect(server_name(), pipe).await
}

const PIPE: usize = 64 * 1024;
/// More than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);
