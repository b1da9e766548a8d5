//! Sockets that outlive the daemon.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::manager::{ServiceManager, free_ports, write_config};

#[test]
fn whoever_connects_during_a_restart_is_served_by_the_next_daemon() {
    let mut manager = ServiceManager::new();
    let (tcp, udp) = free_ports();
    let config = write_config(manager.folder.path(), tcp, udp, "");
    let first = manager.start(&config, &[]);
    manager.wait_for("READY=1");
    let names: Vec<_> = manager.store.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, [format!("tcp-127.0.0.1_{tcp}"), format!("udp-127.0.0.1_{udp}")]);
    first.stop();
    let (mut page, relay) = (ask(tcp), ask_relay(udp));
    let second = manager.start(&config, &[]);
    assert_eq!(status(&mut page), "HTTP/1.1 401");
    assert!(is_answered(&relay));
    manager.wait_for("READY=1");
    assert!(!second.stop().contains("socket_closed"));
}

#[test]
fn a_socket_that_is_configured_no_more_is_closed_and_kept_no_more() {
    let mut manager = ServiceManager::new();
    let ((tcp, udp), (moved, _)) = (free_ports(), free_ports());
    let first = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[]);
    manager.wait_for("READY=1");
    first.stop();
    let second = manager.start(&write_config(manager.folder.path(), moved, udp, ""), &[]);
    manager.wait_for("READY=1");
    let names: Vec<_> = manager.store.iter().map(|(name, _)| name.clone()).collect();
    assert!(!names.contains(&format!("tcp-127.0.0.1_{tcp}")) && names.contains(&format!("tcp-127.0.0.1_{moved}")), "{names:?}");
    assert_eq!(TcpStream::connect(("127.0.0.1", tcp)).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(status(&mut ask(moved)), "HTTP/1.1 401");
    let log = second.stop();
    assert!(log.contains(&format!("event=socket_closed socket=tcp-127.0.0.1_{tcp}")), "{log}");
}

#[test]
fn sockets_that_a_socket_unit_opened_serve_and_are_left_to_it() {
    let mut manager = ServiceManager::new();
    let (page, relay) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let (tcp, udp) = (page.local_addr().unwrap().port(), relay.local_addr().unwrap().port());
    // What says nothing to anybody, and what is no socket at all.
    let connected = TcpStream::connect(page.local_addr().unwrap()).unwrap();
    drop(page.accept().unwrap());
    let file = std::fs::File::open("/dev/null").unwrap();
    let passed: [(&str, OwnedFd); 4] =
        [("page", page.into()), ("relay", relay.into()), ("connected", connected.into()), ("file", file.into())];
    manager.store = passed.into_iter().map(|(name, socket)| (name.to_owned(), socket)).collect();
    let daemon = manager.start(&write_config(manager.folder.path(), tcp, udp, ""), &[]);
    manager.wait_for("READY=1");
    let names: Vec<_> = manager.store.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["page", "relay"]);
    assert_eq!(status(&mut ask(tcp)), "HTTP/1.1 401");
    assert!(is_answered(&ask_relay(udp)));
    let log = daemon.stop();
    assert!(log.contains("event=socket_closed socket=connected") && log.contains("event=socket_closed socket=file"), "{log}");
}

#[test]
fn a_relay_of_fewer_or_more_shards_answers_all_its_clients() {
    let mut manager = ServiceManager::new();
    let (tcp, udp) = free_ports();
    for shards in [3, 1, 2] {
        let config = write_config(manager.folder.path(), tcp, udp, &format!("shards = {shards}\n"));
        let daemon = manager.start(&config, &[]);
        manager.wait_for("READY=1");
        let clients: Vec<_> = (0..32).map(|_| ask_relay(udp)).collect();
        assert!(clients.iter().all(is_answered), "{shards}");
        daemon.stop();
    }
}

fn ask(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /api/auth/me/ HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    stream
}

fn status(stream: &mut TcpStream) -> String {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A Binding request (RFC 8489 section 5), from a socket of its own.
fn ask_relay(port: u16) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42twelve bytes").unwrap();
    client
}

fn is_answered(client: &UdpSocket) -> bool {
    let mut answer = [0; 512];
    client.recv(&mut answer).is_ok_and(|length| answer[..2] == [1, 1] && length > 20)
}

const PATIENCE: Duration = Duration::from_secs(20);
