//! `/metrics`: names and units as Prometheus has them (<https://prometheus.io/docs/practices/naming/>).

use std::time::UNIX_EPOCH;

use super::exposition::{Exposition, Kind};
use super::{Snapshot, VERSION};
use crate::proto::turn::{Counters, DropReason, Transport};

/// The snapshot as text; what does not answer is left out.
pub fn metrics(snapshot: &Snapshot) -> String {
    let mut text = Exposition::default();
    text.values(Kind::Gauge, "visavis_build_info", "The program that runs.", [([("version", VERSION)], 1)]);
    let ready = u8::from(snapshot.reasons().is_empty());
    text.value(Kind::Gauge, "visavis_ready", "1 if everybody is served, 0 if something is missing.", ready);
    calls(&mut text, snapshot);
    if let Some(counters) = &snapshot.relay {
        relay(&mut text, counters);
    }
    database(&mut text, snapshot);
    page(&mut text, snapshot);
    process(&mut text, snapshot);
    text.into_text()
}

fn calls(text: &mut Exposition, snapshot: &Snapshot) {
    if let Some(census) = snapshot.census {
        let mut gauge = |name, help, value: usize| text.value(Kind::Gauge, name, help, value);
        gauge("visavis_rooms", "Rooms that somebody is in.", census.rooms);
        gauge("visavis_seats", "Participants of all rooms, those included who are about to come back.", census.seats);
        gauge("visavis_waiting", "People who wait in a lobby.", census.waiting);
        gauge("visavis_sockets", "Open signaling sockets.", census.sockets);
    }
    let waiting = "Events of rooms that are not written down yet.";
    text.value(Kind::Gauge, "visavis_records_waiting", waiting, snapshot.records_waiting);
}

fn relay(text: &mut Exposition, counters: &Counters) {
    let by_transport = |transport| [("transport", transport_name(transport))];
    let allocations = |transport| counters.allocations(transport);
    let live = Transport::ALL.map(|transport| (by_transport(transport), allocations(transport).live));
    text.values(Kind::Gauge, "visavis_relay_live_allocations", "Relayed addresses that stand.", live);
    let made = Transport::ALL.map(|transport| (by_transport(transport), allocations(transport).made));
    text.values(Kind::Counter, "visavis_relay_allocations_total", "Relayed addresses since the start.", made);
    let traffic = Transport::ALL.into_iter().flat_map(|transport| {
        let (name, relayed) = (transport_name(transport), counters.relayed(transport));
        let labels = |direction| [("transport", name), ("direction", direction)];
        [(labels("to_peers"), relayed.to_peers), (labels("to_clients"), relayed.to_clients)]
    });
    let traffic: Vec<_> = traffic.collect();
    let packets = traffic.iter().map(|(labels, traffic)| (*labels, traffic.packets));
    text.values(Kind::Counter, "visavis_relay_packets_total", "Packets relayed, by the transport of the client.", packets);
    let bytes = traffic.iter().map(|(labels, traffic)| (*labels, traffic.bytes));
    text.values(Kind::Counter, "visavis_relay_bytes_total", "Data relayed, without headers.", bytes);
    let dropped = DropReason::ALL.map(|reason| ([("reason", drop_name(reason))], counters.dropped(reason)));
    let after = [([("reason", "slow_reader")], counters.fallen_out), ([("reason", "refused_by_kernel")], counters.refused)];
    let help = "Packets that went nowhere, by reason.";
    text.values(Kind::Counter, "visavis_relay_dropped_packets_total", help, dropped.into_iter().chain(after));
    let help = "Requests to the relay whose proof did not hold.";
    text.value(Kind::Counter, "visavis_relay_failed_proofs_total", help, counters.failed_proofs);
}

fn database(text: &mut Exposition, snapshot: &Snapshot) {
    let database = &snapshot.database;
    let help = "How long groups of writes took, the sync included.";
    text.histogram("visavis_database_commit_duration_seconds", help, &database.commits);
    text.value(
        Kind::Counter,
        "visavis_database_refused_commits_total",
        "Groups of writes that the disk refused.",
        database.refused,
    );
    text.value(Kind::Gauge, "visavis_database_size_bytes", "The database with its write-ahead log.", database.bytes);
    if let Some(free) = database.free_bytes {
        text.value(Kind::Gauge, "visavis_disk_free_bytes", "What is free on the disk of the database.", free);
    }
    let warnings = database.warnings.iter().map(|warning| ([("warning", warning.name)], u8::from(warning.holds)));
    text.values(Kind::Gauge, "visavis_warning", "1 while an admin should see to it.", warnings);
}

