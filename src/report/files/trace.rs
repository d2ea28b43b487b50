//! Trace events, as chrome://tracing and Perfetto show them: a row for each host, and rows for requests.

use serde_json::{Map, Value as Json, json};

use crate::report::history::{RequestHistory, ResultHistory, RunHistory, TaskHistory};

/// The process of tasks; requests are another, so that they stand below.
const TASKS: u32 = 1;
const REQUESTS: u32 = 2;

/// The run as spans, in microseconds.
pub fn write_run(history: &RunHistory) -> String {
    let mut events =
        vec![name_row("process_name", TASKS, 0, "hosts"), name_row("process_name", REQUESTS, 0, "requests")];
    let mut hosts: Vec<&str> = Vec::new();
    for (_, task, result) in history.results() {
        let row = hosts.iter().position(|host| *host == result.host).unwrap_or_else(|| {
            hosts.push(&result.host);
            events.push(name_row("thread_name", TASKS, hosts.len(), &result.host));
            hosts.len() - 1
        });
        events.push(describe_result(task, None, result, row + 1));
        let items = result.items.iter();
        events.extend(items.map(|item| describe_result(task, Some(&item.label), &item.outcome, row + 1)));
    }
    // Requests of several hosts overlap; rows hold those that do not.
    let mut ends: Vec<f64> = Vec::new();
    for request in &history.requests {
        let row = ends.iter().position(|end| *end <= request.start).unwrap_or_else(|| {
            ends.push(0.0);
            ends.len() - 1
        });
        ends[row] = request.start + request.duration;
        events.push(describe_request(request, row + 1));
    }
    let trace = json!({
        "displayTimeUnit": "ms",
        "otherData": { "playbooks": history.playbooks, "started": history.started },
        "traceEvents": events,
    });
    format!("{trace}\n")
}

fn name_row(name: &str, process: u32, thread: usize, shown: &str) -> Json {
    json!({ "name": name, "ph": "M", "pid": process, "tid": thread, "args": { "name": shown } })
}

fn describe_result(task: &TaskHistory, item: Option<&String>, result: &ResultHistory, row: usize) -> Json {
    let mut details = Map::new();
    details.insert("status".to_owned(), result.status.as_str().into());
    details.insert("action".to_owned(), task.action.as_str().into());
    details.extend(task.place.iter().map(|place| ("place".to_owned(), place.to_string().into())));
    let name = item.map_or_else(|| task.name.clone(), |item| format!("{} (item={item})", task.name));
    json!({
        "name": name,
        "cat": if item.is_some() { "item" } else { "task" },
        "ph": "X",
        "ts": microseconds(result.start),
        "dur": microseconds(result.duration),
        "pid": TASKS,
        "tid": row,
        "args": details,
    })
}

fn describe_request(request: &RequestHistory, row: usize) -> Json {
    json!({
        "name": format!("{} {}", request.method, request.path),
        "cat": "request",
        "ph": "X",
        "ts": microseconds(request.start),
        "dur": microseconds(request.duration),
        "pid": REQUESTS,
        "tid": row,
        "args": { "status": request.status },
    })
}

fn microseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6).round() as u64
}
