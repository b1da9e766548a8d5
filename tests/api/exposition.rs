//! A strict reader of the text that Prometheus reads (version 0.0.4), and of its rules for names.

use std::collections::{BTreeMap, BTreeSet};

/// Families by name.
pub(crate) struct Exposition(BTreeMap<String, Family>);

pub(crate) struct Family {
    kind: String,
    /// By name and labels, as they stand.
    samples: BTreeMap<String, f64>,
}

impl Exposition {
    /// Reads the whole text; panics at whatever a reader or `promtool check metrics` would object to.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let (mut helped, mut current) = (None, String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(words.len() > 5, "{line}");
                helped = Some(name.to_owned());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(helped.take().as_deref(), Some(name), "the help comes first");
                name_is_sound(name, kind);
                let family = Family { kind: kind.to_owned(), samples: BTreeMap::new() };
                assert!(families.insert(name.to_owned(), family).is_none(), "{name} stands twice");
                current = name.to_owned();
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let family = families.get_mut(&current).unwrap();
                series_is_sound(series, &current, &family.kind);
                assert!(family.samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{line} stands twice");
            }
        }
        families.iter().filter(|(_, family)| family.kind == "histogram").for_each(|(name, family)| family.adds_up(name));
        assert!(families.values().all(|family| !family.samples.is_empty()));
        Self(families)
    }

    /// The value of one series, such as `visavis_relay_allocations_total{transport="udp"}`.
    pub(crate) fn value(&self, series: &str) -> f64 {
        let of = |family: &Family| family.samples.get(series).copied();
        self.0.values().find_map(of).unwrap_or_else(|| panic!("no {series}"))
    }

    /// The names that a query may use.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let samples = self.0.values().flat_map(|family| family.samples.keys());
        samples.map(|series| series.split('{').next().unwrap().to_owned()).collect()
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> usize {
        self.0.values().map(|family| family.samples.len()).sum()
    }
}

impl Family {
    fn adds_up(&self, name: &str) {
        let bound = |series: &str| series.split("le=\"").nth(1).map(|rest| rest.trim_end_matches("\"}").to_owned());
        let buckets = self.samples.iter().filter_map(|(series, count)| Some((bound(series)?, *count)));
        let number = |bound: &str| if bound == "+Inf" { f64::INFINITY } else { bound.parse::<f64>().unwrap() };
        let mut buckets: Vec<_> = buckets.map(|(bound, count)| (number(&bound), count)).collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name} falls");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, self.samples[&format!("{name}_count")])));
        assert!(self.samples.contains_key(&format!("{name}_sum")));
    }
}

/// <https://prometheus.io/docs/practices/naming/>
fn name_is_sound(name: &str, kind: &str) {
    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
    assert!(name.starts_with("visavis_") || name.starts_with("process_"), "{name}");
    assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
    for other in ["_count", "_sum", "_bucket", "milliseconds", "_kilobytes", "_ms", "_gauge", "_counter"] {
        assert!(!name.ends_with(other), "{name}");
    }
}

fn series_is_sound(series: &str, family: &str, kind: &str) {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
    assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "{series} stands under {family}");
    let labels = labels.strip_suffix('}').unwrap();
    for label in labels.split(',').filter(|label| !label.is_empty()) {
        let (label, value) = label.split_once("=\"").unwrap();
        let value = value.strip_suffix('"').unwrap();
        assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{series}");
        assert!(!value.is_empty() && !value.contains(['"', '\\']), "{series}");
    }
}
