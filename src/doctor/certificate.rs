//! The certificate: what browsers are shown, for how long it holds, and who trusts it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Finding, Subject, beside, handshake};
use crate::sys::owner;
use crate::tls::{self, Leaf, Source, TlsError};

pub(super) async fn check(subject: Arc<Subject>) -> Vec<Finding> {
    let Some(source) = subject.certificate.clone() else {
        return vec![Finding::note(
            "certificate.source",
            "tls.source",
            "a proxy in front has the certificate, so it is not looked at here",
        )];
    };
    let shown = match (subject.daemon.is_running(), subject.page()) {
        (true, Some(page)) => tokio::time::timeout(PATIENCE, handshake::connect(page)).await.ok().and_then(Result::ok),
        _ => None,
    };
    let shown = shown.map(|stream| handshake::chain(&stream));
    beside(move || {
        let ready = by_owner(&subject.config.server.data_dir, &source);
        let mut found = vec![on_disk(&source, &ready)];
        if let Some(chain) = shown.or_else(|| ready.ok()) {
            found.extend(judge(&subject, &source, &chain));
        }
        found
    })
    .await
}

/// What lies in the data folder is read with its owner's rights; the admin's own files may be anywhere.
fn by_owner(data_dir: &Path, source: &Source) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let is_own = !matches!(source, Source::Files { .. });
    let _owner = is_own.then(|| owner::assume(data_dir).ok());
    tls::on_disk(source)
}

/// Whether what the daemon would read now serves.
fn on_disk(source: &Source, ready: &Result<Vec<CertificateDer<'static>>, TlsError>) -> Finding {
    let (name, path) = match source {
        Source::Files { cert, .. } => ("your own files", cert.clone()),
        Source::LocalCa { folder } => ("the box's own authority", tls::local_ca_certificate(folder)),
        Source::Acme { folder, .. } => ("the ACME server", folder.clone()),
    };
    let shown = path.display().to_string();
    match ready {
        Ok(_) => Finding::ok("certificate.source", shown, format!("from {name}; certificate and key belong together")),
        Err(TlsError::File { cause, .. }) if cause.kind() == std::io::ErrorKind::PermissionDenied => {
            Finding::note("certificate.source", shown, format!("from {name}, which this user may not read"))
                .remedy("run `sudo visavis doctor`")
        }
        Err(TlsError::File { cause, .. })
            if cause.kind() == std::io::ErrorKind::NotFound && !matches!(source, Source::Files { .. }) =>
        {
            Finding::note("certificate.source", shown, "there is none yet: the daemon makes it when it first starts")
        }
        Err(error) => Finding::failure("certificate.source", shown, error.to_string())
            .remedy("put the two right: they are read again within a minute, and until then the old ones are used"),
    }
}

