//! Clocks other than polls and drift: schedules, and tokens that end soon.

use super::once::run_other;
use super::stage::{Stage, playbook, token};

/// Puts the last run by schedule into the past, so that nobody has to wait for the clock.
fn put_schedule_back(stage: &Stage) {
    let path = stage.path("state/jobs/tokens.json");
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(record["scheduled"].is_string(), "{record:#}");
    record["scheduled"] = "2026-01-01T00:00:00Z".into();
    std::fs::write(path, record.to_string()).unwrap();
}

#[test]
fn missed_times_of_a_schedule_are_one_run_which_is_listed() {
    let stage = Stage::new("    schedule: \"0 3 * * 1\"\n    timezone: Europe/Berlin\n");
    let commit = stage.push(&token("ci", "enabled"));
    stage.once(0);
    assert_eq!(stage.history().len(), 1);
    put_schedule_back(&stage);
    let writes = stage.writes();
    stage.once(0);
    stage.once(0);
    let history = stage.history();
    assert_eq!(history.len(), 2, "{history:#?}");
    let run = &history[0];
    assert_eq!((&run["reasons"][0], &run["outcome"]), (&"schedule".into(), &"unchanged".into()));
    assert_eq!((&run["commit"], stage.writes()), (&commit.as_str().into(), writes));
    // The next one is a Monday at three o'clock in Berlin.
    stage.configure("    poll: 60d\n    schedule: \"0 3 * * 1\"\n    timezone: Europe/Berlin\n");
    let next: jiff::Timestamp = stage.status()["next_due"]["at"].as_str().unwrap().parse().unwrap();
    let local = next.in_tz("Europe/Berlin").unwrap();
    assert_eq!((local.weekday(), local.hour(), local.minute()), (jiff::civil::Weekday::Monday, 3, 0));
}

#[test]
fn token_that_ends_soon_makes_its_job_due_once() {
    let stage = Stage::new("    expiry: {before: 14d}\n");
    let task = "    - registry_token: {registry: demo, name: ci, status: enabled, scopes: [], expiry_date: \"+10d\"}\n";
    stage.push_with(&playbook(task), &[]);
    stage.once(0);
    let second = stage.once(0).stderr;
    assert!(second.contains("(expiry)"), "{second}");
    let third = stage.once(0).stderr;
    assert!(!third.contains("expiry"), "once per token and date: {third}");
    // A token that ends later does not.
    let stage = Stage::new("    expiry: {before: 14d}\n");
    stage.push_with(&playbook(&task.replace("+10d", "+90d")), &[]);
    stage.once(0);
    let second = stage.once(0).stderr;
    assert!(!second.contains("expiry"), "{second}");
}

/// Moves the end of the token `ci`, in the registry and in what the job knows of it, so that nobody has to wait for weeks.
fn move_expiry(stage: &Stage, to: jiff::Timestamp) {
    let task = format!("    - registry_token: {{registry: demo, name: ci, scopes: [], expiry_date: '{to:.0}'}}\n");
    run_other(stage, &task);
    let path = stage.path("state/jobs/tokens.json");
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["tokens"].as_array_mut().unwrap().iter_mut().for_each(|token| token["expiry"] = to.to_string().into());
    std::fs::write(path, record.to_string()).unwrap();
}

#[test]
fn token_near_its_end_makes_the_job_run_and_is_renewed() {
    let stage = Stage::new("    expiry: {before: 14d}\n");
    let password = stage.path("password");
    let task = format!(
        "    - registry_token:\n        registry: demo\n        name: ci\n        status: enabled\n        scopes: []\n        \
         expiry_date: +30d\n        credentials: [{{file: {{path: '{}'}}}}]\n        rotate: {{before: 14d, grace: 24h}}\n",
        password.display()
    );
    stage.push(&task);
    stage.once(0);
    let first = std::fs::read_to_string(&password).unwrap();
    let quiet = stage.once(0).stderr;
    assert!(!quiet.contains("expiry"), "{quiet}");
    move_expiry(&stage, jiff::Timestamp::now() + jiff::SignedDuration::from_hours(5 * 24));
    let renewed = stage.once(0).stderr;
    assert!(renewed.contains("(expiry)"), "{renewed}");
    let tokens = [("ci".to_owned(), "disabled".to_owned()), ("ci-g2".to_owned(), "enabled".to_owned())];
    assert_eq!(stage.tokens(), tokens);
    let second = std::fs::read_to_string(&password).unwrap();
    assert_eq!(stage.password_of_token("ci-g2").as_deref(), Some(second.trim()));
    assert_ne!(first, second);
    let run = &stage.history()[0];
    assert_eq!((&run["reasons"][0], &run["outcome"]), (&"expiry".into(), &"applied".into()), "{run}");
    let writes = stage.writes();
    let quiet = stage.once(0).stderr;
    assert!(!quiet.contains("expiry") && stage.writes() == writes, "{quiet}");
}
