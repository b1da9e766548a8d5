use http_body_util::BodyExt;

use super::*;

#[test]
fn a_fingerprint_is_read_in_sixteen_groups_of_four() {
    let empty = Fingerprint::of(b"").to_string();
    assert_eq!(empty, "E3B0 C442 98FC 1C14 9AFB F4C8 996F B924 27AE 41E4 649B 934C A495 991B 7852 B855");
}

#[test]
fn a_system_is_known_by_what_its_browser_says() {
    for (agent, system) in [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", Some(System::Windows)),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            Some(System::MacOs),
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", Some(System::Ios)),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", Some(System::Android)),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", Some(System::ChromeOs)),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Some(System::Firefox)),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", Some(System::Linux)),
        ("curl/8.0", None),
        ("", None),
    ] {
        assert_eq!(System::of(agent), system, "{agent}");
    }
}

#[test]
fn the_visitor_s_own_system_comes_first_and_alone_is_open() {
    let html = page("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)");
    let first = html.find("<details id=").unwrap();
    assert!(html[first..].starts_with("<details id=\"ios\" class=\"card system\" open>"));
    assert_eq!(html.matches("class=\"card system\" open").count(), 1);
    assert_eq!(html.matches("class=\"card system\"").count(), System::ALL.len());
}

#[test]
fn every_placeholder_is_filled_and_a_path_cannot_write_html() {
    let answer = trust().answer_plain(&hosts(), &get("/join?a'b&c", "text/html")).unwrap();
    let html = body(answer);
    assert!(!html.contains("{{"), "a placeholder is left");
    assert!(html.contains("href=\"https://box.local:8443/join?a&#39;b&amp;c\""));
    assert!(!html.contains("a'b"));
}

#[test]
fn every_symbol_that_a_picture_uses_is_drawn() {
    let html = page("");
    let used = html.split("<use href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let missing: Vec<_> = used.filter(|id| !html.contains(&format!("<symbol id=\"{id}\""))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn pages_are_explained_and_programs_sent_on() {
    let trust = trust();
    assert!(trust.answer_plain(&hosts(), &get("/", "text/html,*/*;q=0.8")).is_some());
    assert!(trust.answer_plain(&hosts(), &get("/api/auth/me/", "application/json")).is_none());
    assert!(trust.answer_plain(&hosts(), &get("/", "*/*")).is_none());
    assert_eq!(trust.answer_plain(&hosts(), &get("/trust", "*/*")).unwrap().status(), 200);
    let foreign = Request::get("/").header("host", "evil.example").header("accept", "text/html").body(()).unwrap();
    assert_eq!(trust.answer_plain(&hosts(), &foreign).unwrap().status(), 421);
    let written = Request::post("/ca.crt").header("host", "box.local").body(()).unwrap();
    assert_eq!(trust.answer_plain(&hosts(), &written).unwrap().status(), 405);
}

#[test]
fn the_check_is_answered_over_https_alone() {
    assert!(trust().answer_plain(&hosts(), &get("/trust-check", "*/*")).is_none());
    let answer = trust().answer_secure("box.local", &get("/trust-check", "*/*")).unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["cross-origin-resource-policy"]),
        (204, &HeaderValue::from_static("cross-origin"))
    );
}

#[test]
fn a_profile_is_the_same_for_the_same_certificate() {
    let uuids = |der: &[u8]| {
        let profile = profile::of(der, "box.local");
        profile
            .split("<key>PayloadUUID</key>")
            .skip(1)
            .map(|rest| rest.split(['<', '>']).nth(2).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(uuids(b"one"), uuids(b"one"));
    assert_ne!(uuids(b"one"), uuids(b"two"));
    let [payload, profile]: [String; 2] = uuids(b"one").try_into().unwrap();
    assert_ne!(payload, profile);
    assert_eq!(payload.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
}

#[test]
fn where_nothing_listens_on_plain_http_the_code_names_the_secure_page() {
    let over = |port| Trust::new(Box::new(|| Some(b"der".to_vec())), 443, port).address("box.local");
    assert_eq!(over(Some(80)), "http://box.local/trust");
    assert_eq!(over(Some(8080)), "http://box.local:8080/trust");
    assert_eq!(over(None), "https://box.local/trust");
}

fn page(agent: &str) -> String {
    let request = Request::get("/trust").header("host", "box.local").header("user-agent", agent).body(()).unwrap();
    body(trust().answer_plain(&hosts(), &request).unwrap())
}

fn trust() -> Trust {
    Trust::new(Box::new(|| Some(b"der".to_vec())), 8443, Some(8080))
}

fn hosts() -> Hosts {
    Hosts::new(vec!["box.local".to_owned()])
}

fn get(path: &str, accept: &str) -> Request<()> {
    Request::get(path).header("host", "box.local").header("accept", accept).body(()).unwrap()
}

fn body(answer: Answer) -> String {
    let mut body = std::pin::pin!(answer.into_body().collect());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match body.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Ok(whole)) => String::from_utf8(whole.to_bytes().to_vec()).unwrap(),
        _ => panic!("the body is whole in memory"),
    }
}
