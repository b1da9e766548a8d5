//! A million requests from sources that do not exist leave nothing behind: counted by an allocator of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "an allocator is unsafe by nature; this one counts and hands on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::integrity::MessageIntegrity;
use stun::message::{CLASS_REQUEST, METHOD_ALLOCATE, METHOD_BINDING, METHOD_REFRESH, Message, MessageType, Method, Setter};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::reqtrans::RequestedTransport;
use visavis::app::relay_limits;
use visavis::config;
use visavis::proto::credential::CredentialSecret;
use visavis::proto::rate::Rate;
use visavis::proto::stun::Packet;
use visavis::proto::turn::{AddressFamily, ClientAddr, Config, FiveTuple, Limits, Now, PeerPolicy, Route, Server, Transport};

struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn a_million_spoofed_requests_hold_less_than_a_mebibyte() {
    let limits = Limits { requests: Rate { per_second: 50, burst: 200 }, ..relay_limits(&config::parse("").unwrap().limits) };
    let config = Config {
        realm: "visavis".to_owned(),
        own_secret: CredentialSecret::new(b"own"),
        shared_secret: Some(CredentialSecret::new(b"shared")),
        nonce_key: [7; 32],
        policy: PeerPolicy::default(),
        limits,
        families: vec![AddressFamily::Ipv4],
    };
    let started = Instant::now();
    let mut server = Server::new(config, started);
    let requests = [
        request(METHOD_BINDING, None),
        request(METHOD_ALLOCATE, None),
        request(METHOD_ALLOCATE, Some("AAAAAAAAAAAAAAAAAAAAAAAA")),
        request(METHOD_REFRESH, Some("")),
    ];
    let mut buffer = vec![0; 1024];
    let (mut answered, before) = (0, HELD.load(Ordering::Relaxed));
    for n in 0..REQUESTS {
        // An odd factor permutes the addresses: a million sources, of as many networks as there are.
        let source = SocketAddr::new(Ipv4Addr::from_bits(n.wrapping_mul(0x9E37_79B1)).into(), 1024 + (n % 60_000) as u16);
        let tuple = FiveTuple { client: ClientAddr(source), server: "9.9.9.9:3478".parse().unwrap(), transport: Transport::Udp };
        let time = Duration::from_micros(u64::from(n) * 10);
        let now = Now { instant: started + time, unix: Duration::from_secs(1_800_000_000) + time };
        let bytes = &requests[n as usize % requests.len()];
        let end = Packet::HEAD_ROOM + bytes.len();
        buffer[Packet::HEAD_ROOM..end].copy_from_slice(bytes);
        let route = server.handle_client(now, tuple, &mut Packet::new(&mut buffer, Packet::HEAD_ROOM, end));
        answered += usize::from(route == Route::Handled);
        while server.poll_effect().is_some() {}
    }
    let held = HELD.load(Ordering::Relaxed) - before;
    assert!(answered > REQUESTS as usize / 2, "most were worth an answer: {answered}");
    assert_eq!((server.allocations(), server.poll_timeout()), (0, None));
    assert!(held < 1 << 20, "{held} bytes");
}

/// A request, with a signature of nobody over this nonce if there is one.
fn request(method: Method, nonce: Option<&str>) -> Vec<u8> {
    let mut message = Message::new();
    message.typ = MessageType::new(method, CLASS_REQUEST);
    message.write_header();
    RequestedTransport { protocol: PROTO_UDP }.add_to(&mut message).unwrap();
    if let Some(nonce) = nonce {
        for (attr, text) in [(ATTR_USERNAME, "1900000000:nobody"), (ATTR_REALM, "visavis"), (ATTR_NONCE, nonce)] {
            TextAttribute { attr, text: text.to_owned() }.add_to(&mut message).unwrap();
        }
        MessageIntegrity::new_short_term_integrity("guess".to_owned()).add_to(&mut message).unwrap();
    }
    message.raw
}

const REQUESTS: u32 = 1_000_000;
