//! Fidelity: what the dry run says is what happens.
//!
//! Each seed makes a world and a playbook. The dry run of it on one server and the real run, held to the plan, on an equal
//! one are compared line by line. Worlds that were changed after the plan was made must have it refused.
//!
//! `IONPLAY_FIDELITY_RUNS` is the number of seeds (120 if not set), `IONPLAY_FIDELITY_FROM` the first one. Seeds that have
//! failed once are kept in `seeds.txt` and run every time.

mod compare;
mod generate;
mod stage;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use compare::{Sums, compare};
use generate::Case;

fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

/// Runs one seed; what it adds to the sums, or what was wrong.
fn judge(seed: u64) -> Result<Sums, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { compare(&Case::new(seed)).await })
}

#[test]
fn what_the_dry_run_says_is_what_happens() {
    let runs = number("IONPLAY_FIDELITY_RUNS", 120);
    let first = number("IONPLAY_FIDELITY_FROM", 0);
    let kept = include_str!("seeds.txt").lines().filter_map(|line| line.split('#').next()?.trim().parse().ok());
    let seeds: Vec<u64> = kept.chain(first..first + runs).collect();
    let next = AtomicU64::new(0);
    let (sums, failures) = (Mutex::new(Sums::default()), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            match std::panic::catch_unwind(|| judge(*seed)) {
                Ok(Ok(one)) => sums.lock().unwrap().add(&one),
                Ok(Err(why)) => failures.lock().unwrap().push((*seed, why)),
                Err(_) => failures.lock().unwrap().push((*seed, "panicked".to_owned())),
            }
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| _ = scope.spawn(work)));
    let sums = sums.into_inner().unwrap();
    println!("{sums}");
    let failures = failures.into_inner().unwrap();
    for (seed, why) in failures.iter().take(5) {
        println!("seed {seed}: {why}\n{}", Case::new(*seed).playbook);
    }
    let seeds: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    assert!(failures.is_empty(), "{} of {} seeds failed: {seeds:?}", seeds.len(), runs);
    assert!(sums.certain > 0 && sums.undetermined > 0 && sums.refused > 0, "the generator makes too little: {sums}");
}
