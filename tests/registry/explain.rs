//! The requests that `ionplay explain` predicts are those that a run sends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::stage::{REG_A, Stage, TOK1, TOK2};

const DIGEST: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

/// Tasks of every module, one after the other on the same service.
fn tasks() -> Vec<(&'static str, Json)> {
    vec![
        ("registry_info", json!({})),
        ("registry_location_info", json!({})),
        ("registry_name_info", json!({"name": "free"})),
        ("registry_token_info", json!({"registry": "reg-a"})),
        ("registry_repository_info", json!({"registry": "reg-a"})),
        ("registry_artifact_info", json!({"registry": "reg-a"})),
        ("registry_artifact_info", json!({"registry": "reg-a", "repository": "shop/web"})),
        ("registry_vulnerability_info", json!({"registry": "reg-a", "repository": "shop/web", "artifact": DIGEST})),
        ("registry_token", json!({"registry": "reg-a", "name": "new"})),
        ("registry_token", json!({"registry": REG_A, "name": "new", "status": "disabled"})),
        ("registry_token", json!({"registry": REG_A, "name": "new"})),
        (
            "registry_token",
            json!({"registry": "reg-a", "name": "sent", "credentials": [{"file": {"path": "login", "format": "dotenv"}}]}),
        ),
        // Its password was delivered elsewhere, and is not known any more.
        (
            "registry_token",
            json!({"registry": "reg-a", "name": "sent", "credentials": [{"file": {"path": "other"}, "when_missing": "replace"}]}),
        ),
        (
            "registry_token",
            json!({"registry": "reg-a", "registry_token": "new", "state": "update", "status": "enabled"}),
        ),
        (
            "registry_token",
            json!({"registry": "reg-a", "registry_token": TOK1, "state": "update", "status": "disabled"}),
        ),
        (
            "registry_token",
            json!({"registry": "reg-a", "registry_token": "tok1", "name": "other", "state": "update", "allow_replace": true}),
        ),
        ("registry_token", json!({"registry": "reg-a", "registry_token": "other", "state": "absent"})),
        ("registry_token", json!({"registry": "reg-a", "registry_token": TOK2, "state": "absent"})),
        ("registry", json!({"name": "images", "location": "de/fra"})),
        ("registry", json!({"name": "images", "location": "de/fra", "api_subnet_allow_list": ["192.0.2.0/24"]})),
        ("registry", json!({"name": "images", "location": "de/txl", "allow_replace": true})),
        ("registry", json!({"registry": "images", "api_subnet_allow_list": [], "state": "update"})),
        ("registry", json!({"registry": "images", "name": "images-two", "state": "update", "allow_replace": true})),
        ("registry", json!({"registry": "images-two", "location": "de/fra", "state": "update", "allow_replace": true})),
        ("registry", json!({"registry": "images-two", "state": "absent"})),
        ("registry", json!({"registry": "images-two", "state": "absent"})),
        ("registry_repository", json!({"registry": "reg-a", "repository": "app", "state": "absent"})),
        ("registry_repository", json!({"registry": "reg-a", "repository": "app", "state": "absent"})),
    ]
}

/// The requests that `explain` predicts for the only task of the playbook: method and path.
fn predict_requests(stage: &Stage) -> Vec<String> {
    let played = stage.program(&["explain", "playbook.yml", "--task", "1"]).output().unwrap();
    let text = String::from_utf8(played.stdout).unwrap();
    let (_, requests) = text.split_once("REQUESTS, at most\n").unwrap_or_else(|| panic!("{text}"));
    requests.lines().map(|line| line.trim().split(": ").next().unwrap().to_owned()).collect()
}

/// Whether a request is the predicted one; `{id}` and the like stand for a part of the path.
fn is_predicted(predicted: &str, method: &str, path: &str) -> bool {
    let Some((predicted_method, predicted_path)) = predicted.split_once(' ') else { return false };
    let (wanted, given): (Vec<&str>, Vec<&str>) = (predicted_path.split('/').collect(), path.split('/').collect());
    predicted_method == method
        && wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
}

#[test]
fn predicted_requests_are_those_that_are_sent() {
    let artifact = json!({"digest": DIGEST, "lastPushedAt": "2031-01-02T03:04:05Z", "vulnerabilities": ["CVE-1"]});
    let registry = json!({
        "id": REG_A, "name": "reg-a", "location": "de/fra",
        "tokens": [{"id": TOK1, "name": "tok1"}, {"id": TOK2, "name": "tok2"}],
        "repositories": [{"name": "shop/web", "artifacts": [artifact]}, {"name": "app"}],
    });
    let advisory = json!({"id": "CVE-1", "severity": "high", "score": 7.5, "publishedAt": "2030-01-01T00:00:00Z"});
    let stage = Stage::with(&json!({"registries": [registry], "vulnerabilities": [advisory]}), &[]);
    let mut unseen: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut is_known: BTreeSet<(String, String)> = BTreeSet::new();
    for (module, args) in tasks() {
        let played = stage.play_module(module, std::slice::from_ref(&args), &[]);
        assert_eq!(played.code, 0, "{module} {args}: {}", played.message());
        let predicted = predict_requests(&stage);
        let kind = (module.to_owned(), args["state"].as_str().unwrap_or_default().to_owned());
        if is_known.insert(kind.clone()) {
            unseen.insert(kind.clone(), predicted.iter().cloned().collect());
        }
        let unseen = unseen.get_mut(&kind).unwrap();
        for request in &played.requests {
            let found = predicted.iter().find(|line| is_predicted(line, &request.method, &request.path));
            let found = found.unwrap_or_else(|| {
                panic!("{module} {args} sent {} {}, predicted {predicted:#?}", request.method, request.path)
            });
            unseen.remove(found);
        }
    }
    unseen.retain(|_, requests| !requests.is_empty());
    assert!(unseen.is_empty(), "predicted, and never sent: {unseen:#?}");
    let modules: BTreeSet<&str> = is_known.iter().map(|(module, _)| module.as_str()).collect();
    let all = ionplay::modules::MODULES.iter().map(|module| module.module_spec()).filter(|spec| spec.is_of_registry());
    assert_eq!(modules, all.map(|spec| spec.short_name()).collect(), "every module has a task");
}
