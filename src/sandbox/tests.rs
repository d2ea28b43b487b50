//! The server over real HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::*;

const REG: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const TOK: &str = "11111111-0000-4000-8000-000000000000";

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Json,
}

/// One request; `Err` when the connection broke.
fn raw(
    url: &str,
    method: &str,
    auth: Option<&str>,
    body: Option<&Json>,
) -> Result<(u16, reqwest::header::HeaderMap, Vec<u8>), reqwest::Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        if let Some(auth) = auth {
            request = request.header("Authorization", auth);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok((status, headers, response.bytes().await?.to_vec()))
    })
}

fn ask(server: &Handle, method: &str, path: &str, body: Option<Json>) -> Answer {
    let url = format!("{}{path}", server.url());
    let (status, headers, bytes) = raw(&url, method, Some("Bearer sandbox-token"), body.as_ref()).unwrap();
    let body = if bytes.is_empty() { Json::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status, headers, body }
}

fn get(server: &Handle, path: &str) -> Json {
    let answer = ask(server, "GET", path, None);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[track_caller]
fn refused(server: &Handle, method: &str, path: &str, body: Option<Json>, status: u16, message: &str) {
    let answer = ask(server, method, path, body);
    assert_eq!(
        (answer.status, answer.body["httpStatus"].as_u64()),
        (status, Some(u64::from(status))),
        "{}",
        answer.body
    );
    assert_eq!(answer.body["messages"][0]["message"], message);
    assert!(answer.body["messages"][0]["errorCode"].is_string());
}

fn seed(seed: Json) -> Options {
    Options {
        seed: Seed::parse(&seed.to_string()).unwrap(),
        now: Moment::parse("2030-12-01T08:00:00Z"),
        time_scale: 0.0,
        ..Options::default()
    }
}

fn one_registry() -> Options {
    seed(json!({"registries": [{"id": REG, "name": "reg-a", "tokens": [
        {"id": TOK, "name": "tok1", "status": "enabled", "expiryDate": "2031-01-02T03:04:05Z", "scopes": null}]}]}))
}

fn faulty(spec: &str) -> Handle {
    start(Options { faults: vec![Fault::parse(spec).unwrap()], ..one_registry() }).unwrap()
}

fn tokens(path: &str) -> String {
    format!("/registries/{REG}/tokens{path}")
}

fn created(name: &str) -> Json {
    json!({"properties": {"name": name}})
}

#[test]
fn a_token_is_created_as_the_description_shows() {
    let server = start(one_registry()).unwrap();
    let body = json!({"properties": {"name": "ci-pull", "expiryDate": "2031-03-01T00:00:00Z", "status": "enabled",
        "scopes": [{"type": "repository", "name": "team/*", "actions": ["pull"]}]}});
    let answer = ask(&server, "POST", &tokens(""), Some(body));
    assert_eq!(answer.status, 201);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    let password = answer.body["properties"]["credentials"]["password"].as_str().unwrap().to_owned();
    assert!(password.starts_with("fake-password-") && password.len() == 46, "{password}");
    assert_eq!(answer.headers["location"], format!("{}{}", server.url(), tokens(&format!("/{id}"))));
    let mut expected = json!({"id": id, "type": "token", "href": "",
        "metadata": {"createdBy": "user@example.org", "createdByUserId": answer.body["metadata"]["createdByUserId"],
            "createdDate": "2030-12-01T08:00:00Z", "state": "enabled"},
        "properties": {"name": "ci-pull", "status": "enabled", "expiryDate": "2031-03-01T00:00:00Z",
            "scopes": [{"type": "repository", "name": "team/*", "actions": ["pull"]}],
            "credentials": {"username": "ci-pull", "password": password}}});
    assert_eq!(answer.body, expected);
    expected["properties"]["credentials"]["password"] = json!("");
    assert_eq!(get(&server, &tokens(&format!("/{id}"))), expected);
    assert_eq!(get(&server, &tokens(""))["items"][1], expected);
}

#[test]
fn list_frames_are_as_the_description_shows() {
    let server = start(seed(json!({"registries": []}))).unwrap();
    assert_eq!(
        get(&server, "/registries"),
        json!({"id": "registries", "type": "collection", "href": "", "items": [],
            "_links": {"self": "", "next": "", "previous": ""}, "pagination": {"limit": 100, "token": ""}})
    );
    let server = start(seed(json!({"registries": [{"id": REG, "name": "reg-a"}]}))).unwrap();
    let mut list = get(&server, &tokens(""));
    assert!(list["id"].take().is_string());
    assert_eq!(
        list,
        json!({"id": null, "type": "collection", "href": "", "count": 0, "limit": 100, "offset": 0, "total": 0,
            "_links": {"self": "", "next": "", "previous": ""}, "items": []})
    );
}

#[test]
fn a_patch_keeps_what_it_does_not_name() {
    let server = start(one_registry()).unwrap();
    let path = tokens(&format!("/{TOK}"));
    let properties = |body: Json| {
        let answer = ask(&server, "PATCH", &path, Some(body));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["metadata"]["lastModifiedDate"], "2030-12-01T08:00:00Z");
        let p = &answer.body["properties"];
        (p["status"].clone(), p["expiryDate"].clone(), p["scopes"].clone(), p["credentials"]["password"].clone())
    };
    assert_eq!(
        properties(json!({"status": "disabled"})),
        (json!("disabled"), json!("2031-01-02T03:04:05Z"), Json::Null, json!(""))
    );
    assert_eq!(properties(json!({"expiryDate": null})), (json!("disabled"), Json::Null, Json::Null, json!("")));
    let scopes = json!([{"type": "t", "name": "n", "actions": null}]);
    assert_eq!(properties(json!({"scopes": scopes})), (json!("disabled"), Json::Null, scopes, json!("")));
    assert_eq!(properties(json!({"scopes": []})).2, json!([]));
    refused(&server, "PATCH", &path, Some(json!({"name": "x"})), 400, "unknown property name in the body");
    refused(&server, "PATCH", &path, Some(json!({"status": "paused"})), 400, "invalid value for status");
}

