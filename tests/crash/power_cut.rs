//! The power goes: what was not synced is gone, in whole or in part.

use std::collections::BTreeSet;

use crate::child::{self, Writer};
use crate::dice::Dice;
use crate::trace::{self, Loss, Step};
use crate::{lost, rounds};

#[test]
fn a_power_cut_at_any_point_loses_nothing_that_was_acknowledged() {
    if !trace::is_permitted() {
        return;
    }
    let mut dice = Dice::new();
    let mut steps = Vec::new();
    for round in 0..rounds(15) {
        if round % CUTS_A_RECORD == 0 {
            steps = recorded(Writer::Steady);
            assert_eq!(acknowledged(&steps).len(), child::STEADY_WRITES as usize);
        }
        let at = if round % CUTS_A_RECORD == 0 { steps.len() } else { dice.below(steps.len() + 1) };
        let loss = if round % 2 == 0 { Loss::Everything } else { Loss::AnyOfIt };
        let after = after_a_cut(&steps[..at], loss, &mut dice);
        assert_eq!(after, Ok(BTreeSet::new()), "cut after step {at} of {}, {loss:?} lost", steps.len());
    }
}

#[test]
fn the_harness_finds_what_a_careless_database_loses() {
    if !trace::is_permitted() {
        return;
    }
    let mut dice = Dice::new();
    for (synchronous, loses) in [("OFF", true), ("NORMAL", true), ("FULL", false)] {
        let steps = recorded(Writer::Bare(synchronous));
        let acknowledgement = steps.iter().rposition(|step| matches!(step, Step::Acknowledge(_))).unwrap();
        let lost = after_a_cut(&steps[..=acknowledgement], Loss::Everything, &mut dice);
        // With nothing synced there may not even be a database any more.
        let loss = lost.as_ref().map_or(true, |lost| !lost.is_empty());
        assert_eq!(loss, loses, "synchronous={synchronous}: {lost:?}");
    }
}

fn recorded(writer: Writer) -> Vec<Step> {
    let folder = tempfile::tempdir().unwrap();
    trace::record(&child::command(writer, folder.path(), "w"), folder.path())
}

fn after_a_cut(steps: &[Step], loss: Loss, dice: &mut Dice) -> Result<BTreeSet<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    trace::cut(steps, loss, dice, folder.path());
    lost(folder.path(), &acknowledged(steps))
}

fn acknowledged(steps: &[Step]) -> BTreeSet<String> {
    let name = |step: &Step| if let Step::Acknowledge(name) = step { Some(name.clone()) } else { None };
    steps.iter().filter_map(name).collect()
}

const CUTS_A_RECORD: u32 = 25;
