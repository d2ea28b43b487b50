//! A seeded world in which everything goes wrong, and the promises that hold all the same.
//!
//! Hosts claim one job, run it step by step, stall, crash and come back; the branch moves, is rewritten and gets commits
//! that is not signed; the store goes away; clocks jump; people approve, reject, suspend and roll back; objects drift. Each
//! step is one of these. `IONPLAY_SIMULATION_STEPS` sets how many there are, `IONPLAY_SIMULATION_SEED` repeats one world.

mod host;
mod world;

use std::io::Write as _;
use std::time::Duration;

use world::{Dice, Simulation};

use super::super::config::{ActionKind, Approval, Drift, Mode, Prune, PruneMode, Retry};
use super::rules::{Dependencies, JobRules};

/// Steps of one world. In between it has time to come to rest, and then has to be in order.
const STEPS_PER_WORLD: u64 = 2_000;
/// Steps between two rests.
const STEPS_PER_STORM: u64 = 250;
/// Steps without a `IONPLAY_SIMULATION_STEPS`.
const DEFAULT_STEPS: u64 = 200_000;

fn read_number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn list_approvals() -> [Approval; 4] {
    [
        Approval::Auto,
        Approval::Manual,
        Approval::After(Duration::from_secs(120)),
        Approval::ManualIf(vec![ActionKind::Delete, ActionKind::Update]),
    ]
}

/// The rules of a world: each seed has others.
fn draw_rules<'a>(dice: &mut Dice, approve: &'a Approval) -> JobRules<'a> {
    let drift = [None, Some(Drift::Report), Some(Drift::Correct), Some(Drift::Correct)][dice.roll_below(4)];
    JobRules {
        poll: Duration::from_secs(60),
        schedule: None,
        drift: drift.map(|mode| (Duration::from_secs(600), mode)),
        expiry: None,
        retry: Retry { first: Duration::from_secs(30), max: Duration::from_secs(900) },
        approve,
        prune: Prune { mode: PruneMode::Off, grace: Duration::ZERO },
        allow_rewrite: dice.roll_chance(4),
        mode: Mode::Plan,
        suspended: false,
        dependencies: Dependencies::Fine,
        signers: Some("signers-0".to_owned()),
    }
}

#[test]
fn promises_hold_whatever_happens() {
    let steps = read_number("IONPLAY_SIMULATION_STEPS", DEFAULT_STEPS);
    let first = read_number("IONPLAY_SIMULATION_SEED", 1);
    let approvals = list_approvals();
    let (mut done, mut writes, mut runs, mut crashes) = (0, 0, 0, 0);
    for seed in first.. {
        let mut dice = Dice::new(seed);
        let approve = &approvals[dice.roll_below(approvals.len())];
        let rules = draw_rules(&mut dice, approve);
        let mut world = Simulation::new(seed, dice, rules);
        for step in 1..=STEPS_PER_WORLD {
            world.run_step();
            if step % STEPS_PER_STORM == 0 {
                world.run_to_rest();
            }
        }
        done += STEPS_PER_WORLD;
        writes += world.writes;
        runs += world.runs;
        crashes += world.crashes;
        if done >= steps {
            break;
        }
    }
    assert!(writes > 0 && runs > 0 && crashes > 0, "the world did not move");
    let told = format!("{done} steps: {runs} runs, {writes} writes, {crashes} crashes; no promise broken\n");
    std::io::stdout().write_all(told.as_bytes()).unwrap();
}
