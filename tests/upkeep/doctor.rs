//! `visavis doctor`: each kind of trouble is made, found, and told with its remedy.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::place::{Place, told};

#[test]
fn a_running_box_answers_everywhere_and_relays_over_every_transport() {
    let place = Place::new();
    let daemon = place.serve();
    let report = Examined::of(&place);
    assert_eq!(report.state("daemon"), "ok");
    assert!(report.finding("daemon")["meaning"].as_str().unwrap().contains(&daemon.0.id().to_string()));
    for check in ["configuration.file", "certificate.source", "certificate.expiry", "clock.time", "ports.page", "ports.turn-udp"]
    {
        assert_eq!(report.state(check), "ok", "{}", report.finding(check));
    }
    for check in
        ["ports.turn-tcp", "relay.udp", "relay.tcp", "relay.tls", "disk.space", "disk.writes", "database.file", "files.data"]
    {
        assert_eq!(report.state(check), "ok", "{}", report.finding(check));
    }
    assert_eq!(report.state("certificate.trust"), "note");
    assert_eq!(report.state("limits.files"), "ok");
    assert_ne!(report.json["state"], "failure", "{}", report.json);
    assert!(report.code < 2);
}

#[test]
fn a_stopped_daemon_is_a_failure_with_the_command_that_starts_it() {
    let place = Place::new();
    drop(place.serve());
    let report = Examined::of(&place);
    assert_eq!((report.state("daemon"), report.code), ("failure", 2));
    assert!(report.remedy("daemon").contains("systemctl start visavis"));
    assert_eq!(
        (report.state("ports.free"), report.state("relay"), report.json["running"].as_bool()),
        ("ok", "note", Some(false))
    );
    assert_eq!((report.state("certificate.expiry"), report.state("database.file")), ("ok", "ok"));
}

#[test]
fn a_port_that_another_program_has_is_named_before_the_daemon_fails_of_it() {
    let place = Place::new();
    drop(place.serve());
    let _page = TcpListener::bind(("127.0.0.1", place.page)).unwrap();
    let _relay = UdpSocket::bind(("127.0.0.1", place.relay)).unwrap();
    let report = Examined::of(&place);
    assert_eq!((report.state("ports.page"), report.state("ports.turn-udp")), ("failure", "failure"));
    assert!(report.remedy("ports.page").contains("ss -lntp") && report.remedy("ports.turn-udp").contains("ss -lnup"));
}

#[test]
fn a_listener_that_does_not_answer_is_a_failure() {
    let place = Place::new();
    let _daemon = place.serve();
    let text = fs::read_to_string(place.file("visavis.toml")).unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let changed = text.replace(
        &format!("listen-udp = [\"127.0.0.1:{}\"]", place.relay),
        &format!("listen-udp = [\"{}\"]", silent.local_addr().unwrap()),
    );
    fs::write(place.file("visavis.toml"), changed).unwrap();
    let report = Examined::of(&place);
    assert_eq!((report.state("ports.turn-udp"), report.state("relay.udp"), report.code), ("failure", "failure", 2));
    assert_eq!((report.state("ports.turn-tcp"), report.state("relay.tls")), ("ok", "ok"));
}

/// Scenario: a firewall on the box itself closes UDP.
#[test]
fn udp_that_a_firewall_drops_is_found_while_tcp_and_tls_go_on() {
    let place = Place::new();
    let firewall = format!(
        "nft add table inet t && nft 'add chain inet t input {{ type filter hook input priority 0; }}' \
         && nft add rule inet t input udp dport {} drop",
        place.relay
    );
    let Some(report) = in_a_network(&place, &firewall) else { return };
    assert_eq!((report.state("ports.turn-udp"), report.state("relay.udp")), ("failure", "failure"));
    assert_eq!((report.state("relay.tcp"), report.state("relay.tls"), report.state("ports.page")), ("ok", "ok", "ok"));
    assert_eq!(report.state("router.address"), "failure", "a box without a network");
}

