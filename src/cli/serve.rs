//! `visavis serve --config FILE`

use std::path::Path;

use anyhow::{Context, Result};

use super::reload;
use crate::app::App;
use crate::config::Config;
use crate::config::file::{Log, LogLevel, LogTarget};
use crate::sys::handover::Handover;
use crate::sys::signals::{Signal, Signals};
use crate::sys::{limits, log as system_log, memory, notify};

pub(super) fn run(path: &Path) -> Result<()> {
    // The environment may be read and changed while there is one thread.
    let handover = Handover::receive();
    let config = super::load(path)?;
    start_log(&config.log)?;
    runtime()?.block_on(serve(&config, Some(path), handover, |_| async { Ok(()) }))
}

/// Runs the daemon until a signal ends it; `started` comes once every socket answers. `path` is read again when a reload is asked for.
pub(super) async fn serve<F>(
    config: &Config,
    path: Option<&Path>,
    handover: Handover,
    started: impl FnOnce(&App) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let mut signals = Signals::listen()?;
    log::info!(event = "open_files", limit = limits::raise_open_files(); "so many connections, relayed addresses and files may be open");
    let mut app = App::start_on(config, handover).await?;
    started(&app).await?;
    notify::ready(STATUS);
    let signal = loop {
        match signals.received().await {
            Signal::Reload => {
                notify::reloading();
                reload::run(path, &mut app).await;
                notify::ready(STATUS);
            }
            Signal::Stop(signal) => break signal,
        }
    };
    log::info!(event = "stopping", signal = signal; "stopping");
    notify::stopping();
    app.stop().await;
    log::info!(event = "stopped"; "stopped");
    Ok(())
}

/// The runtime of a command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    memory::give_back_large_blocks();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime's threads")
}

pub(super) fn start_log(log: &Log) -> Result<()> {
    let target = match log.target {
        LogTarget::Auto => system_log::Target::Auto,
        LogTarget::Journal => system_log::Target::Journal,
        LogTarget::Stderr => system_log::Target::Stderr,
    };
    system_log::start(level(log.level), target).context("cannot reach the journal: set log.target = \"stderr\"")
}

pub(super) fn level(level: LogLevel) -> log::LevelFilter {
    match level {
        LogLevel::Error => log::LevelFilter::Error,
        LogLevel::Warn => log::LevelFilter::Warn,
        LogLevel::Info => log::LevelFilter::Info,
        LogLevel::Debug => log::LevelFilter::Debug,
        LogLevel::Trace => log::LevelFilter::Trace,
    }
}

const STATUS: &str = "calls connect";
