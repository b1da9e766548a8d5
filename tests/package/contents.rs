//! What lies in the package.

use std::path::Path;
use std::process::Command;

use crate::running::visavis;
use crate::{ARCHITECTURE, output, package, root, version};

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_package_holds_these_files_and_no_other() {
    let listing = output("dpkg-deb", &["--contents", package().to_str().unwrap()]);
    let mut files: Vec<_> = listing
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|words| format!("{} {} {}", words[0], words[1], words[5].trim_start_matches('.')))
        .filter(|file| !file.starts_with('d'))
        .filter(|file| !file.contains("/man8/visavis-"))
        .collect();
    files.sort_by_key(|file| file.split(' ').next_back().unwrap().to_owned());
    assert_eq!(files.join("\n") + "\n", FILES);
}

const FILES: &str = "\
-rw-r--r-- 0/0 /etc/visavis/visavis.toml
-rwxr-xr-x 0/0 /usr/bin/visavis
-rw-r--r-- 0/0 /usr/lib/systemd/system/visavis.service
-rw-r--r-- 0/0 /usr/lib/sysusers.d/visavis.conf
-rw-r--r-- 0/0 /usr/share/bash-completion/completions/visavis
-rw-r--r-- 0/0 /usr/share/doc/visavis/changelog.gz
-rw-r--r-- 0/0 /usr/share/doc/visavis/copyright
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/grafana/visavis.json
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/grafana/visavis.rules.yml
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/visavis.service.d/credentials.conf
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/visavis.service.d/sockets.conf
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/visavis.socket
-rw-r--r-- 0/0 /usr/share/doc/visavis/examples/visavis.toml
-rw-r--r-- 0/0 /usr/share/doc/visavis/visavis.cdx.json
-rw-r--r-- 0/0 /usr/share/fish/vendor_completions.d/visavis.fish
-rw-r--r-- 0/0 /usr/share/man/man5/visavis.toml.5.gz
-rw-r--r-- 0/0 /usr/share/man/man8/visavis.8.gz
-rw-r--r-- 0/0 /usr/share/zsh/vendor-completions/_visavis
";

#[test]
fn the_installed_configuration_never_changes_a_byte() {
    // dpkg asks about a changed file on every box whose admin has edited it, and updates that nobody watches stop at the question.
    let bytes = std::fs::read(root().join("packaging/debian/visavis.toml")).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "ab97fec2809cf6999a7b2038d2c9bdafa905a8a6e28fe4ae42e58d9839070829");
}

#[test]
fn the_installed_configuration_changes_no_default() {
    let text = std::fs::read_to_string(root().join("packaging/debian/visavis.toml")).unwrap();
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_reference_is_installed_as_it_is_here() {
    let unpacked = unpacked();
    let installed = std::fs::read(unpacked.path().join("usr/share/doc/visavis/examples/visavis.toml")).unwrap();
    assert_eq!(installed, std::fs::read(root().join("config/visavis.toml")).unwrap());
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn lintian_finds_nothing() {
    let found = Command::new("lintian").args(["--allow-root", "--fail-on", "error,warning"]).arg(package()).output().unwrap();
    let told = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.success() && told.trim().is_empty(), "{told}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn every_command_has_a_manual_page_that_man_reads_without_a_word() {
    let unpacked = unpacked();
    let manual = unpacked.path().join("usr/share/man");
    let help = String::from_utf8(visavis(&["--help"]).output().unwrap().stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).map_while(|line| line.split_whitespace().next());
    for command in commands {
        assert!(manual.join(format!("man8/visavis-{command}.8.gz")).exists(), "{command} has no page");
    }
    let pages = ["man5", "man8"].iter().flat_map(|section| std::fs::read_dir(manual.join(section)).unwrap());
    for page in pages.map(|page| page.unwrap().path()) {
        let read = Command::new("man").args(["--warnings", "--local-file"]).arg(&page).env("MANWIDTH", "80").output().unwrap();
        let told = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success() && told.is_empty(), "{}: {told}", page.display());
    }
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn what_is_inside_is_told_with_its_licence() {
    let unpacked = unpacked();
    let read = |name: &str| std::fs::read_to_string(unpacked.path().join("usr/share/doc/visavis").join(name)).unwrap();
    let (copyright, components) = (read("copyright"), read("visavis.cdx.json"));
    let components: serde_json::Value = serde_json::from_str(&components).unwrap();
    assert_eq!(components["metadata"]["component"]["version"], env!("CARGO_PKG_VERSION"));
    let components = components["components"].as_array().unwrap();
    for component in components {
        let purl = component["purl"].as_str().unwrap();
        let (kind, name) = purl.trim_start_matches("pkg:").split_once('/').unwrap();
        assert!(copyright.contains(&format!("{kind}/{}/*", name.replace('@', "-"))), "{purl} is not in the copyright file");
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
    }
    let has = |name: &str| components.iter().any(|component| component["name"] == name);
    assert!(has("rustls") && has("sqlite") && has("react-dom"), "linked in");
    assert!(!has("proptest") && !has("vite") && !has("clap_mangen") && !has("serde_derive"), "used to build and test alone");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn the_control_file_says_whose_machines_it_is_for() {
    let field = |name| output("dpkg-deb", &["--field", package().to_str().unwrap(), name]).trim().to_owned();
    assert_eq!(field("Architecture"), ARCHITECTURE.debian);
    assert_eq!(field("Version"), version());
    assert!(field("Depends").starts_with("libc6 (>= 2.34), libgcc-s1"));
}

fn unpacked() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    output("dpkg-deb", &["--extract", package().to_str().unwrap(), folder.path().to_str().unwrap()]);
    assert!(Path::exists(&folder.path().join("usr/bin/visavis")));
    folder
}
