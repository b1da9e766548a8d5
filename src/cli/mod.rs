//! The command line: one file a command. Parses arguments, runs the command, says what went wrong.

mod backup;
mod check_config;
mod demo;
mod doctor;
mod reload;
mod restore;
mod serve;
mod setup_link;
mod status;
mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config};
use crate::sys::owner;

/// Self-hosted video calls for schools
#[derive(Debug, Parser)]
#[command(name = "visavis", version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Serve(ServeArgs),
    /// Check a configuration and name every problem in it
    CheckConfig {
        /// The file to check
        file: PathBuf,
    },
    /// Show whether the daemon runs, and how much goes on; exits with 0 if it is ready, 1 if it is not, 3 if it does not run
    Status(status::StatusArgs),
    /// Examine this box and say what to do about what is wrong
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// Write everything in the data folder to one file, while the daemon runs
    #[command(after_help = backup::HELP)]
    Backup(backup::BackupArgs),
    /// Make the data folder what it was when a backup was written
    #[command(after_help = restore::HELP)]
    Restore(restore::RestoreArgs),
    /// Show the link by which a box without an admin gets its first one
    SetupLink {
        /// The configuration, which names the data folder
        #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
    },
    /// Manage accounts
    #[command(subcommand)]
    User(user::UserCommand),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG, conflicts_with = "demo")]
    config: PathBuf,
    /// Run on a throw-away folder with demo accounts, on this machine alone
    #[arg(long)]
    demo: bool,
}

/// Runs the command; the exit code says what came of it.
///
/// # Errors
/// What went wrong, with its remedy.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let done = match cli.command {
        Command::Status(args) => return status::run(&args),
        Command::Doctor(args) => return doctor::run(&args),
        Command::Serve(ServeArgs { demo: true, .. }) => demo::run(),
        Command::Serve(ServeArgs { config, .. }) => serve::run(&config),
        Command::CheckConfig { file } => check_config::run(&file),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::SetupLink { config } => setup_link::run(&config),
        Command::User(command) => user::run(command),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn load(path: &Path) -> Result<Config> {
    Ok(config::load(path)?)
}

/// Gives root's rights up for those of the data folder's owner; before there is a second thread.
fn become_owner(data_dir: &Path) -> Result<()> {
    owner::become_owner(data_dir).with_context(|| format!("cannot act for the owner of {}", data_dir.display()))
}

const DEFAULT_CONFIG: &str = "/etc/visavis/visavis.toml";
