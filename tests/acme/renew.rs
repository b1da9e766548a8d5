//! The next certificate.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::daemon::Daemon;
use crate::front::Mood;
use crate::harness::{Client, populate};
use crate::world::{HTTPS, Looks, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_socket_outlasts_the_first_certificate_and_the_next() {
    let world = World::start(Looks { validity: 15, ..Looks::default() }).await;
    world.front.is(Mood::Down);
    let folder = tempfile::tempdir().unwrap();
    populate(folder.path()).await;
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=acme_failed");
    // Somebody of the school's own network, who trusts the box's authority.
    let client = Client::new((world.address, HTTPS).into(), folder.path());
    let (mara, stu) = (client.sign_in("mara").await, client.sign_in("stu").await);
    let session = client.accepted_session(&mara, &stu).await;
    let room = client.room(&mara, &session).await;
    let mut socket = client.socket(&mara, &room).await.unwrap();
    for message in [r#"{"type":"hello","versions":[2,1]}"#, r#"{"type":"join"}"#] {
        socket.send(Message::text(message)).await.unwrap();
    }

    world.front.is(Mood::Passes);
    visavis.reload();
    visavis.logged("event=certificate_renewed");
    let first = visavis.shown().await;
    visavis.logged("event=certificate_renewed");
    let second = visavis.shown().await;
    assert!(first.0.contains("Pebble") && second.0.contains("Pebble") && first.1 != second.1);

    socket.send(Message::Ping("still here".into())).await.unwrap();
    loop {
        match socket.next().await.expect("the socket is open").unwrap() {
            Message::Pong(echo) => break assert_eq!(&echo[..], b"still here"),
            Message::Close(why) => panic!("closed: {why:?}"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_s_suggestion_is_heard_and_not_followed_in_circles() {
    let world = World::start(Looks::default()).await;
    world.front.is(Mood::SuggestsThePast);
    let folder = tempfile::tempdir().unwrap();
    let visavis = Daemon::start(&world, folder.path());
    visavis.logged("event=certificate_renewed");
    visavis.logged("event=acme_window");
    let first = visavis.shown().await;
    assert_eq!(world.front.orders(), 1, "an hour passes first");
    visavis.reload();
    visavis.logged("event=certificate_renewed");
    assert_ne!(visavis.shown().await, first);
}
