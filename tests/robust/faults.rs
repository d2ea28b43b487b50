//! The fault matrix: an operation, one thing that goes wrong at one of its requests, and what comes of it.
//!
//! No fault may bring the program down, hold it up or let it say that something was done which was not. A run with a
//! fault may fail; the same run without the fault then ends well, and the service has what the task asked for.
//!
//! `IONPLAY_FAULTS` is the number of cases that are picked (80 if not set; `all` for every one).

use serde_json::{Value as Json, json};

use crate::dice::Dice;
use crate::registry::stage::{REG_A, Stage, TOK1, two_tokens};

/// Statuses: those of the standard, unknown ones, and those that are not even allowed.
const STATUSES: &[u16] = &[
    200, 201, 202, 203, 204, 206, 226, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407,
    408, 409, 410, 411, 412, 413, 414, 415, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502,
    503, 504, 505, 507, 508, 511, 520, 599,
];

/// Bodies that are not what the service would send.
const BODIES: &[&str] = &[
    "null",
    "[]",
    "{}",
    "5",
    "\"text\"",
    "{\"items\":5}",
    "{\"items\":null}",
    "{\"items\":[null]}",
    "{\"items\":[{}]}",
    "{\"items\":[{\"id\":null,\"properties\":null}]}",
    "{\"id\":5}",
    "{\"id\":\"x\",\"properties\":{\"name\":5}}",
    "{\"items\":[],\"total\":99}",
    "{\"items\":[],\"pagination\":{\"token\":\"again\"}}",
    "{\"total\":-1}",
    "{\"id\":\"a\",\"id\":\"b\"}",
    "{\"items\":[],\"items\":[]}",
];

/// An operation on one kind of object, and the objects that the service has when it is done.
#[derive(Clone)]
struct Operation {
    name: &'static str,
    module: &'static str,
    args: Json,
    /// Names of all tokens, registries and repositories.
    wanted: Vec<&'static str>,
}

impl Operation {
    fn new(name: &'static str, module: &'static str, args: Json, wanted: &[&'static str]) -> Self {
        Self { name, module, args, wanted: wanted.to_vec() }
    }
}

/// The service before each operation: two registries, one of them with tokens and a repository.
fn world() -> Json {
    let mut seed = two_tokens();
    seed["registries"][0]["repositories"] = json!([{"name": "shop"}]);
    seed
}

fn operations() -> Vec<Operation> {
    let tokens = "registry_token";
    vec![
        Operation::new(
            "create a token",
            tokens,
            json!({"registry": "reg-a", "name": "new"}),
            &["new", "reg-a", "reg-b", "shop", "tok1", "tok2"],
        ),
        Operation::new(
            "update a token",
            tokens,
            json!({"registry": REG_A, "registry_token": TOK1, "state": "update", "status": "disabled"}),
            &["reg-a", "reg-b", "shop", "tok1", "tok2"],
        ),
        Operation::new(
            "remove a token",
            tokens,
            json!({"registry": "reg-a", "registry_token": "tok1", "state": "absent"}),
            &["reg-a", "reg-b", "shop", "tok2"],
        ),
        Operation::new(
            "create a registry",
            "registry",
            json!({"name": "reg-c", "location": "de/fra"}),
            &["reg-a", "reg-b", "reg-c", "shop", "tok1", "tok2"],
        ),
        Operation::new(
            "remove a registry",
            "registry",
            json!({"registry": "reg-b", "state": "absent"}),
            &["reg-a", "shop", "tok1", "tok2"],
        ),
        Operation::new(
            "remove a repository",
            "registry_repository",
            json!({"registry": "reg-a", "repository": "shop", "state": "absent"}),
            &["reg-a", "reg-b", "tok1", "tok2"],
        ),
    ]
}

/// All faults at one request.
fn faults(nth: usize) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for status in STATUSES {
        faults.push(format!("* . status={status} nth={nth}"));
        faults.push(format!("* . status={status} after nth={nth}"));
    }
    for kind in [
        "reset",
        "lost",
        "truncate",
        "malformed",
        "empty",
        "html",
        "drip delay=100ms",
        "slow delay=100ms",
        "slow delay=3s",
        "drip delay=3s",
    ] {
        faults.push(format!("* . {kind} nth={nth}"));
    }
    for wait in
        ["0", "1", "-1", "18446744073709551615", "9223372036854775807", "99999999999999999999", "soon", "+999999999"]
    {
        faults.push(format!("* . status=429 retry-after={wait} nth={nth}"));
    }
    for body in BODIES {
        // A body with blanks would end the word.
        faults.push(format!("* . status=200 nth={nth} body={body}"));
        faults.push(format!("* . status=201 nth={nth} body={body}"));
    }
    // A clock that is years off.
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let headers = json!({"date": date, "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"});
        faults.push(json!({"kind": "status", "status": 503, "nth": nth, "headers": headers}).to_string());
    }
    faults
}

