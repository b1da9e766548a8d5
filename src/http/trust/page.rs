//! The page, from its templates.

use std::fmt::Write;

use ring::digest::{SHA256, digest};

use super::system::System;
use super::{Fingerprint, Visit, base64, qr};

/// What is the same for every visitor: the style, the script, and their hashes, which the policy names instead of allowing any.
pub(super) struct Page {
    style: String,
    icon: String,
    sources: String,
}

impl Page {
    pub(super) fn new() -> Self {
        let style = [TOKENS, STYLE].concat();
        let hash = |text: &str| format!("'sha256-{}'", base64(digest(&SHA256, text.as_bytes()).as_ref()));
        let sources = format!("script-src {}; style-src {}", hash(SCRIPT), hash(&style));
        Self { style, icon: base64(ICON), sources }
    }

    /// The Content-Security-Policy: this style, this script, and asking `origin` whether it can be reached.
    pub(super) fn policy(&self, origin: &str) -> String {
        let sources = &self.sources;
        format!(
            "default-src 'none'; {sources}; img-src data:; connect-src {origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    }

    /// `origin` is the box's over HTTPS, `address` where others read this page.
    pub(super) fn render(&self, visit: &Visit<'_>, fingerprint: Fingerprint, origin: &str, address: &str) -> String {
        let path = if visit.path == super::PAGE { "/" } else { visit.path };
        fill(TEMPLATE, &|key, out| match key {
            "style" => out.push_str(&self.style),
            "script" => out.push_str(SCRIPT),
            "icon" => out.push_str(&self.icon),
            "name" => escape(visit.name, out),
            "origin" => escape(origin, out),
            "target" => escape(&format!("{origin}{path}"), out),
            "address" => escape(address, out),
            "way" => out.push_str(if visit.secure { "secure" } else { "plain" }),
            "arrival" => out.push_str(if visit.path == super::PAGE { "stay" } else { "pass" }),
            "qr" => out.push_str(&qr::svg(address).unwrap_or_default()),
            "fingerprint" => groups(fingerprint, out),
            "systems" => systems(visit.system, out),
            _ => {}
        })
    }
}

/// The template with each `{{key}}` replaced; what is put in is not looked at again.
fn fill(template: &str, put: &impl Fn(&str, &mut String)) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, (key, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        out.push_str(before);
        put(key, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The visitor's own system first, and open.
fn systems(own: Option<System>, out: &mut String) {
    let others = System::ALL.into_iter().filter(|system| Some(*system) != own);
    for system in own.into_iter().chain(others) {
        let (id, name, steps) = (system.id(), system.name(), system.steps());
        let open = if Some(system) == own { " open" } else { "" };
        let _ = write!(
            out,
            "<details id=\"{id}\" class=\"card system\"{open}><summary><svg class=\"system-icon\" aria-hidden=\"true\"><use href=\"#icon-{id}\"/></svg>\
             <h3>{name}</h3><svg class=\"icon chevron\" aria-hidden=\"true\"><use href=\"#chevron\"/></svg></summary>{steps}</details>"
        );
    }
}

fn groups(fingerprint: Fingerprint, out: &mut String) {
    for group in fingerprint.groups() {
        let _ = write!(out, "<span>{group}</span> ");
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

const TEMPLATE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("check.js");
const STYLE: &str = include_str!("page.css");
/// The web client's own colours, distances and sizes.
const TOKENS: &str = include_str!("../../../web/src/styles/tokens.css");
const ICON: &[u8] = include_bytes!("../../../web/public/favicon.svg");
