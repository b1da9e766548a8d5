//! The text that Prometheus reads: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4, which every other program
//! of its kind reads too.
//!
//! A writer of our own instead of a client library: all numbers exist elsewhere, and a library's registry would hold copies of them.

use std::fmt::{Display, Write};

use crate::sys::histogram::Distribution;

/// Families written so far.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// What its values may do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
}

/// A label's name and value; none needs escaping, since all are words of this program.
pub(super) type Label<'a> = (&'static str, &'a str);

impl Exposition {
    /// A family of one value.
    pub(super) fn value(&mut self, kind: Kind, name: &str, help: &str, value: impl Display) {
        self.values(kind, name, help, [([], value)]);
    }

    /// A family of one value for each set of labels.
    pub(super) fn values<'a, const N: usize, V: Display>(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([Label<'a>; N], V)>,
    ) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.head(kind, name, help);
        for (labels, value) in values {
            self.sample(name, &labels, value);
        }
    }

    /// A family of durations, in seconds.
    pub(super) fn histogram(&mut self, name: &str, help: &str, distribution: &Distribution) {
        self.head("histogram", name, help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in &distribution.up_to {
            self.sample(&bucket, &[("le", &bound.as_secs_f64().to_string())], count);
        }
        self.sample(&bucket, &[("le", "+Inf")], distribution.count);
        self.sample(&format!("{name}_sum"), &[], distribution.sum.as_secs_f64());
        self.sample(&format!("{name}_count"), &[], distribution.count);
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, kind: &str, name: &str, help: &str) {
        // Writing to a string never fails.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
