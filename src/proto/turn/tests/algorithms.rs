//! Password algorithms: what is offered, chosen, signed and answered (RFC 8489 sections 9.2.4, 14.6, 14.11 and 14.12).

use ring::{digest, hmac};
use stun::attributes::{
    ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_PASSWORD_ALGORITHM, ATTR_PASSWORD_ALGORITHMS,
    ATTR_USER_HASH,
};
use stun::message::METHOD_REFRESH;

use super::*;

#[test]
fn whoever_is_challenged_is_offered_sha_256_before_md5() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    lab.send(client.tuple, &message(METHOD_ALLOCATE, CLASS_REQUEST, [3; 12], &[&UDP]).raw);
    let challenge = reply(&lab.effects());
    assert_eq!((challenge.code, challenge.message.get(ATTR_PASSWORD_ALGORITHMS).unwrap()), (Some(401), OFFERED.to_vec()));
    assert_eq!(&challenge.text(ATTR_NONCE)[..13], "obMatJos2AAAB");
    lab.pass(HOUR);
    let bytes = negotiated(&client, METHOD_ALLOCATE, SHA256, |message| sha256(message, &sha256_key(&client), 32));
    let stale = lab.answer(&client, &bytes);
    assert_eq!((stale.code, stale.message.get(ATTR_PASSWORD_ALGORITHMS).unwrap()), (Some(438), OFFERED.to_vec()));
}

#[test]
fn whoever_negotiates_is_answered_with_sha_256_and_keeps_the_algorithm() {
    for (choice, key) in [(SHA256, sha256_key as fn(&Client) -> Vec<u8>), (MD5, md5_key)] {
        let mut lab = Lab::new();
        let mut client = lab.client(ALICE, 1);
        let key = key(&client);
        let bytes = negotiated(&client, METHOD_ALLOCATE, choice, |message| sha256(message, &key, 32));
        assert_eq!(lab.send(client.tuple, &bytes).0, Route::Handled);
        let effects = lab.effects();
        let [Effect::Bind { allocation, .. }] = effects[..] else { panic!("{effects:?}") };
        lab.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50001"))));
        let answer = reply(&lab.effects());
        assert_eq!(answer.message.get(ATTR_MESSAGE_INTEGRITY_SHA256).unwrap(), signature(&answer.message.raw, &key));
        assert!(answer.message.get(ATTR_MESSAGE_INTEGRITY).is_err());

        let bytes = negotiated(&client, METHOD_REFRESH, choice, |message| sha256(message, &key, 32));
        assert_eq!(lab.answer(&client, &bytes).code, None);
        assert_eq!(lab.ask(&mut client, METHOD_REFRESH, &[]).code, Some(401), "as if nothing had been negotiated");
    }
}

#[test]
fn whoever_negotiates_nothing_is_answered_with_sha_1() {
    let mut lab = Lab::new();
    let (mut client, ..) = lab.allocated(ALICE, 1);
    let mut answer = lab.ask(&mut client, METHOD_REFRESH, &[]);
    client.key().check(&mut answer.message).unwrap();
    assert!(answer.message.get(ATTR_MESSAGE_INTEGRITY_SHA256).is_err());
    let key = md5_key(&client);
    let bytes = signed(&client, METHOD_REFRESH, &[], |message| sha256(message, &key, 32));
    let mut answer = lab.answer(&client, &bytes);
    assert_eq!(answer.code, None, "HMAC-SHA256 with the MD5 key");
    client.key().check(&mut answer.message).unwrap();
}

