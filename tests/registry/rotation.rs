//! Rotations by the built program: step by step, killed at every request, and from another machine.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::sinks::{deliver, text};
use super::stage::{Played, REG_A, Stage};

/// A registry whose token `ci` ends in five days.
fn ending() -> Json {
    let end = Timestamp::now() + SignedDuration::from_hours(5 * 24);
    let made = Timestamp::now() - SignedDuration::from_hours(60 * 24);
    let token = json!({"name": "ci", "createdDate": made.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "expiryDate": end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
    json!({"registries": [{"id": REG_A, "name": "reg-a", "hostname": "r.example", "tokens": [token]}]})
}

fn book(grace: &str) -> String {
    let sinks = json!([{"file": {"path": "login.json", "format": "json"}}, {"docker_config": {"path": "config.json"}}]);
    deliver(&sinks, &json!({"rotate": {"before": "14d", "grace": grace}}))
}

/// The name of the token that the sinks have.
fn delivered(stage: &Stage) -> Option<String> {
    let login: Json = serde_json::from_str(&text(stage, "login.json")).ok()?;
    login["username"].as_str().map(str::to_owned)
}

fn status(stage: &Stage, name: &str) -> Option<String> {
    stage.token(name).map(|token| token["status"].as_str().unwrap().to_owned())
}

/// What holds after every run, however it ended.
#[track_caller]
fn check_invariants(stage: &Stage, played: &Played) {
    let names = stage.names();
    let enabled: Vec<&String> = names.iter().filter(|name| status(stage, name).as_deref() == Some("enabled")).collect();
    assert!((1..=2).contains(&enabled.len()), "{names:?}: {}", played.everything());
    // Before the first delivery the old token is the valid one, wherever its password is.
    let valid = delivered(stage).unwrap_or_else(|| "ci".to_owned());
    assert!(enabled.iter().any(|name| **name == valid), "{valid} is not valid, {names:?}: {}", played.everything());
}

#[test]
fn token_is_rotated_before_it_ends() {
    let stage = Stage::with(&ending(), &[]);
    let dry = stage.play(&book("24h"), &["--check"]);
    assert_eq!(dry.outcome(), "changed", "{}", dry.everything());
    assert_eq!(stage.names(), ["ci"]);
    let played = stage.play(&book("24h"), &[]);
    assert_eq!(played.outcome(), "changed", "{}", played.everything());
    assert_eq!(played.result()["action"], "rotate");
    assert_eq!(played.result()["rotation"]["generation"], 2);
    assert_eq!(
        (stage.names(), delivered(&stage)),
        (vec!["ci".to_owned(), "ci-g2".to_owned()], Some("ci-g2".to_owned()))
    );
    assert_eq!(
        (status(&stage, "ci").as_deref(), status(&stage, "ci-g2").as_deref()),
        (Some("disabled"), Some("enabled"))
    );
    let writes: Vec<String> = played.calls().into_iter().filter(|call| !call.starts_with("GET")).collect();
    assert!(writes.len() == 2 && writes[0].starts_with("POST") && writes[1].starts_with("PATCH"), "{writes:?}");
    let again = stage.play(&book("24h"), &[]);
    assert_eq!(again.outcome(), "ok", "{}", again.everything());
    // The grace period is over.
    let last = stage.play(&book("0s"), &[]);
    assert_eq!(last.outcome(), "changed", "{}", last.everything());
    assert_eq!(stage.names(), ["ci-g2"]);
    assert_eq!(stage.play(&book("0s"), &[]).outcome(), "ok");
}

#[test]
fn rotation_that_is_killed_anywhere_is_finished_by_the_next_run() {
    // Each request in turn takes long enough to be killed in, before and after it is carried out.
    for fault in [
        "POST /tokens$ slow delay=20s times=1",
        "POST /tokens$ reset times=1",
        "PATCH /tokens/ slow delay=20s times=1",
        "GET /registries/[^/]*$ slow delay=20s times=1",
        "DELETE /tokens/ slow delay=20s times=1",
    ] {
        let stage = Stage::with(&ending(), &[fault]);
        let (method, rest) = fault.split_once(' ').unwrap();
        let is_list = rest.starts_with("/registries");
        let reached = || {
            let requests = stage.sandbox.requests();
            requests.iter().any(|request| {
                request.method == method && request.fault.is_some() && (is_list || request.path.contains("/tokens"))
            })
        };
        let grace = if method == "DELETE" { "0s" } else { "24h" };
        let killed = stage.signalled("-KILL", &book(grace), reached);
        check_invariants(&stage, &killed);
        let mut last = None;
        for _ in 0..3 {
            let played = stage.play(&book(grace), &[]);
            assert_eq!(played.code, 0, "{fault}: {}", played.everything());
            check_invariants(&stage, &played);
            last = Some(played);
        }
        let last = last.unwrap();
        assert_eq!(last.outcome(), "ok", "{fault}: {}", last.everything());
        let newest = delivered(&stage).unwrap();
        assert_eq!(newest, "ci-g2", "{fault}: {:?}", stage.names());
        assert_eq!(status(&stage, &newest).as_deref(), Some("enabled"), "{fault}");
        assert_ne!(status(&stage, "ci").as_deref(), Some("enabled"), "{fault}");
    }
}

#[test]
fn sink_that_is_killed_while_it_takes_the_password_gets_it_from_the_next_run() {
    let stage = Stage::with(&ending(), &[]);
    let sinks = json!([
        {"file": {"path": "login.json", "format": "json"}},
        {"command": {"argv": ["/bin/sh", "-c", "cat > got; test -e go || { touch here; sleep 20; }"]}},
    ]);
    let book = deliver(&sinks, &json!({"rotate": {"before": "14d", "grace": "24h"}}));
    let here = stage.folder.path().join("here");
    let killed = stage.signalled("-KILL", &book, || here.exists());
    check_invariants(&stage, &killed);
    assert_eq!(status(&stage, "ci").as_deref(), Some("enabled"));
    std::fs::write(stage.folder.path().join("go"), "").unwrap();
    let played = stage.play(&book, &[]);
    assert_eq!(played.code, 0, "{}", played.everything());
    let login: Json = serde_json::from_str(&text(&stage, "login.json")).unwrap();
    assert_eq!(login["password"], text(&stage, "got"));
    assert_eq!((stage.names().len(), status(&stage, "ci").as_deref()), (2, Some("disabled")));
}

#[test]
fn predecessor_stays_until_the_successor_is_verified() {
    let stage = Stage::with(&ending(), &[]);
    let sinks = json!([{"file": {"path": "login.json", "format": "json"}}, {"command": {"cmd": "false"}}]);
    let book = deliver(&sinks, &json!({"rotate": {}}));
    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "failed", "{}", played.everything());
    assert_eq!(
        (status(&stage, "ci").as_deref(), status(&stage, "ci-g2").as_deref()),
        (Some("enabled"), Some("enabled"))
    );
    // A registry that does not answer does not verify a login.
    let sinks = json!([{"file": {"path": "login.json", "format": "json"}}]);
    let book = deliver(&sinks, &json!({"rotate": {"verify": "login"}}));
    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "failed", "{}", played.everything());
    assert!(played.message().contains("the login at registry `r.example` could not be tried"), "{}", played.message());
    assert_eq!((stage.names().len(), status(&stage, "ci").as_deref()), (2, Some("enabled")));
}