/// Scenario: a box behind the school's router, which may or may not lead its own outside address back inside.
#[test]
fn behind_a_router_the_ports_to_forward_are_named_and_its_loopback_is_tried() {
    let lan = "ip link add lan type veth peer name wall && ip addr add 192.168.1.10/24 dev lan && ip link set lan up \
        && ip link set wall up && ip route add default via 192.168.1.1";
    for (turns_around, hairpin) in [(true, "ok"), (false, "warning")] {
        let place = Place::new();
        let text = fs::read_to_string(place.file("visavis.toml")).unwrap();
        fs::write(place.file("visavis.toml"), text.replace("127.0.0.1", "0.0.0.0").replace("[turn]", OUTSIDE)).unwrap();
        let router = format!(
            "{lan} && nft add table ip r && nft 'add chain ip r output {{ type nat hook output priority -100; }}' \
             && nft add rule ip r output ip daddr 203.0.113.7 {}",
            if turns_around { "dnat to 192.168.1.10" } else { "counter" }
        );
        let Some(report) = in_a_network(&place, &router) else { return };
        assert_eq!((report.state("router.forwarding"), report.state("router.hairpin")), ("note", hairpin));
        let ports = format!("192.168.1.10: {}/tcp is enough, {}/udp is faster", place.page, place.relay);
        assert!(report.remedy("router.forwarding").contains(&ports), "{}", report.remedy("router.forwarding"));
        assert_eq!((report.state("relay.udp"), report.state("relay.tls")), ("ok", "ok"), "the relay itself needs no router");
    }
}