/// Returns the names of all objects that are there and not being removed.
fn list_objects(stage: &Stage) -> Vec<String> {
    let store = stage.sandbox.read_store();
    let mut names = Vec::new();
    for registry in store.registries.iter().filter(|registry| registry.deleted.is_none()) {
        names.push(registry.name.clone());
        names.extend(registry.tokens.iter().map(|token| token.name.clone()));
        names.extend(registry.repositories.iter().map(|repository| repository.name.clone()));
    }
    names.sort();
    names
}

/// What is wrong with how a case went, if anything is.
fn judge(operation: &Operation, fault: &str) -> Option<String> {
    let Operation { name, module, args, wanted } = operation;
    let parsed = ionplay::sandbox::InjectedFault::parse_fault(fault);
    if parsed.is_err() {
        // The sandbox cannot play it.
        return None;
    }
    let mut stage = Stage::with(&world(), &[fault]);
    stage.set("IONPLAY_HTTP_TIMEOUT", Some("1"));
    let mut args = args.clone();
    args["wait_timeout"] = json!(5);
    let run = |stage: &Stage| stage.play_module(module, std::slice::from_ref(&args), &[]);
    let first = run(&stage);
    if !matches!(first.code, 0 | 2) {
        return Some(format!("{name}, {fault}: status {}: {}{}", first.code, first.stdout, first.stderr));
    }
    // A service that answers a request with success and does not carry it out cannot be seen through.
    if fault.contains("status=2") || fault.contains(" empty ") {
        return None;
    }
    // Nor one that says that a repository is not there: it is asked for by its name, not found in a list.
    if *module == "registry_repository" && fault.contains("status=404") {
        return None;
    }
    if first.code == 0 && list_objects(&stage) != *wanted {
        let have = list_objects(&stage);
        return Some(format!("{name}, {fault}: says {} but the service has {have:?}", first.outcome()));
    }
    let again = run(&stage);
    if again.code == 0 && list_objects(&stage) != *wanted {
        let have = list_objects(&stage);
        return Some(format!("{name}, {fault}: the rerun says {} but the service has {have:?}", again.outcome()));
    }
    if !matches!(again.code, 0 | 2) {
        return Some(format!("{name}, {fault}: the rerun ends with {}: {}", again.code, again.stderr));
    }
    None
}

#[test]
fn faults_neither_break_nor_hold_up_nor_deceive() {
    let mut cases = Vec::new();
    for operation in operations() {
        for nth in 1..=4 {
            cases.extend(faults(nth).into_iter().map(|fault| (operation.clone(), fault)));
        }
    }
    let all = cases.len();
    let count = match std::env::var("IONPLAY_FAULTS") {
        Ok(text) if text == "all" => all,
        Ok(text) => text.parse().unwrap(),
        Err(_) => 80,
    };
    let mut dice = Dice::new(1);
    while cases.len() > count {
        cases.swap_remove(dice.below(cases.len()));
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some((operation, fault)) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            wrong.extend(judge(operation, fault));
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    println!("{} of {all} cases, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A list that always has one more page ends with an error.
#[test]
fn list_without_end_ends() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut number = 0u64;
        for stream in server.incoming().map_while(Result::ok) {
            let first = number;
            number += 1_000_000;
            std::thread::spawn(move || serve_pages(stream, first));
        }
    });
    let mut stage = Stage::with(&two_tokens(), &[]);
    stage.set("IONOS_API_URL", Some(&url));
    for args in [json!({"registry": "reg-a", "name": "new"}), json!({"registry": REG_A, "name": "new"})] {
        let played = stage.task(args);
        assert_eq!(played.code, 2, "{}", played.stderr);
        assert!(played.message().contains("the list has no end"), "{}", played.message());
    }
}

/// Answers every request of a connection with a full page of objects that were never seen before.
fn serve_pages(stream: std::net::TcpStream, mut number: u64) {
    use std::io::{BufRead as _, Write as _};
    let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut line = String::new();
        let mut head = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            head.push_str(&line);
            line.clear();
        }
        if head.is_empty() {
            return;
        }
        let mut object = |_| {
            number += 1;
            json!({"id": format!("00000000-0000-4000-8000-{number:012}"), "metadata": {"state": "Running", "createdDate": "2024-01-01T00:00:00Z"},
                "properties": {"name": format!("n{number}"), "location": "de/fra", "status": "enabled", "scopes": []}})
        };
        let one = head.starts_with("GET") && head.lines().next().is_some_and(|line| !line.contains('?'));
        let body = if one {
            object(0)
        } else {
            let items: Vec<Json> = (0..1000).map(&mut object).collect();
            json!({"items": items, "pagination": {"limit": 100, "token": format!("t{number}")}})
        };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
