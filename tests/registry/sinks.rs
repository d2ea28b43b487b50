//! Deliveries of one-time passwords to sinks, by the built program.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, REG_A, Stage};

/// A registry with a host name, and no tokens.
pub fn one_registry(host: &str) -> Json {
    json!({"registries": [{"id": REG_A, "name": "reg-a", "hostname": host}]})
}

/// Token `ci` with these sinks.
pub fn deliver(sinks: &Json, more: &Json) -> String {
    let mut args = json!({"registry": "reg-a", "name": "ci", "expiry_date": "+90d", "credentials": sinks});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([{"name": "deliver", "registry_token": args, "register": "made"}]).to_string()
}

/// The text of a file in the folder of a stage.
pub fn text(stage: &Stage, name: &str) -> String {
    std::fs::read_to_string(stage.folder.path().join(name)).unwrap_or_default()
}

/// Everything that the credential store holds.
pub fn store_text(stage: &Stage) -> String {
    let folder = stage.folder.path().join(".local/state/ionplay/passwords");
    let files = std::fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect::<Vec<PathBuf>>());
    files.unwrap_or_default().iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect()
}

fn statuses(result: &Json) -> Vec<&str> {
    result["sinks"].as_array().unwrap().iter().map(|sink| sink["status"].as_str().unwrap()).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn password_is_delivered_to_every_sink_and_leaves_the_store() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    let config =
        "{\n  \"auths\": {\n    \"other.example\": {\"auth\": \"eDp5\"}\n  },\n  \"detachKeys\": \"ctrl-e,e\"\n}\n";
    std::fs::create_dir(stage.folder.path().join(".docker")).unwrap();
    std::fs::write(stage.folder.path().join(".docker/config.json"), config).unwrap();
    let book = deliver(
        &json!([
            {"file": {"path": "out/plain"}},
            {"file": {"path": "out/env", "format": "dotenv", "mode": "0640"}},
            {"docker_config": {"path": "~/.docker/config.json"}},
            {"kubernetes_manifest": {"path": "pull.yml", "name": "pull", "namespace": "shop", "labels": {"app": "web"}}},
            {"command": {"argv": ["/bin/sh", "-c", "cat > piped.json"], "format": "json"}},
        ]),
        &json!({}),
    );
    let dry = stage.play(&book, &["--check", "--diff"]);
    assert_eq!(dry.outcome(), "changed", "{}", dry.everything());
    assert_eq!(statuses(dry.result()), ["planned"; 5]);
    assert!(dry.events_text.contains("would write `out/env` (dotenv, mode 0640)"), "{}", dry.events_text);
    assert!(!stage.folder.path().join("out").exists() && text(&stage, ".docker/config.json") == config);

    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "changed", "{}", played.everything());
    assert_eq!(statuses(played.result()), ["delivered"; 5]);
    assert_eq!(played.result()["password"], "delivered");
    let password = text(&stage, "out/plain");
    assert!(password.starts_with(NEW_PASSWORD) && !played.everything().contains(&password));
    let env = format!("REGISTRY_SERVER=r.example\nREGISTRY_USERNAME=ci\nREGISTRY_PASSWORD={password}\n");
    assert_eq!(text(&stage, "out/env"), env);
    let auth = STANDARD.encode(format!("ci:{password}"));
    let merged: Json = serde_json::from_str(&text(&stage, ".docker/config.json")).unwrap();
    assert_eq!(merged["auths"], json!({"other.example": {"auth": "eDp5"}, "r.example": {"auth": auth}}));
    assert!(text(&stage, ".docker/config.json").contains("\"other.example\": {\"auth\": \"eDp5\"}"));
    assert!(text(&stage, "pull.yml").contains("type: kubernetes.io/dockerconfigjson"));
    let piped: Json = serde_json::from_str(&text(&stage, "piped.json")).unwrap();
    assert_eq!((&piped["server"], &piped["password"]), (&json!("r.example"), &json!(password)));
    for (file, expected) in [("out/plain", 0o600), ("out/env", 0o640), (".docker/config.json", 0o600), ("out", 0o700)] {
        assert_eq!(mode(&stage.folder.path().join(file)), expected, "{file}");
    }
    assert!(!store_text(&stage).contains(&password));

    let again = stage.play(&book, &[]);
    assert_eq!(again.outcome(), "ok", "{}", again.everything());
    assert_eq!(statuses(again.result()), ["current"; 5]);
    assert!(again.stderr.is_empty(), "{}", again.stderr);
}