#[test]
fn a_put_creates_once_and_then_replaces() {
    let server = start(one_registry()).unwrap();
    let path = tokens("/22222222-0000-4000-8000-000000000000");
    let first = ask(&server, "PUT", &path, Some(created("two")));
    assert_eq!(first.status, 201);
    assert_ne!(first.body["properties"]["credentials"]["password"], "");
    let body = json!({"properties": {"name": "two", "status": "disabled", "expiryDate": "2031-05-01T00:00:00Z"}});
    let second = ask(&server, "PUT", &path, Some(body));
    assert_eq!((second.status, &second.body["properties"]["credentials"]["password"]), (201, &json!("")));
    let third = ask(&server, "PUT", &path, Some(created("two")));
    assert_eq!(
        (&third.body["properties"]["expiryDate"], &third.body["properties"]["status"]),
        (&Json::Null, &json!("enabled"))
    );
    refused(&server, "PUT", &path, Some(created("three")), 400, "name of a token cannot be changed");
    refused(
        &server,
        "PUT",
        &tokens("/33333333-0000-4000-8000-000000000000"),
        Some(created("two")),
        409,
        "token name two is already in use",
    );
    assert_eq!(ask(&server, "DELETE", &path, None).status, 204);
    let again = ask(&server, "PUT", &path, Some(created("two")));
    assert_ne!(
        again.body["properties"]["credentials"]["password"],
        first.body["properties"]["credentials"]["password"]
    );
    assert_eq!(again.body["id"], "22222222-0000-4000-8000-000000000000");
}

#[test]
fn what_is_wrong_with_a_token_is_told() {
    let server = start(one_registry()).unwrap();
    let post = |properties: Json, message: &str| {
        refused(&server, "POST", &tokens(""), Some(json!({"properties": properties})), 400, message);
    };
    post(json!({}), "name is required");
    post(json!({"name": "1a"}), "invalid value for name");
    post(json!({"name": "ab", "status": null}), "invalid value for status");
    post(json!({"name": "ab", "expiryDate": "tomorrow"}), "invalid value for expiryDate");
    post(json!({"name": "ab", "scopes": "all"}), "invalid value for scopes");
    post(json!({"name": "ab", "scopes": [{"name": "n", "type": "t"}]}), "actions is required in scopes[0]");
    post(json!({"name": "ab", "colour": "red"}), "unknown property colour in properties");
    refused(&server, "POST", &tokens(""), Some(created("tok1")), 409, "token name tok1 is already in use");
    refused(&server, "POST", &tokens(""), Some(json!([])), 400, "the body must be an object");
    refused(
        &server,
        "GET",
        &tokens("/33333333-0000-4000-8000-000000000000"),
        None,
        404,
        "token 33333333-0000-4000-8000-000000000000 not found",
    );
    refused(&server, "GET", &tokens("/tok1"), None, 400, "tokenId tok1 is not a UUID");
    refused(
        &server,
        "DELETE",
        &tokens("/33333333-0000-4000-8000-000000000000"),
        None,
        404,
        "token 33333333-0000-4000-8000-000000000000 not found",
    );
    refused(&server, "GET", "/registries/reg-a/tokens", None, 400, "registryId reg-a is not a UUID");
    assert!(server.store().registries[0].tokens.len() == 1);
}

