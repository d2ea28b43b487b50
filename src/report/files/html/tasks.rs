//! The tasks of a run: failures, the slowest, and each with its arguments, results and differences.

use std::fmt::Write as _;

use super::seconds;
use crate::progress::shorten_ids;
use crate::report::files::issue::list_issues;
use crate::report::files::xml::{escape, escape_attribute};
use crate::report::history::{ResultHistory, RunHistory, TaskHistory};

/// The states by which the list can be filtered.
const STATES: &[&str] = &["ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored", "undetermined"];

/// Requests that are listed; a page of thousands would be slow and too large.
const MAX_REQUESTS: usize = 500;

/// The failures, before anything else.
pub fn write_failures(history: &RunHistory) -> String {
    let issues = list_issues(history);
    let mut failures = issues.iter().filter(|issue| issue.title.is_some()).peekable();
    if failures.peek().is_none() {
        return String::new();
    }
    let mut out = String::from("<h2>Failures</h2>\n");
    for issue in failures {
        let title = issue.title.as_deref().unwrap_or_default();
        let _ = write!(out, "<div class=\"note failed\"><p><b>{}</b></p>", escape(title));
        let _ = write!(out, "<pre>{}</pre>", escape(&issue.message.summary));
        issue.message.hints.iter().for_each(|hint| _ = write!(out, "<p>help: {}</p>", escape(hint)));
        let place =
            issue.message.place.as_ref().map(|place| format!("<p><code>{}</code></p>", escape(&place.to_string())));
        let _ = writeln!(out, "{}</div>", place.unwrap_or_default());
    }
    out
}

/// The counts by host, where there are several.
pub fn write_hosts(history: &RunHistory) -> String {
    if history.hosts.len() < 2 {
        return String::new();
    }
    let names =
        history.hosts.values().next().map(|counts| counts.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    // Rare states have a column only where they occur: narrow windows have no room to say nothing.
    let occurs = |name: &str| history.hosts.values().any(|counts| counts.get(name).is_some_and(|count| *count > 0));
    let names: Vec<_> =
        names.into_iter().filter(|name| matches!(name.as_str(), "ok" | "changed" | "failed") || occurs(name)).collect();
    let head: String = names.iter().map(|name| format!("<th>{name}")).collect();
    let mut out = format!("<h2>Hosts</h2>\n<div class=\"box wide\"><table class=hosts><tr><th>host{head}\n");
    for (host, counts) in &history.hosts {
        let _ = write!(out, "<tr><td>{}", escape(host));
        for (name, count) in counts.iter().filter(|(name, _)| names.contains(name)) {
            let _ =
                if *count > 0 { write!(out, "<td class=\"n {name}\">{count}") } else { write!(out, "<td class=z>0") };
        }
        out.push('\n');
    }
    out.push_str("</table></div>\n");
    out
}

/// The tasks that took longest, where any took long enough to matter.
pub fn write_slowest(history: &RunHistory) -> String {
    let tasks = history.plays.iter().flat_map(|play| &play.tasks).enumerate();
    let longest = |task: &TaskHistory| task.results.iter().map(|result| result.duration).fold(0.0, f64::max);
    let mut slow: Vec<(usize, &TaskHistory, f64)> = tasks.map(|(number, task)| (number, task, longest(task))).collect();
    slow.retain(|(_, _, time)| *time >= 0.01);
    slow.sort_by(|a, b| b.2.total_cmp(&a.2));
    let Some(most) = slow.first().map(|(_, _, time)| *time) else { return String::new() };
    let mut out = String::from("<h2>Slowest tasks</h2>\n<div class=box><table class=\"left mid\">\n");
    for (number, task, time) in slow.iter().take(8) {
        let status = summarize_status(task);
        let _ = writeln!(
            out,
            "<tr><td><a href=#t{number}>{}</a><td>{}<td class={status} style=\"width:38%\"><div class=bar style=\"width:{:.1}%\"></div>",
            escape(&task.name),
            seconds(*time),
            time / most * 100.0
        );
    }
    out.push_str("</table></div>\n");
    out
}

/// All tasks by play, with the filter that a script shows.
pub fn write_tasks(history: &RunHistory) -> String {
    if history.plays.iter().all(|play| play.tasks.is_empty()) {
        return String::new();
    }
    let mut out = String::from("<h2>Tasks</h2>\n");
    out.push_str(&write_filter(history));
    let several = history.hosts.len() > 1;
    let mut number = 0;
    for play in &history.plays {
        let _ = writeln!(out, "<h3>{}</h3>", escape(if play.name.trim().is_empty() { "play" } else { &play.name }));
        for task in &play.tasks {
            out.push_str(&write_task(number, task, several));
            number += 1;
        }
    }
    out
}

fn write_filter(history: &RunHistory) -> String {
    let mut out = String::from(
        "<form hidden><input type=search name=q placeholder=\"Filter tasks\" aria-label=\"Filter tasks\">",
    );
    if history.hosts.len() > 1 {
        out.push_str("<select name=host aria-label=Host><option value=\"\">all hosts");
        history.hosts.keys().for_each(|host| _ = write!(out, "<option value=\"{0}\">{0}", escape_attribute(host)));
        out.push_str("</select>");
    }
    let present: Vec<&str> = history.plays.iter().flat_map(|play| &play.tasks).map(summarize_status).collect();
    out.push_str("<span class=states>");
    for state in STATES.iter().filter(|state| present.contains(state)) {
        let _ = write!(out, "<label class={state}><input type=checkbox name=s value={state} checked>{state}</label>");
    }
    out.push_str("</span><button type=button name=all>open or close all</button><output class=soft></output></form>\n");
    out
}

/// The state of a task on all of its hosts: the worst.
fn summarize_status(task: &TaskHistory) -> &'static str {
    const WORST_FIRST: &[&str] = &["failed", "unreachable", "rescued", "ignored", "changed", "undetermined", "ok"];
    let found = WORST_FIRST.iter().find(|status| task.results.iter().any(|result| result.status == **status));
    found.copied().unwrap_or("skipped")
}