#[test]
fn sink_that_fails_keeps_the_password_pending_until_the_next_run() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    let book = deliver(
        &json!([
            {"file": {"path": "plain"}},
            {"command": {"cmd": "/bin/sh -c 'test -e ready && cat >> piped || { cat >&2; exit 7; }'"}},
        ]),
        &json!({}),
    );
    let played = stage.play(&book, &[]);
    assert_eq!((played.code, played.outcome()), (2, "failed"), "{}", played.everything());
    let password = text(&stage, "plain");
    let message = played.message();
    assert!(message.contains("is in `file plain`, and not in `command /bin/sh"), "{message}");
    assert!(message.contains("ended with status 7: ********") && !played.everything().contains(&password), "{message}");
    assert!(store_text(&stage).contains(&password));
    std::fs::write(stage.folder.path().join("ready"), "").unwrap();
    let again = stage.play(&book, &[]);
    assert_eq!(again.outcome(), "changed", "{}", again.everything());
    assert_eq!(statuses(again.result()), ["current", "delivered"]);
    assert_eq!((text(&stage, "piped"), text(&stage, "plain")), (password.clone(), password.clone()));
    assert!(!store_text(&stage).contains(&password));
    assert!(!again.calls().iter().any(|call| call.starts_with("POST")), "{:?}", again.calls());
}

#[test]
fn sink_that_cannot_take_a_password_is_found_before_the_token_is_made() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    std::os::unix::fs::symlink("elsewhere", stage.folder.path().join("link")).unwrap();
    std::fs::write(stage.folder.path().join("broken.json"), "{\"auths\":").unwrap();
    std::fs::write(stage.folder.path().join("helped.json"), r#"{"credsStore": "desktop"}"#).unwrap();
    for (sink, why) in [
        (json!({"file": {"path": "link"}}), "it is a symbolic link"),
        (json!({"docker_config": {"path": "broken.json"}}), "line 1, column 9 is not JSON"),
        (json!({"docker_config": {"path": "helped.json"}}), "names the credential helper `desktop`"),
        (json!({"command": {"cmd": "no-such-program"}}), "there is no such program"),
        (json!({"github_secret": {"repository": "o/r", "name": "X"}}), "set `GITHUB_TOKEN`"),
        (json!({"gitlab_variable": {"project": "o/r", "name": "X"}}), "set `GITLAB_TOKEN`"),
    ] {
        let played = stage.play(&deliver(&json!([sink]), &json!({})), &[]);
        assert!(played.message().contains(why), "{why}: {}", played.everything());
        assert!(stage.names().is_empty(), "{why}");
    }
}

#[test]
fn mistakes_in_sinks_are_reported_before_any_request() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    for (sinks, why) in [
        (json!([{"fil": {"path": "x"}}]), "`credentials` has no parameter `fil`"),
        (json!([{"file": {"pat": "x"}}]), "`file` has no parameter `pat`"),
        (json!([{"file": {"path": "x", "format": "jsn"}}]), "value of format must be one of"),
        (json!([{"file": {"path": "x"}, "store": true}]), "names 2 sinks"),
        (json!([{"when_missing": "fail"}]), "names no sink"),
        (json!([{"file": {"path": "x", "mode": "0644"}}]), "lets every user read"),
        (json!([{"file": {"path": "x"}}, {"file": {"path": "x"}}]), "twice"),
        (json!([{"command": {}}]), "either `argv` or `cmd`"),
        (json!([{"github_secret": {"repository": "r", "name": "X"}}]), "must be `owner/name`"),
        (json!([{"kubernetes_manifest": {"path": "x", "name": "Bad_Name"}}]), "not a name that Kubernetes accepts"),
    ] {
        let played = stage.play(&deliver(&sinks, &json!({})), &[]);
        assert_ne!(played.code, 0);
        assert!(played.everything().contains(why), "{why}: {}", played.everything());
        assert!(played.requests.is_empty(), "{why}: {:?}", played.calls());
    }
}

#[test]
fn lost_password_is_drift_and_can_be_replaced() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    let book = |when: &str| deliver(&json!([{"file": {"path": "plain"}, "when_missing": when}]), &json!({}));
    assert_eq!(stage.play(&book("fail"), &[]).outcome(), "changed");
    let first = text(&stage, "plain");
    std::fs::write(stage.folder.path().join("plain"), "something else").unwrap();
    let played = stage.play(&book("fail"), &[]);
    assert_eq!(played.outcome(), "failed");
    assert!(played.message().contains("file plain has something else than what was delivered"), "{}", played.message());
    std::fs::remove_file(stage.folder.path().join("plain")).unwrap();
    let played = stage.play(&book("ignore"), &[]);
    assert_eq!(played.outcome(), "ok");
    assert!(played.stderr.contains("file plain does not have the password"), "{}", played.stderr);
    let dry = stage.play(&book("replace"), &["--check"]);
    assert_eq!((dry.outcome(), &dry.result()["action"]), ("changed", &json!("replace")), "{}", dry.everything());
    let played = stage.play(&book("replace"), &[]);
    assert_eq!(
        (played.outcome(), &played.result()["action"]),
        ("changed", &json!("replace")),
        "{}",
        played.everything()
    );
    let second = text(&stage, "plain");
    assert!(second.starts_with(NEW_PASSWORD) && second != first);
    assert_eq!(stage.names(), ["ci"]);
    assert_eq!(stage.play(&book("replace"), &[]).outcome(), "ok");
}

