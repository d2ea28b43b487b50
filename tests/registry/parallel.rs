//! Items of a loop that are at work at once: what anybody sees is what one after the other gives.

use std::time::Duration;

use fancy_regex::Regex;
use ionplay::sandbox::{Latency, SandboxOptions, password_of};
use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, Played, REG_A, Stage, options};
use crate::dice::Dice;

const MANY: usize = 9;

/// The id of registry `number`.
fn registry_id(number: usize) -> String {
    format!("{number:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
}

/// Registries with a token each, so that a fault is meant for one item wherever it comes in time.
fn registries() -> Json {
    let token = |number: usize| json!({"id": format!("{number:08x}-0000-4000-8000-000000000000"), "name": "old"});
    let one =
        |number: usize| json!({"id": registry_id(number), "name": format!("reg-{number}"), "tokens": [token(number)]});
    json!({"registries": (0..MANY).map(one).collect::<Vec<_>>()})
}

/// A stage whose service takes its time, so that requests overlap.
fn slow_stage(seed: &Json, faults: &[&str]) -> Stage {
    let latency = Latency { fixed: Duration::from_millis(3), jitter: Duration::from_millis(6) };
    Stage::new(SandboxOptions { latency, ..options(seed, faults) })
}

/// A loop of token tasks over items with `registry` and `name`, with more keywords.
fn looped(args: &Json, items: &Json, more: &Json) -> String {
    let mut task = json!({"ionoscloudsdk.ionoscloud.registry_token": args, "loop": items, "register": "made"});
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let names =
        json!({"ansible.builtin.debug": {"msg": "{{ made.results | map(attribute='action', default='-') | list }}"}});
    json!([task, names]).to_string()
}

/// Text without what differs from run to run: ids, passwords, times and durations.
fn steady(text: &str) -> String {
    let changing = [
        (r"fake-password-[\w-]+", "PASSWORD"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "ID"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
        (r#""duration":\s*[\d.e-]+"#, "DURATION"),
        (r"127\.0\.0\.1:\d+", "SERVICE"),
        (r"/[^ ]*/registry-\w+", "FOLDER"),
        (r"\(\d+ \w+ ago\)", "(AGO)"),
    ];
    changing
        .iter()
        .fold(text.to_owned(), |text, (found, put)| Regex::new(found).unwrap().replace_all(&text, *put).into_owned())
}

/// Everything that a run shows.
fn shown(played: &Played) -> [String; 4] {
    [played.code.to_string(), steady(&played.stdout), steady(&played.stderr), steady(&played.events_text)]
}

/// What one registry's service does wrong.
fn fault_at(number: usize, kind: usize) -> String {
    let tokens = format!("/registries/{}/tokens", registry_id(number));
    match kind {
        0 => format!("POST {tokens}$ lost times=1"),
        1 => format!("POST {tokens}$ status=500"),
        2 => format!("POST {tokens}$ status=409 times=1"),
        3 => format!("GET {tokens} status=500 times=1"),
        4 => format!("POST {tokens}$ slow delay=40ms"),
        5 => format!("GET {tokens} slow delay=40ms"),
        6 => format!("POST {tokens}$ truncate times=1"),
        7 => format!("PATCH {tokens} status=404 times=1"),
        8 => format!("DELETE {tokens} lost times=1"),
        9 => format!("POST {tokens}$ status=429 times=1 retry-after=0"),
        10 => format!("POST {tokens}$ html"),
        _ => format!("* {tokens} status=503 times=2"),
    }
}

/// An item of a loop: a creation, an update, a removal, or an update of what is not there.
fn item_of(number: usize, state: usize) -> Json {
    match state {
        0 => json!({"registry": registry_id(number), "name": "new", "state": "present"}),
        1 => json!({"registry": registry_id(number), "name": "old", "state": "present", "status": "disabled"}),
        2 => json!({"registry": registry_id(number), "registry_token": "old", "state": "absent"}),
        3 => json!({"registry": registry_id(number), "name": "new", "state": "present", "skip": true}),
        4 => json!({"registry": registry_id(number), "name": "old", "state": "sideways"}),
        _ => json!({"registry": registry_id(number), "registry_token": "odl", "state": "update", "status": "disabled"}),
    }
}

/// A loop over items that have their arguments in them.
fn loop_over(items: &Json, more: &Json) -> String {
    let word = |name: &str| format!("{{{{ item.{name} | default(omit) }}}}");
    let names = ["registry", "name", "registry_token", "state", "status"];
    let args: Json = Json::Object(names.map(|name| (name.to_owned(), json!(word(name)))).into_iter().collect());
    looped(&args, items, more)
}

/// What a run leaves behind: the tokens of the service, and the entries of the credential store.
fn left_behind(stage: &Stage) -> Vec<String> {
    let store = stage.sandbox.read_store();
    let tokens = |registry: &ionplay::sandbox::StoredRegistry| {
        let mut names: Vec<String> =
            registry.tokens.iter().map(|token| format!("{} {:?}", token.name, token.status)).collect();
        names.sort();
        format!("{}: {names:?}", registry.name)
    };
    let listed = stage.program(&["token", "list"]).output().unwrap();
    let mut entries: Vec<String> =
        steady(&String::from_utf8(listed.stdout).unwrap()).lines().map(str::to_owned).collect();
    entries.sort();
    store.registries.iter().map(tokens).chain(entries).collect()
}

/// Runs a playbook with one item at a time and with eight, and asserts that nobody can tell which was which.
#[track_caller]
fn same_with_eight(playbook: &str, faults: &[&str], why: &str) {
    let run = |parallel: &str| {
        let stage = slow_stage(&registries(), faults);
        let played = stage.play(playbook, &["--parallel", parallel, "-v"]);
        (shown(&played), left_behind(&stage))
    };
    let (serial, parallel) = (run("1"), run("8"));
    for (serial, parallel) in serial.0.iter().zip(&parallel.0) {
        assert_eq!(serial, parallel, "{why}");
    }
    assert_eq!(serial.1, parallel.1, "{why}");
    assert!(!serial.0.concat().contains(NEW_PASSWORD) && !parallel.0.concat().contains(NEW_PASSWORD), "{why}");
}

#[test]
fn items_side_by_side_show_what_items_in_turn_show() {
    for seed in 0..10 {
        let mut dice = Dice::new(seed);
        let faults: Vec<String> = (0..dice.below(7)).map(|_| fault_at(dice.below(MANY), dice.below(12))).collect();
        let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
        let items: Json = (0..MANY).map(|number| item_of(number, dice.below(6))).collect();
        let mut more = json!({"ignore_errors": !dice.one_in(3)});
        let mut add = |name: &str, value: Json| _ = more.as_object_mut().unwrap().insert(name.to_owned(), value);
        if dice.one_in(2) {
            add("loop_control", json!({"label": "{{ item.registry }}", "extended": true, "index_var": "number"}));
        }
        if dice.one_in(2) {
            add("when", json!(["item.skip is not defined"]));
        }
        if dice.one_in(3) {
            add("changed_when", json!("made.action | default('none') == 'delete'"));
        }
        if dice.one_in(3) {
            add("failed_when", json!(["made is failed", "made.action is not defined"]));
        }
        if dice.one_in(4) {
            add("no_log", json!(true));
        }
        if dice.one_in(4) {
            add("timeout", json!(20));
        }
        same_with_eight(&loop_over(&items, &more), &faults, &format!("seed {seed}: {faults:?}\n{items}\n{more}"));
    }
}

#[test]
fn play_with_handlers_and_rescue_shows_the_same() {
    let items: Json = (0..MANY).map(|number| item_of(number, number % 3)).collect();
    let looped: Json =
        serde_json::from_str(&loop_over(&items, &json!({"notify": "tell {{ item.registry }}"}))).unwrap();
    let rescue = json!([{"debug": {"msg": "{{ made.results | map(attribute='failed', default=false) | list }}"}}]);
    let handlers: Json =
        (0..MANY).map(|n| json!({"name": format!("tell {}", registry_id(n)), "debug": {"msg": n}})).collect();
    let play = json!([{"hosts": "localhost", "gather_facts": false, "force_handlers": true, "handlers": handlers,
        "tasks": [{"block": looped, "rescue": rescue}, {"meta": "flush_handlers"}]}]);
    let faults = [fault_at(3, 1), fault_at(4, 7)];
    same_with_eight(&play.to_string(), &[&faults[0], &faults[1]], "a failure in the middle");
    same_with_eight(&play.to_string(), &[], "no failure");
}

fn present() -> Json {
    json!({"registry": REG_A, "name": "{{ item }}"})
}

fn one_registry() -> Json {
    json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": [{"name": "old"}]}]})
}

fn names(count: usize) -> Json {
    (0..count).map(|number| json!(format!("token-{number}"))).collect()
}

#[test]
fn creations_of_one_loop_overlap_and_read_the_list_once() {
    let connections = |parallel: &str| {
        let stage = slow_stage(&one_registry(), &["POST /tokens$ slow delay=20ms"]);
        let played = stage.play(&looped(&present(), &names(17), &json!({})), &["--parallel", parallel]);
        assert_eq!(played.outcome(), "ok", "{}", played.stdout);
        let reads = played.requests.iter().filter(|request| request.method == "GET").count();
        assert_eq!((reads, played.requests.len()), (1, 18));
        played.requests.iter().map(|request| request.connection).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(connections("1"), 1);
    assert!((2..=8).contains(&connections("8")), "items do not overlap");
}

#[test]
fn lost_answer_beside_other_creations_is_recovered_as_alone() {
    let stage = slow_stage(&one_registry(), &["POST /tokens$ lost nth=4"]);
    let played = stage.play(&looped(&present(), &names(8), &json!({})), &["--parallel", "8"]);
    assert_eq!((played.code, played.outcome()), (0, "ok"), "{}{}", played.stdout, played.stderr);
    assert!(played.stdout.contains("was removed and is made again") || played.stderr.contains("is made again"));
}

#[test]
fn item_that_sees_the_result_of_the_one_before_waits_for_it() {
    let chained = json!({"registry": REG_A, "name": "{{ item ~ '-' ~ (made.registry_token.properties.name | default('x') | length) }}"});
    let played = slow_stage(&one_registry(), &[]).play(&looped(&chained, &names(4), &json!({})), &[]);
    let requested = |played: &Played, name: &str| played.requests.iter().any(|request| request.body.contains(name));
    assert!(requested(&played, "\"token-0-1\"") && requested(&played, "\"token-1-9\""), "{}", played.stdout);
    // A variable may hide the name.
    let hidden = json!({"vars": {"before": "{{ made.registry_token.properties.name | default('x') | length }}"}});
    let args = json!({"registry": REG_A, "name": "{{ item ~ '-' ~ before }}"});
    let played = slow_stage(&one_registry(), &[]).play(&looped(&args, &names(4), &hidden), &[]);
    assert!(requested(&played, "\"token-1-9\""), "{}", played.stdout);
}

#[test]
fn items_for_one_object_follow_one_another() {
    let twice = json!(["warm", "same", "other", "same", "SAME-2", "same"]);
    let played = slow_stage(&one_registry(), &[]).play(&looped(&present(), &twice, &json!({})), &["--parallel", "8"]);
    assert_eq!(played.requests.iter().filter(|request| request.method == "POST").count(), 4, "{}", played.stdout);
    assert!(played.stdout.contains("create") && played.stdout.contains("none"), "{}", played.stdout);
    let events: Vec<&Json> = played.events.iter().filter(|event| event["event"] == "item").collect();
    let actions: Vec<&str> = events.iter().map(|event| event["result"]["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "create", "create", "none", "create", "none"]);
}

#[test]
fn too_many_requests_are_fewer_from_then_on() {
    let stage = slow_stage(&one_registry(), &["POST /tokens$ status=429 times=7 retry-after=0 nth=3"]);
    let played = stage.play(&looped(&present(), &names(20), &json!({})), &["--parallel", "8"]);
    assert_eq!((played.code, played.outcome()), (0, "ok"), "{}", played.stdout);
}

#[test]
fn label_that_may_be_omitted_keeps_items_in_turn() {
    let label = json!({"loop_control": {"label": "{{ omit if item == 'token-1' else item }}"}});
    let stage = slow_stage(&one_registry(), &[]);
    let played = stage.play(&looped(&present(), &names(6), &label), &["--parallel", "8"]);
    // The loop ends with the item whose label is left out, and no later one has been sent.
    assert_eq!((played.code, stage.names()), (2, ["old", "token-0", "token-1"].map(str::to_owned).to_vec()));
}

/// A loop that makes tokens, and a task that stores their passwords.
fn made_and_stored(count: usize) -> String {
    let store = json!({
        "copy": {"content": "{{ item.registry_token.properties.credentials.password }}", "dest": "{{ item.item }}", "mode": "0600"},
        "loop": "{{ made.results }}", "when": "item.action | default('none') == 'create'", "no_log": true,
    });
    let make = json!({"registry_token": present(), "loop": names(count), "register": "made"});
    json!([make, store]).to_string()
}

/// Asserts that each token is there once, and that its password is where the playbook puts it.
#[track_caller]
fn all_stored(stage: &Stage, count: usize) {
    let store = stage.sandbox.read_store();
    let tokens: Vec<_> = store.registries[0].tokens.iter().filter(|token| token.name != "old").collect();
    assert_eq!(tokens.len(), count, "{:?}", stage.names());
    for token in tokens {
        let kept = std::fs::read_to_string(stage.folder.path().join(&token.name)).unwrap_or_default();
        assert_eq!(kept, password_of(token.id), "{}", token.name);
    }
}

#[test]
fn killed_loop_loses_no_password_and_leaves_no_token_twice() {
    for after in [2, 6, 11] {
        let stage = slow_stage(&one_registry(), &["POST /tokens$ slow delay=60ms"]);
        let posted = || stage.sandbox.requests().iter().filter(|request| request.method == "POST").count();
        stage.signalled("-KILL", &made_and_stored(16), || posted() >= after);
        let there = stage.names().len() - 1;
        let played = stage.play(&made_and_stored(16), &[]);
        assert_eq!(played.code, 0, "{}", played.everything());
        all_stored(&stage, 16);
        // Only those are made again whose answers were lost with the run: at most the eight that were under way.
        let removed = played.requests.iter().filter(|request| request.method == "DELETE").count();
        let made = played.requests.iter().filter(|request| request.method == "POST").count();
        assert!(removed <= 8 && made <= 16 - there + 8 && !played.everything().contains(NEW_PASSWORD));
    }
}

#[test]
fn interrupted_loop_finishes_what_is_under_way_and_begins_nothing() {
    let stage = slow_stage(&one_registry(), &["POST /tokens$ slow delay=150ms"]);
    let posted = || stage.sandbox.requests().iter().filter(|request| request.method == "POST").count();
    let played = stage.interrupted(&made_and_stored(40), || posted() >= 4);
    let items: Vec<&Json> = played.events.iter().filter(|event| event["event"] == "item").collect();
    let there = stage.names().len() - 1;
    assert!((4..=12).contains(&there) && items.len() == there, "{there}: {}", played.everything());
    assert!(items.iter().all(|item| item["result"]["action"] == "create"), "{}", played.stdout);
    assert!(played.stderr.contains("interrupted") || played.stdout.contains("interrupted"), "{}", played.everything());
    // Nothing is lost: the next run goes on.
    let played = stage.play(&made_and_stored(40), &[]);
    assert_eq!(played.code, 0, "{}", played.everything());
    all_stored(&stage, 40);
}

#[test]
fn item_whose_time_is_up_fails_alone() {
    let slow = format!("POST /registries/{}/tokens$ slow delay=2500ms", registry_id(4));
    let items: Json = (0..MANY).map(|number| item_of(number, 0)).collect();
    let stage = slow_stage(&registries(), &[&slow]);
    let played = stage.play(&loop_over(&items, &json!({"timeout": 1, "ignore_errors": true})), &["--parallel", "8"]);
    let failed = |event: &&Json| event["event"] == "item" && event["status"] != "changed";
    let failed: Vec<&Json> = played.events.iter().filter(failed).collect();
    assert_eq!(failed.len(), 1, "{}", played.stdout);
    let message = failed[0]["result"]["msg"].as_str().unwrap();
    assert!(message.contains("Timed out after 1 second"), "{message}");
    // The request is finished all the same, and its password is in the result.
    assert!(message.contains("Token `new` had been created"), "{message}");
}
