//! The defects of the reference's `registry`, each with what is right instead.

use std::time::{Duration, Instant};

use ionplay::sandbox::{Pace, SandboxOptions};
use serde_json::{Value as Json, json};

use super::stage::{Played, REG_A, Stage, options};

fn quick() -> Pace {
    Pace { new: Duration::from_millis(30), storage: Duration::from_millis(60), deletion: Duration::from_millis(30) }
}

fn stage(registry: Json) -> Stage {
    let mut seed = json!({"id": REG_A, "name": "reg-a", "location": "de/fra"});
    seed.as_object_mut().unwrap().extend(registry.as_object().unwrap().clone());
    Stage::new(SandboxOptions { pace: quick(), ..options(&json!({"registries": [seed]}), &[]) })
}

fn registry(stage: &Stage, args: Json) -> Played {
    stage.play_module("registry", &[args], &[])
}

fn update(more: Json) -> Json {
    let mut args = json!({"registry": "reg-a", "state": "update"});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

fn methods(played: &Played) -> Vec<&str> {
    played.requests.iter().filter(|request| request.is_write()).map(|request| request.method.as_str()).collect()
}

#[test]
fn e01_null_schedules_and_features_of_the_service_are_compared() {
    let stage = stage(json!({"garbageCollectionSchedule": null, "features": null}));
    let schedule = json!({"days": ["Monday"], "time": "01:23:00+00:00"});
    let played = registry(&stage, update(json!({"garbage_collection_schedule": schedule})));
    assert_eq!(
        (played.outcome(), played.bodies()),
        ("changed", vec![json!({"garbageCollectionSchedule": schedule})]),
        "{}",
        played.message()
    );
    let features = json!({"vulnerability_scanning": {"enabled": true}});
    let played = registry(&stage, update(json!({"features": features})));
    assert_eq!(played.outcome(), "changed", "{}", played.message());
    assert_eq!(
        registry(&stage, update(json!({"features": features, "garbage_collection_schedule": schedule}))).outcome(),
        "ok"
    );
}

#[test]
fn e02_a_replacement_under_the_same_name_removes_the_old_one_first() {
    let stage = stage(json!({}));
    let played = registry(&stage, update(json!({"location": "es/vit"})));
    assert_eq!(played.outcome(), "failed");
    assert!(
        played.message().starts_with("Registry should be replaced but allow_replace is set to False."),
        "{}",
        played.message()
    );
    assert!(played.message().contains("with everything in it"), "{}", played.message());
    assert_eq!(methods(&played), Vec::<&str>::new());
    // A location that there is not is found out before anything is removed.
    let played = registry(&stage, update(json!({"location": "de/nowhere", "allow_replace": true})));
    assert!(played.message().contains("has no location `de/nowhere`"), "{}", played.message());
    assert_eq!(methods(&played), Vec::<&str>::new());
    let played = registry(&stage, json!({"name": "reg-other", "location": "de/nowhere"}));
    assert!(played.message().contains("has no location `de/nowhere`; it has `de/fra`"), "{}", played.message());
    let played = registry(&stage, update(json!({"location": "es/vit", "allow_replace": true})));
    assert_eq!((played.outcome(), methods(&played)), ("changed", vec!["DELETE", "POST"]), "{}", played.message());
    assert_eq!(played.result()["registry"]["properties"]["location"], "es/vit");
    assert_eq!(played.result()["registry"]["metadata"]["state"], "Running");
}

#[test]
fn e03_a_replacement_keeps_features_schedule_and_networks() {
    let schedule = json!({"days": ["Sunday"], "time": "04:00:00+00:00"});
    let stage = stage(json!({"features": {"vulnerabilityScanning": {"enabled": false}},
        "garbageCollectionSchedule": schedule, "apiSubnetAllowList": ["192.0.2.0/24"]}));
    let played = registry(&stage, update(json!({"name": "reg-new", "allow_replace": true})));
    assert_eq!((played.outcome(), methods(&played)), ("changed", vec!["POST", "DELETE"]), "{}", played.message());
    let kept = json!({"name": "reg-new", "location": "de/fra", "features": {"vulnerabilityScanning": {"enabled": false}},
        "garbageCollectionSchedule": schedule, "apiSubnetAllowList": ["192.0.2.0/24"]});
    assert_eq!(played.bodies(), [json!({"properties": kept})]);
}

#[test]
fn e04_half_a_schedule_is_completed() {
    let stage = stage(json!({"garbageCollectionSchedule": {"days": ["Monday", "Friday"], "time": "01:00:00+00:00"}}));
    let played = registry(&stage, update(json!({"garbage_collection_schedule": {"time": "02:00:00+00:00"}})));
    let whole = json!({"days": ["Monday", "Friday"], "time": "02:00:00+00:00"});
    assert_eq!(played.bodies(), [json!({"garbageCollectionSchedule": whole})], "{}", played.message());
    // Where there is nothing to complete it from, no time means midnight.
    let args = json!({"name": "reg-new", "location": "de/fra", "garbage_collection_schedule": {"days": ["Monday"]}});
    let played = registry(&stage, args);
    let whole = json!({"days": ["Monday"], "time": "00:00:00+00:00"});
    assert_eq!(played.bodies()[0]["properties"]["garbageCollectionSchedule"], whole, "{}", played.message());
}

#[test]
fn e05_waiting_is_bounded_in_both_directions() {
    let slow = Duration::from_secs(600);
    let pace = Pace { new: slow, storage: slow, deletion: slow };
    let seed = json!({"registries": [{"id": REG_A, "name": "reg-a"}]});
    let stage = Stage::new(SandboxOptions { pace, ..options(&seed, &[]) });
    let begun = Instant::now();
    let absent = |more: Json| {
        let mut args = json!({"registry": REG_A, "state": "absent"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    let played = registry(&stage, absent(json!({"wait_timeout": 1})));
    assert_eq!(played.outcome(), "failed");
    assert!(played.message().contains("Timeout reached"), "{}", played.message());
    let played = registry(&stage, json!({"name": "reg-new", "location": "de/fra", "wait_timeout": 1}));
    assert!(played.message().contains("Timeout reached"), "{}", played.message());
    let played = registry(&stage, json!({"name": "reg-other", "location": "de/fra", "wait": false}));
    assert_eq!(played.outcome(), "changed", "{}", played.message());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
