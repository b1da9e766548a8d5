use std::time::Duration;

use super::*;

const SHIPPED: &str = include_str!("../../config/visavis.toml");

#[test]
fn the_shipped_file_is_the_built_in_defaults_key_for_key() {
    let (file, _, problems) = file::read(SHIPPED);
    assert_eq!((file, problems), (file::File::default(), vec![]));
    let shipped: toml::Table = SHIPPED.parse().unwrap();
    let defaults = toml::Table::try_from(file::File::default()).unwrap();
    assert_eq!(shipped, defaults);
}

#[test]
fn an_empty_file_is_the_built_in_defaults() {
    assert_eq!(parse(""), parse(SHIPPED));
    assert!(parse("").is_ok());
}

#[test]
fn every_problem_is_reported_at_once_with_its_key_line_and_remedy() {
    let text = "[server]\npublic-nam = \"x\"\ndata-dir = \"here\"\n[turn]\nmax-delay = \"long\"\nrelay-ports = \"9-5\"\n[bogus]\nkey = 1\n[rooms]\nparticipants-max = 99\n";
    let problems = parse(text).unwrap_err();
    let found: Vec<_> = problems.iter().map(|p| (p.key.as_str(), p.line)).collect();
    let expected = [
        ("server.public-nam", Some(2)),
        ("server.data-dir", Some(3)),
        ("turn.max-delay", Some(5)),
        ("turn.relay-ports", Some(6)),
        ("bogus.key", Some(8)),
        ("rooms.participants-max", Some(10)),
    ];
    assert_eq!(found, expected);
    assert!(problems.iter().all(|p| !p.what.is_empty() && !p.remedy.is_empty()), "{problems:#?}");
    assert!(problems[0].remedy.contains("public-name"), "{}", problems[0].remedy);
    assert!(problems[4].remedy.contains("[server]"), "{}", problems[4].remedy);
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let problems = parse("[server]\npublic-name = \n").unwrap_err();
    assert_eq!(problems[0].line, Some(2));
}

#[test]
fn files_need_both_paths_and_other_sources_neither() {
    let keys = |text: &str| parse(text).unwrap_err().into_iter().map(|p| p.key).collect::<Vec<_>>();
    assert_eq!(keys("[tls]\nsource = \"files\"\n"), ["tls.cert-file", "tls.key-file"]);
    assert_eq!(keys("[tls]\ncert-file = \"/c\"\n"), ["tls.cert-file"]);
    assert!(parse("[tls]\nsource = \"files\"\ncert-file = \"/c\"\nkey-file = \"/k\"\n").is_ok());
}

#[test]
fn acme_certifies_a_public_name_and_no_other() {
    let named = |name: &str, more: &str| parse(&format!("[server]\npublic-name = \"{name}\"\n[tls]\nsource = \"acme\"\n{more}"));
    let private = "acme-ca-file = \"/etc/visavis/step-ca.pem\"\n";
    let checked::Tls::Acme(acme) = named("Calls.School.org", "").unwrap().tls else { panic!("not acme") };
    assert_eq!((&*acme.name, acme.directory), ("calls.school.org", tls::LETS_ENCRYPT.to_owned()));
    for name in ["", "box", "box.local", "box.lan", "calls.school.example", "box.home.arpa", "192.0.2.1"] {
        let problems = named(name, "").unwrap_err();
        assert_eq!((problems.len(), &*problems[0].key), (1, "server.public-name"), "{name}: {problems:?}");
    }
    assert!(named("calls.school.internal", private).is_ok(), "a private server may certify private names");
    assert_eq!(named("", private).unwrap_err().len(), 1);
}

