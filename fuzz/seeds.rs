//! Writes the seeds of `wire` and `framing` from real messages, and two calls for `server`, whose other seeds a long run found:
//! cargo run --example seeds. Those of `signal` are the fixtures of its tests.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use stun::fingerprint::FINGERPRINT;
use stun::message::Setter;
use visavis_fuzz::client::{Request, channel_data, credential, send_indication, sign};

fn main() -> std::io::Result<()> {
    let (v4, v6) = (SocketAddr::from(([8, 8, 8, 8], 8000)), SocketAddr::from(([0x2a00, 0, 0, 0, 0, 0, 0, 1], 8000)));
    let allocate = Request::Allocate { transport: Some(17), lifetime: Some(3600), family: None, even: None };
    let unusual = Request::Allocate { transport: Some(6), lifetime: None, family: Some(2), even: Some(0x80) };
    let requests = [
        ("binding", Request::Binding),
        ("allocate", allocate),
        ("allocate-unusual", unusual),
        ("refresh", Request::Refresh { lifetime: Some(0) }),
        ("create-permission", Request::CreatePermission { peers: vec![v4, v6] }),
        ("channel-bind", Request::ChannelBind { number: 0x4000, peer: v4 }),
    ];
    let mut seeds: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, request) in requests {
        let plain = request.message(7);
        let mut signed = plain.clone();
        sign(&mut signed, &credential(0, Duration::from_secs(1_800_000_000)), "AAAAAAAAAAAAAAAAAAAAAAAA");
        let mut fingerprinted = signed.clone();
        FINGERPRINT.add_to(&mut fingerprinted).expect("a whole message");
        for (kind, message) in [("plain", plain), ("signed", signed), ("fingerprinted", fingerprinted)] {
            seeds.push((format!("{name}-{kind}"), message.raw));
        }
    }
    for (name, peer) in [("v4", v4), ("v6", v6)] {
        seeds.push((format!("send-{name}"), send_indication(peer, b"hello")));
    }
    seeds.push(("channel".to_owned(), channel_data(0x4000, b"hello")));
    seeds.push(("channel-padded".to_owned(), [channel_data(0x4FFF, b"hello"), vec![0; 3]].concat()));
    seeds.push(("channel-empty".to_owned(), channel_data(0x7FFF, b"")));

    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, bytes) in &seeds {
        fs::write(corpus.join("wire").join(name), bytes)?;
    }
    // What `framing` reads last is the stream; its cuts stand in front, each after a byte that says there is one more.
    for (at, pair) in seeds.chunks(2).enumerate() {
        let stream: Vec<u8> = pair.iter().flat_map(|(_, bytes)| padded(bytes)).collect();
        fs::write(corpus.join("framing").join(format!("stream-{at}")), [&[1, 5, 1, 3, 0], &stream[..]].concat())?;
    }
    for (name, other) in [("call-within-a-room", 2), ("call-between-rooms", 3)] {
        fs::write(corpus.join("server").join(name), call(0, other))?;
    }
    Ok(())
}

/// Two clients allocate, permit each other and send to each other's relayed address, as `arbitrary` reads a script: each step after a
/// byte that says there is one more, enums as the part of 2^32 that their variant stands at, and zeros for what is left out.
fn call(one: u8, other: u8) -> Vec<u8> {
    let request = |who: u8, ask: Vec<u8>| [&[1][..], &variant(0, 12), &[who], &ask, &variant(0, 5), &variant(0, 5)].concat();
    let relay_of = |who: u8| [&variant(2, 7)[..], &[who]].concat();
    let permit = |who: u8| [&variant(3, 5)[..], &[1], &relay_of(who), &[0]].concat();
    let bind = |who: u8| [&variant(4, 5)[..], &variant(0, 2), &[0], &relay_of(who)].concat();
    let mut script = Vec::new();
    for who in [one, other] {
        script.extend(request(who, [&variant(1, 5)[..], &[1, 17, 0, 0, 0]].concat()));
        script.extend([&[1][..], &variant(6, 12), &[1]].concat());
    }
    script.extend([request(one, permit(other)), request(other, permit(one))].concat());
    for by_channel in [false, true] {
        script.extend([&[1][..], &variant(2, 12), &[one], &relay_of(other), &[5]].concat());
        if by_channel {
            script.extend(request(one, bind(other)));
            script.extend([&[1][..], &variant(3, 12), &[one], &variant(0, 2), &[0, 5]].concat());
        }
    }
    script
}

fn variant(index: u64, variants: u64) -> [u8; 4] {
    ((index << 32).div_ceil(variants) as u32).to_le_bytes()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
