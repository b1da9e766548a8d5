//! Who the box is to browsers: its names, and the certificate that proves them, kept valid while the daemon runs.

use std::sync::Arc;

use anyhow::Result;
use rustls::ServerConfig;
use tokio::sync::Notify;

use super::tasks::Tasks;
use super::{certificate, renewal};
use crate::config::Config;
use crate::config::checked::Tls;
use crate::tls::acme::{Challenges, Evidence};
use crate::tls::{Certificates, Names};

/// The box's names and its certificate.
pub(super) struct Identity {
    pub(super) public_name: Option<String>,
    /// `None`: a proxy has the certificate.
    pub(super) certificates: Option<Arc<Certificates>>,
    /// Has the ACME task look at once.
    hurry: Arc<Notify>,
}

impl Identity {
    /// Reads or makes the certificate.
    ///
    /// # Errors
    /// It does not serve, with its remedy.
    pub(super) fn load(config: &Config) -> Result<Self> {
        let public_name = config.server.public_name.clone();
        let names = certificate::names(public_name.as_ref());
        let certificates =
            certificate::source(config).map(|source| Certificates::load(source, &names).map(Arc::new)).transpose()?;
        Ok(Self { public_name, certificates, hurry: Arc::default() })
    }

    /// What browsers may call the box now.
    pub(super) fn names(&self) -> Names {
        certificate::names(self.public_name.as_ref())
    }

    /// How TLS is spoken, always with the certificate of the moment.
    ///
    /// # Errors
    /// The cryptography does not have what is asked of it.
    pub(super) fn tls(&self) -> Result<Option<Arc<ServerConfig>>> {
        Ok(self.certificates.as_ref().map(|certificates| certificates.server_config()).transpose()?)
    }

    /// What the ACME server is to see.
    pub(super) fn challenges(&self) -> Arc<Challenges> {
        self.certificates.as_ref().map(|certificates| certificates.challenges()).unwrap_or_default()
    }

    /// Keeps the certificate valid until the daemon stops. Over plain HTTP the box proves its name where it listens there.
    pub(super) fn keep(&self, config: &Config, evidence: Evidence, plain_http: bool, tasks: &mut Tasks) {
        let Some(certificates) = &self.certificates else { return };
        let public_name = self.public_name.clone();
        let names = move || certificate::names(public_name.as_ref());
        tasks.spawn(renewal::keep(Arc::clone(certificates), names, tasks.stopping()));
        if let Tls::Acme(acme) = &config.tls {
            let settings = certificate::acme_settings(acme, &config.server.data_dir, plain_http);
            let (certificates, hurry) = (Arc::clone(certificates), Arc::clone(&self.hurry));
            tasks.spawn(certificate::issue(settings, certificates, evidence, hurry, tasks.stopping()));
        }
    }

    /// Looks at the certificate now.
    pub(super) async fn renew(&self) {
        if let Some(certificates) = &self.certificates {
            renewal::renew(certificates, self.names()).await;
            self.hurry.notify_one();
        }
    }
}
