//! The credential store: one-time passwords of runs that end well, fail, or are killed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, REG_A, Stage, no_tokens};

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

/// The last line of a run that has not used the password of token `new`.
const KEPT: &str = "1 one-time password was not used by any task; it is kept: `ionplay token show new`";

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
    assert!(token(&stage, &["list"]).1.starts_with("No saved passwords"));
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
    let result = &played.hosts()[0]["result"];
    let told = (&result["action"], &result["recovered"], &result["password"]);
    assert_eq!(told, (&json!("create"), &json!(true), &json!("pending")));
    assert_eq!(kept(&stage).as_deref(), Some(password.trim()));
    assert!(!played.everything().contains(NEW_PASSWORD) && played.stderr.contains("an earlier run created"));
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
    assert!(played.stdout.ends_with(&format!("{KEPT}\n")), "{}", played.stdout);
    // Without the store it would have been lost.
    assert_eq!(stage.play(&book(&nothing()), &[]).code, 0);
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD) && files(&stage).is_empty());
}

#[test]
fn an_answer_that_was_lost_and_made_up_for_leaves_nothing() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost times=1"]);
    let played = stage.play(&book(&json!({"fail": {"msg": "no"}})), &[]);
    assert_eq!((played.code, stage.names()), (2, vec!["new".to_owned()]), "{}", played.everything());
    assert!(!played.everything().contains("may have been created"), "{}", played.everything());
    assert!(played.stdout.contains(KEPT), "{}", played.stdout);
}

#[test]
fn what_was_asked_for_in_vain_is_forgotten() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ status=400"]);
    let played = stage.play(&book(&nothing()), &[]);
    assert_eq!((played.code, files(&stage).len()), (2, 0));
    assert!(!played.everything().contains("kept"), "{}", played.everything());
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
    assert_eq!(played.hosts()[0]["status"], "failed");
    assert!(played.message().contains("the password is sealed"), "{}", played.everything());
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
        "error: no saved password for token `nwe`; did you mean `new`?"
    );
    assert!(token(&stage, &["forget", "--all"]).0);
    assert_eq!(files(&stage).len(), 0);
}

#[test]
fn unused_password_is_kept_and_handed_on_without_a_change() {
    let stage = Stage::with(&no_tokens(), &[]);
    let make = json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made"});
    let played = stage.play(&json!([make]).to_string(), &[]);
    assert_eq!((played.code, played.result()["password"].clone()), (0, json!("pending")), "{}", played.everything());
    assert!(played.stdout.ends_with(&format!("{KEPT}\n")), "{}", played.stdout);
    assert_eq!(played.events.last().unwrap()["passwords_kept"], json!(["new"]));
    assert!(token(&stage, &["list"]).1.contains("because no task used it"), "{}", token(&stage, &["list"]).1);
    // Idempotence holds, as often as one likes.
    for _ in 0..2 {
        let played = stage.play(&json!([make]).to_string(), &["--output", "json"]);
        let document: Json = serde_json::from_str(&played.stdout).unwrap();
        assert_eq!(document["passwords_kept"], json!(["new"]));
        let result = played.result();
        assert_eq!((played.outcome(), &result["action"], &result["password"]), ("ok", &json!("none"), &json!("kept")));
        assert_eq!(result.get("recovered"), None);
    }
    let password = "made.registry_token.properties.credentials.password";
    let copy = json!({"content": format!("{{{{ {password} }}}}"), "dest": "password", "mode": "0600"});
    let store = json!({"copy": copy, "when": format!("{password} is truthy")});
    let played = stage.play(&json!([make, store]).to_string(), &[]);
    assert!(played.outcome() == "changed" && !played.stdout.contains("one-time"), "{}", played.everything());
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD) && files(&stage).is_empty());
    assert_eq!(stage.play(&json!([make, store]).to_string(), &[]).outcome(), "skipped");
}

