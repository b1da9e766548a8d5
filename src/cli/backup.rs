//! `visavis backup FILE`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{DEFAULT_CONFIG, load};
use crate::data;
use crate::doctor::size;

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Where to write it (a tar archive); best on another disk
    file: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
    /// The configuration, which names the data folder
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

pub(super) fn run(args: &BackupArgs) -> Result<()> {
    let data_dir = load(&args.config)?.server.data_dir;
    let made = data::backup(&data_dir, &args.file, args.force)?;
    let (files, size) = (made.files, size(made.bytes));
    println!("{} holds all {files} files of {} ({size}), and was checked.", args.file.display(), data_dir.display());
    for path in made.left_out {
        println!("Not in it, because it is no file: {path:?}");
    }
    println!("Whoever has it has this box's keys: keep it where nobody else can read it.");
    println!("The configuration is not in it: keep {} too.", args.config.display());
    Ok(())
}

pub(super) const HELP: &str = "\
In it are accounts, sessions, attendance, keys and certificates: what the data folder holds. Calls go on meanwhile. The file can be read
by its owner alone and is checked once it is written. `visavis restore FILE` brings it back.";
