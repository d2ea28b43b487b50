//! What goes over the wire, and what comes of it when it goes wrong.

use std::time::{Duration, Instant};

use ionplay::sandbox::RequestRecord;
use serde_json::{Value as Json, json};

use super::stage::{PASSWORD, Played, REG_A, Stage, TOKEN, named, no_tokens, two_tokens};

fn new() -> Json {
    json!({"registry": "reg-a", "name": "new"})
}

/// A creation in a registry that is given by its name, with one fault.
fn create(fault: &str) -> (Stage, Played) {
    let stage = Stage::with(&no_tokens(), &[fault]);
    let played = stage.task(new());
    (stage, played)
}

fn methods(played: &Played) -> String {
    played.requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn succeeds(fault: &str, requests: &str) {
    let (stage, played) = create(fault);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("changed", requests), "{fault}: {}", played.message());
    assert_eq!(stage.names(), ["new"], "{fault}");
}

#[track_caller]
fn fails(fault: &str, requests: &str, message: &str) {
    let (stage, played) = create(fault);
    assert_eq!((played.outcome(), methods(&played).as_str()), ("failed", requests), "{fault}: {}", played.message());
    let said = played.message().replace(&stage.sandbox.address().to_string(), "{server}");
    assert_eq!(said, message, "{fault}");
    assert_eq!(stage.names(), Vec::<String>::new(), "{fault}");
}

/// The faults of the recorded cases on the list of registries, where it is really asked for.
#[test]
fn passing_failures_of_a_read_are_overcome() {
    for fault in ["status=502", "status=503", "status=504", "status=429", "reset", "truncate", "html status=502"] {
        succeeds(&format!("GET /registries$ {fault} times=1"), "GET GET GET POST");
    }
    succeeds("GET /registries$ slow delay=300ms", "GET GET POST");
    succeeds("GET /registries$ drip delay=300ms", "GET GET POST");
}

#[test]
fn lasting_failures_of_a_read_are_told() {
    let said = |what: &str| format!("failed to set Registry Token state present: {what}");
    let forbidden =
        "(403) Forbidden [cr-403]; the account may not do this; it needs the privilege to manage registries";
    fails("GET /registries$ status=403", "GET", &said(forbidden));
    fails("GET /registries$ status=500", "GET", &said("(500) Internal Server Error [cr-500]"));
    let five = "GET GET GET GET GET";
    fails("GET /registries$ status=503", five, &said("(503) Service Unavailable [cr-503] (after 5 attempts)"));
    fails("GET /registries$ html status=502", five, &said("(502) proxy (after 5 attempts)"));
    let broken = "the connection to {server} broke before the answer was complete";
    let (_, played) = create("GET /registries$ reset");
    assert!(played.message().contains("(after 5 attempts)"), "{}", played.message());
    let (stage, played) = create("GET /registries$ truncate");
    let message = played.message().replace(&stage.sandbox.address().to_string(), "{server}");
    assert!(message.contains(broken) && message.ends_with("(after 5 attempts)"), "{message}");
    fails("GET /registries$ empty", "GET", &said("the API answered 200 with an empty body"));
    fails("GET /registries$ html", "GET", &said("the API answered 200 with a page instead of JSON: proxy"));
    let (_, played) = create("GET /registries$ malformed");
    assert!(played.message().contains("the API answered 200 with malformed JSON"), "{}", played.message());
}

#[test]
fn the_pause_that_the_service_asks_for_is_made() {
    for (fault, least) in [("retry-after=1", 1000), ("retry-after=+2", 900), ("retry-after=soon", 0)] {
        for write in ["GET /registries$", "POST /tokens$"] {
            let begun = Instant::now();
            let (_, played) = create(&format!("{write} status=429 times=1 {fault}"));
            assert_eq!(played.outcome(), "changed", "{fault}: {}", played.message());
            let taken = begun.elapsed();
            assert!(taken >= Duration::from_millis(least) && taken < Duration::from_secs(30), "{fault}: {taken:?}");
        }
    }
}

#[test]
fn refusals_of_a_creation_are_final() {
    for status in [400, 404, 409, 422, 500] {
        let (stage, played) = create(&format!("POST /tokens$ status={status}"));
        // In conflict: somebody else may have created it meanwhile, so the task looks.
        let looks = if status == 409 { " GET" } else { "" };
        assert_eq!(methods(&played), format!("GET GET POST{looks}"), "{status}");
        let message = played.message();
        assert!(message.starts_with(&format!("failed to create the new Registry Token: ({status})")), "{message}");
        assert_eq!(stage.names(), Vec::<String>::new());
    }
}

