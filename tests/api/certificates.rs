//! The certificate while the daemon runs: renewed, broken, resumed.

use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::calls::{joined, receive, send};
use crate::harness::{Appliance, Browser};

#[tokio::test]
async fn a_renewed_certificate_serves_new_handshakes_and_live_sockets_stay() {
    let (mut visavis, [mara, stu], room) = crate::sockets::a_room().await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_joined");
    let before = presented(&mut visavis).await;
    std::fs::remove_file(visavis.folder.path().join("tls/leaf.pem")).unwrap();
    visavis.app.renew_certificate().await;
    assert_ne!(presented(&mut visavis).await, before);
    send(&mut mentor, json!({ "type": "media", "microphone": true, "camera": true, "screen": null })).await;
    assert_eq!(receive(&mut student).await["type"], "media");
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_certificate_that_does_not_serve_leaves_the_old_one_in_use() {
    let mut visavis = Appliance::start().await;
    let before = presented(&mut visavis).await;
    let authority = visavis.folder.path().join("tls/ca.pem");
    let sound = std::fs::read(&authority).unwrap();
    std::fs::write(&authority, "no PEM at all").unwrap();
    visavis.app.renew_certificate().await;
    std::fs::write(&authority, sound).unwrap();
    assert_eq!(presented(&mut visavis).await, before);
    visavis.app.stop().await;
}

#[tokio::test]
async fn whoever_comes_back_resumes_the_tls_session() {
    let visavis = Appliance::start().await;
    assert_eq!(handshake(&visavis).await, Some(HandshakeKind::Full));
    // The tickets arrive before the first answer.
    assert_eq!(visavis.get(&Browser::default(), "/api/auth/me/").await.status, 401);
    assert_eq!(handshake(&visavis).await, Some(HandshakeKind::Resumed));
    visavis.app.stop().await;
}

async fn handshake(visavis: &Appliance) -> Option<HandshakeKind> {
    visavis.tls().await.get_ref().1.handshake_kind()
}

/// What somebody is shown who has never been here.
async fn presented(visavis: &mut Appliance) -> Vec<CertificateDer<'static>> {
    visavis.forget_tls_sessions();
    visavis.tls().await.get_ref().1.peer_certificates().unwrap().to_vec()
}
