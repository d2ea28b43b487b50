//! `once`: what is due is run, written down, and not run again.

use super::stage::{ACCOUNT, Stage, token};

#[test]
fn commit_is_applied_once_and_recorded() {
    let stage = Stage::new("");
    let commit = stage.push(&token("ci", "enabled"));
    stage.once(0);
    assert_eq!(stage.tokens(), [("ci".to_owned(), "enabled".to_owned())]);
    let status = stage.status();
    for key in ["observed", "attempted", "applied"] {
        assert_eq!(status[key], commit.as_str(), "{key}");
    }
    assert_eq!((&status["state"], &status["last_run"]["outcome"]), (&"ok".into(), &"applied".into()));
    let writes = stage.writes();
    stage.once(0);
    stage.once(0);
    assert_eq!(stage.writes(), writes, "nothing was due");
    let history = stage.history();
    assert_eq!(history.len(), 1, "runs that found nothing are not listed");
    let run = &history[0];
    assert_eq!(
        (&run["reasons"][0], &run["outcome"], &run["host"]),
        (&"poll".into(), &"applied".into(), &"runner-1".into())
    );
    assert_eq!((&run["plan"]["create"], &run["epoch"]), (&1.into(), &1.into()));
    assert_eq!(run["recap"]["localhost"]["changed"], 1);
    let commands: Vec<&str> = run["commands"].as_array().unwrap().iter().map(|one| one[1].as_str().unwrap()).collect();
    assert_eq!(commands, ["plan", "apply"]);
    assert!(!stage.path("state").join("work").join("tokens").exists(), "the checkout is removed");
}

