//! The admin's view of the box.

use serde_json::Value;

use crate::harness::{Appliance, Browser};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_what_the_doctor_finds_and_nobody_else_does() {
    let visavis = Appliance::start().await;
    let admin = visavis.sign_in("admin").await;
    let report = visavis.get(&admin, HEALTH).await;
    assert_eq!((report.status.as_u16(), report.body["running"].as_bool()), (200, Some(true)), "{}", report.text);
    for check in
        ["daemon", "ports.page", "ports.redirect", "ports.turn-udp", "relay.udp", "relay.tcp", "relay.tls", "database.file"]
    {
        assert_eq!(state(&report.body, check), "ok", "{}", report.text);
    }
    for (who, refusal) in [("mara", (403, "forbidden_role")), ("stu", (403, "forbidden_role"))] {
        let browser = visavis.sign_in(who).await;
        assert_eq!(visavis.get(&browser, HEALTH).await.refusal(), refusal);
    }
    assert_eq!(visavis.get(&Browser::default(), HEALTH).await.refusal(), (401, "unauthenticated"));
    visavis.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_who_ask_together_are_told_of_one_examination() {
    let visavis = Appliance::start().await;
    let admin = visavis.sign_in("admin").await;
    let allocations =
        async || visavis.app.relay().counters().await.unwrap().allocations(visavis::proto::turn::Transport::Udp).made;
    let (first, second, third) =
        tokio::join!(visavis.get(&admin, HEALTH), visavis.get(&admin, HEALTH), visavis.get(&admin, HEALTH));
    assert_eq!((&first.body, &second.body), (&second.body, &third.body));
    assert_eq!(allocations().await, 2, "one examination makes two allocations over UDP");
    visavis.app.stop().await;
}

fn state<'a>(report: &'a Value, check: &str) -> &'a str {
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}"))["state"].as_str().unwrap()
}

const HEALTH: &str = "/api/admin/health/";
