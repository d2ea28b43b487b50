//! The comparable part of an event stream: what differs by run, machine or wording is taken out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::case::{Meta, Order};
use super::run::Run;

/// What a recap counts.
pub const COUNTS: [&str; 7] = ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"];

/// Modules whose results are the playbook's own data.
const DATA: &[&str] = &["debug", "set_fact", "set_stats", "assert", "fail", "include_vars"];
/// Said in passing, or said by the status: left out of every result.
const PASSING: &[&str] = &[
    "warnings",
    "deprecations",
    "exception",
    "invocation",
    "skipped",
    "failed",
    "unreachable",
    "skip_reason",
    "skipped_reason",
    "false_condition",
];
/// Differs by run, machine or account: left out unless the result is data.
const VOLATILE: &[&str] = &[
    "start",
    "end",
    "delta",
    "pid",
    "uid",
    "gid",
    "owner",
    "group",
    "atime",
    "mtime",
    "ctime",
    "inode",
    "dev",
    "elapsed",
    "backup_file",
    "ansible_job_id",
    "results_file",
    "md5sum",
    "remote_md5sum",
    "remote_checksum",
    "secontext",
    "stop",
    "module_stdout",
    "module_stderr",
    "_ansible_no_log",
    "ansible_delegated_vars",
];
const NEVER: &[&str] = &["failed_when_suppressed_exception", "child_pid", "argument_errors", "argument_spec_data"];
const STAT: &[&str] = &[
    "exists",
    "isdir",
    "isreg",
    "islnk",
    "mode",
    "checksum",
    "path",
    "lnk_source",
    "lnk_target",
    "executable",
    "readable",
    "writeable",
    "isfifo",
    "issock",
    "ischr",
    "isblk",
];
const URI: &[&str] = &["changed", "status", "json", "content", "url", "redirected", "x_answer", "content_type", "path"];
const CLOSINGS: &[&str] = &["All items completed", "One or more items failed", "All items skipped"];

static ERROR_MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<< error \d+ - .*? >>").unwrap());
/// How messages begin that no author of a playbook wrote.
static MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    let starts = "Task failed|Finalization of|Error while|The conditional|Conditional result|Unable to|Error in|\
        Module failed|Action failed|.*is undefined|Failed to template|The task includes|Action ";
    Regex::new(&format!("^({starts})")).unwrap()
});

/// A stream in comparable form.
pub struct Normal {
    /// Plays, items and hosts.
    pub events: Vec<Json>,
    /// The recap.
    pub recap: Option<Json>,
    /// What `set_stats` gathered.
    pub custom_stats: Option<Json>,
}

/// An action without the prefixes that all builtin modules may have.
pub fn short(action: &str) -> &str {
    let bare = action.strip_prefix("ansible.builtin.").or_else(|| action.strip_prefix("ansible.legacy."));
    bare.unwrap_or(action)
}

fn text<'a>(event: &'a Json, key: &str) -> &'a str {
    event[key].as_str().unwrap_or("")
}

/// Brings a run's events into comparable form.
pub fn normalise(run: &Run, meta: &Meta) -> Normal {
    let (mut events, mut recap, mut custom_stats) = (Vec::new(), None, None);
    for raw in &run.events {
        match text(raw, "event") {
            "recap" => {
                recap = Some(counts(&raw["hosts"]));
                custom_stats = Some(&raw["custom_stats"]).filter(|v| v.as_object().is_some_and(|m| !m.is_empty()));
            }
            "play_start" => events.push(json!({"event": "play", "play": text(raw, "play")})),
            "broken" => events.push(raw.clone()),
            "task_start" => events.push(json!({"event": "task_start"})),
            "host" | "item" if short(text(raw, "action")) != "meta" => events.push(result_event(raw, meta)),
            _ => {}
        }
    }
    let neutral = |value: &Json| -> Json { serde_json::from_str(&run.neutral(&value.to_string())).unwrap() };
    let mut events: Vec<Json> = without_hasty_includes(events, recap.is_some()).iter().map(neutral).collect();
    for event in &mut events {
        let Some(result) = event.get_mut("result") else { continue };
        hide_wording(result);
        if let Some(map) = result.as_object_mut() {
            map.retain(|key, _| !meta.ignore_keys.contains(key));
        }
    }
    Normal { events: ordered(events, meta.order), recap, custom_stats: custom_stats.map(neutral) }
}

