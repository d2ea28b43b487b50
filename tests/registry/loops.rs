//! What a loop asks for: its list once, unless somebody waits or is refused.

use ionplay::sandbox::SandboxOptions;
use serde_json::{Value as Json, json};

use super::stage::{Played, REG_A, Stage, options};

/// A registry with so many tokens.
fn stage(tokens: usize, faults: &[&str]) -> Stage {
    Stage::with(&json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": tokens}]}), faults)
}

/// A loop of a registry token task; `{{ item }}` may stand in its arguments.
fn play(stage: &Stage, args: &Json, names: &[&str], more: &Json) -> Played {
    let mut task = json!({"ionoscloudsdk.ionoscloud.registry_token": args, "loop": names});
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.play(&json!([task]).to_string(), &[])
}

fn present() -> Json {
    json!({"registry": REG_A, "name": "{{ item }}"})
}

/// The requests of a run, in their order.
fn methods(played: &Played) -> String {
    played.requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_is_read_once_unless_the_loop_pauses() {
    let names = ["token-0000", "new", "newer"];
    let played = play(&stage(3, &[]), &present(), &names, &json!({}));
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET POST POST"));
    let pausing = json!({"loop_control": {"pause": 0.01}});
    let played = play(&stage(3, &[]), &present(), &names, &pausing);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET GET POST GET POST"));
}

#[test]
fn a_list_of_several_pages_is_kept_up() {
    let stage = stage(150, &[]);
    let played = play(&stage, &present(), &["token-0000", "token-0149", "new", "new", "newer"], &json!({}));
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET GET POST POST"), "{}", played.stdout);
    // A token that a pass has made has no password in the passes after it, as if it had been read.
    let items: Vec<&Json> = played.events.iter().filter(|event| event["event"] == "item").collect();
    assert_eq!(items[3]["result"]["action"], "none");
    assert_eq!(items[3]["result"]["registry_token"]["properties"]["credentials"]["password"], "");
    // What was changed and removed is known, too.
    let update = json!({"registry": REG_A, "registry_token": "{{ item }}", "state": "update", "status": "disabled"});
    let played = play(&stage, &update, &["new", "new"], &json!({}));
    assert_eq!(methods(&played), "GET GET PATCH");
    let absent = json!({"registry": "reg-a", "registry_token": "{{ item }}", "state": "absent"});
    let played = play(&stage, &absent, &["new", "new", "newer"], &json!({}));
    assert_eq!(methods(&played), "GET GET GET DELETE DELETE");
    // The next task in a row shares the list.
    let played = stage.tasks(
        &[json!({"registry": REG_A, "name": "token-0000"}), json!({"registry": REG_A, "name": "token-0001"})],
        &[],
    );
    assert_eq!(methods(&played), "GET GET");
}

/// Two no-op tasks on one registry with a task between them, under these options.
fn between(middle: &Json, options: &[&str]) -> String {
    let stage = stage(3, &[]);
    let task = |name: &str| json!({"ionoscloudsdk.ionoscloud.registry_token": {"registry": REG_A, "name": name}});
    let played = stage.play(&json!([task("token-0000"), middle, task("token-0001")]).to_string(), options);
    assert_eq!(played.outcome(), "ok", "{}", played.stdout);
    methods(&played)
}

#[test]
fn tasks_in_a_row_share_a_list() {
    for middle in [json!({"debug": {"msg": "x"}}), json!({"set_fact": {"x": 1}}), json!({"assert": {"that": true}})] {
        assert_eq!(between(&middle, &[]), "GET", "{middle}");
    }
    for middle in [
        json!({"command": "true"}),
        json!({"pause": {"seconds": 0}}),
        json!({"debug": {"msg": "{{ lookup('pipe', 'true') }}"}}),
        json!({"command": "true", "async": 5, "poll": 0}),
    ] {
        assert_eq!(between(&middle, &[]), "GET GET", "{middle}");
    }
    assert_eq!(between(&json!({"debug": {"msg": "x"}}), &["--fresh"]), "GET GET");
    let fresh =
        json!({"ionoscloudsdk.ionoscloud.registry_token": {"registry": REG_A, "name": "token-0002", "fresh": true}});
    assert_eq!(between(&fresh, &[]), "GET GET");
}

#[test]
fn shared_list_is_read_again_before_a_refusal_counts_or_an_object_is_replaced() {
    let task = |args: Json| json!({"ionoscloudsdk.ionoscloud.registry_token": args});
    let first = task(json!({"registry": REG_A, "name": "token-0000"}));
    let stage = self::stage(3, &["POST /tokens$ status=409 times=1"]);
    let second = task(json!({"registry": REG_A, "name": "new"}));
    let played = stage.play(&json!([first, second]).to_string(), &[]);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET POST GET POST"));
    let renamed = json!({"registry": REG_A, "registry_token": "token-0001", "name": "other", "state": "update",
        "allow_replace": true});
    let played = self::stage(3, &[]).play(&json!([first, task(renamed)]).to_string(), &[]);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET GET POST DELETE"));
}

#[test]
fn a_refusal_drops_the_kept_list_and_the_task_looks_again() {
    let passes = ["token-0000", "new"];
    let stage = self::stage(150, &["POST /tokens$ status=409 times=1"]);
    let played = play(&stage, &present(), &passes, &json!({}));
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET GET POST GET GET POST"));
    let stage = self::stage(150, &["PATCH . status=404 times=1"]);
    let update = json!({"registry": REG_A, "registry_token": "{{ item }}", "state": "update", "status": "disabled"});
    let played = play(&stage, &update, &passes, &json!({}));
    assert_eq!(methods(&played), "GET GET PATCH GET GET PATCH");
    // A refusal that stays is told.
    let stage = self::stage(150, &["POST /tokens$ status=409"]);
    let played = play(&stage, &present(), &passes, &json!({}));
    assert_eq!((played.outcome(), methods(&played).as_str()), ("failed", "GET GET POST GET GET POST"));
}

#[test]
fn who_tries_again_looks_again() {
    let stage = stage(150, &["PATCH . status=500 times=1"]);
    let update = json!({"registry": REG_A, "registry_token": "{{ item }}", "state": "update", "status": "disabled"});
    let again = json!({"register": "r", "until": "r is succeeded", "retries": 2, "delay": 0});
    let played = play(&stage, &update, &["token-0000"], &again);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", "GET GET PATCH GET GET PATCH"));
}

#[test]
fn registries_by_name_are_looked_for_once() {
    let many: Vec<Json> = (0..120).map(|n| json!({"name": format!("other-{n}")})).collect();
    let stage = Stage::new(SandboxOptions { max_page: 50, ..options(&json!({"registries": many}), &[]) });
    let played = play(
        &stage,
        &json!({"registry": "{{ item }}", "name": "ci"}),
        &["no-1", "no-2"],
        &json!({"ignore_errors": true}),
    );
    // Each name is asked for; the list of all, for the suggestions, is read once.
    let lists: Vec<&str> = played.requests.iter().map(|request| request.query.as_str()).collect();
    assert_eq!(lists.iter().filter(|query| query.contains("filter.name")).count(), 2, "{lists:?}");
    assert_eq!(lists.len(), 2 + 3, "{lists:?}");
}
