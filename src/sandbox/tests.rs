//! The server over real HTTP.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::*;

pub(super) const REG: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
pub(super) const TOK: &str = "11111111-0000-4000-8000-000000000000";

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Json,
}

/// One request; `Err` when the connection broke.
pub(super) fn raw(
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

pub(super) fn ask(server: &Handle, method: &str, path: &str, body: Option<Json>) -> Answer {
    let url = format!("{}{path}", server.url());
    let (status, headers, bytes) = raw(&url, method, Some("Bearer sandbox-token"), body.as_ref()).unwrap();
    let body = if bytes.is_empty() { Json::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status, headers, body }
}

pub(super) fn get(server: &Handle, path: &str) -> Json {
    let answer = ask(server, "GET", path, None);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[track_caller]
pub(super) fn refused(server: &Handle, method: &str, path: &str, body: Option<Json>, status: u16, message: &str) {
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

pub(super) fn seed(seed: Json) -> SandboxOptions {
    SandboxOptions {
        seed: Seed::parse_seed(&seed.to_string()).unwrap(),
        now: MockTime::parse_date_time("2030-12-01T08:00:00Z"),
        time_scale: 0.0,
        ..SandboxOptions::default()
    }
}

pub(super) fn one_registry() -> SandboxOptions {
    seed(json!({"registries": [{"id": REG, "name": "reg-a", "tokens": [
        {"id": TOK, "name": "tok1", "status": "enabled", "expiryDate": "2031-01-02T03:04:05Z", "scopes": null}]}]}))
}

pub(super) fn faulty(spec: &str) -> Handle {
    start_server(SandboxOptions { faults: vec![InjectedFault::parse_fault(spec).unwrap()], ..one_registry() }).unwrap()
}

pub(super) fn tokens(path: &str) -> String {
    format!("/registries/{REG}/tokens{path}")
}

pub(super) fn created(name: &str) -> Json {
    json!({"properties": {"name": name}})
}

#[test]
fn a_token_is_created_as_the_description_shows() {
    let server = start_server(one_registry()).unwrap();
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
    let server = start_server(seed(json!({"registries": []}))).unwrap();
    assert_eq!(
        get(&server, "/registries"),
        json!({"id": "registries", "type": "collection", "href": "", "items": [],
            "_links": {"self": "", "next": "", "previous": ""}, "pagination": {"limit": 100, "token": ""}})
    );
    let server = start_server(seed(json!({"registries": [{"id": REG, "name": "reg-a"}]}))).unwrap();
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
    let server = start_server(one_registry()).unwrap();
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
    let server = start_server(one_registry()).unwrap();
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
    // Passwords of the mock registry follow from the id.
    assert_eq!(
        again.body["properties"]["credentials"]["password"],
        first.body["properties"]["credentials"]["password"]
    );
    assert_eq!(again.body["id"], "22222222-0000-4000-8000-000000000000");
}

#[test]
fn what_is_wrong_with_a_token_is_told() {
    let server = start_server(one_registry()).unwrap();
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
    assert!(server.read_store().registries[0].tokens.len() == 1);
}

#[test]
fn duplicates_are_an_option() {
    let server = start_server(SandboxOptions { duplicate_names: true, ..one_registry() }).unwrap();
    assert_eq!(ask(&server, "POST", &tokens(""), Some(created("tok1"))).status, 201);
    assert_eq!(server.read_store().registries[0].tokens.len(), 2);
}

#[test]
fn tokens_come_in_pages() {
    let server = start_server(seed(json!({"registries": [{"id": REG, "name": "reg-a", "tokens": 150}]}))).unwrap();
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
    let server = start_server(seed(json!({"registries": registries}))).unwrap();
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
    let server = start_server(seed(json!({}))).unwrap();
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
    let server = start_server(one_registry()).unwrap();
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
    let server =
        start_server(SandboxOptions { minimum_expiry: Some(Duration::from_secs(3600)), ..one_registry() }).unwrap();
    let soon = json!({"properties": {"name": "soon", "expiryDate": "2030-12-01T08:59:59Z"}});
    refused(&server, "POST", &tokens(""), Some(soon), 400, "expiryDate must be at least 3600 s ahead");
    server.advance(Duration::from_secs(32 * 24 * 3600));
    assert_eq!(ask(&server, "GET", &tokens(&format!("/{TOK}")), None).status, 404);
    assert_eq!(get(&server, &tokens(""))["total"], 0);
    assert!(server.read_store().registries[0].tokens.is_empty());
}
