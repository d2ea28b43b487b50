//! Conformance: playbooks with what the reference implementation made of them.
//!
//! `known-failures.txt` names the cases that fail today, one a line. It may only shrink: a listed case that passes fails
//! the test, and so does an unlisted one that fails. With `CONFORMANCE_SHRINK=1` passing cases are taken off the list.
//! `CONFORMANCE_CASE=TEXT` runs only the cases with TEXT in their names and prints all their differences.

mod case;
mod compare;
mod normal;
mod run;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use case::Case;
use compare::{Verdict, judge};
use run::Run;

/// How many cases run side by side.
const JOBS: usize = 2;

fn list_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/known-failures.txt")
}

fn names(text: &str) -> BTreeSet<String> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or("").trim())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Runs all cases and returns the verdicts in their order.
fn judge_all(cases: &[Case]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((&case.name, judge(case, &run::run(case))));
        }
        done
    };
    let mut verdicts: BTreeMap<&String, Verdict> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..JOBS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    cases.iter().map(|case| verdicts.remove(&case.name).unwrap()).collect()
}

#[test]
fn the_reference_is_followed() {
    let filter = std::env::var("CONFORMANCE_CASE").unwrap_or_default();
    let mut cases = Case::all();
    assert!(!cases.is_empty());
    let known = names(&fs::read_to_string(list_path()).unwrap());
    let all: BTreeSet<_> = cases.iter().map(|case| case.name.clone()).collect();
    assert!(known.is_subset(&all), "no such cases: {:?}", known.difference(&all));
    cases.retain(|case| case.name.contains(&filter));
    let verdicts = judge_all(&cases);

    let mut areas: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for (case, verdict) in cases.iter().zip(&verdicts) {
        let passed = verdict.differences.is_empty();
        for area in [case.area(), "total"] {
            let sums = areas.entry(area).or_default();
            let parts = [usize::from(passed), 1, verdict.right, case.expected.events.len()];
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        match (passed, known.contains(&case.name)) {
            (true, true) => better.push(&case.name),
            (false, false) => worse.push((case, verdict)),
            _ => {}
        }
        if !passed && !filter.is_empty() {
            println!("{}\n  {}", case.name, verdict.differences.join("\n  "));
        }
    }
    for (area, [passed, cases, right, events]) in &areas {
        println!("{area:<12} {passed:>4}/{cases:<4} cases  {right:>5}/{events:<5} events");
    }
    for (case, verdict) in &worse {
        println!("FAIL {}", case.name);
        verdict.differences.iter().take(4).for_each(|line| println!("     {line}"));
    }
    if std::env::var_os("CONFORMANCE_SHRINK").is_some() && !better.is_empty() {
        let left: String = known.iter().filter(|name| !better.contains(name)).map(|name| format!("{name}\n")).collect();
        fs::write(list_path(), left).unwrap();
        better.clear();
    }
    assert!(worse.is_empty(), "{} cases fail that are not in known-failures.txt", worse.len());
    assert!(better.is_empty(), "these pass now, take them off known-failures.txt: {better:?}");
}

/// What a runner would have written to get exactly what is expected.
fn stream(case: &Case) -> Run {
    let mut events = Vec::new();
    for want in &case.expected.events {
        if want["event"] == "play" {
            events.push(json!({"event": "play_start", "play": want["play"]}));
            continue;
        }
        // Every event as a task of its own keeps the order as it is.
        events.push(json!({"event": "task_start"}));
        let mut event = want.clone();
        event["action"] = json!(format!("ansible.builtin.{}", want["action"].as_str().unwrap()));
        if let Some(error) = event.as_object_mut().and_then(|map| map.remove("error")) {
            event["result"]["msg"] = error;
        }
        if let Some(Json::Array(files)) = event["result"].get_mut("files").filter(|_| want["action"] == "find") {
            files.iter_mut().for_each(|path| *path = json!({"path": *path}));
        }
        event["result"]["warnings"] = json!(["said in passing"]);
        events.push(event);
    }
    if let Some(hosts) = &case.expected.recap {
        events.push(json!({"event": "recap", "hosts": hosts, "custom_stats": case.expected.custom_stats}));
    }
    let stderr = "message".to_owned();
    let (exit_code, stdout) = (case.expected.exit_code, case.expected.stdout.join("\n"));
    Run { exit_code, stdout, stderr, events, timed_out: false, replace: Vec::new() }
}

#[test]
fn what_is_expected_passes() {
    for mut case in Case::all() {
        // These look at what was printed in another way than the recording keeps it.
        case.meta.matches.clear();
        let verdict = judge(&case, &stream(&case));
        assert!(verdict.differences.is_empty(), "{}: {:#?}", case.name, verdict.differences);
        assert_eq!(verdict.right, case.expected.events.len());
    }
}

#[test]
fn what_is_not_expected_fails() {
    let cases = Case::all();
    let case = cases.iter().find(|case| case.expected.recap.is_some() && case.expected.events.len() > 3).unwrap();
    let differs = |change: fn(&mut Run)| {
        let mut run = stream(case);
        change(&mut run);
        judge(case, &run).differences
    };
    assert!(differs(|_| ()).is_empty());
    assert_eq!(differs(|run| run.exit_code += 1).len(), 1);
    assert_eq!(differs(|run| run.timed_out = true).len(), 1);
    assert!(!differs(|run| drop(run.events.pop())).is_empty());
    assert!(!differs(|run| drop(run.events.remove(2))).is_empty());
    assert!(!differs(|run| run.events[2]["status"] = json!("unreachable")).is_empty());
    assert!(!differs(|run| run.events[2]["task"] = json!("another")).is_empty());
    assert!(!differs(|run| run.events.push(json!({"event": "broken"}))).is_empty());
}

#[test]
fn hosts_may_come_in_any_order_within_a_task() {
    let event = |host: &str, task: &str| json!({"event": "host", "play": "p", "task": task, "action": "debug", "host": host, "status": "ok", "result": {}});
    let mark = json!({"event": "task_start"});
    let run = |events: Vec<Json>| Run {
        exit_code: 0,
        stdout: String::new(),
        stderr: String::new(),
        events,
        timed_out: false,
        replace: Vec::new(),
    };
    let order = |events: Vec<Json>, order: case::Order| {
        let normal = normal::normalise(&run(events), &case::Meta { order, ..case::Meta::default() });
        normal
            .events
            .iter()
            .map(|e| format!("{}{}", e["host"].as_str().unwrap(), e["task"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let events = vec![mark.clone(), event("b", "1"), event("a", "1"), mark, event("b", "2"), event("a", "2")];
    assert_eq!(order(events.clone(), case::Order::Linear), ["a1", "b1", "a2", "b2"]);
    assert_eq!(order(events.clone(), case::Order::PerHost), ["a1", "a2", "b1", "b2"]);
    assert_eq!(order(events, case::Order::Strict), ["b1", "a1", "b2", "a2"]);
}