#[test]
fn acme_s_keys_are_proved_and_belong_to_acme_alone() {
    let acme = "[server]\npublic-name = \"calls.school.org\"\n[tls]\nsource = \"acme\"\n";
    for (sound, wrong) in [
        ("acme-directory = \"https://ca.school.org/acme/acme/directory\"", "acme-directory = \"http://ca.school.org/\""),
        ("acme-contact = \"it@school.org\"", "acme-contact = \"mailto:it@school.org\""),
        ("acme-contact = \"\"", "acme-contact = \"it\""),
    ] {
        assert!(parse(&format!("{acme}{sound}\n")).is_ok(), "{sound}");
        assert_eq!(parse(&format!("{acme}{wrong}\n")).unwrap_err().len(), 1, "{wrong}");
    }
    for key in ["acme-directory = \"https://a.org/\"", "acme-contact = \"a@b.org\"", "acme-ca-file = \"/ca.pem\""] {
        assert_eq!(parse(&format!("[tls]\n{key}\n")).unwrap_err().len(), 1, "{key}");
    }
}

#[test]
fn turn_over_tls_needs_a_certificate() {
    let off = "[tls]\nsource = \"off\"\n";
    assert_eq!(parse(off).unwrap().turn.listen_tls, []);
    let problems = parse(&format!("{off}[turn]\nlisten-tls = [\"0.0.0.0:5349\"]\n")).unwrap_err();
    assert_eq!(problems[0].key, "turn.listen-tls");
}

#[test]
fn two_listeners_on_one_address_are_refused() {
    let problems = parse("[http]\nlisten = [\"0.0.0.0:80\"]\n").unwrap_err();
    assert_eq!(problems[0].key, "http.redirect-listen");
}

#[test]
fn no_debug_shows_the_shared_secret() {
    let config = parse("[turn]\nshared-secret = \"0123456789abcdef\"\n").unwrap();
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}

#[test]
fn a_bare_number_is_no_time() {
    let problems = parse("[rooms]\nreconnect-grace = 45\n").unwrap_err();
    assert_eq!(problems[0].key, "rooms.reconnect-grace");
    assert_eq!(parse("").unwrap().rooms.reconnect_grace, Duration::from_secs(45));
}

#[test]
fn the_relay_has_so_many_shards_or_as_many_as_the_box_is_worth() {
    let shards = |value: &str| parse(&format!("[turn]\nshards = {value}\n")).map(|config| config.turn.shards);
    assert_eq!(shards("\"auto\""), Ok(Shards::Auto));
    for number in [1, 16] {
        assert_eq!(shards(&number.to_string()), Ok(Shards::Fixed(number.try_into().unwrap())));
    }
    for wrong in ["0", "17", "-1", "256", "\"many\"", "\"2\"", "1.5", "true"] {
        let problems = shards(wrong).unwrap_err();
        assert_eq!((&*problems[0].key, problems[0].line), ("turn.shards", Some(2)), "{wrong}");
        assert!(problems[0].what.contains("\"auto\" or a number from 1 to 16"), "{problems:?}");
    }
}

#[test]
fn every_limit_has_a_range_that_leaves_zero_and_the_absurd_out() {
    let defaults = toml::Table::try_from(file::File::default()).unwrap();
    for (key, value) in defaults["limits"].as_table().unwrap() {
        let beyond = if value.is_integer() { ["0", "9223372036854775807"] } else { ["\"0s\"", "\"1day\""] };
        for value in beyond {
            let problems = parse(&format!("[limits]\n{key} = {value}\n")).expect_err(key);
            assert!(
                problems.iter().any(|p| p.key == format!("limits.{key}") && p.line == Some(2)),
                "{key} = {value}: {problems:?}"
            );
        }
    }
}

#[test]
fn everybody_is_no_trusted_proxy() {
    for everybody in ["0.0.0.0/0", "::/0"] {
        let problems = parse(&format!("[http]\ntrusted-proxies = [\"127.0.0.1/32\", \"{everybody}\"]\n")).unwrap_err();
        assert_eq!((&*problems[0].key, problems[0].line), ("http.trusted-proxies", Some(2)), "{everybody}");
    }
}