/// Checks whether a task between the creation of a token and the end of the run delivers the password.
#[track_caller]
fn delivers(mut task: Json, expected: bool) {
    let stage = Stage::with(&no_tokens(), &[]);
    let make = json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made"});
    task["vars"] = json!({"p": "{{ made.registry_token.properties.credentials.password }}"});
    std::fs::write(stage.folder.path().join("file.j2"), "password={{ p }}\n").unwrap();
    std::fs::write(stage.folder.path().join("there"), "before\n").unwrap();
    let played = stage.play(&json!([make, task]).to_string(), &[]);
    let delivered = !played.stdout.contains("one-time password");
    assert_eq!(delivered, expected, "{task}\n{}", played.everything());
    assert_eq!(files(&stage).is_empty(), expected, "{task}");
    assert!(!played.everything().contains(NEW_PASSWORD), "{task}");
}

#[test]
fn task_that_writes_or_hands_on_delivers() {
    let config = "{{ {'auths': {'h': {'auth': ('new:' ~ p) | b64encode}}} | to_json }}";
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "f"}}), true);
    delivers(json!({"copy": {"content": config, "dest": "f"}}), true);
    delivers(json!({"template": {"src": "file.j2", "dest": "f"}}), true);
    delivers(json!({"lineinfile": {"path": "there", "line": "p={{ p }}"}}), true);
    delivers(json!({"command": {"cmd": "cat", "stdin": "{{ p }}"}}), true);
    delivers(json!({"command": "true", "environment": {"P": "{{ p }}"}}), true);
    delivers(json!({"shell": "echo {{ p | b64encode }} | base64 -d >f", "no_log": true}), true);
    delivers(json!({"command": {"cmd": "true {{ item }}"}, "loop": ["a", "{{ p }}"]}), true);
    delivers(json!({"command": "true {{ p }}", "async": 20, "poll": 1}), true);
    delivers(json!({"command": "true {{ p }}", "delegate_to": "localhost", "run_once": true}), true);
}

#[test]
fn task_that_only_looks_or_fails_does_not_deliver() {
    delivers(json!({"debug": {"msg": "{{ p }}"}}), false);
    delivers(json!({"set_fact": {"q": "{{ p }}"}}), false);
    delivers(json!({"assert": {"that": "p | length > 3"}}), false);
    delivers(json!({"set_stats": {"data": {"q": "{{ p }}"}}}), false);
    delivers(json!({"ping": {"data": "{{ p }}"}}), false);
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "/nowhere/f"}, "ignore_errors": true}), false);
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "/nowhere/f"}, "failed_when": false}), false);
    delivers(json!({"command": "true {{ p }}", "failed_when": true, "ignore_errors": true}), false);
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "f"}, "check_mode": true}), false);
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "there", "force": false}}), false);
    delivers(json!({"command": {"cmd": "true {{ p }}", "creates": "there"}}), false);
    delivers(json!({"copy": {"content": "{{ p }}", "dest": "f"}, "when": false}), false);
    delivers(json!({"copy": {"content": "{{ p | password_hash('sha512') }}", "dest": "f"}}), false);
}

#[test]
fn token_whose_answer_never_came_is_removed_and_made_again() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ slow delay=20s times=1"]);
    let posted = || stage.sandbox.requests().iter().any(|request| request.method == "POST");
    stage.signalled("-KILL", &book(&nothing()), || posted() && !stage.names().is_empty());
    assert!(token(&stage, &["list"]).1.contains("killed before the answer came"), "{}", token(&stage, &["list"]).1);
    let played = stage.play(&book(&nothing()), &["--check"]);
    assert_eq!(
        (played.hosts()[0]["status"].as_str(), files(&stage).len()),
        (Some("changed"), 1),
        "{}",
        played.everything()
    );
    let played = stage.play(&book(&nothing()), &[]);
    let left = (played.code, files(&stage).len(), stage.names());
    assert_eq!(left, (0, 0, vec!["new".to_owned()]), "{}", played.everything());
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
}