#[test]
fn an_expired_certificate_and_one_of_another_name_are_failures() {
    let place = Place::new();
    let folder = Path::new(&place.file("visavis.toml")).parent().unwrap().to_owned();
    let section = format!(
        "public-name = \"calls.school.example\"\n[tls]\nsource = \"files\"\ncert-file = \"{0}/cert.pem\"\nkey-file = \"{0}/key.pem\"",
        folder.display()
    );
    place.configure(&section);
    for (name, days, expiry, names) in [
        ("calls.school.example", 60, "ok", "ok"),
        ("calls.school.example", 3, "warning", "ok"),
        ("calls.school.example", -1, "failure", "ok"),
        ("other.example", 60, "ok", "failure"),
    ] {
        issue(&folder, name, days);
        let daemon = place.serve();
        let report = Examined::of(&place);
        assert_eq!((report.state("certificate.expiry"), report.state("certificate.names")), (expiry, names), "{name} {days}");
        assert_eq!(report.state("certificate.trust"), "warning");
        drop(daemon);
    }
    // The key is another's now; the daemon goes on with what it has.
    let _daemon = place.serve();
    fs::write(folder.join("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let report = Examined::of(&place);
    assert_eq!((report.state("certificate.source"), report.state("certificate.expiry")), ("failure", "ok"));
    assert_eq!(report.state("names.public"), "failure", "nobody knows the name");
}

#[test]
fn a_folder_that_others_may_read_and_files_of_another_user_are_failures() {
    let place = Place::new();
    drop(place.serve());
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&place.data, 0o755);
    mode(&place.data.join("turn.key"), 0o644);
    let report = Examined::of(&place);
    assert_eq!(report.state("files.data"), "failure");
    assert!(report.remedy("files.data").contains("chmod -R go="), "{}", report.remedy("files.data"));
    mode(&place.data, 0o700);
    if chown(place.data.join("visavis.db"), Some(4321), None).is_ok() {
        assert!(Examined::of(&place).remedy("files.data").contains("chown -R --reference="));
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let place = Place::new();
    fs::create_dir(&place.data).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=700", "visavis-test"]).arg(&place.data).output();
    if !mounted.as_ref().is_ok_and(|output| output.status.success()) {
        return println!("skipped: a small disk cannot be mounted here (as root it can): {mounted:?}");
    }
    fs::write(place.data.join("much"), vec![0; 1_500_000]).unwrap();
    let report = Examined::of(&place);
    let unmounted = Command::new("umount").arg("--lazy").arg(&place.data).status().unwrap();
    assert!(unmounted.success());
    assert_eq!((report.state("disk.space"), report.code), ("failure", 2));
}

#[test]
fn a_damaged_database_and_an_old_backup_are_told() {
    let place = Place::new();
    drop(place.serve());
    assert_eq!(Examined::of(&place).state("database.backup"), "note");
    assert!(place.run(&["backup", &place.file("b.tar")]).status.success());
    assert_eq!(Examined::of(&place).state("database.backup"), "ok");
    let last = place.data.join("last-backup.json");
    let old = fs::read_to_string(&last).unwrap().replace("\"20", "\"19");
    fs::write(&last, old).unwrap();
    fs::write(place.data.join("visavis.db"), vec![7; 8192]).unwrap();
    let _ = fs::remove_file(place.data.join("visavis.db-wal"));
    let report = Examined::of(&place);
    assert_eq!((report.state("database.backup"), report.state("database.file")), ("warning", "failure"));
    assert!(report.remedy("database.file").contains("visavis restore"));
}

#[test]
fn a_broken_configuration_is_all_that_is_told() {
    let place = Place::new();
    fs::write(place.file("visavis.toml"), "[turn]\nrelm = \"x\"\nmax-delay = \"1h\"\n").unwrap();
    let report = Examined::of(&place);
    assert_eq!((report.findings().len(), report.code), (2, 2));
    assert!(report.findings().iter().all(|finding| finding["check"] == "configuration.file" && finding["state"] == "failure"));
}

#[test]
fn people_read_words_without_a_terminal_and_the_exit_code_says_the_worst() {
    let place = Place::new();
    drop(place.serve());
    let output = place.run(&["doctor"]);
    let text = told(&output);
    assert!(text.contains("  failure visavis: no daemon uses") && text.contains("          -> start it with"), "{text}");
    assert!(text.contains("This box does not work as it should: 1 failure, ") && !text.contains('\x1b'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_json_is_what_openapi_describes() {
    let place = Place::new();
    let _daemon = place.serve();
    let report = Examined::of(&place);
    let described = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.yaml")).unwrap();
    let described = &described[described.find("\n    HealthReport:").unwrap()..described.find("\n    Session:").unwrap()];
    let mut lists = described.lines().filter_map(|line| line.trim().strip_prefix("required: [")?.strip_suffix(']'));
    let mut required = || lists.next().unwrap().split(", ").map(str::to_owned).collect::<BTreeSet<_>>();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&report.json), required());
    let of_a_finding = required();
    let states = described.lines().find_map(|line| line.trim().strip_prefix("enum: ")).unwrap();
    assert_eq!(states, "[ok, note, warning, failure]");
    for finding in report.findings() {
        assert_eq!(keys(finding), of_a_finding);
        let family = finding["check"].as_str().unwrap().split('.').next().unwrap();
        assert!(described.contains(&format!("`{family}`")), "{family} is not described");
        assert!(states.contains(finding["state"].as_str().unwrap()));
        assert!(finding["remedy"].is_string() || finding["remedy"].is_null());
    }
}

/// Examines a box with a running daemon in a network of its own, which these commands set up; `None` where that cannot be had.
fn in_a_network(place: &Place, commands: &str) -> Option<Examined> {
    let script = format!(
        "ip link set lo up && {commands} || exit 77\n\
         \"$1\" serve --config \"$2\" 2>\"$2.log\" &\n\
         until grep -q event=listening \"$2.log\"; do kill -0 $! || exit 78; sleep 0.05; done\n\
         \"$1\" doctor --json --config \"$2\"; code=$?; kill $!; wait $!; exit $code"
    );
    let config = place.file("visavis.toml");
    let mut run = Command::new("unshare");
    run.args(["-n", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_visavis"), &config]);
    let output = run.output().unwrap();
    if matches!(output.status.code(), Some(0..=2)) && !output.stdout.is_empty() {
        return Some(Examined::read(&output));
    }
    println!("skipped: no network namespace with a firewall here (as root there is): {}", told(&output));
    None
}

const OUTSIDE: &str = "[turn]\nexternal-addresses = [\"203.0.113.7\"]";

/// What `visavis doctor --json` said.
struct Examined {
    json: Value,
    code: i32,
}

impl Examined {
    fn of(place: &Place) -> Self {
        Self::read(&place.run(&["doctor", "--json"]))
    }

    fn read(output: &Output) -> Self {
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(output)));
        let code = output.status.code().unwrap();
        let worst = ["ok", "note", "warning", "failure"].iter().position(|state| json["state"] == **state).unwrap();
        assert_eq!(code, [0, 0, 1, 2][worst]);
        Self { json, code }
    }

    fn findings(&self) -> &[Value] {
        self.json["findings"].as_array().unwrap()
    }

    fn finding(&self, check: &str) -> &Value {
        let found = self.findings().iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("no {check} in {:#}", self.json))
    }

    fn state(&self, check: &str) -> &str {
        self.finding(check)["state"].as_str().unwrap()
    }

    fn remedy(&self, check: &str) -> &str {
        self.finding(check)["remedy"].as_str().unwrap()
    }
}

/// Has `cert.pem` and `key.pem` made for a name, with so many days to live of a life of 90.
fn issue(folder: &Path, name: &str, days: i64) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = OffsetDateTime::now_utc() + Duration::days(days) + Duration::hours(1);
    params.not_before = params.not_after - Duration::days(90);
    fs::write(folder.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}
