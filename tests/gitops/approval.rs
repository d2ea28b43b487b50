//! Approvals: bound to a plan, by the same run.

use super::once::set_status;
use super::stage::{Stage, token};

#[test]
fn plan_waits_until_it_is_approved_and_is_applied_under_the_same_run() {
    let stage = Stage::new("    approve: manual\n");
    stage.push(&token("ci", "enabled"));
    stage.once(3);
    let status = stage.status();
    assert_eq!(status["state"], "waiting");
    stage.run(&["status"]).expect(3);
    let run = stage.waiting();
    assert_eq!(stage.history()[0]["outcome"], "waiting");
    stage.once(3);
    assert_eq!(stage.waiting(), run, "nothing new: the same plan waits");
    assert!(stage.tokens().is_empty());
    stage.run(&["approve", "no-such-run"]).expect(1);
    stage.run(&["approve", &run, "--digest", "another"]).expect(12);
    stage.run(&["approve", &run]).expect(0);
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
    let last = &stage.history()[0];
    assert_eq!((&last["run"], &last["outcome"]), (&run.as_str().into(), &"applied".into()));
    let ended = stage.run(&["approve", &run]).expect(1);
    assert!(ended.stderr.contains("has ended"), "{ended:?}");
}

#[test]
fn plan_that_does_not_fit_any_more_is_not_approved() {
    let stage = Stage::new("    approve: manual\n");
    stage.push(&token("ci", "enabled"));
    stage.once(3);
    let run = stage.waiting();
    set_status(&stage, "disabled");
    let refused = stage.run(&["approve", &run]).expect(12);
    assert!(refused.stderr.contains("is outdated"), "{refused:?}");
    stage.once(3);
    let second = stage.waiting();
    assert_ne!(second, run, "a new plan waits");
    let runs = stage.history();
    let first = runs.iter().find(|one| one["run"] == run.as_str()).unwrap();
    assert_eq!(first["outcome"], "superseded");
    stage.run(&["approve", &second]).expect(0);
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "enabled");
}

#[test]
fn newer_commit_supersedes_a_plan_that_waits() {
    let stage = Stage::new("    approve: manual\n");
    stage.push(&token("ci", "enabled"));
    stage.once(3);
    let run = stage.waiting();
    stage.push(&token("cd", "enabled"));
    stage.once(3);
    assert_ne!(stage.waiting(), run);
    assert_eq!(stage.history()[1]["outcome"], "superseded");
    stage.run(&["approve", &run]).expect(1);
}

#[test]
fn rejected_plan_is_not_made_again_and_its_reason_is_shown() {
    let stage = Stage::new("    approve: manual\n");
    stage.push(&token("ci", "enabled"));
    stage.once(3);
    let run = stage.waiting();
    stage.run(&["reject", &run, "--reason", "not before Monday"]).expect(0);
    stage.once(0);
    let shown = stage.run(&["show", &run]).expect(0).stdout;
    assert!(shown.contains("rejected") && shown.contains("not before Monday"), "{shown}");
    assert!(stage.tokens().is_empty());
    stage.push(&token("cd", "enabled"));
    stage.once(3);
}

#[test]
fn rules_by_kind_of_change_hold_up_only_these() {
    let stage = Stage::new("    approve: {manual_if: [update, delete]}\n");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.push(&token("ci", "disabled"));
    stage.once(3);
    assert_eq!(stage.tokens()[0].1, "enabled");
}

#[test]
fn plan_is_approved_by_rule_after_its_time() {
    let stage = Stage::new("    approve: {after: 1s}\n");
    stage.push(&token("ci", "enabled"));
    stage.once(3);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
    let run = stage.history()[0]["run"].as_str().unwrap().to_owned();
    assert!(stage.run(&["show", &run]).stdout.contains("approved by rule"));
}
