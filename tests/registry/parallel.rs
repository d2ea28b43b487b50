//! Items of a loop that are at work at once: what anybody sees is what one after the other gives.

use std::time::Duration;

use fancy_regex::Regex;
use ionplay::sandbox::{Latency, SandboxOptions};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::stage::{Played, REG_A, Stage, options};

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
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r#""duration":\s*[\d.e-]+"#, "DURATION"),
        (r"127\.0\.0\.1:\d+", "SERVICE"),
    ];
    changing
        .iter()
        .fold(text.to_owned(), |text, (found, put)| Regex::new(found).unwrap().replace_all(&text, *put).into_owned())
}

/// Everything that a run shows.
fn shown(played: &Played) -> [String; 4] {
    [played.code.to_string(), steady(&played.stdout), steady(&played.stderr), steady(&played.events_text)]
}

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
        _ => format!("* {tokens} status=503 times=2"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn items_side_by_side_show_what_items_in_turn_show(
        faults in prop::collection::vec((0..MANY, 0..10usize), 0..6),
        states in prop::collection::vec(0..4usize, MANY),
    ) {
        let faults: Vec<String> = faults.iter().map(|(number, kind)| fault_at(*number, *kind)).collect();
        let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
        let item = |(number, state): (usize, &usize)| match state {
            0 => json!({"registry": registry_id(number), "name": "new", "state": "present"}),
            1 => json!({"registry": registry_id(number), "name": "old", "state": "present", "status": "disabled"}),
            2 => json!({"registry": registry_id(number), "registry_token": "old", "state": "absent"}),
            _ => json!({"registry": registry_id(number), "registry_token": "odl", "state": "update", "status": "disabled"}),
        };
        let items: Json = states.iter().enumerate().map(item).collect();
        let word = |name: &str| format!("{{{{ item.{name} | default(omit) }}}}");
        let args = ["registry", "name", "registry_token", "state", "status"].map(|name| (name.to_owned(), json!(word(name))));
        let more = json!({"when": "item.registry is defined", "ignore_errors": true, "loop_control": {"label": "{{ item.registry }}"}});
        let playbook = looped(&Json::Object(args.into_iter().collect()), &items, &more);
        let run = |parallel: &str| slow_stage(&registries(), &faults).play(&playbook, &["--parallel", parallel, "-v"]);
        let (serial, parallel) = (run("1"), run("8"));
        for (serial, parallel) in shown(&serial).iter().zip(&shown(&parallel)) {
            prop_assert_eq!(serial, parallel);
        }
    }
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
