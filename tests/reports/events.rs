//! Time, place, task, warnings and registry objects in the stream of events.

use super::Desk;
use serde_json::Value as Json;

fn events(desk: &Desk) -> Vec<Json> {
    desk.read("e.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn results_say_when_where_and_of_which_task_they_are() {
    let desk = Desk::with_playbook(
        "- hosts: a,b\n  gather_facts: false\n  tasks:\n    - command: sleep 0.2\n    - debug: {msg: hi}\n      loop: [1, 2]\n",
    );
    let (said, status) = desk.run(&["-i", "a,b,", "-c", "local", "--events", "e.jsonl", "site.yml"]);
    assert_eq!(status, 0, "{said}");
    let events = events(&desk);
    let results: Vec<&Json> = events.iter().filter(|event| event["event"] == "host").collect();
    assert_eq!(results.len(), 4);
    assert!(results[0]["duration"].as_f64().unwrap() >= 0.2, "{}", results[0]);
    assert_eq!((results[0]["file"].as_str(), results[0]["line"].as_u64()), (Some("site.yml"), Some(4)));
    assert_eq!(results[0]["column"], 7);
    assert_eq!(results[0]["task_id"], results[1]["task_id"]);
    assert_ne!(results[1]["task_id"], results[2]["task_id"]);
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
    }
    let items = events.iter().filter(|event| event["event"] == "item");
    assert!(items.clone().count() == 4 && items.clone().all(|item| item["duration"].is_f64()));
}

#[test]
fn warnings_are_events_and_come_after_the_start_of_the_play() {
    let desk = Desk::with_playbook("- hosts: localhost\n  gather_facts: false\n  tasks:\n    - {copy: {content: x}}\n");
    desk.run(&["--events", "e.jsonl", "site.yml"]);
    let events = events(&desk);
    let warning = events.iter().find(|event| event["event"] == "warning").unwrap();
    assert_eq!((warning["severity"].as_str(), warning["line"].as_u64()), (Some("warning"), Some(4)));
    let desk = Desk::with_playbook("- hosts: localhost\n  taks: []\n");
    desk.run(&["--events", "e.jsonl", "site.yml"]);
    assert_eq!(desk.read("e.jsonl"), "", "no play starts, so the stream is empty");
}

#[test]
fn registry_objects_are_in_the_result_that_changed_them_and_in_the_recap() {
    let desk = Desk::with_playbook(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    \
         - ionoscloudsdk.ionoscloud.registry_token: {registry: demo, name: ci}\n",
    );
    desk.run(&["--sandbox", "--events", "e.jsonl", "site.yml"]);
    for kind in ["host", "recap"] {
        let events = events(&desk);
        let event = events.iter().find(|event| event["event"] == kind).unwrap();
        let object = &event["registry_objects"][0];
        assert_eq!((object["name"].as_str(), object["action"].as_str()), (Some("ci"), Some("create")), "{event}");
    }
}

#[test]
fn failures_have_no_exception_without_content() {
    let desk = Desk::with_playbook("- fail: {msg: no}\n");
    desk.run(&["--events", "e.jsonl", "site.yml"]);
    assert!(!desk.read("e.jsonl").contains("traceback"));
}
