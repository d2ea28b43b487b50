//! Tokens that are made in the background: their passwords are in a file, and yet never shown and never lost.

use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, Stage, no_tokens};

fn make(poll: u32) -> Json {
    json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made", "async": 30, "poll": poll})
}

fn look() -> Json {
    json!({
        "async_status": {"jid": "{{ made.ansible_job_id }}"},
        "register": "made", "until": "made is finished", "retries": 50, "delay": 0.2,
    })
}

/// Shows the password in two ways and keeps it in a file.
fn use_it() -> [Json; 2] {
    let password = "made.registry_token.properties.credentials.password";
    let show =
        json!({"debug": {"msg": [format!("{{{{ {password} }}}}"), format!("{{{{ {password} | b64encode }}}}")]}});
    let keep = json!({"copy": {"content": format!("{{{{ {password} }}}}"), "dest": "password", "mode": "0600"}});
    [show, keep]
}

fn kept(stage: &Stage) -> String {
    std::fs::read_to_string(stage.folder.path().join("password")).unwrap_or_default()
}

fn list(stage: &Stage) -> String {
    String::from_utf8(stage.program(&["token", "list"]).output().unwrap().stdout).unwrap()
}

fn files_of_jobs(stage: &Stage) -> usize {
    std::fs::read_dir(stage.folder.path().join(".ansible_async")).map_or(0, Iterator::count)
}

#[test]
fn a_password_that_was_made_in_the_background_is_never_shown() {
    let [show, keep] = use_it();
    for tasks in [json!([make(1), show, keep]), json!([make(0), look(), show, keep])] {
        let stage = Stage::with(&no_tokens(), &[]);
        let played = stage.play(&tasks.to_string(), &["-vvv"]);
        assert_eq!(played.code, 0, "{}", played.everything());
        let password = kept(&stage);
        assert!(password.starts_with(NEW_PASSWORD));
        assert!(!played.everything().contains(NEW_PASSWORD) && !played.events_text.contains(NEW_PASSWORD));
        assert!(played.stdout.contains("\"password\": \"********\""), "{}", played.stdout);
        assert!(list(&stage).starts_with("No saved passwords"), "{}", list(&stage));
    }
}

#[test]
fn the_result_of_a_job_that_was_waited_for_is_not_left_lying_about() {
    let stage = Stage::with(&no_tokens(), &[]);
    assert_eq!(stage.play(&json!([make(1)]).to_string(), &[]).code, 0);
    assert_eq!(files_of_jobs(&stage), 0);
}

#[test]
fn a_dry_run_leaves_no_results() {
    let stage = Stage::with(&no_tokens(), &[]);
    let played = stage.play(&json!([make(0), look(), {"debug": {"var": "made"}}]).to_string(), &["--check"]);
    assert_eq!((played.code, files_of_jobs(&stage), stage.names().len()), (0, 0, 0), "{}", played.everything());
    assert!(played.stdout.contains("known after creation"), "{}", played.stdout);
}

#[test]
fn a_password_that_nobody_has_asked_for_is_handed_on_by_the_next_run() {
    let stage = Stage::with(&no_tokens(), &[]);
    let wait = json!({"wait_for": {"timeout": 1}});
    assert_eq!(stage.play(&json!([make(0), wait]).to_string(), &[]).code, 0);
    assert!(list(&stage).contains("new: its password is kept"), "{}", list(&stage));
    let again = json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made"});
    let [_, keep] = use_it();
    let played = stage.play(&json!([again, keep]).to_string(), &[]);
    assert!(kept(&stage).starts_with(NEW_PASSWORD), "{}", played.everything());
    assert!(list(&stage).starts_with("No saved passwords"));
}

#[test]
fn a_run_that_fails_after_the_look_keeps_the_password() {
    let stage = Stage::with(&no_tokens(), &[]);
    let played = stage.play(&json!([make(0), look(), {"fail": {"msg": "no"}}]).to_string(), &[]);
    assert_eq!(played.code, 2, "{}", played.everything());
    assert!(list(&stage).contains("new: its password is kept"), "{}", list(&stage));
}

#[test]
fn a_run_against_the_embedded_service_reaches_no_other() {
    let stage = Stage::with(&no_tokens(), &[]);
    let task = json!({"registry_token": {
        "registry": "demo", "name": "new", "api_url": stage.sandbox.url(), "token": super::stage::TOKEN,
    }, "register": "made", "async": 30, "poll": 0});
    std::fs::write(stage.folder.path().join("playbook.yml"), json!([task, look()]).to_string()).unwrap();
    let output = stage.program(&["--sandbox", "playbook.yml"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("REGISTRY OBJECTS: 1 created"), "{said}");
    assert!(stage.sandbox.requests().is_empty());
}
