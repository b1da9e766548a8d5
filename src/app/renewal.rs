//! The certificate is looked at again every minute and whenever somebody asks: renewed files, a leaf that ages, a box with a new address.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::tasks::ticks;
use crate::sys::signals::stopped;
use crate::tls::{Certificates, Names, Renewal};

/// Looks at the certificate every minute, until the daemon stops. `names` says what the box is called now.
pub(super) async fn keep(certificates: Arc<Certificates>, names: impl Fn() -> Names, mut stopping: watch::Receiver<bool>) {
    let mut ticks = ticks(Instant::now() + EVERY, EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => renew(&certificates, names()).await,
            () = stopped(&mut stopping) => return,
        }
    }
}

/// Looks at the certificate now.
pub(super) async fn renew(certificates: &Arc<Certificates>, names: Names) {
    let certificates = Arc::clone(certificates);
    let renewed = tokio::task::spawn_blocking(move || certificates.renew(&names)).await;
    match renewed {
        Ok(Renewal::Renewed) => log::info!(event = "certificate_renewed"; "new connections get a new certificate"),
        Ok(Renewal::Failed(cause)) => {
            log::error!(event = "certificate_kept", cause:% = cause; "the certificate could not be renewed: the one in use stays");
        }
        Ok(Renewal::Unchanged | Renewal::StillFailing) | Err(_) => {}
    }
}

const EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Source;

    #[tokio::test(start_paused = true)]
    async fn a_box_with_a_new_address_has_a_certificate_for_it_within_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let names = |ip: &str| Names { dns: vec!["box.local".to_owned()], addresses: vec![ip.parse().unwrap()] };
        let source = Source::LocalCa { folder: folder.path().to_owned() };
        let certificates = Arc::new(Certificates::load(source, &names("10.0.0.1")).unwrap());
        let leaf = || std::fs::read(folder.path().join("leaf.pem")).unwrap();
        let first = leaf();
        let (stop, stopping) = watch::channel(false);
        let (address, moved) = watch::channel("10.0.0.1");
        let keeping = tokio::spawn(keep(certificates, move || names(*moved.borrow()), stopping));
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(leaf(), first);
        address.send("10.0.0.2").unwrap();
        tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
        assert_ne!(leaf(), first);
        stop.send(true).unwrap();
        keeping.await.unwrap();
    }
}