#[test]
fn every_shape_of_an_error_becomes_a_sentence() {
    for (body, said) in [
        (
            r#"{"httpStatus": 400, "messages": [{"errorCode": "a", "message": "one"}, {"errorCode": "b", "message": "two"}]}"#,
            "one",
        ),
        (r#"{"httpStatus": 400, "messages": null}"#, "(400) Bad Request"),
        (r#"{"msg": "Not so"}"#, "(400) Not so"),
        ("<html><head><title>no</title></head><body>Go away</body></html>", "Go away"),
        ("just text", "(400) just text"),
        ("", "(400) Bad Request"),
    ] {
        let (_, played) = create(&format!("POST /tokens$ status=400 body={body}"));
        let message = played.message();
        assert!(message.starts_with("failed to create the new Registry Token: (400) "), "{body}: {message}");
        assert!(message.contains(said) && !message.contains('\n') && !message.contains('{'), "{body}: {message}");
    }
}

#[test]
fn writes_that_can_be_repeated_are() {
    let update = json!({"registry": REG_A, "registry_token": "tok1", "state": "update", "status": "disabled"});
    let absent = json!({"registry": REG_A, "registry_token": "tok1", "state": "absent"});
    for (fault, args, requests) in [
        ("PATCH . lost times=1", &update, "GET PATCH PATCH"),
        ("PATCH . status=503 times=1", &update, "GET PATCH PATCH"),
        ("DELETE . reset times=1", &absent, "GET DELETE DELETE"),
        // It is gone when it is asked for again, which is as it should be.
        ("DELETE . lost times=1", &absent, "GET DELETE DELETE"),
    ] {
        let stage = Stage::with(&two_tokens(), &[fault]);
        let played = stage.task(args.clone());
        assert_eq!(
            (played.outcome(), methods(&played).as_str()),
            ("changed", requests),
            "{fault}: {}",
            played.message()
        );
    }
}

#[test]
fn a_token_that_somebody_removes_meanwhile_is_gone_as_was_asked() {
    let stage = Stage::with(&two_tokens(), &["DELETE . status=404 after"]);
    let played = stage.task(json!({"registry": REG_A, "registry_token": "tok1", "state": "absent"}));
    assert_eq!((played.outcome(), stage.names()), ("changed", vec!["tok2".to_owned()]));
}

#[test]
fn huge_answers_are_not_read() {
    let body = format!("{{\"items\": [], \"x\": \"{}\"}}", "x".repeat(17 << 20));
    let fault = json!({"kind": "status", "status": 200, "method": "GET", "path": "/tokens$", "body": body});
    let stage = Stage::with(&no_tokens(), &[&fault.to_string()]);
    let played = stage.task(json!({"registry": REG_A, "name": "new"}));
    assert_eq!(played.outcome(), "failed");
    assert!(played.message().contains("is larger than 16 MiB"), "{}", played.message());
}

#[test]
fn one_connection_serves_all_tasks() {
    let stage = Stage::with(&no_tokens(), &[]);
    let tasks: Vec<Json> = (0..10).map(|n| json!({"registry": "reg-a", "name": format!("token-{n}")})).collect();
    let played = stage.tasks(&tasks, &[]);
    // The tasks share one list.
    assert_eq!(played.requests.len(), 1 + 1 + 10);
    let mut connections: Vec<u64> = played.requests.iter().map(|request| request.connection).collect();
    connections.dedup();
    assert_eq!(connections.len(), 1, "{connections:?}");
}

#[test]
fn the_base_url_may_be_written_in_many_ways() {
    let mut stage = Stage::with(&two_tokens(), &[]);
    let address = stage.sandbox.address();
    stage.set("IONOS_API_URL", Some("http://127.0.0.1:9"));
    for url in [
        format!("http://{address}"),
        format!("http://{address}/"),
        format!("{address}"),
        format!("http://{address}/containerregistries"),
        format!("http://{address}/containerregistries/"),
    ] {
        let played = stage.task(json!({"registry": REG_A, "name": "tok1", "api_url": url}));
        assert_eq!(played.outcome(), "ok", "{url}: {}", played.message());
    }
    let played = stage.task(json!({"registry": REG_A, "name": "tok1", "api_url": "ftp://h.example"}));
    assert!(played.message().contains("is not a base URL"), "{}", played.message());
    // The environment of the task counts for that task.
    let task = json!([{"ionoscloudsdk.ionoscloud.registry_token": {"registry": REG_A, "name": "tok1"},
        "environment": {"IONOS_API_URL": stage.sandbox.url()}}]);
    assert_eq!(stage.play(&task.to_string(), &[]).outcome(), "ok");
}

#[test]
fn nobody_listens() {
    let mut stage = Stage::with(&two_tokens(), &[]);
    stage.set("IONOS_API_URL", Some("http://127.0.0.1:9"));
    let played = stage.task(new());
    assert_eq!(
        played.message(),
        "failed to set Registry Token state present: cannot connect to 127.0.0.1:9: connection refused (after 3 attempts)"
    );
    stage.set("IONOS_API_URL", Some("http://no-such-host.invalid"));
    stage.set("IONPLAY_ALLOW_HTTP", Some("1"));
    let message = stage.task(new()).message();
    assert!(message.contains("cannot connect to no-such-host.invalid"), "{message}");
}

#[test]
fn headers() {
    let mut stage = Stage::with(&two_tokens(), &[]);
    let first = |stage: &Stage, more: Json| -> RequestRecord {
        let mut args = json!({"registry": REG_A, "registry_token": "tok1", "state": "update", "status": "disabled"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage.task(args).requests[0].clone()
    };
    let request = first(&stage, json!({}));
    assert_eq!(request.header("authorization"), Some("Bearer secret-token"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("ionplay/")));
    assert_eq!(request.header("x-contract-number"), None);
    assert_eq!(first(&stage, json!({"contract_number": 31_415})).header("x-contract-number"), Some("31415"));
    stage.set("IONOS_CONTRACT_NUMBER", Some("27182"));
    assert_eq!(first(&stage, json!({})).header("x-contract-number"), Some("27182"));
    stage.set("IONOS_TOKEN", None);
    stage.set("IONOS_USERNAME", Some("user@example.org"));
    stage.set("IONOS_PASSWORD", Some(PASSWORD));
    assert!(first(&stage, json!({})).header("authorization").is_some_and(|value| value.starts_with("Basic ")));
}

#[test]
fn proxies_are_used_as_the_environment_says() {
    let mut stage = Stage::with(&two_tokens(), &[]);
    let proxy = format!("http://{}", stage.sandbox.address());
    stage.set("IONOS_API_URL", Some("http://registry.example.org/containerregistries"));
    stage.set("IONPLAY_ALLOW_HTTP", Some("1"));
    stage.set("http_proxy", Some(&proxy));
    let args = json!({"registry": REG_A, "name": "tok1"});
    let played = stage.task(args.clone());
    assert_eq!((played.outcome(), played.requests.len()), ("ok", 1), "{}", played.message());
    assert_eq!(played.requests[0].header("host"), Some("registry.example.org"));
    // What needs no proxy does not get one.
    stage.set("http_proxy", Some("http://127.0.0.1:9"));
    stage.set("no_proxy", Some("127.0.0.1"));
    let url = stage.sandbox.url();
    stage.set("IONOS_API_URL", Some(&url));
    assert_eq!(stage.task(args.clone()).outcome(), "ok");
    // Requests to this machine never go through a proxy.
    stage.set("no_proxy", None);
    assert_eq!(stage.task(args).outcome(), "ok");
}

#[test]
fn a_name_that_looks_like_an_id_is_found_too() {
    let seed = json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": [{"name": "cccccccc-cccc-4ccc-8ccc-cccccccccccc"}]}]});
    let stage = Stage::with(&seed, &[]);
    let played = stage
        .task(json!({"registry": REG_A, "registry_token": "cccccccc-cccc-4ccc-8ccc-cccccccccccc", "state": "absent"}));
    assert_eq!((played.outcome(), stage.names().len()), ("changed", 0), "{}", named(&played.message()));
}

#[test]
fn who_interrupts_does_not_wait() {
    // A run that would wait for ten minutes is told to stop as soon as it waits.
    let slow = Duration::from_secs(600);
    let pace = ionplay::sandbox::Pace { new: slow, storage: slow, deletion: slow };
    let stage = Stage::new(ionplay::sandbox::SandboxOptions { pace, ..super::stage::options(&no_tokens(), &[]) });
    let book = json!([{"registry": {"name": "reg-new", "location": "de/fra"}}, {"debug": {"msg": "not reached"}}]);
    let played = stage.interrupted(&book.to_string(), || stage.sandbox.requests().len() > 2);
    assert_eq!(played.code, 99, "{}", played.everything());
    assert!(played.message().contains("interrupted: registry `reg-new`"), "{}", played.message());
    assert_eq!(played.hosts().len(), 1, "{}", played.stdout);
    // A request that was sent is finished: its answer may be the only one with a password.
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ slow delay=1s"]);
    let book = json!([{"registry_token": new()}, {"debug": {"msg": "not reached"}}]);
    let played = stage.interrupted(&book.to_string(), || stage.sandbox.requests().iter().any(|r| r.method == "POST"));
    assert_eq!((played.code, played.outcome()), (99, "changed"), "{}", played.everything());
    assert_eq!(played.hosts().len(), 1, "{}", played.stdout);
}

/// No output shows a secret, whatever happens to it on the way.
#[test]
fn secrets_are_shown_nowhere() {
    let echo = format!("{{\"messages\": [{{\"message\": \"do not send me {TOKEN} and {PASSWORD}\"}}]}}");
    let faults = [format!("PATCH . status=400 body={echo}")];
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    let login = json!({"registry": REG_A, "username": "user@example.org", "password": PASSWORD, "token": TOKEN});
    // What templates make of it is as secret: pieces, lists, other spellings.
    let spellings = "{{ kept[:30] }} {{ kept.split('-') }} {{ kept | reverse | join }} {{ kept | urlencode }}
        {{ {'auths': {'h': {'auth': ('u:' ~ kept) | b64encode}}} | to_json | b64encode }}";
    let with = |more: Json| {
        let mut args = login.clone();
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"ionoscloudsdk.ionoscloud.registry_token": args, "register": "r", "ignore_errors": true})
    };
    let tasks = json!([
        with(json!({"name": "new", "scopes": []})),
        {"debug": {"var": "r"}},
        {"debug": {"msg": "it is {{ r.registry_token.properties.credentials.password }}"}},
        {"debug": {"msg": "{{ r }}"}},
        {"set_fact": {"kept": "{{ r.registry_token.properties.credentials.password }}"}},
        {"debug": {"var": "kept"}},
        {"debug": {"msg": spellings}},
        {"shell": "printf %s \"$KEPT\" | base64 -w0", "environment": {"KEPT": "user:{{ kept }}"}},
        with(json!({"registry_token": "new", "state": "update", "status": "disabled"})),
        {"debug": {"var": "r"}},
        with(json!({"registry_token": "new", "state": "update", "name": "newer", "allow_replace": true})),
        {"debug": {"var": "r.registry_token.properties.credentials"}},
        with(json!({"registry_token": "newer", "state": "absent"})),
    ])
    .to_string();
    for flags in [
        &[][..],
        &["-vvv"],
        &["-vvv", "--diff"],
        &["--check", "--diff", "-vvv"],
        &["--output", "json"],
        &["--output", "yaml", "-v"],
    ] {
        let stage = Stage::with(&two_tokens(), &faults);
        let played = stage.play(&tasks, flags);
        assert_eq!(played.hosts().len(), 13, "{}", played.everything());
        // "user:fake-password-" and "u:fake-password-" in base 64, the latter twice.
        let encoded = ["dXNlcjpmYWtl", "dTpmYWtl", "ZFRwbVlXdGw"];
        for secret in [TOKEN, PASSWORD, "fake-password-", "'fake'", "-drowssap-"].iter().chain(&encoded) {
            let text = played.everything();
            let at = text.lines().find(|line| line.contains(*secret));
            assert_eq!(at, None, "{flags:?}");
        }
        assert!(played.everything().contains("********"), "{flags:?}");
    }
    let stage = Stage::with(&two_tokens(), &faults);
    let played = stage.play(&tasks, &["--show-secrets"]);
    assert!(played.stdout.contains("fake-password-"), "{}", played.stdout);
}

/// Neither do complaints about the very line that holds one.
#[test]
fn complaints_about_a_secret_do_not_quote_it() {
    let stage = Stage::with(&two_tokens(), &[]);
    for (book, said) in [
        (format!("registry_token: {{registry: reg-a, name: new, token: {TOKEN}, colour: red}}\n"), "colour"),
        (format!("registry_token: {{registry: reg-a, password: {PASSWORD}}}\n"), "name parameter is required"),
        (
            format!("registry_token: {{registry: reg-a, name: '9', token: {TOKEN}, api_url: '{{{{ nothing }}}}'}}\n"),
            "nothing",
        ),
        (format!("registry_token:\n  registry: reg-a\n  name: new\n  passwrd: {PASSWORD}\n"), "passwrd"),
    ] {
        let played = stage.play(&book, &[]);
        assert_ne!(played.code, 0);
        assert!(played.everything().contains(said), "{}", played.everything());
        assert!(
            !played.everything().contains(TOKEN) && !played.everything().contains(PASSWORD),
            "{}",
            played.everything()
        );
    }
}
