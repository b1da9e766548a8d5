//! What may change while the daemon runs: the one table.

use super::Config;
use super::file::File;

/// A key whose value is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Such as `rooms.lobby`; a reload does it.
    Live(String),
    /// Such as `http.listen`; a restart does it.
    NeedsRestart(String),
}

/// The keys that differ, by name; values stay out of it, since some are secret.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let (old, new) = (table(&old.written), table(&new.written));
    let differs = |section: &str, key: &str| {
        old.get(section).and_then(|keys| keys.get(key)) != new.get(section).and_then(|keys| keys.get(key))
    };
    let mut changes = Vec::new();
    for (section, keys) in new.iter().filter_map(|(section, keys)| Some((section, keys.as_table()?))) {
        for key in keys.keys().filter(|key| differs(section, key)) {
            let key = format!("{section}.{key}");
            changes.push(if LIVE.contains(&key.as_str()) { Change::Live(key) } else { Change::NeedsRestart(key) });
        }
    }
    changes
}

fn table(file: &File) -> toml::Table {
    toml::Table::try_from(file).unwrap_or_default()
}

/// What a reload changes, for rooms, sockets and allocations that begin afterwards; whatever is not here needs a restart. The rates of
/// requests to the relay are not: they are read without a lock.
const LIVE: &[&str] = &[
    "turn.external-addresses",
    "turn.shared-secret",
    "turn.shared-secret-file",
    "turn.allow-peers",
    "turn.deny-peers",
    "rooms.participants-max",
    "rooms.reconnect-grace",
    "rooms.unattended-grace",
    "rooms.lobby",
    "limits.sockets-per-user",
    "limits.message-bytes-max",
    "limits.messages-per-second",
    "limits.messages-burst",
    "limits.refused-messages-max",
    "limits.outbox-bytes-max",
    "limits.allocations-max",
    "limits.allocations-per-seat",
    "limits.allocations-per-source",
    "limits.permissions-per-allocation",
    "limits.channels-per-allocation",
    "limits.new-peers-per-second",
    "limits.new-peers-burst",
    "limits.relayed-packets-per-second",
    "limits.relayed-bits-per-second",
    "limits.relayed-burst",
    "log.level",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn every_key_of_the_shipped_file_says_truly_whether_a_reload_changes_it() {
        let (mut section, mut comment, mut keys) = (String::new(), String::new(), Vec::new());
        for line in include_str!("../../config/visavis.toml").lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            } else if line.starts_with('#') {
                comment += line;
            } else if let Some((key, _)) = line.split_once(" = ") {
                let key = format!("{section}.{key}");
                assert_eq!(comment.ends_with("(live)"), LIVE.contains(&key.as_str()), "{key}: {comment}");
                keys.push(key);
                continue;
            }
            if !line.starts_with('#') {
                comment.clear();
            }
        }
        assert!(LIVE.iter().all(|live| keys.iter().any(|key| key == live)), "the table names a key that is none");
    }

    #[test]
    fn a_change_is_named_without_its_value() {
        let with = |text: &str| parse(text).unwrap();
        let old = with("[rooms]\nparticipants-max = 4\n[turn]\nshared-secret = \"0123456789abcdef\"\n");
        let new = with("[turn]\nshared-secret = \"0123456789abcdeF\"\nrealm = \"school\"\n[rooms]\nparticipants-max = 5\n");
        let expected = [
            Change::Live("rooms.participants-max".to_owned()),
            Change::NeedsRestart("turn.realm".to_owned()),
            Change::Live("turn.shared-secret".to_owned()),
        ];
        assert_eq!(changes(&old, &new), expected);
        assert_eq!(changes(&new, &new), []);
    }
}