fn judge(subject: &Subject, source: &Source, chain: &[CertificateDer<'static>]) -> Vec<Finding> {
    let Some(leaf) = chain.first().and_then(Leaf::read) else {
        return vec![Finding::failure("certificate.expiry", "certificate", "it cannot be read").remedy("have it issued anew")];
    };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    vec![expiry(&leaf, now, source), covered(&leaf, subject), trust(subject, source, chain, &leaf)]
}

fn expiry(leaf: &Leaf, now: i64, source: &Source) -> Finding {
    let (left, lifetime) = (leaf.not_after - now, leaf.not_after - leaf.not_before);
    let until = day(leaf.not_after);
    let remedy = match source {
        Source::Files { .. } => "renew it; new files are used within a minute",
        Source::LocalCa { .. } | Source::Acme { .. } => {
            "the daemon should have renewed it: `journalctl -u visavis` says why it did not"
        }
    };
    if leaf.not_before > now {
        return Finding::failure("certificate.expiry", day(leaf.not_before), "the certificate is not valid yet")
            .remedy("see whether the box's clock is right");
    }
    if left < 0 {
        return Finding::failure("certificate.expiry", until, "the certificate has expired: browsers refuse the page")
            .remedy(remedy);
    }
    // Short-lived ones are renewed when a third is left.
    if left < SOON.min(lifetime / 5) {
        let meaning = format!("the certificate ends in {} days", left / DAY);
        return Finding::warning("certificate.expiry", until, meaning).remedy(remedy);
    }
    Finding::ok("certificate.expiry", until, format!("the certificate holds for {} more days", left / DAY))
}

fn covered(leaf: &Leaf, subject: &Subject) -> Finding {
    let names = leaf.names.dns.iter().cloned().chain(leaf.names.addresses.iter().map(ToString::to_string)).collect::<Vec<_>>();
    let list = names.join(", ");
    let host = subject.host();
    if leaf.covers(&host) {
        return Finding::ok("certificate.names", host, format!("the certificate is for {list}"));
    }
    let meaning = format!("the certificate is not for this name, but for {list}");
    match subject.config.server.public_name {
        Some(_) => Finding::failure("certificate.names", host, meaning)
            .remedy("have it issued for server.public-name, or set server.public-name to a name that it has"),
        None => Finding::warning("certificate.names", host, meaning).remedy("set server.public-name to the name it is for"),
    }
}

fn trust(subject: &Subject, source: &Source, chain: &[CertificateDer<'static>], leaf: &Leaf) -> Finding {
    if let Source::LocalCa { folder } = source {
        let meaning =
            "only devices that were told to trust this box do: on others browsers warn, and iPhones and iPads make no calls";
        let remedy = format!(
            "open {} on each device, or install {} there (device management can); or get a public name and certificate",
            trust_page(subject),
            tls::local_ca_certificate(folder).display()
        );
        return Finding::note("certificate.trust", leaf.issuer.clone(), meaning).remedy(remedy);
    }
    let remedy = match source {
        Source::Acme { .. } => {
            "if the ACME server has issued none yet, the box's own stands in: `journalctl -u visavis` says why"
        }
        _ => {
            "tls.cert-file must hold the whole chain (fullchain.pem); if your school has its own authority, its devices must know it"
        }
    };
    match tls::is_trusted(chain, &subject.host()) {
        Some(true) => Finding::ok("certificate.trust", leaf.issuer.clone(), "every device trusts who signed it"),
        Some(false) => {
            Finding::warning("certificate.trust", leaf.issuer.clone(), "devices do not trust it as it is shown").remedy(remedy)
        }
        None => Finding::note("certificate.trust", leaf.issuer.clone(), "who trusts it cannot be told on this box")
            .remedy("for this check, install the package ca-certificates"),
    }
}

/// Where devices learn to trust the box's own authority: over plain HTTP, where there is any, since HTTPS does not work before.
fn trust_page(subject: &Subject) -> String {
    let host = subject.host();
    let at = |scheme: &str, port: u16, usual: u16| match port {
        port if port == usual => format!("{scheme}://{host}/trust"),
        port => format!("{scheme}://{host}:{port}/trust"),
    };
    let listeners = &subject.listeners;
    let plain = listeners.redirect.first().map(|address| at("http", address.port(), 80));
    plain.unwrap_or_else(|| at("https", listeners.http.first().map_or(443, std::net::SocketAddr::port), 443))
}

fn day(at: i64) -> String {
    let format = format_description!("[day padding:none] [month repr:long] [year]");
    OffsetDateTime::from_unix_timestamp(at).ok().and_then(|at| at.format(format).ok()).unwrap_or_else(|| "certificate".to_owned())
}

const PATIENCE: Duration = Duration::from_secs(3);
const DAY: i64 = 86_400;
const SOON: i64 = 14 * DAY;

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn an_end_that_is_near_is_a_warning_and_one_that_is_past_a_failure() {
        let leaf = |days: i64| Leaf { names: tls::Names::default(), not_before: 0, not_after: days * DAY, issuer: String::new() };
        let source = Source::LocalCa { folder: "/nowhere".into() };
        for (lifetime, age, state) in [
            (90, 10, State::Ok),
            (90, 80, State::Warning),
            (90, 91, State::Failure),
            (90, -1, State::Failure),
            (6, 3, State::Ok),
            (6, 5, State::Warning),
        ] {
            assert_eq!(expiry(&leaf(lifetime), age * DAY, &source).state, state, "{lifetime} {age}");
        }
    }
}
