//! `visavis restore FILE`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{DEFAULT_CONFIG, load};
use crate::data;

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// What `visavis backup` wrote
    file: PathBuf,
    /// The configuration, which names the data folder
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

pub(super) fn run(args: &RestoreArgs) -> Result<()> {
    let data_dir = load(&args.config)?.server.data_dir;
    let restored = data::restore(&args.file, &data_dir)?;
    let (made_at, visavis) = (restored.about.made_at, restored.about.visavis);
    println!("{} is as it was on {made_at}, by visavis {visavis}.", data_dir.display());
    if let Some(aside) = restored.aside {
        println!("What was there before is in {}: delete it once all is well.", aside.display());
    }
    println!("Start the daemon again: systemctl start visavis");
    Ok(())
}

pub(super) const HELP: &str = "\
Stop the daemon first. The backup is checked whole before anything is touched; a damaged one, or one of a newer visavis, changes nothing.
What is in the data folder now is kept beside it, under a name that is told.";