#[test]
fn new_commit_is_a_push_and_its_events_are_those_of_the_apply() {
    let stage = Stage::new("");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    let commit = stage.push(&token("ci", "disabled"));
    stage.once(0);
    let run = &stage.history()[0];
    assert_eq!((&run["reasons"][0], &run["commit"]), (&"push".into(), &commit.as_str().into()));
    let id = run["run"].as_str().unwrap();
    let events = stage.run(&["show", id, "--events"]).expect(0).stdout;
    assert!(events.lines().last().unwrap().contains(r#""changed": 1"#), "{events}");
    let shown = stage.run(&["show", id]).expect(0).stdout;
    assert!(shown.contains("ionplay plan") && shown.contains("status : enabled -> disabled"), "{shown}");
    let markdown = stage.run(&["show", id, "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.contains("applied") && markdown.contains("ci"), "{markdown}");
}

#[test]
fn drift_is_reported_or_put_right_and_ignored_fields_do_not_count() {
    let stage = Stage::new("    drift: {every: 1s, mode: report}\n");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    set_status(&stage, "disabled");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.once(0);
    let status = stage.status();
    assert_eq!((&status["state"], &status["drift"]), (&"drift".into(), &1.into()));
    stage.run(&["status"]).expect(3);
    assert_eq!(stage.tokens()[0].1, "disabled");
    stage.configure("    drift: {every: 1s, mode: correct, ignore: [\"registry_token/*/status\"]}\n");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.once(0);
    assert_eq!((stage.tokens()[0].1.as_str(), &stage.status()["state"]), ("disabled", &"ok".into()));
    stage.configure("    drift: {every: 1s, mode: correct}\n");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "enabled");
    assert_eq!(stage.history()[0]["outcome"], "corrected");
}

/// Changes the token behind the back of the job.
pub fn set_status(stage: &Stage, status: &str) {
    run_other(stage, &token("ci", status));
}

/// Runs tasks by hand, on the registry of the stage.
pub fn run_other(stage: &Stage, tasks: &str) {
    std::fs::write(stage.path("other.yml"), super::stage::playbook(tasks)).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ionplay"));
    command.arg(stage.path("other.yml")).env("IONOS_API_URL", stage.registry.url()).env("IONOS_TOKEN", ACCOUNT);
    let ended = super::stage::ended(&command.env("HOME", stage.folder.path()).output().unwrap());
    ended.expect(0);
}

#[test]
fn rollback_applies_an_earlier_commit_and_passes_the_branch_over() {
    let stage = Stage::new("");
    let first = stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.push(&token("ci", "disabled"));
    stage.once(0);
    stage.run(&["rollback", "tokens"]).expect(0);
    assert_eq!(stage.tokens()[0].1, "enabled");
    let run = &stage.history()[0];
    assert_eq!((&run["outcome"], &run["commit"]), (&"rolled_back".into(), &first.as_str().into()));
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "enabled", "the branch is passed over");
    stage.push(&token("ci", "disabled"));
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "disabled", "until a newer commit comes");
}

#[test]
fn suspended_job_does_not_run_until_it_is_resumed() {
    let stage = Stage::new("");
    stage.push(&token("ci", "enabled"));
    stage.run(&["suspend", "tokens", "--reason", "holidays", "--until", "2h"]).expect(0);
    stage.once(0);
    let status = stage.status();
    assert_eq!((&status["state"], &status["suspended"]["reason"]), (&"suspended".into(), &"holidays".into()));
    assert!(stage.tokens().is_empty());
    assert!(stage.run(&["run", "tokens"]).expect(1).stderr.contains("resume"));
    stage.run(&["resume", "tokens"]).expect(0);
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
}

#[test]
fn manual_run_is_listed_even_if_it_finds_nothing() {
    let stage = Stage::new("");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.run(&["run", "tokens"]).expect(0);
    assert_eq!(stage.history().len(), 1, "it is due, and nothing runs it yet");
    stage.once(0);
    let run = &stage.history()[0];
    assert_eq!((&run["reasons"][0], &run["outcome"]), (&"manual".into(), &"unchanged".into()));
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(stage.history().len(), 3);
}

#[test]
fn secrets_of_the_environment_are_masked_wherever_a_run_prints() {
    let stage = Stage::new("");
    let tasks = "    - command: sh -c 'echo $IONOS_TOKEN; echo $IONOS_TOKEN >&2'\n      register: said\n    - debug: {var: \
                 said}\n    - debug: {msg: \"{{ lookup('env', 'IONOS_TOKEN') }} and {{ lookup('env', 'IONOS_TOKEN') | \
                 b64encode }}\"}\n    - fail: {msg: \"{{ lookup('env', 'IONOS_TOKEN') }}\"}\n      ignore_errors: true\n";
    stage.push(tasks);
    let ended = stage.run(&["once"]);
    let run = stage.history()[0]["run"].as_str().unwrap().to_owned();
    let shown = stage.run(&["show", &run]).stdout + &stage.run(&["show", &run, "--events"]).stdout;
    let all = format!("{}{}{shown}{}", ended.stdout, ended.stderr, stage.state_text());
    assert!(!all.contains(ACCOUNT), "{all}");
    assert!(shown.contains("********"), "{shown}");
}

#[test]
fn job_runs_after_those_that_it_depends_on_and_only_if_they_are_fine() {
    let stage = Stage::new("");
    let job = stage.job();
    let second = job.replace("site.yml", "second.yml");
    stage.configure_file(&format!("jobs:\n  second:\n{second}    depends_on: [first]\n  first:\n{job}"));
    std::fs::write(stage.repository().join("second.yml"), super::stage::playbook(&token("two", "enabled"))).unwrap();
    stage.push("    - fail: {msg: not today}\n");
    let ended = stage.run(&["once", "--json"]).expect(2).json();
    assert_eq!((&ended["jobs"][0]["state"], &ended["jobs"][1]["state"]), (&"blocked".into(), &"failed".into()));
    assert!(stage.tokens().is_empty());
    stage.push(&token("one", "enabled"));
    stage.once(0);
    assert_eq!(stage.tokens().len(), 2);
}

#[test]
fn preview_plans_a_commit_that_is_not_on_the_branch_and_applies_nothing() {
    let stage = Stage::new("");
    stage.push("    - debug: {msg: nothing}\n");
    stage.once(0);
    stage.git(&["checkout", "--quiet", "-b", "proposal"]);
    let proposed = stage.push("    - copy: {content: new, dest: /tmp/ionplay-gitops-preview-is-never-written}\n");
    stage.git(&["checkout", "--quiet", "main"]);
    let shown = stage.run(&["preview", "tokens", "--commit", "proposal", "--json"]).expect(2).json();
    assert_eq!((&shown["commit"], &shown["changes"]), (&proposed.as_str().into(), &true.into()));
    assert!(!std::path::Path::new("/tmp/ionplay-gitops-preview-is-never-written").exists());
    stage.run(&["preview", "tokens", "--commit", "main"]).expect(0);
    stage.run(&["preview", "tokens", "--commit", "no-such-branch"]).expect(1);
}