#[test]
fn rotation_of_another_machine_is_not_disturbed() {
    let mut stage = Stage::with(&ending(), &["POST /tokens$ slow delay=20s times=1"]);
    let killed = stage.signalled("-KILL", &book("24h"), || {
        stage.sandbox.requests().iter().any(|request| request.method == "POST") && stage.names().len() == 2
    });
    check_invariants(&stage, &killed);
    stage.set("IONPLAY_STATE_DIR", Some("/nonexistent/elsewhere"));
    let played = stage.play(&book("24h"), &["--check"]);
    assert_eq!(played.outcome(), "ok", "{}", played.everything());
    assert!(played.stderr.contains("another run seems to be working on `ci-g2`"), "{}", played.stderr);
}

#[test]
fn rotation_that_could_not_work_is_refused_before_any_request() {
    let stage = Stage::with(&ending(), &[]);
    let sinks = json!([{"file": {"path": "x"}}]);
    for (sinks, more, why) in [
        (&json!([]), json!({"rotate": {}}), "`rotate` needs `credentials`"),
        (&sinks, json!({"rotate": {}, "expiry_date": "2099-01-01"}), "needs a relative `expiry_date`"),
        (&sinks, json!({"rotate": {"before": "90d"}}), "due immediately"),
        (&sinks, json!({"rotate": {"before": "soon"}}), "needs a number before each unit"),
        (&sinks, json!({"rotate": {"befor": "3d"}}), "`rotate` has no parameter `befor`"),
        (&sinks, json!({"rotate": {}, "name": "n".repeat(60)}), "at most 56 characters"),
    ] {
        let played = stage.play(&deliver(sinks, &more), &[]);
        assert_ne!(played.code, 0);
        assert!(played.everything().contains(why), "{why}: {}", played.everything());
        assert!(played.requests.is_empty(), "{why}: {:?}", played.calls());
    }
}

#[test]
fn status_shows_what_is_due_and_ends_with_two() {
    let stage = Stage::with(&ending(), &[]);
    let show = |args: &[&str]| {
        let output = stage.program(&[&["token", "status"], args].concat()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, table) = show(&[]);
    assert_eq!(code, Some(2), "{table}");
    assert!(table.contains("REGISTRY") && table.contains("DUE") && table.contains("1 of 1 tokens are due"), "{table}");
    assert_eq!(show(&["--before", "1d"]).0, Some(0));
    assert_eq!(stage.play(&book("24h"), &[]).code, 0);
    let (code, document) = show(&["--json", "--registry", "reg-a"]);
    assert_eq!(code, Some(0), "{document}");
    let document: Json = serde_json::from_str(&document).unwrap();
    let newest = &document["tokens"][1];
    assert_eq!((&newest["name"], &newest["generation"], &newest["family"]), (&json!("ci-g2"), &json!(2), &json!("ci")));
    assert!(newest["last_rotation"].is_string() && newest["next_due"].is_string(), "{document}");
    assert_eq!(show(&["--registry", "none"]).0, Some(1));
}
