//! Passwords that are told once, and runs that are killed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, Stage, no_tokens};

/// Makes token `new` and keeps its password in a file, with a task between the two.
fn book(between: &Json) -> String {
    let make = json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made"});
    let keep = json!({"copy": {
        "content": "{{ made.registry_token.properties.credentials.password }}",
        "dest": "password",
        "mode": "0600",
    }, "when": "made is changed"});
    json!([make, between, keep]).to_string()
}

fn nothing() -> Json {
    json!({"debug": {"msg": "on the way"}})
}

fn files(stage: &Stage) -> Vec<PathBuf> {
    let folder = stage.folder.path().join(".local/state/ionplay/passwords");
    std::fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

fn kept(stage: &Stage) -> Option<String> {
    std::fs::read_to_string(stage.folder.path().join("password")).ok()
}

/// What a subcommand says on both streams, and whether it ended well.
fn token(stage: &Stage, args: &[&str]) -> (bool, String) {
    let output = stage.program(&[&["token"], args].concat()).output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A run that was killed after it had received the password of token `new`.
fn killed(stage: &Stage) {
    let flag = stage.folder.path().join("flag");
    let played = stage.signalled("-KILL", &book(&json!({"command": "sh -c 'touch flag; sleep 20'"})), || flag.exists());
    assert_eq!((played.code, stage.names(), kept(stage)), (-1, vec!["new".to_owned()], None), "{}", played.stdout);
}

#[test]
fn a_run_that_ends_well_leaves_nothing() {
    let stage = Stage::with(&no_tokens(), &[]);
    let played = stage.play(&book(&nothing()), &[]);
    assert_eq!((played.code, files(&stage).len()), (0, 0), "{}", played.everything());
    assert!(token(&stage, &["list"]).1.starts_with("Nothing is left"));
}

#[test]
fn the_next_run_hands_on_what_a_killed_one_had_received() {
    let stage = Stage::with(&no_tokens(), &[]);
    killed(&stage);
    let [file] = files(&stage).try_into().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let (ok, list) = token(&stage, &["list"]);
    assert!(ok && list.contains("new: its password is kept") && !list.contains(NEW_PASSWORD), "{list}");
    let (_, password) = token(&stage, &["show", "new"]);
    assert!(password.starts_with(NEW_PASSWORD), "{password}");
    // A dry run foretells it, and takes nothing.
    let played = stage.play(&book(&nothing()), &["--check"]);
    assert_eq!(played.hosts()[0]["status"], "changed", "{}", played.everything());
    assert_eq!(files(&stage), [file]);
    let played = stage.play(&book(&nothing()), &[]);
    let statuses: Vec<&Json> = played.hosts().iter().map(|host| &host["status"]).collect();
    assert_eq!(statuses, ["changed", "ok", "changed"], "{}", played.everything());
    assert_eq!(kept(&stage).as_deref(), Some(password.trim()));
    assert!(!played.everything().contains(NEW_PASSWORD) && played.stderr.contains("an earlier run made"));
    assert!(!played.calls().iter().any(|call| call.starts_with("POST")), "{:?}", played.calls());
    assert_eq!(files(&stage).len(), 0);
    let again = stage.play(&book(&nothing()), &[]);
    assert_eq!(again.hosts()[0]["status"], "ok");
}

#[test]
fn a_run_that_fails_says_that_it_keeps_the_password() {
    let stage = Stage::with(&no_tokens(), &[]);
    let played = stage.play(&book(&json!({"fail": {"msg": "no"}})), &[]);
    assert_eq!(played.code, 2);
    assert!(played.stderr.contains("the password of token `new` is kept"), "{}", played.stderr);
    // Without the file it would have been lost.
    assert_eq!(stage.play(&book(&nothing()), &[]).code, 0);
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD) && files(&stage).is_empty());
}

#[test]
fn what_nobody_could_read_is_kept() {
    let stage = Stage::with(&no_tokens(), &[]);
    std::fs::write(stage.folder.path().join("playbook.yml"), book(&nothing())).unwrap();
    let mut command = stage.program(&["--show-secrets", "-v", "playbook.yml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the password of token `new` is kept"), "{said}");
    assert_eq!(files(&stage).len(), 1);
}

#[test]
fn a_token_whose_answer_never_came_is_told_by_the_next_run() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ slow delay=20s times=1"]);
    let posted = || stage.sandbox.requests().iter().any(|request| request.method == "POST");
    stage.signalled("-KILL", &book(&nothing()), || posted() && !stage.names().is_empty());
    assert!(token(&stage, &["list"]).1.contains("new: asked for, and no answer came"));
    let played = stage.play(&book(&nothing()), &[]);
    let message = played.message();
    assert!(played.outcome() == "failed" && message.contains("nobody knows its password"), "{message}");
    // As it says: removed, and made again.
    let absent = json!({"registry": "reg-a", "registry_token": "new", "state": "absent"});
    assert_eq!(stage.task(absent).outcome(), "changed");
    let played = stage.play(&book(&nothing()), &[]);
    assert_eq!((played.code, files(&stage).len()), (0, 0), "{}", played.everything());
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
}

