//! What SIGHUP (`systemctl reload`) does: the configuration is read again, and the certificate looked at.

use std::path::Path;

use super::serve;
use crate::app::App;
use crate::config;
use crate::sys::log as system_log;

/// Takes over what may change while the daemon runs. A file with a mistake changes nothing, and every mistake is named.
pub(super) async fn run(path: Option<&Path>, app: &mut App) {
    match path.map(config::load).transpose() {
        Ok(None) => {}
        Ok(Some(config)) => {
            let level = serve::level(config.log.level);
            match app.reload(config).await {
                Ok(()) => system_log::set_level(level),
                Err(cause) => {
                    log::error!(event = "reload_refused", cause:% = format!("{cause:#}"); "the configuration cannot be used: everything stays as it is")
                }
            }
        }
        Err(error) => {
            for problem in error.problems() {
                let (key, line) = (problem.key.as_str(), problem.line.unwrap_or_default());
                log::error!(event = "reload_refused", key = key, line = line, what = problem.what.as_str(), remedy = problem.remedy.as_str(); "the configuration has a mistake: everything stays as it is");
            }
        }
    }
    app.renew_certificate().await;
}
