//! The relay's load bench: this daemon and Debian's coturn on one core, one load generator on another, in turns.
//!
//! `docs/bench-relay.md` says how to run it and what its rows mean.

mod client;
mod endpoint;
mod frame;
mod generator;
#[path = "../measure/mod.rs"]
mod measure;
mod report;
mod scenario;
mod server;
mod stream;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

use measure::machine::{self, Core};
use report::Report;
use scenario::{Effort, SCENARIOS, Scenario};
use server::{Launch, Product};

/// Compares the relay of this daemon with coturn.
#[derive(Debug, Parser)]
struct Arguments {
    /// Scenarios to run; none: all of them.
    scenarios: Vec<String>,
    /// Two rounds of one second: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Rounds; each runs both servers, and the order alternates.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load a run.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Core of the servers.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the load generator.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Daemon to measure instead of the one that was just built.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_visavis"))]
    daemon: PathBuf,
    /// What `cargo bench` says; without it this is a run of the tests.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        println!("nothing to test: make bench-relay, or cargo bench --bench relay");
        return Ok(());
    }
    let chosen = choose(&arguments.scenarios)?;
    let (rounds, length) = match arguments.quick {
        true => (2, Duration::from_secs(1)),
        false => (arguments.rounds.max(1), Duration::try_from_secs_f64(arguments.seconds).context("--seconds")?),
    };
    let launch = Launch::new(arguments.daemon, Core(arguments.server_core))?;
    machine::raise_open_files()?;
    Core(arguments.load_core).take()?;
    println!("{}\nvisavis {}, coturn {}", machine::describe(), env!("CARGO_PKG_VERSION"), server::coturn_version());
    println!("{rounds} rounds of {:.1} s of load for each server\n", length.as_secs_f64());
    let effort = Effort { length, quick: arguments.quick };
    let mut reports: Vec<_> = chosen.iter().map(|_| Report::default()).collect();
    let mut others = Vec::new();
    // Every scenario once a round: whatever slows the machine down for minutes is in each row alike.
    for round in 0..rounds {
        for (scenario, report) in chosen.iter().zip(&mut reports) {
            for product in order(round) {
                let figures =
                    scenario.run(&launch, product, &effort).with_context(|| format!("{} with {product}", scenario.name))?;
                others.push(figures.others);
                report.add(product, figures.rows);
            }
        }
        eprintln!("round {} of {rounds} is done", round + 1);
    }
    println!("{}", report::HEADER);
    for (scenario, report) in chosen.iter().zip(&reports) {
        report.print(scenario.name);
    }
    print_against_even(&chosen, &reports);
    println!("\n{}", report::noise(&mut others));
    println!("{}", machine::load_average());
    Ok(())
}

/// What differs from `even` in one thing alone, beside it.
fn print_against_even(scenarios: &[&Scenario], reports: &[Report]) {
    let of = |name: &str| scenarios.iter().position(|scenario| scenario.name == name).map(|index| &reports[index]);
    let Some(even) = of("even") else { return };
    println!("\n{}", report::HEADER_AGAINST_EVEN);
    for (name, report) in ["bursts", "indications", "idle", "tcp", "tls"].iter().filter_map(|name| Some((name, of(name)?))) {
        report.print_against(name, even);
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(SCENARIOS.iter().collect());
    }
    let find = |name: &String| SCENARIOS.iter().find(|scenario| scenario.name == name);
    match names.iter().find(|name| find(name).is_none()) {
        None => Ok(names.iter().filter_map(find).collect()),
        Some(unknown) => {
            let known: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
            bail!("no scenario `{unknown}`: there are {}", known.join(", "))
        }
    }
}

/// Whoever goes first finds a cooler processor, so they take turns.
fn order(round: usize) -> [Product; 2] {
    if round.is_multiple_of(2) { [Product::Visavis, Product::Coturn] } else { [Product::Coturn, Product::Visavis] }
}