#[test]
fn token_that_may_be_of_somebody_else_is_left_alone() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ slow delay=20s times=1"]);
    let posted = || stage.sandbox.requests().iter().any(|request| request.method == "POST");
    stage.signalled("-KILL", &book(&nothing()), || posted() && !stage.names().is_empty());
    let other = json!({"registry": "reg-a", "registry_token": "new", "status": "disabled", "state": "update"});
    // The task itself would meet the entry: another machine changes the token.
    let mut elsewhere = Stage::with(&no_tokens(), &[]);
    elsewhere.set("IONOS_API_URL", Some(&stage.sandbox.url()));
    assert_eq!(elsewhere.task(other).outcome(), "changed");
    let played = stage.play(&book(&nothing()), &[]);
    let message = played.message();
    assert!(played.outcome() == "failed" && message.contains("its password is unknown"), "{message}");
    assert!(message.contains("its `status` is `disabled`") && message.contains("`state: absent`"), "{message}");
    let absent = json!({"registry": "reg-a", "registry_token": "new", "state": "absent"});
    assert_eq!(stage.task(absent).outcome(), "changed");
    let played = stage.play(&book(&nothing()), &[]);
    let list = token(&stage, &["list"]).1;
    assert!(played.code == 0 && list.starts_with("No saved passwords"), "{list}{}", played.everything());
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
}

#[test]
fn unclear_outcome_stays_until_it_is_known() {
    for fault in
        ["status=500", "status=500 after", "status=408", "status=599 after", "status=503 times=5", "reset times=5"]
    {
        let times = if fault.contains("times") { "" } else { " times=1" };
        let stage = Stage::with(&no_tokens(), &[&format!("POST /tokens$ {fault}{times}")]);
        let played = stage.play(&book(&nothing()), &[]);
        assert_eq!((played.code, files(&stage).len()), (2, 1), "{fault}: {}", played.everything());
        assert!(played.stdout.contains("token `new` may have been created"), "{fault}: {}", played.stdout);
        assert!(token(&stage, &["list"]).1.contains("it may exist"), "{fault}");
        let played = stage.play(&book(&nothing()), &[]);
        let list = token(&stage, &["list"]).1;
        assert!(played.code == 0 && list.starts_with("No saved passwords"), "{fault}: {list}{}", played.everything());
        assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
    }
}

#[test]
fn run_without_a_place_to_keep_passwords_sends_no_creation() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    stage.set("IONPLAY_STATE_DIR", Some("/dev/null/nothing"));
    let played = stage.play(&book(&nothing()), &[]);
    let message = played.message();
    assert!(played.code == 2 && message.contains("/dev/null/nothing") && message.contains("--no-journal"), "{message}");
    assert!(!played.calls().iter().any(|call| call.starts_with("POST")), "{:?}", played.calls());
    let played = stage.play(&book(&nothing()), &["--no-journal"]);
    assert_eq!(played.code, 0, "{}", played.everything());
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
}

#[test]
fn folder_that_others_may_write_to_is_refused() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    let folder = stage.folder.path().join("state/passwords");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let state = folder.parent().unwrap().to_str().unwrap().to_owned();
    stage.set("IONPLAY_STATE_DIR", Some(&state));
    let played = stage.play(&book(&nothing()), &[]);
    assert!(played.message().contains("other users may write to") && played.message().contains("chmod 700"));
    assert!(stage.names().is_empty() && token(&stage, &["list"]).1.contains("other users may write to"));
}

#[test]
fn damaged_entry_is_reported() {
    let stage = Stage::with(&no_tokens(), &[]);
    killed(&stage);
    let [file] = files(&stage).try_into().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}no entry\n")).unwrap();
    assert!(token(&stage, &["list"]).1.contains("1 lines of"), "{}", token(&stage, &["list"]).1);
    let played = stage.play(&book(&nothing()), &[]);
    assert!(played.code == 0 && played.stderr.contains("cannot be read"), "{}", played.everything());
    assert!(std::fs::read_to_string(&file).unwrap() == "no entry\n");
}

#[test]
fn spelling_of_the_address_does_not_matter() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    killed(&stage);
    let url = stage.sandbox.url().replace("127.0.0.1", "localhost");
    stage.set("IONOS_API_URL", Some(&url));
    stage.set("IONOS_CONTRACT_NUMBER", Some("31"));
    assert_eq!(stage.play(&book(&nothing()), &[]).hosts()[0]["result"]["recovered"], true);
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD));
}