#[test]
fn a_bid_down_is_400() {
    let sound = (OFFERED, SHA256);
    let rows: [(&str, Vec<Raw>); 6] = [
        ("no list", vec![Raw(ATTR_PASSWORD_ALGORITHM, sound.1)]),
        ("no choice", vec![Raw(ATTR_PASSWORD_ALGORITHMS, sound.0)]),
        ("a list without SHA-256", vec![Raw(ATTR_PASSWORD_ALGORITHMS, MD5), Raw(ATTR_PASSWORD_ALGORITHM, MD5)]),
        ("another order", vec![Raw(ATTR_PASSWORD_ALGORITHMS, &[0, 1, 0, 0, 0, 2, 0, 0]), Raw(ATTR_PASSWORD_ALGORITHM, MD5)]),
        ("an unknown choice", vec![Raw(ATTR_PASSWORD_ALGORITHMS, sound.0), Raw(ATTR_PASSWORD_ALGORITHM, &[0, 3, 0, 0])]),
        ("a choice cut off", vec![Raw(ATTR_PASSWORD_ALGORITHMS, sound.0), Raw(ATTR_PASSWORD_ALGORITHM, &[0, 2])]),
    ];
    for (name, attributes) in rows {
        for key in [sha256_key, md5_key] {
            let mut lab = Lab::new();
            let client = lab.client(ALICE, 1);
            let key = key(&client);
            let attributes: Vec<&dyn Setter> = attributes.iter().map(|attribute| attribute as &dyn Setter).collect();
            let bytes = signed(&client, METHOD_ALLOCATE, &attributes, |message| sha256(message, &key, 32));
            assert_eq!(lab.answer(&client, &bytes).code, Some(400), "{name}");
            assert_eq!(lab.server.allocations(), 0);
        }
    }
}

#[test]
fn sha_256_is_cut_to_sixteen_bytes_at_the_least() {
    for (length, code) in [(0, Some(401)), (4, Some(401)), (12, Some(401)), (16, None), (18, Some(401)), (20, None), (32, None)] {
        let mut lab = Lab::new();
        let (mut client, key) = lab.negotiator();
        lab.challenge(&mut client);
        let bytes = negotiated(&client, METHOD_REFRESH, SHA256, |message| sha256(message, &key, length));
        assert_eq!(lab.answer(&client, &bytes).code, code, "{length}");
    }
    let mut lab = Lab::new();
    let (client, key) = lab.negotiator();
    let bytes = negotiated(&client, METHOD_REFRESH, SHA256, |message| {
        message.add(ATTR_MESSAGE_INTEGRITY_SHA256, &[signature_after(message, &key, 36), vec![0; 4]].concat());
    });
    assert_eq!(lab.answer(&client, &bytes).code, Some(401), "36 bytes");
}

#[test]
fn of_two_integrities_the_stronger_decides_and_nothing_after_either_counts() {
    let (mut lab, zero) = (Lab::new(), [0; 4]);
    let (client, key) = lab.negotiator();
    let answer = |lab: &mut Lab, sign: &dyn Fn(&mut Message)| {
        let bytes = negotiated(&client, METHOD_REFRESH, SHA256, sign);
        let answer = lab.answer(&client, &bytes);
        assert_eq!(lab.server.allocations(), 1, "an appended LIFETIME of 0 did not count");
        answer.code
    };
    let sha1 = |message: &mut Message| MessageIntegrity(key.clone()).add_to(message).unwrap();
    let both = |message: &mut Message| {
        sha1(message);
        sha256(message, &key, 32);
    };
    let fingerprint = |message: &mut Message| stun::fingerprint::FINGERPRINT.add_to(message).unwrap();
    assert_eq!(answer(&mut lab, &sha1), None, "SHA-1 over the SHA-256 key is all there is");
    assert_eq!(answer(&mut lab, &both), None);
    assert_eq!(answer(&mut lab, &|m| (both(m), fingerprint(m)).1), None);
    assert_eq!(answer(&mut lab, &|m| (both(m), m.add(ATTR_LIFETIME, &zero)).1), None);
    assert_eq!(answer(&mut lab, &|m| (sha256(m, &key, 32), m.add(ATTR_LIFETIME, &zero)).1), None);
    assert_eq!(answer(&mut lab, &|m| (sha256(m, &key, 32), m.add(ATTR_LIFETIME, &zero), fingerprint(m)).2), None);
    assert_eq!(answer(&mut lab, &|m| (sha1(m), m.add(ATTR_LIFETIME, &zero), sha256(m, &key, 32)).2), None, "in between");
    assert_eq!(answer(&mut lab, &|m| (sha1(m), sha256(m, b"another key", 32)).1), Some(401));
    assert_eq!(answer(&mut lab, &|m| (MessageIntegrity(vec![1]).add_to(m).unwrap(), sha256(m, &key, 32)).1), None);
}