fn counts(hosts: &Json) -> Json {
    let one = |counts: &Json| {
        COUNTS.iter().map(|name| ((*name).to_owned(), json!(counts[*name].as_i64().unwrap_or(0)))).collect()
    };
    let hosts = hosts.as_object().into_iter().flatten();
    Json::Object(hosts.map(|(host, counts)| (host.clone(), Json::Object(one(counts)))).collect())
}

fn result_event(raw: &Json, meta: &Meta) -> Json {
    let (kind, action) = (text(raw, "event"), text(raw, "action"));
    let (mut result, error) = clean(short(action), text(raw, "status"), &raw["result"], meta.compare_diff);
    if kind == "host" && short(action) != "debug" {
        result.shift_remove("results");
    }
    let mut event = json!({
        "event": kind, "play": text(raw, "play"), "task": clean_name(text(raw, "task"), action),
        "action": short(action), "host": raw["host"], "status": raw["status"],
    });
    for key in ["handler", "delegated_to"] {
        if !matches!(&raw[key], Json::Null | Json::Bool(false)) && raw[key] != "" {
            event[key] = raw[key].clone();
        }
    }
    if kind == "item" {
        event["item_label"] = raw["item_label"].clone();
    }
    event["result"] = Json::Object(result);
    if let Some(error) = error {
        event["error"] = error;
    }
    event
}

fn keep(map: &mut Map<String, Json>, keys: &[&str]) {
    map.retain(|key, _| keys.contains(&key.as_str()));
}

/// The comparable part of a result, and the message of a failure.
fn clean(action: &str, status: &str, result: &Json, keep_diff: bool) -> (Map<String, Json>, Option<Json>) {
    let mut out = result.as_object().cloned().unwrap_or_default();
    if out.contains_key("censored") {
        keep(&mut out, &["changed", "censored", "attempts"]);
        return (out, None);
    }
    let data = DATA.contains(&action);
    out.retain(|key, _| {
        let key = key.as_str();
        let dropped = PASSING.contains(&key) || NEVER.contains(&key) || !data && VOLATILE.contains(&key);
        !key.starts_with("_ansible_") && !dropped && (key != "diff" || keep_diff)
    });
    if matches!(action, "setup" | "gather_facts") {
        out.shift_remove("ansible_facts");
    }
    if let Some(facts) = out.get_mut("ansible_facts").and_then(Json::as_object_mut).filter(|_| !data) {
        facts.shift_remove("discovered_interpreter_python");
        if facts.is_empty() {
            out.shift_remove("ansible_facts");
        }
    }
    clean_by_action(action, &mut out);
    for key in ["failed_when_result", "changed_when_result"] {
        if let Some(value @ Json::String(_)) = out.get_mut(key) {
            // A condition that broke leaves its wording here.
            *value = json!("<< error >>");
        }
    }
    if let Some(Json::Object(timed_out)) = out.get_mut("timedout") {
        keep(timed_out, &["period"]);
    }
    if out.get("msg").and_then(Json::as_str).is_some_and(|msg| CLOSINGS.contains(&msg)) {
        out.shift_remove("msg");
    }
    let mut error = None;
    if matches!(status, "failed" | "ignored" | "rescued" | "unreachable") {
        let authored =
            matches!(action, "fail" | "assert") || action == "debug" && out.contains_key("failed_when_result");
        let msg = out.get("msg").and_then(Json::as_str).unwrap_or("");
        if !authored || MACHINE.is_match(msg).unwrap_or(false) {
            error = out.shift_remove("msg");
        }
    }
    let speaks = data || matches!(action, "command" | "shell" | "raw" | "script");
    if !speaks && !matches!(status, "failed" | "ignored" | "rescued") {
        out.shift_remove("msg");
    }
    (out, error)
}

