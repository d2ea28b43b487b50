//! The modules against the embedded API, which knows nothing of this client.

use super::tests_world::*;
use super::*;
use crate::modules::ModuleOutcome;
use crate::value::{Dict, Value};

fn seed(tokens: &str) -> String {
    format!(r#"{{"registries": [{{"name": "reg-a", "id": "{REG}", "tokens": {tokens}}}]}}"#)
}

pub(super) fn at<'a>(outcome: &'a ModuleOutcome, path: &str) -> &'a Value {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = outcome.data.get(first).unwrap_or_else(|| panic!("no `{first}`"));
    if rest.is_empty() { value } else { value.member_at(rest).unwrap_or_else(|| panic!("no `{path}`")) }
}

const SCOPED: &str =
    r#"{"name": "ci", "scopes": [{"name": "nume", "type": "repository", "actions": ["pull", "push"]}]}"#;

#[tokio::test(flavor = "current_thread")]
async fn a_life_of_a_token_costs_no_more_requests_than_it_needs() {
    let world = World::new(&seed("[]"), &[]);
    let made = world.token(SCOPED).await.unwrap();
    assert!(made.changed);
    assert_eq!(at(&made, "action"), &Value::text("create"));
    assert_ne!(at(&made, "registry_token.properties.credentials.password"), &Value::text(""));
    assert_eq!(world.methods(), "GET POST");

    let again = world
        .token(r#"{"name": "ci", "scopes": [{"name": "nume", "type": "repository", "actions": ["push", "pull", "pull"]}]}"#)
        .await
        .unwrap();
    assert!(!again.changed);
    assert_eq!(at(&again, "action"), &Value::text("none"));
    assert_eq!(world.methods(), "GET");

    let updated = world.token(r#"{"registry_token": "ci", "status": "disabled", "state": "update"}"#).await.unwrap();
    assert_eq!(at(&updated, "registry_token.properties.status"), &Value::text("disabled"));
    assert_eq!(updated.actions[0].changed_fields().count(), 1);
    assert_eq!(world.methods(), "GET PATCH");

    let id = at(&made, "registry_token.id").as_str().unwrap().to_owned();
    let gone = world.token(&format!(r#"{{"registry_token": "{id}", "state": "absent"}}"#)).await.unwrap();
    assert!(gone.changed);
    assert_eq!(world.methods(), "GET DELETE");
    assert!(!world.token(r#"{"registry_token": "ci", "state": "absent"}"#).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn a_registry_name_costs_one_request_a_run() {
    let world = World::new(&seed("[]"), &[]);
    let named = r#"{"registry": "reg-a", "name": "ci"}"#;
    world.token(named).await.unwrap();
    assert_eq!(world.methods(), "GET GET POST");
    world.token(named).await.unwrap();
    assert_eq!(world.methods(), "GET");
}

#[tokio::test(flavor = "current_thread")]
async fn a_status_change_keeps_the_expiry() {
    let world = World::new(&seed("[]"), &[]);
    world.token(r#"{"name": "ci", "expiry_date": "2099-01-01T00:00:00Z"}"#).await.unwrap();
    let same = world.token(r#"{"name": "ci", "expiry_date": "2099-01-01 01:00:00+01:00"}"#).await.unwrap();
    assert!(!same.changed);
    let after = world.token(r#"{"name": "ci", "status": "disabled"}"#).await.unwrap();
    assert_eq!(at(&after, "registry_token.properties.expiry_date"), &Value::text("2099-01-01T00:00:00+00:00"));
    let cleared = world.token(r#"{"name": "ci", "expiry_date": null}"#).await.unwrap();
    assert!(at(&cleared, "registry_token.properties.expiry_date").is_null());
}

#[tokio::test(flavor = "current_thread")]
async fn scopes_are_left_alone_or_cleared() {
    let world = World::new(&seed("[]"), &[]);
    world.token(SCOPED).await.unwrap();
    assert!(!world.token(r#"{"name": "ci"}"#).await.unwrap().changed);
    let cleared = world.token(r#"{"name": "ci", "scopes": []}"#).await.unwrap();
    assert!(cleared.changed);
    assert!(!world.token(r#"{"name": "ci", "scopes": []}"#).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn a_replacement_keeps_what_is_not_restated() {
    let world = World::new(&seed("[]"), &[]);
    world.token(r#"{"name": "ci", "status": "disabled", "expiry_date": "2099-01-01"}"#).await.unwrap();
    let refused = r#"{"registry_token": "ci", "name": "cd", "state": "update"}"#;
    let failure = world.token(refused).await.unwrap_err();
    assert!(failure.message.starts_with("Registry Token should be replaced but allow_replace is set to False."));
    let replaced = world
        .token(r#"{"registry_token": "ci", "name": "cd", "state": "update", "allow_replace": true}"#)
        .await
        .unwrap();
    assert_eq!(at(&replaced, "registry_token.properties.status"), &Value::text("disabled"));
    assert_eq!(at(&replaced, "registry_token.properties.expiry_date"), &Value::text("2099-01-01T00:00:00+00:00"));
    assert!(!world.token(r#"{"registry_token": "ci", "state": "absent"}"#).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn half_a_replacement_does_not_lose_the_password() {
    let world = World::new(&seed("[]"), &["DELETE /tokens/ status=500"]);
    world.token(r#"{"name": "ci"}"#).await.unwrap();
    let failure = world
        .token(r#"{"registry_token": "ci", "name": "cd", "state": "update", "allow_replace": true}"#)
        .await
        .unwrap_err();
    assert!(failure.changed);
    assert!(failure.message.contains("still exists"), "{}", failure.message);
    let password = failure.data.get("registry_token").unwrap().member_at("properties.credentials.password").unwrap();
    assert_ne!(password, &Value::text(""));
}

#[tokio::test(flavor = "current_thread")]
async fn every_page_is_read() {
    let world = World::new(&seed("250"), &[]);
    let info = [("registry", Value::text(REG))];
    let listed = world.run(&registry_token_info::RegistryTokenInfo, Value::dict(info)).await.unwrap();
    let tokens = at(&listed, "registry_tokens").as_slice().unwrap();
    assert_eq!(tokens.len(), 250);
    let last = tokens[249].member_at("properties.name").unwrap().as_str().unwrap();
    assert!(world.token(&format!(r#"{{"registry_token": "{last}", "state": "absent"}}"#)).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn an_unknown_registry_is_named_with_the_nearest() {
    let world = World::new(&seed("[]"), &[]);
    let failure = world.token(r#"{"registry": "reg-b", "name": "ci"}"#).await.unwrap_err();
    assert_eq!(
        failure.message,
        "failed to set Registry Token state present: registry `reg-b` was not found; did you mean `reg-a`?"
    );
    let absent = world.token(r#"{"registry": "reg-b", "registry_token": "ci", "state": "absent"}"#).await.unwrap();
    assert!(!absent.changed);
    assert!(world.warned().contains("nothing to delete"));
}

#[tokio::test(flavor = "current_thread")]
async fn updating_a_missing_token_warns() {
    let world = World::new(&seed(r#"[{"name": "deploy"}]"#), &[]);
    let outcome =
        world.token(r#"{"registry_token": "deplyo", "status": "disabled", "state": "update"}"#).await.unwrap();
    assert!(!outcome.changed);
    assert!(world.warned().contains("did you mean `deploy`?"), "{}", world.warned());
}

#[tokio::test(flavor = "current_thread")]
async fn mistakes_are_found_before_any_request() {
    let world = World::new(&seed("[]"), &[]);
    for (args, part) in [
        (r#"{"name": "ci", "status": "enabeld"}"#, "did you mean `enabled`?"),
        (r#"{"name": "1st"}"#, "must begin with a letter"),
        (r#"{"name": "ci", "expiry_date": "next week"}"#, "is not a date"),
        (r#"{"name": "ci", "scopes": [{"name": "a", "type": "repository", "action": []}]}"#, "`actions`?"),
        (r#"{"name": "ci", "scopes": [{"name": "a", "type": "repository", "actions": "pull"}]}"#, "[pull]"),
        (r#"{"name": "ci", "scopes": ["a"]}"#, "`scopes[0]` must be a mapping"),
        (r#"{"name": ""}"#, "name parameter is required for Registry Token state present"),
        (r#"{"state": "absent"}"#, "registry_token parameter is required for Registry Token state absent"),
        (
            r#"{"name": "ci", "token": ""}"#,
            "Token or username & password are required for Registry Token state present",
        ),
    ] {
        let failure = world.token(args).await.unwrap_err();
        assert!(failure.message.contains(part), "{args}: {}", failure.message);
    }
    assert_eq!(world.methods(), "");
}

#[tokio::test(flavor = "current_thread")]
async fn passing_faults_pass() {
    let faults = [
        "GET /tokens status=503 times=1",
        "GET /tokens reset times=1",
        "GET /tokens truncate times=1",
        "POST /tokens status=429 times=1",
    ];
    let world = World::new(&seed("[]"), &faults);
    assert!(world.token(SCOPED).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_answer_is_looked_into() {
    for fault in ["POST /tokens lost times=1", "POST /tokens malformed after times=1", "POST /tokens truncate times=1"]
    {
        let world = World::new(&seed("[]"), &[fault]);
        let made = world.token(SCOPED).await.unwrap_or_else(|failure| panic!("{fault}: {}", failure.message));
        assert_ne!(at(&made, "registry_token.properties.credentials.password"), &Value::text(""), "{fault}");
        assert_eq!(world.methods(), "GET POST GET DELETE POST", "{fault}");
        assert!(world.warned().contains("made again"));
    }
    let world = World::new(&seed("[]"), &["POST /tokens reset times=1"]);
    world.token(SCOPED).await.unwrap();
    assert_eq!(world.methods(), "GET POST GET POST");
    assert_eq!(world.warned(), "");
}

#[tokio::test(flavor = "current_thread")]
async fn unreadable_answers_are_told_in_a_sentence() {
    for (fault, part) in [
        ("GET /tokens empty", "empty body"),
        ("GET /tokens html status=502", "(502)"),
        ("GET /tokens malformed", "malformed JSON"),
        ("GET /tokens status=403", "(403)"),
    ] {
        let world = World::new(&seed("[]"), &[fault]);
        let failure = world.token(SCOPED).await.unwrap_err();
        assert!(failure.message.starts_with("failed to set Registry Token state present: "), "{}", failure.message);
        assert!(failure.message.contains(part), "{fault}: {}", failure.message);
        assert!(!failure.message.contains('\n'));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_plays_through_and_writes_nothing() {
    let mut world = World::new(r#"{"registries": []}"#, &[]);
    world.check = true;
    let registry = world.registry(r#"{"name": "demo", "location": "de/fra"}"#).await.unwrap();
    assert_eq!(at(&registry, "msg"), &Value::text("Registry demo would be created"));
    let id = at(&registry, "registry.id").clone();
    assert!(id.is_unknown());
    let token = |state: &str| {
        let mut args = Dict::new();
        args.set("registry", id.clone());
        args.set(if state == "present" { "name" } else { "registry_token" }, "ci".into());
        args.set("state", state.into());
        args
    };
    let module = &registry_token::RegistryToken;
    let made = world.run(module, token("present").into()).await.unwrap();
    assert_eq!(at(&made, "msg"), &Value::text("Registry Token ci would be created"));
    assert!(at(&made, "registry_token.properties.credentials.password").is_unknown());
    assert!(!world.run(module, token("present").into()).await.unwrap().changed);
    let info = Value::dict([("registry", Value::text("demo"))]);
    let listed = world.run(&registry_token_info::RegistryTokenInfo, info).await.unwrap();
    assert_eq!(at(&listed, "registry_tokens").as_slice().unwrap().len(), 1);
    let gone = world.run(module, token("absent").into()).await.unwrap();
    assert_eq!(at(&gone, "msg"), &Value::text("Registry Token ci would be deleted"));
    assert!(!world.run(module, token("absent").into()).await.unwrap().changed);
    let methods = world.methods();
    assert!(methods.split(' ').all(|method| matches!(method, "GET" | "HEAD")), "{methods}");
}

#[tokio::test(flavor = "current_thread")]
async fn what_nobody_planned_is_undetermined() {
    let mut world = World::new(&seed("[]"), &[]);
    world.check = true;
    let args = Value::dict([("registry", Value::unknown("something else")), ("name", Value::text("ci"))]);
    let outcome = world.run(&registry_token::RegistryToken, args).await.unwrap();
    assert!(outcome.undetermined.unwrap().contains("something else"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_registry_is_waited_for_and_replaced_safely() {
    let world = World::new(r#"{"registries": []}"#, &[]);
    let made = world.registry(r#"{"name": "demo", "location": "de/fra"}"#).await.unwrap();
    assert_eq!(at(&made, "registry.metadata.state"), &Value::text("Running"));
    assert_ne!(at(&made, "registry.properties.hostname"), &Value::text(""));

    let only_time =
        r#"{"name": "demo", "location": "de/fra", "garbage_collection_schedule": {"time": "01:23:00+00:00"}}"#;
    let updated = world.registry(only_time).await.unwrap();
    assert_eq!(
        at(&updated, "registry.properties.garbage_collection_schedule.days").as_slice().unwrap().len(),
        7,
        "a part of a schedule is completed"
    );
    assert!(!world.registry(only_time).await.unwrap().changed);

    let moved = |extra: &str| format!(r#"{{"name": "demo", "location": "es/vit"{extra}}}"#);
    let failure = world.registry(&moved("")).await.unwrap_err();
    assert!(failure.message.contains("allow_replace is set to False"), "{}", failure.message);
    let nowhere =
        world.registry(r#"{"name": "demo", "location": "no/where", "allow_replace": true}"#).await.unwrap_err();
    assert!(nowhere.message.contains("no location"), "{}", nowhere.message);
    let replaced = world.registry(&moved(r#", "allow_replace": true"#)).await.unwrap();
    assert_eq!(at(&replaced, "registry.properties.location"), &Value::text("es/vit"));
    assert_eq!(
        at(&replaced, "registry.properties.garbage_collection_schedule.time"),
        &Value::text("01:23:00+00:00"),
        "what is not restated is kept"
    );
    assert!(world.registry(r#"{"registry": "demo", "state": "absent"}"#).await.unwrap().changed);
    let list = world.run(&registry_info::RegistryInfo, Value::dict::<&str>([])).await.unwrap();
    assert_eq!(at(&list, "registries").as_slice().unwrap().len(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn filters_choose() {
    let world = World::new(&seed(r#"[{"name": "one"}, {"name": "two"}]"#), &[]);
    let ask = |path: &str, value: Value| {
        let filters: Dict = [(Value::text(path), value)].into_iter().collect();
        Value::dict([("registry", Value::text("reg-a")), ("filters", filters.into())])
    };
    let module = &registry_token_info::RegistryTokenInfo;
    let found = world.run(module, ask("properties.name", "two".into())).await.unwrap();
    assert_eq!(at(&found, "registry_tokens").as_slice().unwrap().len(), 1);
    let failure = world.run(module, ask("properties.nosuch", "x".into())).await.unwrap_err();
    assert!(failure.message.starts_with("failed to list the Registry Tokens: filter `properties.nosuch`"));
}

#[tokio::test(flavor = "current_thread")]
async fn credentials_in_the_task_beat_the_environment() {
    let world = World::new(&seed("[]"), &[]);
    // The token that the harness adds stands for one of the environment: it is not among the raw arguments.
    let failure = world.token(r#"{"name": "ci", "username": "u", "password": "wrong"}"#).await.unwrap_err();
    assert!(failure.message.contains("(401)"), "{}", failure.message);
}
