//! The table: medians of all servers, and visavis against each of the others round by round.

use std::collections::BTreeMap;

use crate::measure::figures::{median, number, ratio};
use crate::product::Product;
use crate::scenario::{Rows, Scenario};

/// The runs of one scenario, round by round.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<Product, Vec<Rows>>);

impl Report {
    pub(crate) fn add(&mut self, product: Product, rows: Rows) {
        self.0.entry(product).or_default().push(rows);
    }

    pub(crate) fn print(&self, scenario: &Scenario) {
        for name in scenario.rows {
            let [visavis, node, channels] = Product::ALL.map(|product| self.column(product, name));
            let against = |other: &[f64]| ratio(visavis.iter().zip(other).map(|(one, other)| one / other).collect());
            let (to_node, to_channels) = (against(&node), against(&channels));
            let [visavis, node, channels] = [visavis, node, channels].map(|column| shown(median(column)));
            println!(
                "| {:<9} | {name:<23} | {visavis:>8} | {node:>8} | {channels:>8} | {to_node:<21} | {to_channels:<21} |",
                scenario.name
            );
        }
    }

    fn column(&self, product: Product, name: &str) -> Vec<f64> {
        let runs = self.0.get(&product).map(Vec::as_slice).unwrap_or_default();
        let figure = |rows: &Rows| rows.iter().find(|(row, _)| *row == name).map_or(f64::NAN, |(_, figure)| *figure);
        runs.iter().map(figure).collect()
    }
}

fn shown(figure: f64) -> String {
    if figure.is_nan() { "-".to_owned() } else { number(figure) }
}

pub(crate) const HEADER: &str = "\
| scenario  | figure                  |  visavis |     node | channels | visavis / node        | visavis / channels    |
| --------- | ----------------------- | -------: | -------: | -------: | --------------------- | --------------------- |";