#[test]
fn a_run_that_is_killed_while_it_looks_for_a_lost_answer_leaves_word() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost times=1", "GET /tokens slow delay=20s nth=2"]);
    let looks = || stage.sandbox.requests().iter().filter(|request| request.method == "GET").count();
    stage.signalled("-KILL", &book(&nothing()), || {
        !stage.names().is_empty() && stage.sandbox.requests().last().is_some_and(|r| r.method == "GET") && looks() > 1
    });
    assert!(token(&stage, &["list"]).1.contains("new: asked for, and no answer came"), "{:?}", files(&stage));
    let played = stage.play(&book(&nothing()), &[]);
    assert!(played.message().contains("nobody knows its password"), "{}", played.everything());
}

#[test]
fn an_answer_that_was_lost_and_made_up_for_leaves_nothing() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost times=1"]);
    let played = stage.play(&book(&json!({"fail": {"msg": "no"}})), &[]);
    assert_eq!((played.code, stage.names()), (2, vec!["new".to_owned()]), "{}", played.everything());
    assert!(!played.stderr.contains("was asked for"), "{}", played.stderr);
    assert!(played.stderr.contains("the password of token `new` is kept"), "{}", played.stderr);
}

#[test]
fn what_was_asked_for_in_vain_is_forgotten() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ status=400"]);
    let played = stage.play(&book(&nothing()), &[]);
    assert_eq!((played.code, files(&stage).len()), (2, 0));
    assert!(!played.stderr.contains("kept"), "{}", played.stderr);
}

#[test]
fn a_token_that_the_run_removes_again_leaves_nothing() {
    let stage = Stage::with(&no_tokens(), &[]);
    let absent = json!({"registry_token": {"registry": "reg-a", "registry_token": "new", "state": "absent"}});
    let make = json!({"registry_token": {"registry": "reg-a", "name": "new"}});
    let played = stage.play(&json!([make, absent, {"fail": {"msg": "no"}}]).to_string(), &[]);
    assert_eq!((played.code, files(&stage).len()), (2, 0), "{}", played.stderr);
}

#[test]
fn with_a_key_passwords_are_sealed() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    std::fs::write(stage.folder.path().join("key"), "a key\n").unwrap();
    stage.set("IONPLAY_SEAL_KEY_FILE", Some("key"));
    killed(&stage);
    assert!(!std::fs::read_to_string(&files(&stage)[0]).unwrap().contains(NEW_PASSWORD));
    assert!(token(&stage, &["show", "new"]).1.starts_with(NEW_PASSWORD));
    stage.set("IONPLAY_SEAL_KEY_FILE", None);
    let (ok, said) = token(&stage, &["show", "new"]);
    assert!(!ok && said.contains("--seal-key-file"), "{said}");
    let played = stage.play(&book(&nothing()), &[]);
    assert_eq!(played.hosts()[0]["status"], "ok");
    assert!(played.stderr.contains("the password is sealed"), "{}", played.stderr);
    stage.set("IONPLAY_SEAL_KEY_FILE", Some("key"));
    assert_eq!(stage.play(&book(&nothing()), &[]).hosts()[0]["status"], "changed");
    assert_eq!(files(&stage).len(), 0);
}

#[test]
fn a_run_that_is_under_way_keeps_what_is_its_own() {
    let stage = Stage::with(&no_tokens(), &[]);
    let flag = stage.folder.path().join("flag");
    std::fs::write(stage.folder.path().join("slow.yml"), book(&json!({"command": "sh -c 'touch flag; sleep 20'"})))
        .unwrap();
    let mut child = stage.program(&["slow.yml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !flag.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(token(&stage, &["list"]).1.contains("new: its run is still under way"));
    let (ok, said) = token(&stage, &["forget", "new"]);
    assert!(!ok && said.contains("still under way"), "{said}");
    assert_eq!(stage.play(&book(&nothing()), &[]).hosts()[0]["status"], "ok");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        token(&stage, &["forget", "nwe"]).1.trim(),
        "error: nothing is left of a token `nwe`; did you mean `new`?"
    );
    assert!(token(&stage, &["forget", "--all"]).0);
    assert_eq!(files(&stage).len(), 0);
}

#[test]
fn a_machine_that_can_keep_nothing_is_warned_once() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    stage.set("IONPLAY_STATE_DIR", Some("/dev/null/nothing"));
    let make = json!({"registry_token": {"registry": "reg-a", "name": "n-{{ item }}"}, "loop": [1, 2]});
    let played = stage.play(&json!([make]).to_string(), &[]);
    assert_eq!((played.code, played.stderr.matches("cannot be journalled").count()), (0, 1), "{}", played.stderr);
}