#[test]
fn duplicates_are_an_option() {
    let server = start(Options { duplicate_names: true, ..one_registry() }).unwrap();
    assert_eq!(ask(&server, "POST", &tokens(""), Some(created("tok1"))).status, 201);
    assert_eq!(server.store().registries[0].tokens.len(), 2);
}

#[test]
fn tokens_come_in_pages() {
    let server = start(seed(json!({"registries": [{"id": REG, "name": "reg-a", "tokens": 150}]}))).unwrap();
    let facts = |query: &str| {
        let list = get(&server, &tokens(query));
        let first = list["items"][0]["properties"]["name"].clone();
        (list["count"].clone(), list["limit"].clone(), list["offset"].clone(), list["total"].clone(), first)
    };
    assert_eq!(facts(""), (json!(100), json!(100), json!(0), json!(150), json!("token-0000")));
    assert_eq!(facts("?offset=100"), (json!(50), json!(100), json!(100), json!(150), json!("token-0100")));
    assert_eq!(facts("?offset=149&limit=7"), (json!(1), json!(7), json!(149), json!(150), json!("token-0149")));
    assert_eq!(facts("?offset=150"), (json!(0), json!(100), json!(150), json!(150), Json::Null));
    refused(&server, "GET", &tokens("?limit=ten"), None, 400, "limit must be a number from 1, not ten");
    refused(&server, "GET", &tokens("?limit=0"), None, 400, "limit must be a number from 1, not 0");
    refused(&server, "GET", &tokens("?offset=-1"), None, 400, "offset must be a number from 0, not -1");
}

#[test]
fn registries_come_in_pages_by_token() {
    let registries: Vec<Json> = (0..5).map(|i| json!({"name": format!("reg-{i}")})).collect();
    let server = start(seed(json!({"registries": registries}))).unwrap();
    let (mut names, mut token) = (Vec::new(), String::new());
    for pages in 1.. {
        let page = get(&server, &format!("/registries?limit=2&pagination.token={token}"));
        names.extend(
            page["items"].as_array().unwrap().iter().map(|r| r["properties"]["name"].as_str().unwrap().to_owned()),
        );
        token = page["pagination"]["token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            assert_eq!(pages, 3);
            break;
        }
    }
    assert_eq!(names, ["reg-0", "reg-1", "reg-2", "reg-3", "reg-4"]);
    assert_eq!(get(&server, "/registries?filter.name=g-3")["items"].as_array().unwrap().len(), 1);
    refused(&server, "GET", "/registries?pagination.token=x", None, 400, "invalid value for pagination.token");
}

