//! `visavis user add|list|passwd`: works beside a running daemon.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::{DEFAULT_CONFIG, become_owner, load, serve};
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
    let (UserCommand::Add { at, .. } | UserCommand::List { at } | UserCommand::Passwd { at, .. }) = &command;
    let data_dir = load(&at.config)?.server.data_dir;
    become_owner(&data_dir)?;
    serve::runtime()?.block_on(async {
        let accounts = Accounts::new(Store::open(&data_dir)?);
        match command {
            UserCommand::Add { username, role, name, .. } => add(&accounts, username, role, name).await,
            UserCommand::List { .. } => list(&accounts).await,
            UserCommand::Passwd { username, .. } => passwd(&accounts, username).await,
        }
    })
}

async fn add(accounts: &Accounts, username: Username, role: RoleName, name: Option<DisplayName>) -> Result<()> {
    let name = match name {
        Some(name) => name,
        None => username.as_str().parse()?,
    };
    let role = match role {
        RoleName::Admin => Role::Admin,
        RoleName::Mentor => Role::Mentor,
        RoleName::Student => Role::Student,
    };
    let user = accounts.add(username, name, role, password()?).await?;
    println!("made {} ({:?})", user.username, user.role);
    Ok(())
}

async fn list(accounts: &Accounts) -> Result<()> {
    let users = accounts.list(None).await?;
    if users.is_empty() {
        println!("no accounts yet: `visavis setup-link` shows how to make the first admin in a browser");
    }
    for user in users {
        println!("{:<20} {:<8} {}", user.username, format!("{:?}", user.role).to_lowercase(), user.display_name);
    }
    Ok(())
}

async fn passwd(accounts: &Accounts, username: Username) -> Result<()> {
    accounts.change_password(username.clone(), password()?).await?;
    println!("changed the password of {}", username.as_str());
    Ok(())
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
