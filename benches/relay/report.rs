//! The table: medians of both servers, and their ratio round by round.

use crate::measure::figures::{median, number, ratio};
use crate::server::Product;

/// The runs of one scenario, round by round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    visavis: Vec<Vec<(&'static str, f64)>>,
    coturn: Vec<Vec<(&'static str, f64)>>,
}

impl Report {
    pub(crate) fn add(&mut self, product: Product, rows: Vec<(&'static str, f64)>) {
        match product {
            Product::Visavis => self.visavis.push(rows),
            Product::Coturn => self.coturn.push(rows),
        }
    }

    pub(crate) fn print(&self, scenario: &str) {
        let names = self.visavis.first().into_iter().flatten().map(|(name, _)| *name);
        for (row, name) in names.enumerate() {
            let column = |runs: &[Vec<(&'static str, f64)>]| -> Vec<f64> { runs.iter().map(|rows| rows[row].1).collect() };
            let (visavis, coturn) = (column(&self.visavis), column(&self.coturn));
            let ratios: Vec<f64> = visavis.iter().zip(&coturn).map(|(one, other)| one / other).collect();
            let (one, other) = (number(median(visavis)), number(median(coturn)));
            println!("| {scenario:<14} | {name:<28} | {one:>8} | {other:>8} | {:<21} |", ratio(ratios));
        }
    }

    /// The first figure of each server as a ratio to its own in another scenario, round by round.
    pub(crate) fn print_against(&self, scenario: &str, base: &Self) {
        let ratios = |runs: &[Vec<(&'static str, f64)>], base: &[Vec<(&'static str, f64)>]| {
            ratio(runs.iter().zip(base).map(|(rows, base)| rows[0].1 / base[0].1).collect())
        };
        let (visavis, coturn) = (ratios(&self.visavis, &base.visavis), ratios(&self.coturn, &base.coturn));
        println!("| {:<20} | {visavis:<21} | {coturn:<21} |", format!("{scenario} / even"));
    }
}

/// How much the other programs of the machine were in the way.
pub(crate) fn noise(shares: &mut [f64]) -> String {
    let most = shares.iter().copied().fold(0.0, f64::max);
    let middle = median(shares.to_vec());
    format!("other programs on the servers' core: {:.0} % of a run in the median, {:.0} % at most", middle * 100.0, most * 100.0)
}

pub(crate) const HEADER: &str = "\
| scenario       | figure                       |  visavis |   coturn | ratio (min..max)      |
| -------------- | ---------------------------- | -------: | -------: | --------------------- |";

pub(crate) const HEADER_AGAINST_EVEN: &str = "\
| server CPU a packet  | visavis (min..max)    | coturn (min..max)     |
| -------------------- | --------------------- | --------------------- |";
