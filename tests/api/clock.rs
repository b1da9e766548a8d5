//! Scenario 10: the clock jumps. The daemon runs in a process of its own, whose wall clock is false; its monotonic one is not.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::calls::{joined, receive, send};
use crate::harness::Appliance;

#[test]
fn a_clock_jump_in_mid_call_drops_nobody_and_accepts_no_expired_login() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0").unwrap();
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["clock::under_a_false_clock", "--exact", "--ignored"])
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&inside.stderr));
}

#[tokio::test]
#[ignore = "the test above runs it, under a false clock"]
async fn under_a_false_clock() {
    let jump = |to: &str| std::fs::write(std::env::var_os("FAKETIME_TIMESTAMP_FILE").unwrap(), to).unwrap();
    let visavis = Appliance::start().await;
    let (mara, stu) = (visavis.sign_in("mara").await, visavis.sign_in("stu").await);
    let session = visavis.accepted_session(&mara, &stu).await;
    let room = visavis.room(&mara, &session).await;
    let mut mentor = joined(&visavis, &mara, &room).await;
    let mut student = joined(&visavis, &stu, &room).await;
    assert_eq!(receive(&mut mentor).await["type"], "peer_joined");
    let before = std::time::SystemTime::now();
    for to in ["-3600s", "-3650d", "+0", "+3650d", "+0", "+30d"] {
        jump(to);
        for microphone in [true, false] {
            send(&mut mentor, json!({ "type": "media", "microphone": microphone, "camera": true, "screen": null })).await;
            assert_eq!(receive(&mut student).await["microphone"], microphone, "after a jump to {to}");
        }
    }
    assert!(before.elapsed().unwrap().as_secs() > 29 * 86_400, "the clock is not false");
    assert_eq!(visavis.get(&stu, "/api/auth/me/").await.status, 401, "a login of a month ago");
    let fresh = visavis.sign_in("stu").await;
    assert_eq!(visavis.get(&fresh, "/api/auth/me/").await.status, 200);
    visavis.app.stop().await;
}

/// Where Debian keeps the library, whatever the processor.
fn library() -> String {
    let found = Command::new("dpkg").args(["-L", "libfaketime"]).output().unwrap();
    let files = String::from_utf8_lossy(&found.stdout).into_owned();
    let library = files.lines().find(|file| file.ends_with("libfaketimeMT.so.1") && Path::new(file).exists());
    library.expect("libfaketime of the package `faketime`: make prerequisites installs it").to_owned()
}
