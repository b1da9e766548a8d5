//! visavis.toml(5), from the reference configuration: a chapter a section, an entry a key, the comment above it as its text.

use clap_mangen::roff::{Roff, bold, italic, roman};

/// The page. A line of `reference` is a comment, a `[section]`, or `key = default`.
pub(crate) fn page(reference: &str) -> String {
    let mut page = Roff::new();
    page.control("TH", ["visavis.toml", "5", "", super::SOURCE, "visavis"]);
    page.control("SH", ["NAME"]).text([roman("visavis.toml - configuration of visavis(8)")]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([bold("/etc/visavis/visavis.toml"), roman(INTRODUCTION)]);
    let mut comment: Vec<&str> = Vec::new();
    for line in reference.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if let Some(section) = line.strip_prefix('[') {
            page.control("SH", [format!("SECTION [{}]", section.trim_end_matches(']')).as_str()]);
            note(&mut page, &std::mem::take(&mut comment));
        } else if let Some((key, default)) = line.split_once(" = ") {
            page.control("TP", []).text([bold(key), roman(" = "), italic(default)]);
            page.text([roman(std::mem::take(&mut comment).join(" "))]);
        } else {
            // What stood above an empty line spoke of the file itself; the description above says the same.
            comment.clear();
        }
    }
    page.control("SH", ["SEE ALSO"]).text([roman("visavis(8), visavis-check-config(8)")]);
    page.to_roff()
}

/// What a section says of itself, if it does.
fn note(page: &mut Roff, comment: &[&str]) {
    if !comment.is_empty() {
        page.text([roman(comment.join(" "))]);
    }
}

const INTRODUCTION: &str = " is written in TOML (https://toml.io). Every key has a default, built in: the file holds only what this box \
    wants otherwise, and may be empty. Below is each key with its default. visavis check-config FILE names every mistake at once.";
