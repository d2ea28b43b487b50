//! The defects of the reference's `registry_token`, each with what is right instead: what a user sees, and what is sent.

use std::time::{Duration, Instant};

use ionplay::sandbox::SandboxOptions;
use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, PASSWORD, REG_A, Stage, TOK1, TOKEN, no_tokens, options, pull_push, two_tokens};

/// The arguments of an update of `tok1`, or of another token.
fn update(token: &str, more: Json) -> Json {
    merged(json!({"registry": REG_A, "registry_token": token, "state": "update"}), more)
}

/// The arguments of a token that shall be there.
fn present(name: &str, more: Json) -> Json {
    merged(json!({"registry": REG_A, "name": name}), more)
}

fn absent(token: &str) -> Json {
    json!({"registry": REG_A, "registry_token": token, "state": "absent"})
}

fn merged(mut base: Json, more: Json) -> Json {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

fn stage() -> Stage {
    Stage::with(&two_tokens(), &[])
}

#[test]
fn d01_scopes_may_be_left_out() {
    let stage = stage();
    let played = stage.task(present("new", json!({})));
    assert_eq!((played.outcome(), played.bodies()), ("changed", vec![json!({"properties": {"name": "new"}})]));
    let played = stage.task(update("tok1", json!({"status": "disabled"})));
    assert_eq!((played.outcome(), played.bodies()), ("changed", vec![json!({"status": "disabled"})]));
    assert_eq!(stage.token("tok1").unwrap()["scopes"], json!([pull_push()]));
    assert_eq!(stage.task(present("tok1", json!({}))).outcome(), "ok");
}

#[test]
fn d02_a_status_change_keeps_the_expiry() {
    let stage = stage();
    let played = stage.task(update("tok2", json!({"status": "enabled"})));
    assert_eq!(played.bodies(), [json!({"status": "enabled"})]);
    assert_eq!(stage.token("tok2").unwrap()["expiry"], "2030-01-02T03:04:05Z");
    // Only who says so removes it.
    for never in [Json::Null, json!("never")] {
        let stage = self::stage();
        let played = stage.task(update("tok2", json!({"expiry_date": never})));
        assert_eq!(played.bodies(), [json!({"expiryDate": null})]);
        assert_eq!(stage.token("tok2").unwrap()["expiry"], Json::Null);
    }
}

#[test]
fn d03_equal_expiry_dates_are_equal_however_they_are_written() {
    let stage = stage();
    for date in ["2030-01-02T03:04:05Z", "2030-01-02 03:04:05", "2030-01-02T05:04:05+02:00", "1893553445"] {
        let played = stage.task(update("tok2", json!({"expiry_date": date})));
        assert_eq!((played.outcome(), played.requests.len()), ("ok", 1), "{date}");
    }
    assert_eq!(stage.task(update("tok2", json!({"expiry_date": "2030-01-02T03:04:06Z"}))).outcome(), "changed");
}

#[test]
fn d04_a_replacement_keeps_what_is_not_restated() {
    let stage = stage();
    let played = stage.task(update("tok2", json!({"name": "renamed", "allow_replace": true})));
    assert_eq!((played.outcome(), &played.result()["action"]), ("changed", &json!("replace")));
    let kept = json!({"name": "renamed", "status": "disabled", "expiry": "2030-01-02T03:04:05Z", "scopes": []});
    assert_eq!(stage.token("renamed"), Some(kept));
    assert_eq!(stage.token("tok2"), None);
    // What is restated counts.
    let more = json!({"name": "again", "allow_replace": true, "status": "enabled", "expiry_date": null});
    stage.task(update("renamed", more));
    let token = stage.token("again").unwrap();
    assert_eq!((&token["status"], &token["expiry"]), (&json!("enabled"), &Json::Null));
}

#[test]
fn d05_a_replacement_that_cannot_delete_still_returns_the_password() {
    let stage = Stage::with(&two_tokens(), &["DELETE /tokens/ status=500"]);
    let task = json!({"ionoscloudsdk.ionoscloud.registry_token": update("tok1", json!({"name": "new", "allow_replace": true})),
        "register": "made", "ignore_errors": true});
    let used = "{{ made.registry_token.properties.credentials.password[:13] | b64encode }}";
    let played = stage.play(&json!([task, {"debug": {"msg": used}}]).to_string(), &[]);
    let result = &played.hosts()[0]["result"];
    assert_eq!((&played.hosts()[0]["status"], &result["changed"]), (&json!("ignored"), &json!(true)));
    assert_eq!(result["registry_token"]["properties"]["name"], "new");
    let message = result["msg"].as_str().unwrap();
    assert!(message.starts_with("failed to remove the Registry Token: (500)"), "{message}");
    assert!(message.contains("`new`") && message.contains("the old one `tok1`") && message.contains(TOK1), "{message}");
    assert_eq!(stage.names(), ["tok1", "tok2", "new"]);
    assert!(!played.everything().contains(NEW_PASSWORD), "{}", played.everything());
}

#[test]
fn d06_all_pages_are_read() {
    let seed = json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": 150}]});
    // The second server gives smaller pages than it is asked for.
    for page in [1000, 7] {
        let stage = Stage::new(SandboxOptions { max_page: page, ..options(&seed, &[]) });
        assert_eq!(stage.task(update("token-0149", json!({"status": "disabled"}))).outcome(), "changed");
        assert_eq!(stage.task(present("token-0149", json!({}))).outcome(), "ok");
        let played = stage.task(absent("token-0140"));
        assert_eq!(played.outcome(), "changed");
        assert_eq!(stage.names().len(), 149);
    }
    let many: Vec<Json> =
        (0..230).map(|n| json!({"name": format!("other-{n}")})).chain([json!({"name": "reg-a"})]).collect();
    let stage = Stage::new(SandboxOptions { max_page: 50, ..options(&json!({"registries": many}), &[]) });
    assert_eq!(stage.task(json!({"registry": "reg-a", "name": "new"})).outcome(), "changed");
    let listed = stage.play_module("registry_info", &[json!({})], &[]);
    assert_eq!(listed.result()["registries"].as_array().unwrap().len(), 231);
}

#[test]
fn d07_an_empty_list_clears_the_scopes() {
    let stage = stage();
    let played = stage.task(update("tok1", json!({"scopes": []})));
    assert_eq!((played.outcome(), played.bodies()), ("changed", vec![json!({"scopes": []})]));
    assert_eq!(stage.token("tok1").unwrap()["scopes"], json!([]));
    assert_eq!(stage.task(update("tok1", json!({"scopes": []}))).outcome(), "ok");
}

#[test]
fn d08_an_unknown_registry_is_named() {
    let stage = stage();
    let played = stage.task(json!({"registry": "reg-aa", "name": "new"}));
    assert_eq!(
        played.message(),
        "failed to set Registry Token state present: registry `reg-aa` was not found; did you mean `reg-a` or `reg-b`?"
    );
    assert!(played.requests.iter().all(|request| request.path == "/registries"), "{:?}", played.calls());
    let played = stage.task(json!({"registry": "reg-x", "registry_token": "tok1", "state": "absent"}));
    assert_eq!(played.outcome(), "ok");
    assert!(played.stderr.contains("registry `reg-x` was not found"), "{}", played.stderr);
}

#[test]
fn d09_null_scopes_and_actions_of_the_service_are_empty_ones() {
    let tokens = json!([{"name": "none", "scopes": null}, {"name": "idle", "scopes": [{"name": "n", "type": "t", "actions": null}]}]);
    let stage = Stage::with(&json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": tokens}]}), &[]);
    assert_eq!(stage.task(present("none", json!({"scopes": []}))).outcome(), "ok");
    assert_eq!(
        stage.task(present("idle", json!({"scopes": [{"name": "n", "type": "t", "actions": []}]}))).outcome(),
        "ok"
    );
    assert_eq!(stage.task(present("none", json!({"scopes": [pull_push()]}))).outcome(), "changed");
    assert_eq!(stage.task(present("idle", json!({"scopes": [pull_push()]}))).outcome(), "changed");
}

#[test]
fn d10_a_dry_run_foretells_what_later_tasks_would_see() {
    let stage = Stage::with(&no_tokens(), &[]);
    let tasks = [
        present("ci", json!({"scopes": [pull_push()]})),
        present("ci", json!({"scopes": [pull_push()]})),
        update("ci", json!({"status": "disabled"})),
        update("ci", json!({"name": "cd", "allow_replace": true})),
        absent("cd"),
        absent("cd"),
    ];
    let foretold = stage.tasks(&tasks, &["--check", "--diff"]);
    assert!(!foretold.requests.iter().any(|request| request.is_write()), "{:?}", foretold.calls());
    let real = stage.tasks(&tasks, &[]);
    let of = |played: &super::stage::Played| -> Vec<(Json, Json)> {
        played.hosts().iter().map(|event| (event["status"].clone(), event["result"]["action"].clone())).collect()
    };
    assert_eq!(of(&foretold), of(&real));
    assert_eq!(foretold.hosts()[0]["result"]["msg"], "Registry Token ci would be created");
    assert_eq!(foretold.hosts()[0]["result"]["registry_token"]["id"], "<known after creation>");
    assert!(
        foretold.stdout.contains("--- before: Registry Token ci\n+++ after: Registry Token ci\n"),
        "{}",
        foretold.stdout
    );
    assert!(
        foretold.stdout.contains("-    \"status\": \"enabled\"\n+    \"status\": \"disabled\"\n"),
        "{}",
        foretold.stdout
    );
}

#[test]
fn d11_the_one_time_password_is_masked_and_can_be_used() {
    let stage = Stage::with(&no_tokens(), &[]);
    let create = json!({"ionoscloudsdk.ionoscloud.registry_token": present("ci", json!({})), "register": "made"});
    let password = "made.registry_token.properties.credentials.password";
    let show = json!({"debug": {"var": "made"}});
    let kept = stage.folder.path().join("password");
    let keep = json!({"copy": {"content": format!("{{{{ {password} }}}}"), "dest": kept}});
    let check = json!({"assert": {"that": [format!("{password} is match('{NEW_PASSWORD}')")]}});
    let book = json!([create, show, keep, check]).to_string();
    for (flags, shown) in
        [(&["-vvv", "--diff"][..], false), (&["-vvv", "--output", "json"], false), (&["--show-secrets"], true)]
    {
        let stage = Stage::with(&no_tokens(), &[]);
        let played = stage.play(&book, flags);
        assert_eq!(played.code, 0, "{}", played.everything());
        let password = std::fs::read_to_string(&kept).unwrap();
        assert!(password.starts_with(NEW_PASSWORD), "{password}");
        assert_eq!(played.stdout.contains(&password), shown, "{flags:?}\n{}", played.stdout);
        assert!(shown || !played.everything().contains(&password), "{}", played.everything());
    }
}

#[test]
fn d12_an_update_of_a_missing_token_warns() {
    let played = stage().task(update("tok-1", json!({"status": "disabled"})));
    assert_eq!((played.outcome(), played.code), ("ok", 0));
    assert!(
        played.stderr.contains("Registry Token `tok-1` was not found, so nothing was updated; did you mean `tok1`"),
        "{}",
        played.stderr
    );
}

#[test]
fn d13_the_action_says_what_was_done() {
    let stage = stage();
    let played = stage.tasks(
        &[
            present("new", json!({})),
            present("new", json!({})),
            update("new", json!({"status": "disabled"})),
            update("new", json!({"status": "disabled"})),
            update("new", json!({"name": "other", "allow_replace": true})),
            absent("other"),
            absent("other"),
        ],
        &[],
    );
    let actions: Vec<&str> = played.hosts().iter().map(|event| event["result"]["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "none", "update", "none", "replace", "delete", "none"]);
    assert!(
        played.stdout.contains("REGISTRY OBJECTS: 1 created, 1 updated, 1 replaced, 1 deleted, 3 unchanged, 0 failed"),
        "{}",
        played.stdout
    );
}

#[test]
fn d14_wait_timeout_bounds_the_repetitions() {
    let stage = Stage::with(&two_tokens(), &["GET /tokens$ status=503 retry-after=30"]);
    let begun = Instant::now();
    let played = stage.task(present("new", json!({"wait_timeout": 2})));
    assert_eq!((played.outcome(), played.requests.len()), ("failed", 1));
    assert!(played.message().contains("`wait_timeout`"), "{}", played.message());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn d15_nonsense_is_refused_before_any_request() {
    let stage = Stage::with(&two_tokens(), &[]);
    let scope = |more: Json| json!({"scopes": [merged(pull_push(), more)]});
    for (args, said) in [
        (json!({"status": "enbled"}), "did you mean `enabled`?"),
        (json!({"name": "9lives"}), "it must begin with a letter"),
        (json!({"name": "a"}), "2 to 63 characters"),
        (json!({"name": "a-"}), "must not end with a hyphen"),
        (json!({"name": "a_b"}), "letters, digits and hyphens only"),
        (json!({"scopes": ["pull"]}), "`scopes[0]` must be a mapping"),
        (json!({"scopes": "[]"}), "`scopes` must be a list of mappings, not text"),
        (scope(json!({"actions": "pull"})), "write `actions: [pull]`"),
        (scope(json!({"type": null})), "`scopes[0].type` must be text, not null"),
        (scope(json!({"name": ""})), "`scopes[0].name` is empty"),
        (json!({"expiry_date": "soon"}), "is not a date"),
        (json!({"wait_timeout": -1}), "must not be negative"),
        (json!({"contract_number": "12 34"}), "`contract_number` must be a number"),
        (json!({"api_url": "ftp://h.example"}), "is not a base URL"),
    ] {
        let played = stage.task(merged(present("new", json!({})), args.clone()));
        // What stands in the text stops the run before any task; the rest fails its task.
        assert!(["failed", "stopped"].contains(&played.outcome()), "{args}: {}", played.outcome());
        assert_eq!(played.requests.len(), 0, "{args}");
        assert!(played.everything().contains(said), "{args}: {}", played.everything());
    }
    // A scope type that nobody knows is sent: the API declares no words for it.
    assert_eq!(stage.task(present("new", scope(json!({"type": "chart"})))).outcome(), "changed");
}

#[test]
fn d16_nothing_is_asked_twice() {
    let stage = stage();
    let by_id = |args: Json| stage.task(args).requests.len();
    assert_eq!(by_id(present("new", json!({}))), 2);
    assert_eq!(by_id(present("new", json!({}))), 1);
    assert_eq!(by_id(update("new", json!({"status": "disabled"}))), 2);
    assert_eq!(by_id(absent("new")), 2);
    assert_eq!(by_id(update(TOK1, json!({"status": "disabled"}))), 2);
    assert_eq!(by_id(absent(TOK1)), 2);
    // The new one, and the removal of the old one, which was found in the list.
    assert_eq!(by_id(update("tok2", json!({"name": "renamed", "allow_replace": true}))), 3);
    let by_name = |args: Json| merged(args, json!({"registry": "reg-a"}));
    let played = stage.tasks(
        &[
            by_name(present("new", json!({}))),
            by_name(update("new", json!({"status": "disabled"}))),
            by_name(absent("new")),
        ],
        &[],
    );
    // The tasks share one list of the tokens.
    assert_eq!(played.requests.len(), 1 + 1 + 3, "{:?}", played.calls());
    assert_eq!(played.requests[0].query, "filter.name=reg-a&limit=100");
}

#[test]
fn d17_nothing_has_to_be_installed() {
    let mut stage = stage();
    stage.set("PATH", None);
    stage.set("HOME", None);
    // Without a home the state would be in that of whoever runs the tests.
    let state = stage.folder.path().join("state").display().to_string();
    stage.set("IONPLAY_STATE_DIR", Some(&state));
    assert_eq!(stage.task(present("new", json!({}))).outcome(), "changed");
}

#[test]
fn d18_errors_of_the_api_are_one_sentence() {
    let stage = Stage::with(
        &two_tokens(),
        &[
            "POST /tokens$ status=409 body={\"httpStatus\": 409, \"messages\": [{\"errorCode\": \"cr-409-name\", \"message\": \"the name is in use\"}]}",
        ],
    );
    let played = stage.task(present("new", json!({})));
    assert_eq!(played.message(), "failed to create the new Registry Token: (409) the name is in use [cr-409-name]");
    assert!(!played.everything().to_lowercase().contains("content-length"), "{}", played.everything());
}

#[test]
fn d19_what_the_task_says_beats_the_environment() {
    let mut stage = stage();
    stage.set("IONOS_TOKEN", Some("wrong"));
    let login = json!({"username": "user@example.org", "password": PASSWORD});
    let header = |stage: &Stage, more: Json| {
        let played = stage.task(present("tok1", more));
        (
            played.outcome().to_owned(),
            played.requests.first().and_then(|r| r.header("authorization").map(str::to_owned)),
        )
    };
    let basic = Some("Basic dXNlckBleGFtcGxlLm9yZzpzZWNyZXQtcGFzc3dvcmQ=".to_owned());
    assert_eq!(header(&stage, login.clone()), ("ok".to_owned(), basic.clone()));
    assert_eq!(header(&stage, json!({"token": TOKEN})), ("ok".to_owned(), Some(format!("Bearer {TOKEN}"))));
    // Within the task a token beats user name and password.
    assert_eq!(header(&stage, merged(login.clone(), json!({"token": TOKEN}))).1, Some(format!("Bearer {TOKEN}")));
    // Empty text is no token: nothing is sent without one, and what else there is counts.
    stage.set("IONOS_TOKEN", Some(""));
    assert_eq!(header(&stage, login), ("ok".to_owned(), basic));
    let played = stage.task(present("tok1", json!({"token": ""})));
    assert_eq!(played.message(), "Token or username & password are required for Registry Token state present");
    assert_eq!(played.requests.len(), 0);
}

#[test]
fn d20_user_name_and_password_are_sent_with_every_request() {
    let stage = stage();
    let args = json!({"registry": REG_A, "username": "user@example.org", "password": PASSWORD});
    let played = stage.play_module("registry_repository_info", &[args], &[]);
    assert!(!played.requests.is_empty());
    for request in &played.requests {
        assert!(request.header("authorization").is_some_and(|value| value.starts_with("Basic ")), "{request}");
    }
}

#[test]
fn d21_what_passes_is_tried_again_and_what_hangs_is_given_up() {
    for fault in [
        "GET /tokens$ status=502 times=2",
        "GET /tokens$ reset times=2",
        "POST /tokens$ status=429 times=2",
        "POST /tokens$ status=503 times=1 retry-after=1",
    ] {
        let played = Stage::with(&no_tokens(), &[fault]).task(present("new", json!({})));
        assert_eq!(played.outcome(), "changed", "{fault}: {}", played.message());
    }
    let mut stage = Stage::with(&no_tokens(), &["GET /tokens$ slow delay=20s"]);
    stage.set("IONPLAY_HTTP_TIMEOUT", Some("1"));
    let begun = Instant::now();
    let played = stage.task(present("new", json!({"wait_timeout": 2})));
    assert_eq!(played.outcome(), "failed");
    assert!(played.message().contains("in time"), "{}", played.message());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn d22_a_creation_whose_answer_was_lost_is_looked_after() {
    // It came to be: its password is gone, so it is removed and made again.
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost times=1"]);
    let played = stage.task(present("new", json!({"scopes": [pull_push()], "expiry_date": "2030-01-02"})));
    let calls: Vec<String> = played.requests.iter().map(|request| request.method.clone()).collect();
    assert_eq!((played.outcome(), calls.join(" ")), ("changed", "GET POST GET DELETE POST".to_owned()));
    assert!(played.stderr.contains("its password with it"), "{}", played.stderr);
    assert_eq!(stage.names(), ["new"]);
    // It did not come to be: nothing is to be said.
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ reset times=1"]);
    let played = stage.task(present("new", json!({})));
    let calls: Vec<String> = played.requests.iter().map(|request| request.method.clone()).collect();
    assert_eq!((played.outcome(), calls.join(" ")), ("changed", "GET POST GET POST".to_owned()));
    assert!(!played.stderr.contains("lost"), "{}", played.stderr);
    assert_eq!(stage.names(), ["new"]);
    // The answer said so before it broke off, so that nothing else has to be asked.
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ truncate times=1"]);
    let played = stage.task(present("new", json!({})));
    let calls: Vec<String> = played.requests.iter().map(|request| request.method.clone()).collect();
    assert_eq!((played.outcome(), calls.join(" ")), ("changed", "GET POST GET DELETE POST".to_owned()));
    // Nobody knows: the task fails and says so.
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost", "GET /tokens$ status=500 nth=2"]);
    let played = stage.task(present("new", json!({})));
    assert_eq!(played.outcome(), "failed");
    assert!(played.message().contains("it may exist, and its password is not known"), "{}", played.message());
}

#[test]
fn d23_it_is_told_that_the_password_of_an_existing_token_is_not_known() {
    let stage = stage();
    let played = stage.tasks(&[present("tok1", json!({}))], &["-v"]);
    assert!(played.stderr.contains("its password was shown when it was created"), "{}", played.stderr);
    assert_eq!(played.result()["registry_token"]["properties"]["credentials"]["password"], "");
    let played = stage.task(present("tok1", json!({})));
    assert!(!played.stderr.contains("password"), "{}", played.stderr);
}

#[test]
fn d24_scopes_compare_by_what_they_mean() {
    let stage = stage();
    let scope = json!({"name": "nume", "type": "repository", "actions": ["push", "pull", "push"], "note": "ours"});
    let played = stage.task(present("tok1", json!({"scopes": [scope]})));
    assert_eq!((played.outcome(), played.requests.len()), ("ok", 1), "{}", played.message());
    let two = json!([{"name": "a", "type": "repository", "actions": ["pull"]}, {"name": "a", "type": "repository", "actions": ["push"]}]);
    stage.task(present("tok1", json!({"scopes": two})));
    let other = json!([two[1], two[0]]);
    assert_eq!(stage.task(present("tok1", json!({"scopes": other}))).outcome(), "ok");
}

#[test]
fn d25_parameters_without_meaning_are_accepted_for_old_playbooks() {
    let stage = stage();
    let args = json!({"registry": REG_A, "depth": 3, "allow_replace": true});
    assert_eq!(stage.play_module("registry_token_info", &[args], &[]).outcome(), "ok");
    assert_eq!(stage.task(present("tok1", json!({"depth": 3}))).outcome(), "ok");
}

#[test]
fn d26_several_of_one_name_are_told_by_their_ids() {
    let tokens = json!([{"name": "twin", "id": TOK1}, {"name": "twin"}]);
    let stage = Stage::with(&json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": tokens}]}), &[]);
    for args in [present("twin", json!({})), update("twin", json!({"status": "disabled"})), absent("twin")] {
        let played = stage.task(args);
        assert_eq!(played.outcome(), "failed");
        let message = played.message();
        assert!(
            message.starts_with("found more resources of type tokens for 'twin' (") && message.contains(TOK1),
            "{message}"
        );
    }
    assert_eq!(stage.task(absent(TOK1)).outcome(), "changed");
}

#[test]
fn d27_an_empty_pin_is_none_and_a_weak_one_is_refused() {
    let stage = stage();
    assert_eq!(stage.task(present("tok1", json!({"certificate_fingerprint": ""}))).outcome(), "ok");
    let played = stage.task(present("tok1", json!({"certificate_fingerprint": "ab".repeat(20)})));
    assert_eq!((played.outcome(), played.requests.len()), ("failed", 0));
    assert!(played.message().contains("SHA-1"), "{}", played.message());
}
