//! `prune`: what the job made and no longer names is reported, disabled, and deleted after the grace period.

use super::stage::{Stage, playbook, token, wait_until};

/// Tokens `old` and `ci`, of which only `ci` stays.
fn made_and_forgotten(job: &str) -> Stage {
    let stage = Stage::new(job);
    stage.push(&(token("ci", "enabled") + &token("old", "enabled")));
    stage.once(0);
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage
}

fn names(stage: &Stage) -> Vec<String> {
    stage.tokens().into_iter().map(|(name, status)| format!("{name} {status}")).collect()
}

#[test]
fn object_that_is_not_named_is_reported_and_left_alone() {
    let stage = made_and_forgotten("    prune: {mode: report}\n");
    let message = stage.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no longer named") && message.contains("token `old`"), "{message}");
    assert_eq!(names(&stage), ["ci enabled", "old enabled"]);
    stage.configure("    prune: off\n");
    assert!(stage.status()["message"].is_null());
}

#[test]
fn token_that_is_not_named_is_disabled_and_after_the_grace_period_deleted() {
    let stage = made_and_forgotten("    prune: {mode: delete, grace: 1h}\n");
    assert_eq!(names(&stage), ["ci enabled", "old disabled"]);
    let run = stage.history()[0].clone();
    assert_eq!((&run["outcome"], &run["plan"]["update"]), (&"applied".into(), &1.into()));
    let writes = stage.writes();
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(stage.writes(), writes, "the grace period is not over");
    stage.configure("    prune: {mode: delete, grace: 1s}\n");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(names(&stage), ["ci enabled"]);
    assert_eq!(stage.history()[0]["plan"]["delete"], 1);
    let writes = stage.writes();
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(stage.writes(), writes, "what is gone is not pruned again");
}

#[test]
fn token_that_is_named_again_is_not_pruned() {
    let stage = made_and_forgotten("    prune: {mode: delete, grace: 1s}\n");
    stage.push(&(token("ci", "enabled") + &token("old", "enabled")));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.once(0);
    assert_eq!(names(&stage), ["ci enabled", "old enabled"]);
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(names(&stage), ["ci enabled", "old enabled"]);
}

#[test]
fn object_that_the_job_did_not_make_is_never_pruned() {
    let stage = Stage::new("    prune: {mode: delete, grace: 1s}\n");
    super::once::set_status(&stage, "enabled");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.push(&token("other", "enabled"));
    stage.once(0);
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(names(&stage), ["ci enabled", "other enabled"]);
}

#[test]
fn deletion_that_needs_approval_waits_for_it() {
    let stage = made_and_forgotten("    prune: {mode: delete, grace: 1s}\n    approve: {manual_if: [delete]}\n");
    assert_eq!(names(&stage), ["ci enabled", "old disabled"]);
    wait_until("the deletion waits for approval", || {
        stage.run(&["run", "tokens", "--wait"]);
        !stage.status()["waiting"].is_null()
    });
    assert_eq!(names(&stage), ["ci enabled", "old disabled"]);
    stage.run(&["approve", &stage.waiting()]).expect(0);
    stage.once(0);
    assert_eq!(names(&stage), ["ci enabled"]);
}

#[test]
fn object_that_another_job_names_is_not_pruned() {
    let stage = Stage::new("");
    let job = stage.job() + "    prune: {mode: delete, grace: 1s}\n";
    let second = job.replace("site.yml", "second.yml");
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}  second:\n{second}    depends_on: [tokens]\n"));
    let both = playbook(&token("moved", "enabled"));
    std::fs::write(stage.repository().join("second.yml"), playbook("    - debug: {msg: nothing}\n")).unwrap();
    stage.push(&token("moved", "enabled"));
    stage.once(0);
    // It moves from one job to the other; `second` has replaced it as its own before the first one forgets it.
    std::fs::write(
        stage.repository().join("second.yml"),
        both.replace("scopes: []", "scopes: [], expiry_date: 2099-01-01"),
    )
    .unwrap();
    stage.push(&token("moved", "enabled"));
    stage.once(0);
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(names(&stage), ["ci enabled", "moved enabled"]);
}
