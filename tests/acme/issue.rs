//! The first certificate.

use std::os::unix::fs::PermissionsExt;

use tokio::io::AsyncReadExt;

use crate::daemon::Daemon;
use crate::front::Mood;
use crate::world::{HTTP, HTTPS, Looks, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_issued_by_tls_alpn_01_and_used_at_once() {
    let world = World::start(Looks::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    assert!(visavis.shown().await.0.contains("Pebble"), "{:?}", visavis.shown().await);
    assert_eq!(world.front.orders(), 1, "the first way did it");
    for file in ["account.json", "certificate.pem"] {
        let metadata = std::fs::metadata(folder.path().join("acme").join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
    visavis.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_443_does_not_lead_here_http_01_does() {
    let world = World::start(Looks { tls: 1, ..Looks::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    assert!(visavis.shown().await.0.contains("Pebble"));
    assert_eq!(world.front.orders(), 2);
    let over = visavis.plain("/.well-known/acme-challenge/anything").await;
    assert!(over.starts_with("HTTP/1.1 308 "), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_first_certificate_the_local_authority_s_serves() {
    let world = World::start(Looks::default()).await;
    world.front.is(Mood::Down);
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    let said = visavis.logged("event=acme_failed").join("\n");
    assert!(visavis.said_first("event=acme_until_then") || said.contains("event=acme_until_then"), "{said}");
    assert!(visavis.shown().await.0.contains("visavis CA"));
    world.front.is(Mood::Passes);
    visavis.reload();
    visavis.logged("event=certificate_renewed");
    assert!(visavis.shown().await.0.contains("Pebble"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_a_stored_certificate_asks_the_server_nothing() {
    let world = World::start(Looks::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    let before = visavis.shown().await;
    visavis.stop();
    let asked = world.front.requests();
    let visavis = Daemon::start(&world, folder.path());
    assert_eq!(visavis.shown().await, before);
    let said = visavis.stop();
    assert!(!said.contains("event=acme_order"), "{said}");
    assert_eq!(world.front.requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_server_forgot_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(Looks::default()).await;
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    visavis.stop();
    // Another pebble knows nobody; the stored account names its directory, as if it were the same.
    let other = World::start(Looks::default()).await;
    let account = folder.path().join("acme/account.json");
    let known = std::fs::read_to_string(&account).unwrap().replace(&world.address.to_string(), &other.address.to_string());
    std::fs::write(&account, known).unwrap();
    let visavis = Daemon::start(&other, folder.path());
    visavis.logged("event=acme_account");
    visavis.logged("event=certificate_renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_s_handshake_sees_no_certificate_when_none_is_pending_and_others_never_see_the_challenge() {
    let world = World::start(Looks { tls: HTTPS, http: HTTP, ..Looks::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    assert!(visavis.handshake(&["acme-tls/1"]).await.is_err());
    let mut both = visavis.handshake(&["acme-tls/1", "http/1.1"]).await.unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut nothing = [0; 1];
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(100), both.read(&mut nothing)).await;
    assert!(waiting.is_err(), "an ordinary connection stays open");
}
