//! The signaling's load bench: this daemon, Node with `ws`, and Django Channels do the same work on one core, one load generator on another.
//!
//! `docs/bench-signaling.md` says how to run it and what its rows mean.

#[path = "../measure/mod.rs"]
mod measure;
mod page;
mod people;
mod product;
mod report;
mod scenario;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

use measure::machine::{self, Core};
use product::Product;
use report::Report;
use scenario::{Effort, SCENARIOS, Scenario};
use server::Launch;

/// Compares the signaling of this daemon with that of others.
#[derive(Debug, Parser)]
struct Arguments {
    /// Scenarios to run; none: all of them.
    scenarios: Vec<String>,
    /// One round of one second with few clients: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Rounds; each runs every server, and the order moves on.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load a run.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How many idle sockets.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Seconds that idle sockets are held.
    #[arg(long, default_value_t = 10.0)]
    hold: f64,
    /// Measure the daemon alone.
    #[arg(long)]
    alone: bool,
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
        println!("nothing to test: make bench-signaling, or cargo bench --bench signaling");
        return Ok(());
    }
    let chosen = choose(&arguments.scenarios)?;
    let products = if arguments.alone { &Product::ALL[..1] } else { &Product::ALL[..] };
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).context("no such time");
    let (length, hold) = (seconds(arguments.seconds)?, seconds(arguments.hold)?);
    let (rounds, effort) = match arguments.quick {
        true => (1, Effort { length: Duration::from_secs(1), hold: Duration::ZERO, idle_sockets: 1000, storm_clients: 200 }),
        false => (arguments.rounds.max(1), Effort { length, hold, idle_sockets: arguments.sockets, storm_clients: 2_000 }),
    };
    machine::raise_open_files()?;
    let launch =
        Launch::new(arguments.daemon, Core(arguments.server_core), effort.idle_sockets.max(2_000) / 2, ABSENT, products)?;
    Core(arguments.load_core).take()?;
    println!("{}", machine::describe());
    println!("visavis {}; {rounds} rounds, {:.0} s of load a run\n", env!("CARGO_PKG_VERSION"), effort.length.as_secs_f64());
    let mut reports: Vec<_> = chosen.iter().map(|_| Report::default()).collect();
    for round in 0..rounds {
        for (scenario, report) in chosen.iter().zip(&mut reports) {
            // Whoever goes first finds a cooler processor, so they take turns.
            for turn in 0..products.len() {
                let product = products[(round + turn) % products.len()];
                let rows =
                    (scenario.run)(&launch, product, &effort).with_context(|| format!("{} with {product}", scenario.name))?;
                report.add(product, rows);
            }
        }
        eprintln!("round {} of {rounds} is done", round + 1);
    }
    println!("{}", report::HEADER);
    for (scenario, report) in chosen.iter().zip(&reports) {
        report.print(scenario);
    }
    println!("\n{}", machine::load_average());
    Ok(())
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

/// People in the database of `start` who are never there.
const ABSENT: usize = 100_000;
