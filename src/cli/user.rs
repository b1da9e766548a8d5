//! `visavis user add|list|passwd`: works beside a running daemon.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::{DEFAULT_CONFIG, load, serve};
use crate::accounts::{Accounts, DisplayName, NewPassword, Username};
use crate::proto::signal::Role;
use crate::store::Store;

/// What to do with accounts
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make an account; its password is asked for, or read from standard input
    Add {
        /// What they sign in with
        username: Username,
        /// What they may do
        #[arg(long, value_enum)]
        role: RoleName,
        /// What others see; the username if left out
        #[arg(long, value_name = "NAME")]
        name: Option<DisplayName>,
        #[command(flatten)]
        at: At,
    },
    /// Show every account
    List {
        #[command(flatten)]
        at: At,
    },
    /// Set a new password, and end the person's logins; their calls close within 15 seconds
    Passwd {
        /// Whose
        username: Username,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Args)]
pub(super) struct At {
    /// The configuration, which names the data folder
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Admin,
    Mentor,
    Student,
}

pub(super) fn run(command: UserCommand) -> Result<()> {
    serve::runtime()?.block_on(async {
        match command {
            UserCommand::Add { username, role, name, at } => add(username, role, name, &at).await,
            UserCommand::List { at } => list(&at).await,
            UserCommand::Passwd { username, at } => passwd(username, &at).await,
        }
    })
}

async fn add(username: Username, role: RoleName, name: Option<DisplayName>, at: &At) -> Result<()> {
    let name = match name {
        Some(name) => name,
        None => username.as_str().parse()?,
    };
    let role = match role {
        RoleName::Admin => Role::Admin,
        RoleName::Mentor => Role::Mentor,
        RoleName::Student => Role::Student,
    };
    let user = accounts(at)?.add(username, name, role, password()?).await?;
    println!("made {} ({:?})", user.username, user.role);
    Ok(())
}

async fn list(at: &At) -> Result<()> {
    let users = accounts(at)?.list(None).await?;
    if users.is_empty() {
        println!("no accounts yet: `visavis setup-link` shows how to make the first admin in a browser");
    }
    for user in users {
        println!("{:<20} {:<8} {}", user.username, format!("{:?}", user.role).to_lowercase(), user.display_name);
    }
    Ok(())
}

async fn passwd(username: Username, at: &At) -> Result<()> {
    accounts(at)?.change_password(username.clone(), password()?).await?;
    println!("changed the password of {}", username.as_str());
    Ok(())
}

fn accounts(at: &At) -> Result<Accounts> {
    let config = load(&at.config)?;
    Ok(Accounts::new(Store::open(&config.server.data_dir)?))
}

/// Asked for twice on a terminal; else the first line of standard input.
fn password() -> Result<NewPassword> {
    if !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin().take(2048).read_to_string(&mut text).context("cannot read the password from standard input")?;
        return Ok(text.lines().next().unwrap_or_default().parse()?);
    }
    let first = rpassword::prompt_password("Password: ")?;
    let second = rpassword::prompt_password("Once more: ")?;
    anyhow::ensure!(first == second, "the two passwords differ: try again");
    Ok(first.parse()?)
}
