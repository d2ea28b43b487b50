//! A summary of a run in Markdown, for a comment on a pull request or the summary of a job.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::html::ObjectChange;
use super::issue::list_issues;
use crate::report::history::RunHistory;

/// Comments may not be longer than 65,536 characters.
const LONGEST: usize = 60_000;

/// By this a comment is found again that is to be updated.
const MARKER: &str = "<!-- ionplay-run -->";

/// The run: what changed, what failed, the counts, warnings.
pub fn write_run(history: &RunHistory) -> String {
    let mut out = format!("{MARKER}\n{}\n", headline(history));
    write_hosts(&mut out, history);
    write_objects(&mut out, history);
    write_issues(&mut out, history);
    write_changes(&mut out, history);
    if out.len() > LONGEST {
        let end = out.char_indices().map(|(at, _)| at).take_while(|at| *at < LONGEST).last().unwrap_or(0);
        let line = out[..end].rfind('\n').unwrap_or(end);
        out.truncate(line);
        out.push_str("\n\nThere is more than fits here; see the other reports of the run.\n");
    }
    out
}

fn headline(history: &RunHistory) -> String {
    let names = history.playbooks.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    let (failed, changed) = (history.count("failed") + history.count("unreachable"), history.count("changed"));
    let verb = if history.check { "would change" } else { "changed" };
    let tasks = |count: u64| if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") };
    let state = match (history.exit, failed, changed) {
        (0, _, 0) => "No changes.".to_owned(),
        (0, _, changed) => format!("{} {verb} something.", tasks(changed)),
        (_, 0, _) => "The run ended with an error.".to_owned(),
        (_, failed, _) => format!("{} failed.", tasks(failed)),
    };
    let mode = if history.check { ", dry run" } else { "" };
    format!("**{state}** {names} ({:.1} s{mode})", history.seconds)
}

fn write_hosts(out: &mut String, history: &RunHistory) {
    if history.hosts.is_empty() {
        return;
    }
    out.push_str("\n| host | ok | changed | unreachable | failed | skipped | rescued | ignored |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for (host, counts) in &history.hosts {
        let _ = write!(out, "| {} |", code(host));
        for (name, count) in counts {
            let stands_out = *count > 0 && matches!(name.as_str(), "changed" | "failed" | "unreachable");
            let _ = if stands_out { write!(out, " **{count}** |") } else { write!(out, " {count} |") };
        }
        out.push('\n');
    }
}

fn write_objects(out: &mut String, history: &RunHistory) {
    let text = |record: &Json, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let changed: Vec<&Json> = history.records.iter().filter(|record| record["action"] != "none").collect();
    if changed.is_empty() {
        return;
    }
    out.push_str("\n| registry object | name | action |\n|---|---|---|\n");
    for record in changed {
        let verb = ObjectChange::of_record(record).verb();
        let action = match text(record, "error").as_str() {
            "" => verb.to_owned(),
            error => format!("{verb}: {}", cell(error)),
        };
        let _ = writeln!(out, "| {} | {} | {action} |", cell(&text(record, "kind")), code(&text(record, "name")));
    }
}

fn write_issues(out: &mut String, history: &RunHistory) {
    let issues = list_issues(history);
    for (title, wanted) in [("Failures", "error"), ("Warnings", "warning"), ("Deprecations", "deprecation")] {
        let mut found = issues.iter().filter(|issue| issue.message.severity == wanted).peekable();
        if found.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "\n{title}:\n");
        for issue in found {
            let place = issue.message.place.as_ref().map(|place| format!(" ({})", code(&place.to_string())));
            let title = issue.title.as_ref().map(|title| format!("{}: ", code(title))).unwrap_or_default();
            let help = issue.message.hints.iter().map(|hint| format!("; {}", cell(hint))).collect::<String>();
            let _ = writeln!(out, "- {title}{}{help}{}", cell(&issue.message.summary), place.unwrap_or_default());
        }
    }
}

fn write_changes(out: &mut String, history: &RunHistory) {
    let changed: Vec<_> = history.results().filter(|(_, _, result)| result.status == "changed").collect();
    if changed.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n<details><summary>Changed tasks: {}</summary>\n", changed.len());
    for (_, task, result) in changed {
        let _ = writeln!(out, "- {} on {}", code(&task.name), code(&result.host));
        if !result.diff.is_empty() {
            // A fence that the text could close would be none.
            let diff = result.diff.trim_end().replace("```", "\'\'\'");
            let _ = writeln!(out, "\n  ```diff\n{}  ```\n", indent(&diff));
        }
    }
    out.push_str("\n</details>\n");
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Text that is shown literally: no mentions, no links.
pub fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('`', "\'"))
}

/// A sentence in a table or a list; names in backticks stay code.
pub fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;");
    text.replace('@', "@\u{200b}").replace('*', "\\*").replace('[', "\\[")
}
