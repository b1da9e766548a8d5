//! The box as `doctor` examines it: from outside of the daemon for the command line, from within for the admin's page.

use std::path::PathBuf;

use super::certificate;
use super::listeners::Addresses;
use crate::config::Config;
use crate::doctor::{Daemon, Doctor, Subject};

/// The box of a configuration, whether or not its daemon runs.
pub fn subject(config: Config, file: PathBuf) -> Subject {
    let (names, source) = (certificate::names(config.server.public_name.as_ref()), certificate::source(&config));
    Subject::of(config, file, names, source)
}

/// Examines the box of this very daemon, which listens there, as it is when somebody asks.
pub(super) fn doctor(config: &Config, addresses: &Addresses) -> Doctor {
    // Where monitoring was to be answered: an address that could not be had is a finding.
    let listeners = Addresses { metrics: config.metrics.listen.clone(), ..addresses.clone() };
    Doctor::new(config.clone(), move |config| Subject {
        config_file: None,
        daemon: Daemon::Here,
        listeners: listeners.clone(),
        names: certificate::names(config.server.public_name.as_ref()),
        certificate: certificate::source(&config),
        config,
    })
}
