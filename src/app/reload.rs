//! Another configuration for a running daemon: what may change does, and what may not is named.

use anyhow::Result;

use super::App;
use super::sections::{hub_config, relay_config, shared_secret, signaling_limits};
use crate::config::{self, Change, Config};

impl App {
    /// Takes over every key that may change while the daemon runs; of those that may not, the log names each that has changed since the
    /// start.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used; then nothing has changed.
    pub async fn reload(&mut self, config: Config) -> Result<()> {
        let shared_secret = shared_secret(&config)?;
        for change in config::changes(&self.config, &config) {
            if let Change::Live(key) = change {
                log::info!(event = "reloaded", key = key; "the configuration has changed, and this with it");
            }
        }
        for change in config::changes(&self.started_with, &config) {
            if let Change::NeedsRestart(key) = change {
                log::warn!(event = "needs_restart", key = key; "the configuration has changed: this needs a restart");
            }
        }
        self.calls.hub.reconfigure(hub_config(&config)).await;
        self.calls.signaling.reconfigure(signaling_limits(&config));
        self.calls.relay.handle().reconfigure(relay_config(&config), shared_secret);
        self.doctor.reconfigure(config.clone());
        self.config = config;
        Ok(())
    }
}
