//! `kill -9` at any time.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use crate::child::{self, Writer};
use crate::dice::Dice;
use crate::{lost, rounds};

/// The same database is killed and opened again and again, so that a recovery is followed by the next.
#[test]
fn a_kill_at_any_time_loses_nothing_that_was_acknowledged() {
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds(15) {
        let mut child = child::spawn(&child::command(Writer::Hammer, folder.path(), &format!("r{round}")));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Sometimes while it opens, mostly in the midst of writing.
        let enough = acknowledged.len() + dice.below(200);
        while acknowledged.len() < enough {
            acknowledged.extend(child::acknowledged(&lines.next().unwrap()));
        }
        child.kill().unwrap();
        acknowledged.extend(lines.filter_map(|line| child::acknowledged(&line)));
        child.wait().unwrap();
        assert_eq!(lost(folder.path(), &acknowledged), Ok(BTreeSet::new()), "round {round}");
    }
    assert!(!acknowledged.is_empty());
}
