use std::io::{Read, Write};

use proptest::prelude::*;
use rustls::{AlertDescription, Error, HandshakeKind};

use super::*;
use crate::tls::SecureChannel;

#[test]
fn records_may_come_byte_by_byte_or_all_at_once() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(client_config(version));
        let words: Vec<String> = (0..40).map(|n| format!("word {n}; ")).collect();
        let mut wire = Vec::new();
        for word in &words {
            client.writer().write_all(word.as_bytes()).unwrap();
            wire.extend(written(&mut client));
        }
        let half = wire.len() / 2;
        let (first, second) = wire.split_at_mut(half);
        let mut heard = Vec::new();
        for byte in first {
            server.receive(std::slice::from_mut(byte), &mut heard).unwrap();
        }
        server.receive(second, &mut heard).unwrap();
        assert_eq!(heard, words.concat().as_bytes());
        assert!(server.outgoing().is_empty());
    }
}

#[test]
fn a_record_may_be_cut_at_every_byte() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(client_config(version));
        let mut at = 0;
        loop {
            client.writer().write_all(b"twenty bytes of talk").unwrap();
            let mut wire = written(&mut client);
            if at > wire.len() {
                break;
            }
            let (mut heard, (first, second)) = (Vec::new(), wire.split_at_mut(at));
            server.receive(first, &mut heard).unwrap();
            server.receive(second, &mut heard).unwrap();
            assert_eq!(heard, b"twenty bytes of talk", "cut at {at}");
            at += 1;
        }
        assert!(at > 40);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_said_is_heard_however_it_is_cut(
        old in any::<bool>(),
        said in proptest::collection::vec(any::<u8>(), 1..60_000),
        cuts in proptest::collection::vec(1usize..20_000, 1..50),
    ) {
        let (mut client, mut server) = shaken(client_config(VERSIONS[usize::from(!old)]));
        let mut cuts = cuts.into_iter().cycle();
        let (mut there, mut back, mut rest) = (Vec::new(), Vec::new(), &said[..]);
        while !rest.is_empty() {
            let piece = cuts.next().unwrap().min(rest.len());
            let taken = client.writer().write(&rest[..piece]).unwrap();
            rest = &rest[taken..];
            let mut wire = written(&mut client);
            let mut wire = &mut wire[..];
            while !wire.is_empty() {
                let (now, later) = wire.split_at_mut(cuts.next().unwrap().min(wire.len()));
                server.receive(now, &mut there).unwrap();
                wire = later;
            }
        }
        prop_assert_eq!(&there, &said);
        let mut rest = &said[..];
        while !rest.is_empty() {
            let taken = server.send(&rest[..cuts.next().unwrap().min(rest.len())]).unwrap();
            prop_assert_eq!(server.send(rest), Ok(0), "one record at a time");
            rest = &rest[taken..];
            while !server.outgoing().is_empty() {
                let length = cuts.next().unwrap().min(server.outgoing().len());
                read(&mut client, &server.outgoing()[..length], &mut back).unwrap();
                server.sent(length);
            }
        }
        prop_assert_eq!(&back, &said);
    }
}

#[test]
fn a_broken_record_is_refused_with_an_alert_after_what_was_said_before() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(client_config(version));
        client.writer().write_all(b"good").unwrap();
        let mut wire = written(&mut client);
        client.writer().write_all(b"broken").unwrap();
        wire.extend(written(&mut client));
        *wire.last_mut().unwrap() ^= 1;
        let mut heard = Vec::new();
        assert_eq!(server.receive(&mut wire, &mut heard), Err(Error::DecryptError));
        assert_eq!(heard, b"good");
        assert_eq!(server.receive(&mut [0; 100], &mut heard), Err(Error::DecryptError), "it stays over");
        assert_eq!(server.send(b"more"), Ok(0), "the alert goes first");
        let alert = server.outgoing().to_vec();
        server.sent(alert.len());
        assert_eq!(read(&mut client, &alert, &mut Vec::new()), Err(Error::AlertReceived(AlertDescription::BadRecordMac)));
        assert_eq!(server.send(b"more"), Err(Error::DecryptError));
        server.close();
        assert!(server.outgoing().is_empty(), "no close_notify after an alert");
    }
}

#[test]
fn what_is_no_tls_is_refused_with_an_alert() {
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100], &[0xff; 20_000], &[0x16, 3, 1, 0xff, 0xff, 1]] {
        let mut server = SecureChannel::new(server_config()).unwrap();
        server.receive(&mut garbage.to_vec(), &mut Vec::new()).unwrap_err();
        assert_eq!(server.outgoing()[..3], [ALERT, 3, 3], "{:?}", &garbage[..6]);
    }
}