fn page(text: &mut Exposition, snapshot: &Snapshot) {
    let requests = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(snapshot.requests);
    let requests = requests.map(|(class, count)| ([("class", class)], count));
    text.values(Kind::Counter, "visavis_http_requests_total", "Requests by the class of their answer.", requests);
    let ins = snapshot.sign_ins;
    let results = [("accepted", ins.accepted), ("refused", ins.refused), ("throttled", ins.throttled)];
    let results = results.map(|(result, count)| ([("result", result)], count));
    text.values(Kind::Counter, "visavis_sign_ins_total", "Sign-ins by how they ended.", results);
    let mut gauge = |name, help, value: usize| text.value(Kind::Gauge, name, help, value);
    gauge("visavis_connections", "TCP connections of the page that are not signaling sockets.", snapshot.connections);
    gauge("visavis_connections_max", "How many there may be (limits.connections-max).", snapshot.connections_max);
    gauge("visavis_half_open_connections", "TCP connections that have asked for nothing yet.", snapshot.half_open);
    let expires = snapshot.certificate_expires.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    if let Some(expires) = expires {
        let help = "When the certificate in use ends.";
        text.value(Kind::Gauge, "visavis_certificate_expiry_timestamp_seconds", help, expires.as_secs());
    }
}

/// Under the names that every exporter uses.
fn process(text: &mut Exposition, snapshot: &Snapshot) {
    let usage = snapshot.process;
    let started = snapshot.at.checked_sub(snapshot.uptime).and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    text.value(Kind::Gauge, "process_start_time_seconds", "When the daemon started.", started.as_secs());
    text.value(Kind::Counter, "process_cpu_seconds_total", "Processor time of all threads.", usage.processor.as_secs_f64());
    text.value(Kind::Gauge, "process_resident_memory_bytes", "Memory that is in RAM.", usage.resident);
    text.value(Kind::Gauge, "process_open_fds", "Open file descriptors.", usage.files);
    text.value(Kind::Gauge, "process_max_fds", "How many there may be.", usage.files_max);
}

const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

const fn drop_name(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Malformed => "malformed",
        DropReason::NoAllocation => "no_allocation",
        DropReason::NoChannel => "no_channel",
        DropReason::NoPermission => "no_permission",
        DropReason::ForbiddenPeer => "forbidden_peer",
        DropReason::TooLong => "too_long",
        DropReason::RateLimited => "rate_limited",
        DropReason::TooManyFailures => "too_many_failures",
        DropReason::TooMuchData => "too_much_data",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::snapshot;
    use super::*;

    #[test]
    fn values_stand_under_their_family_with_their_labels() {
        let text = metrics(&snapshot());
        for expected in [
            "# HELP visavis_seats Participants of all rooms, those included who are about to come back.\n# TYPE visavis_seats gauge\nvisavis_seats 2\n",
            "# TYPE visavis_relay_bytes_total counter\nvisavis_relay_bytes_total{transport=\"udp\",direction=\"to_peers\"} 0\n",
            "visavis_database_commit_duration_seconds_bucket{le=\"0.001\"} 2\nvisavis_database_commit_duration_seconds_bucket{le=\"+Inf\"} 3\nvisavis_database_commit_duration_seconds_sum 1.5\n",
            "visavis_certificate_expiry_timestamp_seconds 1800086400\n",
            "process_start_time_seconds 1799999939\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn what_does_not_answer_is_left_out_and_not_zero() {
        let text = metrics(&Snapshot { census: None, relay: None, certificate_expires: None, ..snapshot() });
        for absent in ["visavis_rooms", "visavis_relay_", "visavis_certificate_"] {
            assert!(!text.contains(absent), "{text}");
        }
        assert!(text.contains("visavis_ready 0\n"));
    }
}
