//! Fidelity: what the dry run says is what happens.
//!
//! Each seed makes a world and a playbook. The dry run of it on one server and the real run, held to the plan, on an equal
//! one are compared line by line. Worlds that were changed after the plan was made must have it refused.
//!
//! `IONPLAY_FIDELITY_RUNS` is the number of seeds (120 if not set), `IONPLAY_FIDELITY_FROM` the first one. Seeds that have
//! failed once are in `seeds.txt` and run every time. What a seed means changes with the generator, so what failed is kept
//! in `kept` too: the world in the first line, then the playbook, as a failure prints them.

mod compare;
mod files;
mod generate;
mod stage;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use compare::{Sums, compare};
use generate::Case;

fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

/// Runs one case; what it adds to the sums, or what was wrong.
fn judge(case: &Case) -> Result<Sums, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { compare(case).await })
}

#[test]
fn cases_that_failed_once_do_not_fail_again() {
    let mut count = 0;
    for entry in std::fs::read_dir(crate::root().join("tests/fidelity/kept")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(why) = judge(&Case::kept(&text)) {
            panic!("{}: {why}", path.display());
        }
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn what_the_dry_run_says_is_what_happens() {
    let sums = run_seeds(Case::new, include_str!("seeds.txt"));
    assert!(sums.certain > 0 && sums.undetermined > 0 && sums.refused > 0, "the generator makes too little: {sums}");
}

#[test]
fn what_the_dry_run_says_of_files_is_what_happens() {
    let sums = run_seeds(Case::with_files, include_str!("seeds-files.txt"));
    assert!(sums.certain > 0 && sums.undetermined > 0, "the generator makes too little: {sums}");
}

/// Runs the seeds that have failed once and those that are asked for.
fn run_seeds(make: fn(u64) -> Case, kept: &str) -> Sums {
    let runs = number("IONPLAY_FIDELITY_RUNS", 120);
    let first = number("IONPLAY_FIDELITY_FROM", 0);
    let kept = kept.lines().filter_map(|line| line.split('#').next()?.trim().parse().ok());
    let seeds: Vec<u64> = kept.chain(first..first + runs).collect();
    let next = AtomicU64::new(0);
    let (sums, failures) = (Mutex::new(Sums::default()), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            match std::panic::catch_unwind(|| judge(&make(*seed))) {
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
        let case = make(*seed);
        println!("seed {seed}: {why}\n# {}\n{}", case.seed, case.playbook);
    }
    let seeds: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    assert!(failures.is_empty(), "{} of {} seeds failed: {seeds:?}", seeds.len(), runs);
    sums
}