#[test]
fn a_userhash_is_401_since_no_username_can_be_told_from_it() {
    let mut lab = Lab::new();
    let client = lab.client(ALICE, 1);
    let hash = digest::digest(&digest::SHA256, [&*client.credential.username, REALM].join(":").as_bytes());
    let mut message = message(METHOD_ALLOCATE, CLASS_REQUEST, [8; 12], &[&UDP]);
    message.add(ATTR_USER_HASH, hash.as_ref());
    message.add(ATTR_REALM, REALM.as_bytes());
    message.add(ATTR_NONCE, client.nonce.as_bytes());
    message.add(ATTR_PASSWORD_ALGORITHMS, OFFERED);
    message.add(ATTR_PASSWORD_ALGORITHM, SHA256);
    sha256(&mut message, &sha256_key(&client), 32);
    let refused = lab.answer(&client, &message.raw);
    assert_eq!((refused.code, refused.text(ATTR_REALM)), (Some(401), REALM.to_owned()));
}

impl Lab {
    /// A client whose allocation was made with SHA-256.
    fn negotiator(&mut self) -> (Client, Vec<u8>) {
        let client = self.client(ALICE, 1);
        let key = sha256_key(&client);
        let bytes = negotiated(&client, METHOD_ALLOCATE, SHA256, |message| sha256(message, &key, 32));
        self.send(client.tuple, &bytes);
        let Some(Effect::Bind { allocation, .. }) = self.server.poll_effect() else { panic!("nothing is bound") };
        self.server.handle_bound(allocation, Some(RelayAddr(address("9.9.9.9:50001"))));
        self.effects();
        (client, key)
    }

    fn answer(&mut self, client: &Client, bytes: &[u8]) -> Answered {
        self.send(client.tuple, bytes);
        reply(&self.effects())
    }
}

fn negotiated(client: &Client, method: Method, choice: &'static [u8], sign: impl FnOnce(&mut Message)) -> Vec<u8> {
    let chosen = [Raw(ATTR_PASSWORD_ALGORITHMS, OFFERED), Raw(ATTR_PASSWORD_ALGORITHM, choice)];
    signed(client, method, &[&chosen[0], &chosen[1]], sign)
}

/// A request as [`Client::request`] makes it, but for what signs it.
fn signed(client: &Client, method: Method, attributes: &[&dyn Setter], sign: impl FnOnce(&mut Message)) -> Vec<u8> {
    let transport: &[&dyn Setter] = if method == METHOD_ALLOCATE { &[&UDP] } else { &[] };
    let mut message = message(method, CLASS_REQUEST, [8; 12], transport);
    for (attr, text) in [(ATTR_USERNAME, &*client.credential.username), (ATTR_REALM, REALM), (ATTR_NONCE, &client.nonce)] {
        message.add(attr, text.as_bytes());
    }
    for attribute in attributes {
        attribute.add_to(&mut message).unwrap();
    }
    sign(&mut message);
    message.raw
}

/// Signs with the first `length` bytes of HMAC-SHA256.
fn sha256(message: &mut Message, key: &[u8], length: usize) {
    let mut value = signature_after(message, key, length);
    value.truncate(length);
    message.add(ATTR_MESSAGE_INTEGRITY_SHA256, &value);
}

/// HMAC-SHA256 over the message with a header that counts an attribute of `length` more bytes.
fn signature_after(message: &Message, key: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = message.raw.clone();
    let counted = (bytes.len() - 20 + 4 + length.next_multiple_of(4)) as u16;
    bytes[2..4].copy_from_slice(&counted.to_be_bytes());
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &bytes).as_ref().to_vec()
}

/// What the last 32 bytes of a message should be.
fn signature(message: &[u8], key: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message[..message.len() - 36]).as_ref().to_vec()
}

fn sha256_key(client: &Client) -> Vec<u8> {
    let text = [&client.credential.username, REALM, &client.credential.password].join(":");
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

fn md5_key(client: &Client) -> Vec<u8> {
    client.key().0
}

const OFFERED: &[u8] = &[0, 2, 0, 0, 0, 1, 0, 0];
const SHA256: &[u8] = &[0, 2, 0, 0];
const MD5: &[u8] = &[0, 1, 0, 0];
