//! What goes wrong keeps what serves, waits, is said once, and passes.

use std::time::Duration;

use crate::daemon::Daemon;
use crate::front::Mood;
use crate::world::{Looks, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_fails_is_told_in_the_server_s_words_with_the_ports_to_open() {
    let world = World::start(Looks { tls: 1, http: 1, ..Looks::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    let said = visavis.logged("event=acme_failed").pop().unwrap();
    for words in ["tls-alpn-01: the server says", "connection refused", "port 443 of", "http-01: the server says", "port 80 of"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(visavis.shown().await.0.contains("visavis CA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plain_listener_http_01_is_not_tried() {
    let world = World::start(Looks { tls: 1, ..Looks::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start_with(&world, folder.path(), "redirect-listen = []");
    let said = visavis.logged("event=acme_failed").pop().unwrap();
    assert!(said.contains("http.redirect-listen is empty"), "{said}");
    assert_eq!(world.front.orders(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_down_keeps_the_certificate_and_a_restart_keeps_the_back_off() {
    let world = World::start(Looks { validity: 6, ..Looks::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    world.front.is(Mood::Down);
    let failed = visavis.logged("event=acme_failed").pop().unwrap();
    assert!(failed.contains("cannot reach") && failed.contains("next_minutes=1"), "{failed}");
    let kept = visavis.shown().await;
    assert!(kept.0.contains("Pebble"));
    let said = visavis.stop();
    assert!(!said.contains("acme_order"), "{said}");

    world.front.is(Mood::Passes);
    let (orders, visavis) = (world.front.orders(), Daemon::start(&world, folder.path()));
    assert_eq!(visavis.shown().await, kept, "old, but better than none");
    // Two of the task's shortest naps.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.front.orders(), orders, "a restart is no way around the back-off");
    visavis.reload();
    visavis.logged("event=certificate_renewed");
    assert_ne!(visavis.shown().await, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_peace_gets_it_even_after_a_reload() {
    let world = World::start(Looks::default()).await;
    world.front.is(Mood::Limits(3600));
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    let failed = visavis.logged("event=acme_failed").pop().unwrap();
    let minutes = ["next_minutes=60", "next_minutes=59"];
    assert!(failed.contains("too many certificates") && minutes.iter().any(|wait| failed.contains(wait)), "{failed}");
    world.front.is(Mood::Passes);
    let orders = world.front.orders();
    visavis.reload();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.front.orders(), orders);
    let said = visavis.said();
    assert!(!said.contains("acme_failed"), "said once: {said}");
}
