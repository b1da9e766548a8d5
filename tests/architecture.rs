//! The arrows of ARCHITECTURE.md and the size of files, held against the code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the crate a module may import. `proto` and `sys` are below everybody and stand in no list but their own.
const ARROWS: &[(&str, &[&str])] = &[
    ("cli", &["app", "config", "doctor", "accounts", "mentoring", "data", "store", "tls", "status"]),
    (
        "app",
        &["http", "signaling", "hub", "relay", "accounts", "mentoring", "doctor", "data", "store", "tls", "config", "status"],
    ),
    ("http", &["signaling", "hub", "accounts", "mentoring", "doctor", "store", "status", "tls"]),
    ("signaling", &["hub"]),
    ("hub", &[]),
    ("relay", &["tls"]),
    ("accounts", &["store"]),
    ("mentoring", &["store"]),
    ("doctor", &["config", "data", "store", "tls"]),
    ("data", &["store"]),
    ("store", &[]),
    ("tls", &[]),
    ("config", &[]),
    ("status", &[]),
    ("sys", &[]),
    ("proto", &[]),
];

/// The files that may use `unsafe`: what the kernel and the C library offer there has no safe face.
const UNSAFE: &[&str] = &["src/relay/udp/mod.rs", "src/sys/clock.rs", "src/sys/memory.rs"];

/// Modules that everybody above may import.
const BELOW: &[&str] = &["proto", "sys"];

const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn imports_follow_the_arrows() {
    let mut wrong = Vec::new();
    for (module, allowed) in ARROWS {
        for file in files(&root().join("src").join(module), "rs") {
            for target in imports(&fs::read_to_string(&file).unwrap()) {
                let own = target == *module;
                let below = BELOW.contains(&target.as_str()) && !BELOW.contains(module);
                if !own && !below && !allowed.contains(&target.as_str()) {
                    wrong.push(format!("{}: {module} -> {target}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the arrows:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_src_has_its_arrows() {
    let folders: BTreeSet<_> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name())
        .collect();
    let known: BTreeSet<_> = ARROWS.iter().map(|(module, _)| (*module).into()).collect();
    assert_eq!(folders, known);
}

#[test]
fn the_web_client_s_imports_follow_its_arrows() {
    let arrows: &[(&str, &[&str])] = &[
        ("protocol", &[]),
        ("signaling", &["protocol"]),
        ("call", &["signaling", "protocol"]),
        ("api", &["protocol"]),
        ("i18n", &[]),
    ];
    let source = root().join("web/src");
    let mut wrong = Vec::new();
    for (folder, allowed) in arrows {
        for file in files(&source.join(folder), "ts") {
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines().filter(|line| line.contains("from \"")) {
                let target = line.split("from \"").nth(1).unwrap().trim_end_matches("\";");
                let Some(target) = target.strip_prefix("../") else { continue };
                let target = target.trim_start_matches("../").split('/').next().unwrap();
                let is_test = file.to_string_lossy().contains(".test.");
                if target != *folder && !allowed.contains(&target) && !is_test {
                    wrong.push(format!("{}: {folder} -> {target}", file.display()));
                }
            }
            let imports_react = text.contains("from \"react\"");
            assert!(!imports_react, "{} imports React: that belongs in hooks, components and views", file.display());
        }
    }
    assert!(wrong.is_empty(), "imports against the arrows:\n{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_s_patience() {
    let sources = [
        ("src", "rs"),
        ("tests", "rs"),
        ("benches", "rs"),
        ("fuzz/src", "rs"),
        ("fuzz/targets", "rs"),
        ("web/src", "ts"),
        ("web/src", "tsx"),
        ("web/src", "css"),
        ("tests", "ts"),
    ];
    let long: Vec<_> = sources
        .iter()
        .flat_map(|(folder, extension)| files(&root().join(folder), extension))
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, file)| format!("{} has {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "longer than {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut long = Vec::new();
    for file in files(&root().join("src"), "rs").into_iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        let functions = functions(code).filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        long.extend(functions.map(|(name, lines)| format!("{}: {name} has {lines} lines", file.display())));
    }
    assert!(long.is_empty(), "longer than {FUNCTION_LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn the_length_of_a_function_is_that_of_its_formatted_text() {
    let code = "fn one() {}\n\nimpl It {\n    pub(super) async fn two(\n        &self,\n    ) {\n        fn three() {\n        }\n    }\n\n    \
                fn four(&self);\n}\n\npub const fn five() {\n}\n";
    let found: Vec<_> = functions(code).collect();
    assert_eq!(found, [("one", 1), ("two", 6), ("three", 2), ("four", 1), ("five", 2)]);
}

#[test]
fn unsafe_code_is_where_it_is_known_to_be() {
    let allows = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("allow(unsafe_code");
    let unsafe_files: BTreeSet<_> = files(&root().join("src"), "rs").into_iter().filter(allows).collect();
    assert_eq!(unsafe_files, UNSAFE.iter().map(|file| root().join(file)).collect());
}

#[test]
fn every_folder_opens_with_what_it_owns() {
    let silent: Vec<_> = files(&root().join("src"), "rs")
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "mod.rs"))
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn every_test_that_the_docs_name_is_there() {
    let sources = [("src", "rs"), ("tests", "rs"), ("web/src", "ts"), ("tests", "ts")];
    let code: String = sources
        .iter()
        .flat_map(|(folder, extension)| files(&root().join(folder), extension))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let doc = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let scenarios: Vec<_> = doc.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()).collect();
    assert_eq!(scenarios.len(), 25);
    for scenario in scenarios {
        let tests = scenario.split('|').nth(4).unwrap().split('`').skip(1).step_by(2);
        let gone: Vec<_> =
            tests.filter(|test| !code.contains(&format!("fn {test}(")) && !code.contains(&format!("(\"{test}\","))).collect();
        assert!(gone.is_empty(), "docs/reliability.md names tests that are gone: {gone:?}");
    }
}

/// The crate's own modules that a text names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for (_, rest) in text.match_indices("crate::").map(|(at, matched)| (at, &text[at + matched.len()..])) {
        let names: String = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().to_owned(),
            None => rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
        };
        targets.extend(names.split(',').map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
    }
    targets.retain(|target| ARROWS.iter().any(|(module, _)| module == target));
    targets
}

/// Each function with its lines, as rustfmt writes them: it ends with the first brace or semicolon at the end of a line that is no
/// deeper than the `fn`.
fn functions(code: &str) -> impl Iterator<Item = (&str, usize)> {
    let lines: Vec<_> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((qualifiers, rest)) = line.split_once("fn ") else { continue };
        let is_qualifier = |word: &str| {
            word.starts_with("pub")
                || matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"" | "in")
                || word.ends_with(')')
        };
        if !qualifiers.split_whitespace().all(is_qualifier) {
            continue;
        }
        let depth = indent(line);
        let ends = |line: &&str| !line.is_empty() && indent(line) <= depth && line.ends_with(['}', ';']);
        let end = lines[start..].iter().position(ends).unwrap_or(lines.len() - start);
        found.push((rest.split(['(', '<']).next().unwrap_or_default(), end + 1));
    }
    found.into_iter()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_test(file: &Path) -> bool {
    file.strip_prefix(root()).unwrap().iter().any(|part| part == "tests" || part == "tests.rs")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && entry.file_name().is_some_and(|name| name != "node_modules") {
            found.extend(files(&entry, extension));
        } else if entry.extension().is_some_and(|found| found == extension) {
            found.push(entry);
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
