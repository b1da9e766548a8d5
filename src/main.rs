//! The daemon's entry: parse arguments, run the command, exit code.

use std::process::ExitCode;

use clap::Parser;
use visavis::cli::{Cli, run};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("visavis: {error:#}");
            ExitCode::FAILURE
        }
    }
}