fn write_task(number: usize, task: &TaskHistory, several: bool) -> String {
    let status = summarize_status(task);
    let time = task.results.iter().map(|result| result.duration).fold(0.0, f64::max);
    let action = task.action.strip_prefix("ansible.builtin.").unwrap_or(&task.action);
    let handler = if task.handler { " (handler)" } else { "" };
    let mut out = format!(
        "<details id=t{number} class={status}><summary><i></i><b>{}{handler}</b><code>{}</code><span>{}</span></summary><div class=in>",
        escape(&task.name),
        escape(action),
        seconds(time)
    );
    if let Some(place) = &task.place {
        let _ = write!(out, "<small>{}</small>", escape(&place.to_string()));
    }
    let _ = write!(out, "<pre>{}</pre>", escape(task.arguments.trim_end()));
    for result in &task.results {
        out.push_str(&write_result(result, several));
    }
    out.push_str("</div></details>\n");
    out
}

fn write_result(result: &ResultHistory, several: bool) -> String {
    let mut inside = write_outcome(result);
    for item in &result.items {
        let _ = write!(
            inside,
            "<h4 class={0}><span class=pill>{0}</span> {1}</h4>{2}",
            item.outcome.status,
            escape(&item.label),
            write_outcome(&item.outcome)
        );
    }
    if !several {
        return inside;
    }
    format!(
        "<section data-h=\"{0}\"><h4 class={1}><span class=pill>{1}</span> {0} <small>{2}</small></h4>{inside}</section>",
        escape_attribute(&result.host),
        result.status,
        seconds(result.duration)
    )
}

/// Writes a result: message, difference, values.
fn write_outcome(result: &ResultHistory) -> String {
    let mut out = String::new();
    if !result.message.is_empty() && (!result.has_failed() || result.items.is_empty()) {
        let _ = write!(out, "<p class={}>{}</p>", result.status, escape(&result.message));
    }
    result.hints.iter().for_each(|hint| _ = write!(out, "<p>help: {}</p>", escape(hint)));
    if !result.diff.is_empty() {
        let _ = write!(out, "<pre>{}</pre>", colour_diff(&result.diff));
    }
    let details = result.details();
    if !details.is_empty()
        && result.items.is_empty()
        && let Ok(text) = serde_json::to_string_pretty(&details)
    {
        let _ = write!(out, "<pre>{}</pre>", escape(&text));
    }
    out
}

fn colour_diff(diff: &str) -> String {
    let mut out = String::new();
    let mut lines = diff.trim_end().lines().peekable();
    let mut before = "";
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        // The names of the two sides are neither added nor removed.
        let is_head = (line.starts_with("--- ") && next.starts_with("+++ "))
            || (line.starts_with("+++ ") && before.starts_with("--- "));
        before = line;
        let class = match line.as_bytes().first() {
            _ if is_head => "head",
            Some(b'+') => "add",
            Some(b'-') => "del",
            Some(b'@') => "hunk",
            _ => {
                let _ = writeln!(out, "{}", escape(line));
                continue;
            }
        };
        let _ = write!(out, "<span class={class}>{}</span>", escape(line));
    }
    out
}

/// Requests to the service, in order.
pub fn write_requests(history: &RunHistory) -> String {
    if history.requests.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Requests</h2>\n<div class=\"box wide\"><table class=left><tr><th>at<th>request<th>status<th>time\n",
    );
    for request in history.requests.iter().take(MAX_REQUESTS) {
        let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let class = match request.status {
            Some(status) if status < 400 => "ok",
            Some(404) => "skipped",
            _ => "failed",
        };
        let short = shorten_ids(&request.path);
        let title = (short != request.path).then(|| format!(" title=\"{}\"", escape_attribute(&request.path)));
        let _ = writeln!(
            out,
            "<tr><td class=t>{}<td><code{}>{} {}</code><td class=\"n {class}\">{status}<td class=t>{}",
            seconds(request.start),
            title.unwrap_or_default(),
            escape(&request.method),
            escape(&short),
            seconds(request.duration)
        );
    }
    out.push_str("</table></div>\n");
    if let Some(more) = history.requests.len().checked_sub(MAX_REQUESTS).filter(|more| *more > 0) {
        let _ = writeln!(out, "<p class=soft>and {more} more; <code>--report trace=FILE</code> has all</p>");
    }
    out
}
