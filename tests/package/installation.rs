//! Installing, upgrading, removing, purging: in a throw-away copy of this machine's files, where no systemd runs.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::{is_native, package, root};

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn an_installation_makes_user_service_and_a_configuration_that_only_the_daemon_reads() {
    let told = in_sandbox(
        "dpkg --install /tmp/visavis.deb; dpkg --install /tmp/visavis.deb
        echo; readlink /etc/issue.d/visavis.issue; stat --format '%U:%G %a' /etc/visavis; getent passwd visavis | cut -d: -f1,6,7
        readlink /etc/systemd/system/multi-user.target.wants/visavis.service; visavis check-config /etc/visavis/visavis.toml",
    );
    let Some(told) = told else { return };
    let last: Vec<_> = told.lines().rev().take(5).collect();
    assert_eq!(last[4], "/run/visavis/issue", "{told}");
    assert_eq!(last[3], "root:visavis 750", "{told}");
    assert_eq!(last[2], "visavis:/var/lib/visavis:/usr/sbin/nologin", "{told}");
    assert!(last[1].ends_with("/lib/systemd/system/visavis.service"), "{told}");
    assert_eq!(last[0], "/etc/visavis/visavis.toml is sound");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn a_newer_package_asks_nothing_though_the_configuration_was_edited() {
    let told = in_sandbox(
        "dpkg --install /tmp/visavis.deb; echo '# mine' >> /etc/visavis/visavis.toml
        dpkg-deb --raw-extract /tmp/visavis.deb /tmp/newer; sed -i 's/^Version: .*/&+newer/' /tmp/newer/DEBIAN/control
        dpkg-deb --build /tmp/newer /tmp/newer.deb; dpkg --install /tmp/newer.deb
        dpkg-query --show --showformat '${Status}' visavis; tail -1 /etc/visavis/visavis.toml",
    );
    let Some(told) = told else { return };
    assert!(told.ends_with("install ok installed# mine\n"), "{told}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn removing_keeps_what_people_made_and_purging_leaves_nothing_but_the_user() {
    let told = in_sandbox(
        "dpkg --install /tmp/visavis.deb; mkdir --parents /var/lib/visavis/tls; touch /var/lib/visavis/visavis.db /etc/visavis/own.pem
        dpkg --remove visavis; ls /var/lib/visavis/visavis.db /etc/visavis/own.pem /etc/visavis/visavis.toml
        dpkg --purge visavis; dpkg --purge visavis
        echo left:; cd /tmp/changes; find . ! -type d ! -path './var/lib/dpkg/*' ! -path './var/log/*' ! -path './var/cache/*'; find . -name '*visavis*'",
    );
    let Some(told) = told else { return };
    let (before, left) = told.split_once("left:\n").unwrap();
    assert!(before.contains("/var/lib/visavis/visavis.db\n") && before.contains("/etc/visavis/own.pem\n"), "{told}");
    let accounts = ["passwd", "passwd-", "shadow", "shadow-", "group", "group-", "gshadow", "gshadow-", ".pwd.lock"];
    let others: Vec<_> = left.lines().filter(|file| !accounts.iter().any(|known| *file == format!("./etc/{known}"))).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_raspberry_pi_that_is_too_old_is_refused_with_a_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let preinst = root().join("packaging/debian/preinst");
    for (machine, accepted) in [("armv6l", false), ("armv7l", true), ("aarch64", true)] {
        let uname = folder.path().join("uname");
        std::fs::write(&uname, format!("#!/bin/sh\necho {machine}\n")).unwrap();
        std::fs::set_permissions(&uname, PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh").arg(&preinst).arg("install").env("PATH", path).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), accepted, "{machine}: {told}");
        assert_eq!(told.contains("Raspberry Pi 2 or newer"), !accepted, "{told}");
    }
}

/// What a script writes there. `None`, with a word, where this machine cannot run the package or make such a copy.
fn in_sandbox(script: &str) -> Option<String> {
    if !is_native() {
        return None; // dpkg refuses another machine's package.
    }
    let output = Command::new(root().join("tests/package/sandbox")).arg(script).arg(package()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if errors.lines().any(|line| line.starts_with("mount: ") || line.starts_with("unshare: ")) {
        println!("skipped: no throw-away copy of the files here: {errors}");
        return None;
    }
    assert!(output.status.success(), "{text}{errors}");
    Some(text.into_owned())
}