/// What is left out of the results of single modules.
fn clean_by_action(action: &str, out: &mut Map<String, Json>) {
    match action {
        "stat" => {
            if let Some(Json::Object(stat)) = out.get_mut("stat") {
                keep(stat, STAT);
            }
        }
        "find" => {
            if let Some(Json::Array(files)) = out.get_mut("files") {
                let mut paths: Vec<String> =
                    files.iter().filter(|f| f.is_object()).map(|f| text(f, "path").to_owned()).collect();
                paths.sort();
                *files = paths.into_iter().map(Json::String).collect();
            }
            out.shift_remove("examined");
            out.shift_remove("skipped_paths");
        }
        "uri" => keep(out, URI),
        "tempfile" => keep(out, &["changed", "state"]),
        "pause" => keep(out, &["changed", "user_input"]),
        "wait_for" => {
            keep(out, &["changed", "state", "path", "port", "search_regex"]);
            out.retain(|_, value| !value.is_null());
        }
        "include_vars" => drop(out.shift_remove("message")),
        "include_tasks" | "include_role" => {
            out.retain(|key, _| !matches!(key.as_str(), "include" | "include_args" | "reason"));
        }
        "file" | "copy" | "template" | "lineinfile" | "blockinfile" | "replace" => {
            if action != "file" {
                out.shift_remove("src");
            }
            if out.get("state").is_some_and(|state| state == "directory") {
                out.shift_remove("size");
            }
        }
        _ => {}
    }
    if action == "async_status" || out.contains_key("finished") && out.contains_key("started") {
        out.shift_remove("stdout_lines");
        out.shift_remove("stderr_lines");
    }
}

/// The wording inside the marks of undefined values is not compared.
fn hide_wording(value: &mut Json) {
    match value {
        Json::String(text) => *text = ERROR_MARK.replace_all(text, "<< error >>").into_owned(),
        Json::Array(list) => list.iter_mut().for_each(hide_wording),
        Json::Object(map) => map.values_mut().for_each(hide_wording),
        _ => {}
    }
}

/// A task's name; one that is only the action counts without its prefix.
fn clean_name(name: &str, action: &str) -> String {
    let name = ERROR_MARK.replace_all(name, "<< error >>").into_owned();
    let (role, rest) = name.rfind(" : ").map_or(("", &*name), |at| name.split_at(at + 3));
    let rest = if short(rest) == short(action) { short(rest) } else { rest };
    format!("{role}{rest}")
}

/// The reference says `ok` for an include before it finds the file missing or broken; that event goes.
fn without_hasty_includes(events: Vec<Json>, ended: bool) -> Vec<Json> {
    let include = |event: &Json| matches!(text(event, "action"), "include_tasks" | "include_role");
    let mut out: Vec<Json> = Vec::new();
    for event in events {
        let same = |last: &Json| ["event", "host", "task", "action"].iter().all(|key| last[*key] == event[*key]);
        if event["status"] == "failed" && include(&event) && out.last().is_some_and(|l| l["status"] == "ok" && same(l))
        {
            out.pop();
        }
        out.push(event);
    }
    if !ended {
        while out.last().is_some_and(|last| last["event"] == "task_start") {
            out.pop();
        }
        if out.last().is_some_and(include) {
            out.pop();
        }
    }
    out
}

/// Makes the order comparable where hosts may run side by side.
fn ordered(events: Vec<Json>, order: Order) -> Vec<Json> {
    let mut out = Vec::new();
    let mut play = Vec::new();
    for event in events {
        if event["event"] == "play" {
            out.extend(ordered_play(std::mem::take(&mut play), order));
            out.push(event);
        } else {
            play.push(event);
        }
    }
    out.extend(ordered_play(play, order));
    out
}

fn ordered_play(events: Vec<Json>, order: Order) -> Vec<Json> {
    let mark = |event: &Json| event["event"] == "task_start";
    let host = |event: &Json| text(event, "host").to_owned();
    match order {
        Order::Strict => events.into_iter().filter(|e| !mark(e)).collect(),
        Order::PerHost => {
            let mut hosts: BTreeMap<String, Vec<Json>> = BTreeMap::new();
            for event in events.into_iter().filter(|e| !mark(e)) {
                hosts.entry(host(&event)).or_default().push(event);
            }
            hosts.into_values().flatten().collect()
        }
        Order::Linear => {
            let mut out = Vec::new();
            for task in events.split(mark) {
                let mut task = task.to_vec();
                task.sort_by_key(host);
                out.extend(task);
            }
            out
        }
    }
}
