//! Writes the manual pages and the shells' completions from the command line's own definition, and visavis.toml(5) from the reference
//! configuration: documents FOLDER. An example, since examples may use what the shipped binary must not carry.

mod configuration;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::{Man, roff};
use visavis::cli::Cli;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).context("say where to: documents FOLDER")?);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut command = Cli::command();
    command.build();
    pages(&command, &folder)?;
    fs::write(folder.join("visavis.toml.5"), configuration::page(REFERENCE))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "visavis", &folder)?;
    }
    Ok(())
}

/// A page for the command and for each below it: visavis.8, visavis-user.8, visavis-user-add.8.
fn pages(command: &Command, folder: &Path) -> Result<()> {
    let page = Man::new(command.clone()).section("8").source(SOURCE).manual("visavis");
    let mut text = Vec::new();
    page.render(&mut text)?;
    see_also(command).to_writer(&mut text)?;
    fs::write(folder.join(page.get_filename()), text)?;
    command.get_subcommands().try_for_each(|below| pages(below, folder))
}

/// The files, where the page is the daemon's own, and where to read on.
fn see_also(command: &Command) -> roff::Roff {
    let mut text = roff::Roff::new();
    let is_root = command.get_name() == "visavis";
    if is_root {
        text.control("SH", ["FILES"]);
        for (file, what) in FILES {
            text.control("TP", []).text([roff::italic(*file)]).text([roff::roman(*what)]);
        }
    }
    text.control("SH", ["SEE ALSO"]);
    let commands = command.get_subcommands().filter_map(|below| below.get_display_name()).map(|name| format!("{name}(8)"));
    let root = (!is_root).then(|| "visavis(8)".to_owned());
    let others: Vec<_> = root.into_iter().chain(commands).chain(["visavis.toml(5)".to_owned()]).collect();
    text.text([roff::roman(others.join(", "))]);
    text
}

const REFERENCE: &str = include_str!("../../config/visavis.toml");
const SOURCE: &str = concat!("visavis ", env!("CARGO_PKG_VERSION"));
const FILES: &[(&str, &str)] = &[
    ("/etc/visavis/visavis.toml", "The configuration, see visavis.toml(5). An empty file will do: every key has a default."),
    ("/usr/share/doc/visavis/examples/visavis.toml", "Every key with its default and unit."),
    ("/var/lib/visavis", "Database, keys and certificates of the box. Back it up."),
];
