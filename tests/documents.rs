//! What the documents say must hold: their configurations are accepted, their links lead somewhere, the events they name are logged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_configuration_in_a_document_is_accepted() {
    let mut found = 0;
    for (path, text) in documents() {
        for block in text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            found += 1;
            let problems = visavis::config::parse(&unindented(block)).err();
            assert!(problems.is_none(), "{}: {block}\n{problems:?}", path.display());
        }
    }
    assert!(found >= 7, "only {found} configurations were found");
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let mut found = 0;
    for (path, text) in documents() {
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !link.contains("://") {
                found += 1;
                assert!(path.parent().unwrap().join(file).exists(), "{}: {link}", path.display());
            }
        }
    }
    assert!(found >= 30, "only {found} links were found");
}

#[test]
fn every_event_that_a_document_names_is_logged() {
    let sources: String = files(&root().join("src"), "rs").map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut found = 0;
    for (path, text) in documents() {
        for event in text.split("VISAVIS_EVENT=").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_')) {
            let event = event.into_iter().next().unwrap();
            found += 1;
            assert!(sources.contains(&format!("event = \"{event}\"")), "{}: {event}", path.display());
        }
    }
    assert!(found > 0);
}

/// README and what is below docs/, with their texts.
fn documents() -> impl Iterator<Item = (PathBuf, String)> {
    let readme = std::iter::once(root().join("README.md"));
    readme.chain(files(&root().join("docs"), "md")).map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    })
}

fn files(folder: &Path, extension: &'static str) -> Box<dyn Iterator<Item = PathBuf>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    Box::new(entries.flat_map(move |path| match path.is_dir() {
        true => files(&path, extension),
        false => Box::new(Some(path).into_iter().filter(move |path| path.extension().is_some_and(|is| is == extension))),
    }))
}

/// A block in a list is indented with it.
fn unindented(block: &str) -> String {
    let indent = block.lines().next().map_or(0, |line| line.len() - line.trim_start().len());
    block.lines().map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