#[test]
fn of_two_runs_at_once_one_creates_and_the_other_finds() {
    // Both look before either creates.
    let stage = Stage::with(&no_tokens(), &["GET /tokens slow delay=1s times=2"]);
    std::fs::write(stage.folder.path().join("both.yml"), book(&nothing())).unwrap();
    let begin = || stage.program(&["both.yml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let runs = [begin(), begin()].map(|run| run.wait_with_output().unwrap());
    let told = runs.each_ref().map(|run| String::from_utf8_lossy(&run.stdout).into_owned());
    assert!(runs.iter().all(|run| run.status.success()), "{told:?}");
    assert_eq!(stage.names(), ["new"]);
    assert!(kept(&stage).unwrap().starts_with(NEW_PASSWORD) && files(&stage).is_empty(), "{told:?}");
}

#[test]
fn pasted_snippet_ends_with_the_place_of_its_password() {
    let stage = Stage::with(&no_tokens(), &[]);
    let snippet = "name: Create Registry Token\nionoscloudsdk.ionoscloud.registry_token:\n  registry: ''\n  name: \
                   testRegistryToken\n  scopes:\n  - actions:\n    - pull\n    name: nume\n    type: repository\n  \
                   status: enabled\nregister: registry_token_response\n";
    std::fs::write(stage.folder.path().join("snippet.yml"), snippet).unwrap();
    let played = stage.run(&["snippet.yml", "--fill", "registry=reg-a"]);
    let last = played.stdout.trim_end().lines().last().unwrap_or_default();
    assert!(last.ends_with("it is kept: `ionplay token show testRegistryToken`"), "{}", played.everything());
    assert!(token(&stage, &["show", "testRegistryToken"]).1.starts_with(NEW_PASSWORD));
    let played = stage.run(&["snippet.yml", "--fill", "registry=demo", "--sandbox"]);
    let last = played.stdout.trim_end().lines().last().unwrap_or_default();
    assert!(last.contains("the mock registry ends with this run"), "{}", played.everything());
}

#[test]
fn lint_warns_of_a_password_that_no_task_can_use() {
    let stage = Stage::with(&no_tokens(), &[]);
    let warns = |task: Json| {
        std::fs::write(stage.folder.path().join("lint.yml"), json!([task]).to_string()).unwrap();
        let output = stage.program(&["lint", "lint.yml"]).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap().contains("no task can use the password")
    };
    let present = json!({"registry": "reg-a", "name": "new"});
    let replace =
        json!({"registry": "reg-a", "registry_token": "a", "name": "other", "allow_replace": true, "state": "update"});
    assert!(warns(json!({"registry_token": present})) && warns(json!({"registry_token": replace})));
    assert!(!warns(json!({"registry_token": present, "register": "made"})));
    let update = json!({"registry": "reg-a", "registry_token": "a", "status": "disabled", "state": "update"});
    assert!(!warns(json!({"registry_token": update})));
}

#[test]
fn replacement_that_was_killed_before_the_removal_is_completed() {
    let seed = json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": [{"name": "old"}]}]});
    let args =
        json!({"registry": "reg-a", "registry_token": "old", "name": "new", "allow_replace": true, "state": "update"});
    let replace = json!({"registry_token": args, "register": "made"});
    for fault in ["DELETE . slow before delay=20s times=1", "DELETE . slow after delay=20s times=1"] {
        let stage = Stage::with(&seed, &[fault]);
        let removing = || stage.sandbox.requests().iter().any(|request| request.method == "DELETE");
        stage.signalled("-KILL", &json!([replace]).to_string(), removing);
        let played = stage.play(&json!([replace]).to_string(), &[]);
        let result = played.result();
        let told = (&result["action"], &result["recovered"], &result["password"]);
        assert_eq!(told, (&json!("replace"), &json!(true), &json!("pending")), "{fault}: {}", played.everything());
        assert_eq!(stage.names(), ["new"], "{fault}");
        assert!(token(&stage, &["show", "new"]).1.starts_with(NEW_PASSWORD));
    }
}