#[test]
fn a_handshake_without_end_is_refused() {
    let mut server = SecureChannel::new(server_config()).unwrap();
    // A message of 65,520 bytes in records of one.
    let header = [1, 0, 0xff, 0xf0].into_iter();
    let mut held = 0;
    let refused = header.chain(std::iter::repeat(0)).take(1 << 16).find_map(|byte| {
        held = held.max(server.buffered());
        server.receive(&mut [0x16, 3, 1, 0, 1, byte], &mut Vec::new()).err()
    });
    assert!(matches!(refused, Some(Error::General(_))), "{refused:?}");
    assert!(held < 40 * 1024, "{held} bytes are held for a stranger");
}

#[test]
fn keys_change_when_the_client_wants_it() {
    let (mut client, mut server) = shaken(client_config(&TLS13));
    for _ in 0..100 {
        client.refresh_traffic_keys().unwrap();
        client.writer().write_all(b"under new keys").unwrap();
        let (mut heard, mut back) = (Vec::new(), Vec::new());
        server.receive(&mut written(&mut client), &mut heard).unwrap();
        assert_eq!(heard, b"under new keys");
        assert_eq!(server.send(&heard), Ok(heard.len()));
        read(&mut client, server.outgoing(), &mut back).unwrap();
        server.sent(server.outgoing().len());
        assert_eq!(back, heard);
    }
}

#[test]
fn a_client_that_comes_back_resumes() {
    for version in VERSIONS {
        let config = client_config(version);
        let kinds: Vec<_> = (0..3).map(|_| shaken(Arc::clone(&config)).0.handshake_kind().unwrap()).collect();
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed]);
    }
}

#[test]
fn each_side_may_close_alone_and_nothing_after_it_is_heard() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(client_config(version));
        client.writer().write_all(b"goodbye").unwrap();
        client.send_close_notify();
        let (mut wire, mut heard, mut back) = (written(&mut client), Vec::new(), Vec::new());
        wire.extend([0xff; 1000]);
        server.receive(&mut wire, &mut heard).unwrap();
        assert!(server.peer_has_closed());
        server.receive(&mut [0xff; 1000], &mut heard).unwrap();
        assert_eq!(heard, b"goodbye");
        assert_eq!(server.send(b"and to you"), Ok(10));
        server.close();
        server.close();
        let io = read(&mut client, server.outgoing(), &mut back).unwrap();
        assert_eq!(back, b"and to you");
        assert!(io.peer_has_closed());
    }
}

#[test]
fn a_channel_with_nothing_under_way_owns_no_buffer() {
    for version in VERSIONS {
        let (mut client, mut server) = shaken(client_config(version));
        let mut heard = Vec::new();
        for length in [1, 1000, 16_000, 1] {
            client.writer().write_all(&vec![7; length]).unwrap();
            for piece in written(&mut client).chunks_mut(700) {
                server.receive(piece, &mut heard).unwrap();
            }
            server.send(&heard).unwrap();
            server.sent(server.outgoing().len());
            assert_eq!(server.buffered(), 0);
        }
    }
}

/// Both ends after the handshake, tickets included.
fn shaken(config: Arc<ClientConfig>) -> (ClientConnection, SecureChannel) {
    let (mut client, mut server) = (client(config), SecureChannel::new(server_config()).unwrap());
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() {
        let mut heard = Vec::new();
        server.receive(&mut written(&mut client), &mut heard).unwrap();
        read(&mut client, server.outgoing(), &mut heard).unwrap();
        server.sent(server.outgoing().len());
        assert!(heard.is_empty());
    }
    (client, server)
}

/// What the client wants to send.
fn written(client: &mut ClientConnection) -> Vec<u8> {
    let mut wire = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut wire).unwrap();
    }
    wire
}

/// Has the client read this.
fn read(client: &mut ClientConnection, mut wire: &[u8], plaintext: &mut Vec<u8>) -> Result<rustls::IoState, Error> {
    loop {
        if !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
        }
        let io = client.process_new_packets()?;
        let start = plaintext.len();
        plaintext.resize(start + io.plaintext_bytes_to_read(), 0);
        client.reader().read_exact(&mut plaintext[start..]).unwrap();
        if wire.is_empty() {
            return Ok(io);
        }
    }
}

/// The content type of alerts (RFC 8446 section 5.1).
const ALERT: u8 = 21;
