//! A database that takes no writes: calls go on, writes are refused with a wait, and all comes right by itself.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use hyper::Method;
use serde_json::json;

use crate::attendance::{a_request, a_room_in, lock, reasons, report_when, resumed, seated};
use crate::calls::{receive, send};
use crate::harness::{Appliance, Browser, Client, Reply};

#[tokio::test]
async fn scenario_06_a_locked_database_refuses_writes_with_a_wait_and_leaves_the_call_alone() {
    let (visavis, [mara, stu], session, room) = a_room_in(tempfile::tempdir().unwrap()).await;
    let (mut mentor, _) = seated(&visavis, &mara, &room).await;
    let (mut student, _) = seated(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    let wish = a_request(&visavis, &stu).await;
    let locked = lock(&visavis);
    let refusing = visavis.post(&stu, "/api/mentoring/sessions/", wish.clone());
    // While that waits for the lock, the call goes on; who asks for the room that stands gets it.
    let calling = async {
        send(&mut mentor, json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "on" })).await;
        assert_eq!(receive(&mut student).await["sdp"], "on");
        assert_eq!(visavis.room(&stu, &session).await, room);
        let joining = visavis.call(&stu, Method::POST, &format!("/api/mentoring/video-call/{room}/join/"), None).await;
        assert_eq!(joining.status, 200, "{}", joining.text);
    };
    let (refused, ()) = tokio::join!(refusing, calling);
    assert_eq!(refused.refusal(), (503, "busy"));
    assert!(retry_after(&refused) >= 1);
    locked.execute_batch("COMMIT").unwrap();
    assert_eq!(visavis.post(&stu, "/api/mentoring/sessions/", wish).await.status, 201);
    visavis.app.stop().await;
}

#[tokio::test]
async fn scenario_07_a_full_disk_makes_no_new_room_leaves_the_call_alone_and_tells_the_admin() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (visavis, [mara, stu], session, room) = a_room_in(tempfile::tempdir_in(disk.path()).unwrap()).await;
    let another = visavis.accepted_session(&mara, &stu).await;
    let admin = visavis.sign_in("admin").await;
    let (mut mentor, _) = seated(&visavis, &mara, &room).await;
    let (student, seat) = seated(&visavis, &stu, &room).await;
    let peer = receive(&mut mentor).await["peer"].clone();
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["running"]).await;

    let refused = fill(&disk, &visavis, &mara, &another).await;
    assert!(retry_after(&refused) >= 1);
    assert_eq!(warnings(&visavis, &admin).await, json!(["disk_full"]));
    assert_eq!(warnings(&visavis, &mara).await, json!([]), "only admins can do something about it");
    drop(student);
    assert_eq!(receive(&mut mentor).await["connected"], false);
    let mut student = resumed(&visavis, &stu, &room, &seat).await;
    assert_eq!(receive(&mut mentor).await["connected"], true);
    send(&mut mentor, json!({ "type": "offer", "to": peer["participant_id"], "epoch": peer["epoch"], "sdp": "on" })).await;
    assert_eq!(receive(&mut student).await["sdp"], "on");
    assert_eq!(visavis.room(&stu, &session).await, room);

    std::fs::remove_file(disk.path().join(BALLAST)).unwrap();
    let made = visavis.post(&mara, CREATE, json!({ "session_id": another })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    report_when(&visavis, &mara, &session, |report| reasons(report, "stu") == ["dropped", "running"]).await;
    assert_eq!(warnings(&visavis, &admin).await, json!(["disk_low"]));
    visavis.app.stop().await;
}

#[tokio::test]
async fn a_box_starts_on_a_full_disk_and_takes_writes_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (visavis, [mara, stu], session, room) = a_room_in(tempfile::tempdir_in(disk.path()).unwrap()).await;
    let another = visavis.accepted_session(&mara, &stu).await;
    let (_mentor, _) = seated(&visavis, &mara, &room).await;
    report_when(&visavis, &mara, &session, |report| reasons(report, "mara") == ["running"]).await;
    fill(&disk, &visavis, &mara, &another).await;
    let Appliance { app, folder, .. } = visavis;
    app.stop().await;
    let visavis = Appliance::restart(folder, "").await;
    assert_eq!(visavis.room(&stu, &session).await, room);
    std::fs::remove_file(disk.path().join(BALLAST)).unwrap();
    report_when(&visavis, &mara, &session, |report| reasons(report, "mara") != ["running"]).await;
    assert_eq!(visavis.post(&mara, CREATE, json!({ "session_id": another })).await.status, 201);
    visavis.app.stop().await;
}

/// Leaves no byte free until a new room is refused three times in a row, since every refusal makes the box look for space of its own.
async fn fill(disk: &SmallDisk, visavis: &Appliance, mentor: &Browser, session: &str) -> Reply {
    let mut refusals = Vec::new();
    for _ in 0..50 {
        disk.fill();
        let created = visavis.post(mentor, CREATE, json!({ "session_id": session })).await;
        if created.status.is_success() {
            let id = created.body["id"].as_str().unwrap();
            visavis.call(mentor, Method::POST, &format!("/api/mentoring/video-call/{id}/end/"), None).await;
            refusals.clear();
            continue;
        }
        assert_eq!(created.refusal(), (507, "disk_full"));
        refusals.push(created);
        if refusals.len() == 3 {
            return refusals.remove(2);
        }
    }
    panic!("the disk never got full");
}

async fn warnings(visavis: &Client, browser: &Browser) -> serde_json::Value {
    visavis.get(browser, "/api/auth/me/").await.body["warnings"].clone()
}

fn retry_after(reply: &Reply) -> u64 {
    reply.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

/// A disk of 2 MiB, unmounted when it is dropped.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`, with a word, where mounting is not permitted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "visavis-test"]).arg(folder.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self { folder }),
            refused => {
                println!("skipped: a small disk cannot be mounted here (as root it can): {refused:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn fill(&self) {
        let mut ballast = std::fs::File::options().append(true).create(true).open(self.path().join(BALLAST)).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

const CREATE: &str = "/api/mentoring/video-call/create/";
const BALLAST: &str = "ballast";
