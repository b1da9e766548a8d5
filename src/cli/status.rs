//! `visavis status`: whether the daemon runs and is ready, and how much goes on.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{DEFAULT_CONFIG, load};
use crate::status::Report;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The configuration, which names where to ask (metrics.listen)
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// 0: running and ready. 1: running, but not ready. 3: not running, as `systemctl status` has it.
pub(super) fn run(args: &StatusArgs) -> Result<ExitCode> {
    let addresses = load(&args.config)?.metrics.listen;
    let address = addresses.first().context("metrics.listen is empty, so nobody can be asked: set it and restart the daemon")?;
    let body = match ask(*address) {
        Ok(body) => body,
        Err(cause) => {
            eprintln!(
                "visavis does not answer at {address} ({cause}): see `systemctl status visavis` and `journalctl -u visavis`"
            );
            return Ok(ExitCode::from(NOT_RUNNING));
        }
    };
    let report: Report = serde_json::from_str(&body).with_context(|| format!("what answers at {address} is not this visavis"))?;
    match args.json {
        true => println!("{}", body.trim_end()),
        false => print!("{}", table(&report, OffsetDateTime::now_utc())),
    }
    Ok(if report.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The body of `/status`.
fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET /status HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => bail!("it gave no status"),
    }
}

fn table(report: &Report, now: OffsetDateTime) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        // Writing to a string never fails.
        let _ = writeln!(text, "{name:<12} {value}");
    };
    let state = if report.ready { "ready" } else { "NOT READY" };
    row("visavis", format!("{}, {state}, up {}", report.version, span(report.uptime_seconds)));
    for reason in &report.reasons {
        row("", reason.clone());
    }
    if let (Some(rooms), Some(people), Some(waiting)) = (report.rooms, report.people, report.waiting) {
        row("calls", format!("{rooms} with {people} people, {waiting} waiting"));
    }
    if let (Some(allocations), Some(bytes)) = (report.allocations, report.relayed_bytes) {
        let crate::status::Allocations { udp, tcp, tls } = allocations;
        row("relay", format!("{} allocations (UDP {udp}, TCP {tcp}, TLS {tls}), {} relayed", udp + tcp + tls, size(bytes)));
    }
    if let Some(expires) = report.certificate_expires.as_deref() {
        row("certificate", until(expires, now));
    }
    let free = report.disk_free_bytes.map(|free| format!(", {} free on its disk", size(free))).unwrap_or_default();
    row("database", size(report.database_bytes) + &free);
    row("warnings", if report.warnings.is_empty() { "none".to_owned() } else { report.warnings.join(", ") });
    text
}

fn until(expires: &str, now: OffsetDateTime) -> String {
    let days = OffsetDateTime::parse(expires, &Rfc3339).map(|at| (at - now).whole_days());
    match days {
        Ok(days) if days < 0 => format!("EXPIRED on {expires}"),
        Ok(days) => format!("until {expires}, {days} days"),
        Err(_) => expires.to_owned(),
    }
}

/// The two largest units.
fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", seconds % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// LSB: "program is not running".
const NOT_RUNNING: u8 = 3;
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Allocations;

    #[test]
    fn the_table_says_what_goes_on_in_words() {
        let report = Report {
            version: "1.2.3".to_owned(),
            uptime_seconds: 93_784,
            ready: false,
            reasons: vec!["the database takes no writes: disk_full".to_owned()],
            rooms: Some(2),
            people: Some(5),
            waiting: Some(1),
            allocations: Some(Allocations { udp: 3, tcp: 0, tls: 1 }),
            relayed_bytes: Some(12_345_678),
            certificate_expires: Some("2026-12-01T00:00:00Z".to_owned()),
            database_bytes: 999,
            disk_free_bytes: Some(20_000_000_000),
            warnings: vec!["disk_full".to_owned()],
        };
        let now = OffsetDateTime::parse("2026-11-25T12:00:00Z", &Rfc3339).unwrap();
        let expected = "\
visavis      1.2.3, NOT READY, up 1 d 2 h
             the database takes no writes: disk_full
calls        2 with 5 people, 1 waiting
relay        4 allocations (UDP 3, TCP 0, TLS 1), 12.3 MB relayed
certificate  until 2026-12-01T00:00:00Z, 5 days
database     999 B, 20.0 GB free on its disk
warnings     disk_full
";
        assert_eq!(table(&report, now), expected);
    }

    #[test]
    fn a_certificate_of_yesterday_stands_out() {
        let now = OffsetDateTime::parse("2026-12-02T12:00:00Z", &Rfc3339).unwrap();
        assert_eq!(until("2026-12-01T00:00:00Z", now), "EXPIRED on 2026-12-01T00:00:00Z");
    }
}
