//! Time limits of tasks, and servers that nobody can reach.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::stage::{NEW_PASSWORD, Played, Stage, no_tokens, two_tokens};

/// A task with a time limit of one second.
fn limited(args: &Json) -> Json {
    json!({"registry_token": args, "timeout": 1, "register": "made"})
}

fn new() -> Json {
    json!({"registry": "reg-a", "name": "new"})
}

fn calls(played: &Played) -> String {
    played.requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_creation_is_finished_before_its_time_limit_is_told() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ slow delay=2s"]);
    // The password came too late for the task, and in time for what rescues it.
    let keep = json!({"copy": {
        "content": "{{ ansible_failed_result.registry_token.properties.credentials.password }}",
        "dest": "password",
        "mode": "0600",
    }});
    let book = json!([{"block": [limited(&new())], "rescue": [keep]}]);
    let played = stage.play(&book.to_string(), &[]);
    let result = &played.hosts()[0]["result"];
    let message = "Task failed: Timed out after 1 second(s). by then Registry Token `new` had been created";
    assert_eq!((result["msg"].as_str(), stage.names()), (Some(message), vec!["new".to_owned()]));
    assert_eq!((&result["timedout"]["period"], &result["changed"]), (&json!(1), &json!(true)));
    let kept = std::fs::read_to_string(stage.folder.path().join("password")).unwrap();
    assert!(kept.starts_with(NEW_PASSWORD) && !played.everything().contains(&kept));
}

#[test]
fn a_lost_answer_is_looked_after_although_the_time_is_up() {
    let stage = Stage::with(&no_tokens(), &["POST /tokens$ lost delay=1500ms times=1"]);
    let played = stage.play(&json!([limited(&new())]).to_string(), &[]);
    assert_eq!((played.outcome(), calls(&played).as_str()), ("failed", "GET GET POST GET DELETE"));
    let message = played.message();
    let says = "token `new` was made, its password was lost with the answer, and it was removed again \
                (the time limit of the task has passed; not tried again)";
    assert!(message.starts_with("Task failed: Timed out after 1 second(s). failed to create"), "{message}");
    assert!(message.ends_with(says), "{message}");
    assert_eq!(stage.names(), Vec::<String>::new());
}

#[test]
fn changes_and_removals_are_finished_too() {
    let update = json!({"registry": "reg-a", "registry_token": "tok1", "state": "update", "status": "disabled"});
    let absent = json!({"registry": "reg-a", "registry_token": "tok1", "state": "absent"});
    for (fault, args, done) in [("PATCH", update, "updated"), ("DELETE", absent, "deleted")] {
        let stage = Stage::with(&two_tokens(), &[&format!("{fault} . slow delay=1500ms")]);
        let played = stage.play(&json!([limited(&args)]).to_string(), &[]);
        let says = format!("by then Registry Token `tok1` had been {done}");
        assert!(played.outcome() == "failed" && played.message().ends_with(&says), "{}", played.message());
    }
}

#[test]
fn what_only_reads_ends_in_time() {
    let stage = Stage::with(&no_tokens(), &["GET /tokens$ slow delay=20s"]);
    let begun = Instant::now();
    let played = stage.play(&json!([limited(&new())]).to_string(), &[]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!((played.outcome(), played.message().as_str()), ("failed", "Task failed: Timed out after 1 second(s)."));
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_thrice_and_then_once_a_pass() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.set("IONOS_API_URL", Some(&format!("http://{closed}")));
    let book = json!([{"registry_token": {"registry": "reg-a", "name": "t-{{ item }}"}, "loop": [1, 2, 3]}]);
    let played = stage.play(&book.to_string(), &[]);
    let items = played.events.iter().filter(|event| event["event"] == "item");
    let tried: Vec<bool> =
        items.map(|item| item["result"]["msg"].as_str().unwrap().contains("(after 3 attempts)")).collect();
    assert_eq!(tried, [true, false, false]);
    assert!(played.events_text.contains("cannot connect to"), "{}", played.events_text);
}