#[test]
fn a_registry_grows_and_goes() {
    let server = start(seed(json!({}))).unwrap();
    let properties = json!({"name": "my-reg", "location": "de/fra"});
    let answer = ask(&server, "POST", "/registries", Some(json!({"properties": properties})));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["properties"]["features"]["vulnerabilityScanning"]["enabled"], true);
    let path = format!("/registries/{}", answer.body["id"].as_str().unwrap());
    let state = || {
        let registry = get(&server, &path);
        (
            registry["metadata"]["state"].as_str().unwrap().to_owned(),
            registry["properties"]["hostname"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(state(), ("New".to_owned(), String::new()));
    server.advance(Duration::from_millis(600));
    assert_eq!(state(), ("WaitingForStorage".to_owned(), String::new()));
    server.advance(Duration::from_secs(2));
    assert_eq!(state(), ("Running".to_owned(), "my-reg.cr.de-fra.example.com".to_owned()));

    let names = |name: &str| ask(&server, "HEAD", &format!("/names/{name}"), None).status;
    assert_eq!((names("my-reg"), names("other"), names("X")), (200, 404, 400));
    refused(
        &server,
        "POST",
        "/registries",
        Some(json!({"properties": properties})),
        409,
        "registry name my-reg is already in use",
    );
    assert_eq!(ask(&server, "DELETE", &path, None).status, 204);
    assert_eq!((state().0.as_str(), names("my-reg")), ("Deleting", 200));
    server.advance(Duration::from_secs(2));
    assert_eq!((ask(&server, "GET", &path, None).status, names("my-reg")), (404, 404));
}

#[test]
fn the_rules_of_registries() {
    let server = start(one_registry()).unwrap();
    let path = format!("/registries/{REG}");
    let bad = |body: Json, message: &str| refused(&server, "PATCH", &path, Some(body), 400, message);
    bad(
        json!({"features": {"vulnerabilityScanning": {"enabled": false}}}),
        "vulnerabilityScanning cannot be switched off once it is on",
    );
    bad(json!({"garbageCollectionSchedule": {"days": ["Monday"]}}), "time is required");
    bad(json!({"garbageCollectionSchedule": {"time": "01:23:00"}}), "days is required in garbageCollectionSchedule");
    bad(json!({"garbageCollectionSchedule": {"days": ["monday"], "time": "01:23:00"}}), "invalid value for days");
    bad(json!({"apiSubnetAllowList": vec!["10.0.0.1"; 26]}), "apiSubnetAllowList holds more than 25 items");
    bad(json!({"apiSubnetAllowList": ["here"]}), "invalid value for apiSubnetAllowList: \"here\"");
    let schedule = json!({"days": ["Monday", "Sunday"], "time": "01:23:00+00:00"});
    let body = json!({"garbageCollectionSchedule": schedule, "apiSubnetAllowList": ["10.0.0.0/8"]});
    let answer = ask(&server, "PATCH", &path, Some(body));
    assert_eq!((answer.status, &answer.body["properties"]["garbageCollectionSchedule"]), (200, &schedule));
    let answer = ask(&server, "PATCH", &path, Some(json!({"apiSubnetAllowList": []})));
    assert_eq!(answer.body["properties"]["garbageCollectionSchedule"], schedule);
    let put = |name: &str| json!({"properties": {"name": name, "location": "de/txl"}});
    refused(&server, "PUT", &path, Some(put("reg-b")), 400, "name and location of a registry cannot be changed");
    let answer = ask(&server, "PUT", &path, Some(put("reg-a")));
    assert_eq!((answer.status, &answer.body["properties"]["garbageCollectionSchedule"]), (201, &Json::Null));
    let other = "/registries/cccccccc-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
    assert_eq!(ask(&server, "PUT", other, Some(put("reg-c"))).status, 201);
    assert_eq!(get(&server, other)["properties"]["name"], "reg-c");
    refused(
        &server,
        "POST",
        "/registries",
        Some(json!({"properties": {"name": "reg-d", "location": "mars"}})),
        400,
        "invalid value for location",
    );
    assert_eq!(get(&server, "/locations")["items"][0], json!({"id": "de/fra"}));
}

#[test]
fn expiry_deletes() {
    let server = start(Options { minimum_expiry: Some(Duration::from_secs(3600)), ..one_registry() }).unwrap();
    let soon = json!({"properties": {"name": "soon", "expiryDate": "2030-12-01T08:59:59Z"}});
    refused(&server, "POST", &tokens(""), Some(soon), 400, "expiryDate must be at least 3600 s ahead");
    server.advance(Duration::from_secs(32 * 24 * 3600));
    assert_eq!(ask(&server, "GET", &tokens(&format!("/{TOK}")), None).status, 404);
    assert_eq!(get(&server, &tokens(""))["total"], 0);
    assert!(server.store().registries[0].tokens.is_empty());
}

fn scanned() -> Handle {
    let artifact = |digest: &str, pulls: u32, found: Json| json!({"digest": digest, "lastPushedAt": "2030-01-01T00:00:00Z", "pullCount": pulls, "vulnerabilities": found});
    start(seed(json!({
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

#[test]
fn credentials() {
    let logins = vec![("user@example.org".to_owned(), "secret".to_owned())];
    let server = start(Options { logins, ..one_registry() }).unwrap();
    let status = |path: &str, auth: Option<&str>| raw(&format!("{}{path}", server.url()), "GET", auth, None).unwrap().0;
    let basic = Some("Basic dXNlckBleGFtcGxlLm9yZzpzZWNyZXQ=");
    let repositories = format!("/registries/{REG}/repositories");
    for (path, auth, expected) in [
        ("/registries", Some("Bearer sandbox-token"), 200),
        ("/registries", basic, 200),
        ("/registries", Some("Bearer wrong"), 401),
        ("/registries", Some("Bearer "), 401),
        ("/registries", Some("Basic ????"), 401),
        ("/registries", Some("sandbox-token"), 401),
        ("/registries", None, 401),
        (&repositories, basic, 401),
        (&repositories, Some("Bearer sandbox-token"), 200),
    ] {
        assert_eq!(status(path, auth), expected, "{path} {auth:?}");
    }
    let body = raw(&format!("{}/registries", server.url()), "GET", None, None).unwrap().2;
    assert_eq!(body, br#"{"httpStatus":401,"messages":[{"errorCode":"315","message":"Unauthorized"}]}"#);
}

#[test]
fn methods_paths_and_media_types() {
    let server = start(one_registry()).unwrap();
    let answer = ask(&server, "DELETE", "/registries", None);
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "GET, POST"));
    for path in ["/nothing", "//registries", "/registries/"] {
        assert_eq!(ask(&server, "GET", path, None).status, 404, "{path}");
    }
    let root = format!("http://{}/registries", server.address());
    assert_eq!(raw(&root, "GET", Some("Bearer sandbox-token"), None).unwrap().0, 404);
    refused(&server, "POST", "/registries", None, 415, "Content-Type must be application/json");
    let seen: Vec<String> = server.requests().iter().map(ToString::to_string).collect();
    assert_eq!(seen[0], "DELETE /registries 405");
    assert_eq!(seen.last().unwrap(), "POST /registries 415");
}

#[test]
fn faults_with_an_answer() {
    let list = |spec: &str| {
        let server = faulty(spec);
        let url = format!("{}/registries", server.url());
        let (status, headers, body) = raw(&url, "GET", Some("Bearer sandbox-token"), None).unwrap();
        let retry = headers.get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        (status, retry, String::from_utf8(body).unwrap())
    };
    let shape = r#"{"httpStatus":503,"messages":[{"errorCode":"cr-503","message":"Service Unavailable"}]}"#;
    assert_eq!(list("GET /registries$ status=503 retry-after=1"), (503, Some("1".to_owned()), shape.to_owned()));
    assert_eq!(list("GET . status=400 body={\"msg\": \"no\"}"), (400, None, "{\"msg\": \"no\"}".to_owned()));
    assert_eq!(list("GET . empty"), (200, None, String::new()));
    assert!(list("GET . html status=502").2.starts_with("<html>"));
    assert!(serde_json::from_str::<Json>(&list("GET . malformed").2).is_err());
    let begun = Instant::now();
    assert_eq!(list("GET . slow delay=60ms").0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let begun = Instant::now();
    assert!(list("GET . drip delay=60ms").2.contains("reg-a"));
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn faults_that_drop_the_connection() {
    for (spec, tokens_after, status) in [
        ("POST /tokens$ reset times=1", 1, None),
        ("POST /tokens$ lost times=1", 2, None),
        ("POST /tokens$ reset after times=1", 2, None),
        ("POST /tokens$ truncate times=1", 2, Some(201)),
    ] {
        let server = faulty(spec);
        let url = format!("{}{}", server.url(), tokens(""));
        let auth = Some("Bearer sandbox-token");
        assert!(raw(&url, "POST", auth, Some(&created("new1"))).is_err(), "{spec}");
        assert_eq!(server.store().registries[0].tokens.len(), tokens_after, "{spec}");
        let entry = &server.requests()[0];
        assert_eq!((entry.status, entry.writes()), (status, true), "{spec}");
        assert_eq!(raw(&url, "POST", auth, Some(&created("new2"))).unwrap().0, 201, "{spec}");
    }
}

#[test]
fn a_fault_may_come_after_the_deed() {
    let server = faulty("POST /tokens$ malformed after");
    let url = format!("{}{}", server.url(), tokens(""));
    assert_eq!(raw(&url, "POST", Some("Bearer sandbox-token"), Some(&created("new1"))).unwrap().0, 201);
    assert_eq!(server.store().registries[0].tokens.len(), 2);
}

/// Says bytes, hears all until the other side ends.
fn say(server: &Handle, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // The server may have refused and gone before all is written.
    let _ = stream.write_all(bytes);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn bytes_on_the_wire() {
    let server = start(one_registry()).unwrap();
    let auth = "Authorization: Bearer sandbox-token\r\n";
    for (bytes, expected) in [
        ("hello\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n".to_owned(), "413"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(), "501"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101)), "431"),
        (format!("GET / HTTP/1.1\r\na: {}", "b".repeat(40_000)), "431"),
    ] {
        let heard = say(&server, bytes.as_bytes());
        assert_eq!(heard.get(..12), Some(&*format!("HTTP/1.1 {expected}")), "{bytes:.60}: {heard}");
    }
    let get = format!("GET /containerregistries/locations HTTP/1.1\r\n{auth}\r\n");
    let last = format!("GET /containerregistries/locations HTTP/1.1\r\n{auth}Connection: close\r\n\r\n");
    assert_eq!(say(&server, format!("{get}{get}{last}").as_bytes()).matches("HTTP/1.1 200 OK").count(), 3);
    let body = r#"{"properties":{"name":"chunky"}}"#;
    let (head, tail) = body.split_at(10);
    let chunked = format!(
        "POST /containerregistries{} HTTP/1.1\r\n{auth}Content-Type: application/json\r\nExpect: 100-continue\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{head}\r\n{:x};x=y\r\n{tail}\r\n0\r\nT: u\r\n\r\n",
        tokens(""),
        tail.len()
    );
    let heard = say(&server, chunked.as_bytes());
    assert!(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"), "{heard}");
    assert_eq!(server.store().registries[0].tokens[1].name, "chunky");
}

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sandbox-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_store_outlives_its_server() {
    let folder = Folder::new();
    let file = folder.0.join("store.json");
    let options = || Options { store: Some(file.clone()), ..one_registry() };
    let server = start(options()).unwrap();
    assert!(matches!(start(options()), Err(Error::Store(persist::Error::Locked { .. }))));
    let answer = ask(&server, "POST", &tokens(""), Some(created("kept")));
    let password = answer.body["properties"]["credentials"]["password"].as_str().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("kept") && !text.contains(password), "the password is not for the disk");
    drop(server);
    // A server that was killed in the middle of a save leaves its draft behind.
    std::fs::write(folder.0.join("store.json.new"), "{\"format\": 1, \"sto").unwrap();
    let server = start(options()).unwrap();
    assert_eq!(
        get(&server, &tokens(&format!("/{}", answer.body["id"].as_str().unwrap())))["properties"]["name"],
        "kept"
    );
    assert_eq!(ask(&server, "DELETE", &tokens(&format!("/{TOK}")), None).status, 204);
    drop(server);
    assert_eq!(start(options()).unwrap().store().registries[0].tokens.len(), 1);
}

#[test]
fn a_damaged_store_is_left_alone() {
    let folder = Folder::new();
    let file = folder.0.join("store.json");
    for (text, expected) in [
        ("{\"format\": 1, \"sto", "is not a sandbox store"),
        ("{\"format\": 9, \"store\": {}}", "has store format 9"),
        ("", "is not a sandbox store"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = start(Options { store: Some(file.clone()), ..Options::default() }).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_cannot_be_saved_has_not_happened() {
    let folder = Folder::new();
    let server = start(Options { store: Some(folder.0.join("store.json")), ..one_registry() }).unwrap();
    std::fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(ask(&server, "POST", &tokens(""), Some(created("lost"))).status, 500);
    assert_eq!(server.store().registries[0].tokens.len(), 1);
}

#[test]
fn only_loopback() {
    let error = start(Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() }).err().unwrap();
    assert!(matches!(error, Error::NotLoopback(_)), "{error}");
}

#[test]
fn seeds_may_be_yaml() {
    let seed = Seed::parse("registries:\n- name: reg-a\n  state: null\n  features: null\n  tokens:\n  - {name: t1, expiryDate: 2031-01-02T03:04:05Z}\n").unwrap();
    let server = start(Options { seed, ..Options::default() }).unwrap();
    let registry = &get(&server, "/registries")["items"][0];
    assert_eq!((&registry["metadata"]["state"], &registry["properties"]["features"]), (&json!("New"), &Json::Null));
    assert!(Seed::parse("registries: [{nome: x}]").is_err());
}