/// Runs the program with a text on standard input.
pub fn helper(stage: &Stage, args: &[&str], input: &str) -> (bool, String) {
    use std::io::Write as _;
    let mut command = stage.program(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn credential_helper_answers_out_of_the_store() {
    let stage = Stage::with(&one_registry("r.example:5000"), &[]);
    let book = deliver(&json!([{"store": true}]), &json!({}));
    let played = stage.play(&book, &[]);
    assert_eq!(
        (played.outcome(), &played.result()["password"]),
        ("changed", &json!("kept")),
        "{}",
        played.everything()
    );
    let (ok, answer) = helper(&stage, &["docker-credential", "get"], "https://r.example:5000\n");
    let answer: Json = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{ok} {answer}"));
    assert_eq!(answer["Username"], "ci");
    assert!(answer["Secret"].as_str().unwrap().starts_with(NEW_PASSWORD));
    let (ok, list) = helper(&stage, &["docker-credential", "list"], "");
    assert!(ok && serde_json::from_str::<Json>(&list).unwrap() == json!({"r.example:5000": "ci"}), "{list}");
    let (ok, refusal) = helper(&stage, &["docker-credential", "erase"], "r.example:5000");
    assert!(!ok && refusal.contains("ionplay token forget ci"), "{refusal}");
    // A login that a client gives.
    let login = r#"{"ServerURL": "https://other.example/v1/", "Username": "me", "Secret": "hunter22"}"#;
    assert!(helper(&stage, &["docker-credential", "store"], login).0);
    let (_, answer) = helper(&stage, &["docker-credential", "get"], "other.example");
    assert_eq!(serde_json::from_str::<Json>(&answer).unwrap()["Secret"], "hunter22");
    assert_eq!(mode(&stage.folder.path().join(".local/state/ionplay/logins.json")), 0o600);
    assert!(helper(&stage, &["docker-credential", "erase"], "other.example").0);
    let (ok, answer) = helper(&stage, &["docker-credential", "get"], "other.example");
    assert!(!ok && answer == "credentials not found in native keychain\n", "{answer}");
    // A second run finds everything as it is.
    assert_eq!(stage.play(&book, &[]).outcome(), "ok");
}

#[test]
fn kept_password_is_delivered_by_hand() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    let book = json!([{"registry_token": {"registry": "reg-a", "name": "ci"}}]).to_string();
    assert_eq!(stage.play(&book, &[]).code, 0);
    let deliver = |to: &str| {
        let output = stage.program(&["token", "deliver", "ci", "--to", to]).output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (ok, why) = deliver("fil:x");
    assert!(!ok && why.contains("is not a sink"), "{why}");
    let (ok, why) = deliver("{file: {pth: x}}");
    assert!(!ok && why.contains("pth"), "{why}");
    let (ok, why) = deliver("command:false");
    assert!(!ok && why.contains("ended with status 1"), "{why}");
    let (ok, said) = deliver("{file: {path: env, format: dotenv}}");
    assert!(ok && said.contains("delivered the password of token `ci` to file env"), "{said}");
    assert!(text(&stage, "env").starts_with("REGISTRY_SERVER=r.example\n"));
    let (ok, why) = deliver("file:other");
    assert!(!ok, "{why}");
}

#[test]
fn lint_warns_of_tokens_that_may_do_too_much() {
    let stage = Stage::with(&one_registry("r.example"), &[]);
    let lint = |args: Json| {
        let playbook = json!([{"registry_token": args, "register": "made"}]).to_string();
        std::fs::write(stage.folder.path().join("playbook.yml"), playbook).unwrap();
        let output = stage.program(&["lint", "playbook.yml"]).output().unwrap();
        assert!(output.status.success(), "warnings do not count");
        String::from_utf8(output.stdout).unwrap()
    };
    let scope = |name: &str, actions: &[&str]| json!([{"name": name, "type": "repository", "actions": actions}]);
    let quiet =
        lint(json!({"registry": "r", "name": "ci", "expiry_date": "+90d", "scopes": scope("a/*", &["pull", "push"])}));
    assert!(quiet.contains("0 warnings"), "{quiet}");
    let found = lint(json!({"registry": "r", "name": "ci", "scopes": scope("*", &["*"])}));
    for warning in ["the token never ends", "covers every repository", "the action `*` allows everything"] {
        assert!(found.contains(warning), "{warning}: {found}");
    }
    let found = lint(
        json!({"registry": "r", "name": "web-pull", "expiry_date": "+1d", "scopes": scope("a", &["pull", "push"])}),
    );
    assert!(found.contains("`web-pull`, by its name, pulls only, and the token may `push`"), "{found}");
    let sinks = json!([{"kubernetes_manifest": {"path": "x", "name": "x"}}]);
    let found = lint(json!({"registry": "r", "name": "ci", "expiry_date": "+1d", "credentials": sinks,
        "scopes": scope("a", &["delete"])}));
    assert!(found.contains("an image-pull secret of Kubernetes pulls only, and the token may `delete`"), "{found}");
}
