//! What registries hold: repositories, artifacts, vulnerabilities.

use serde_json::{Value as Json, json};

use super::tests::*;
use super::*;

fn scanned() -> Handle {
    let artifact = |digest: &str, pulls: u32, found: Json| json!({"digest": digest, "lastPushedAt": "2030-01-01T00:00:00Z", "pullCount": pulls, "vulnerabilities": found});
    start_server(seed(json!({
        "registries": [{"id": REG, "name": "reg-a", "repositories": [
            {"name": "ubuntu", "pullCount": 5, "lastPushedAt": "2030-01-01T00:00:00Z",
                "artifacts": [artifact("sha256:1", 1, json!(["CVE-1", "CVE-2"])), artifact("sha256:2", 9, json!([]))]},
            {"name": "team/app", "pullCount": 7, "lastPushedAt": "2030-02-01T00:00:00Z"}]}],
        "vulnerabilities": [
            {"id": "CVE-1", "severity": "high", "score": 7.5, "fixable": true, "publishedAt": "2029-01-01T00:00:00Z"},
            {"id": "CVE-2", "severity": "low", "score": 1.5, "publishedAt": "2029-02-01T00:00:00Z"}]
    })))
    .unwrap()
}

fn ids(list: &Json) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[test]
fn repositories_artifacts_vulnerabilities() {
    let server = scanned();
    let at = |path: &str| get(&server, &format!("/registries/{REG}{path}"));
    let list = at("/repositories?limit=1");
    assert_eq!(ids(&list), ["team/app"]);
    assert!(list["_links"]["next"].is_string() && list["_links"].get("prev").is_none());
    let list = at("/repositories?limit=1&offset=1");
    assert_eq!(ids(&list), ["ubuntu"]);
    assert!(list["_links"].get("next").is_none() && list["_links"]["prev"].is_string());
    assert_eq!(ids(&at("/repositories?orderBy=pullCount")), ["ubuntu", "team/app"]);
    assert_eq!(ids(&at("/repositories?orderBy=name")), ["team/app", "ubuntu"]);
    assert_eq!(ids(&at("/repositories?filter.name=app")), ["team/app"]);
    assert_eq!(ids(&at("/repositories?filter.vulnerabilitySeverity=high")), ["ubuntu"]);
    let slashed = at("/repositories/team%2Fapp");
    assert_eq!((&slashed["id"], &slashed["metadata"]["artifactCount"]), (&json!("team/app"), &json!(0)));
    assert_eq!(ids(&at("/artifacts")), ["sha256:2", "sha256:1"]);
    assert_eq!(ids(&at("/artifacts?filter.vulnerabilityId=CVE-2")), ["sha256:1"]);
    assert_eq!(ids(&at("/repositories/ubuntu/artifacts?orderBy=-vulnTotalScore")), ["sha256:1", "sha256:2"]);
    let artifact = at("/repositories/ubuntu/artifacts/sha256%3A1");
    assert_eq!(
        (
            &artifact["metadata"]["vulnMaxSeverity"],
            &artifact["metadata"]["vulnTotalScore"],
            &artifact["metadata"]["vulnFixableCount"]
        ),
        (&json!("high"), &json!(9.0), &json!(1))
    );
    let found = "/repositories/ubuntu/artifacts/sha256%3A1/vulnerabilities";
    assert_eq!(ids(&at(found)), ["CVE-1", "CVE-2"]);
    assert_eq!(ids(&at(&format!("{found}?orderBy=score"))), ["CVE-2", "CVE-1"]);
    assert_eq!(ids(&at(&format!("{found}?filter.fixable=false"))), ["CVE-2"]);
    assert_eq!(ids(&at(&format!("{found}?filter.severity=high"))), ["CVE-1"]);
    assert_eq!(get(&server, "/vulnerabilities/CVE-1")["properties"]["score"], 7.5);
    for (path, message) in [
        ("/repositories?orderBy=size", "invalid value for orderBy: size"),
        ("/repositories?limit=1001", "limit must be a number from 1 to 1000, not 1001"),
        ("/repositories/ubuntu/artifacts?orderBy=name", "invalid value for orderBy: name"),
    ] {
        refused(&server, "GET", &format!("/registries/{REG}{path}"), None, 400, message);
    }
    refused(
        &server,
        "DELETE",
        &format!("/registries/{REG}/repositories/team%2Fapp"),
        None,
        400,
        "invalid repository name team/app",
    );
    let ubuntu = format!("/registries/{REG}/repositories/ubuntu");
    assert_eq!(ask(&server, "DELETE", &ubuntu, None).status, 204);
    refused(&server, "GET", &ubuntu, None, 404, "repository ubuntu not found");
}
