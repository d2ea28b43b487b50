//! The code quality report of GitLab: a JSON list, in the subset of Code Climate's format that GitLab reads.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::issue::{Issue, list_issues};
use crate::report::history::RunHistory;

/// The failures, errors and warnings of a run. What has no place is reported at the start of the first playbook.
pub fn write_run(history: &RunHistory) -> String {
    write_list(&list_issues(history), history.playbooks.first().map_or("playbook", String::as_str))
}

/// The messages of `ionplay lint`.
pub fn write_issues(issues: &[Issue]) -> String {
    write_list(issues, "playbook")
}

fn write_list(issues: &[Issue], elsewhere: &str) -> String {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let list: Vec<Json> = issues.iter().map(|issue| describe_issue(issue, elsewhere, &mut seen)).collect();
    format!("{:#}\n", Json::from(list))
}

fn describe_issue(issue: &Issue, elsewhere: &str, seen: &mut HashMap<String, usize>) -> Json {
    let place = issue.file_place();
    let path = place.map_or(elsewhere, |place| place.file.strip_prefix("./").unwrap_or(&place.file));
    let severity = match issue.rule {
        "warning" => "minor",
        "deprecation" => "info",
        _ => "critical",
    };
    let text = issue.full_text();
    // Without the line: a message that only moves is the same one. The same message twice needs two fingerprints.
    let base = format!("{}\n{path}\n{text}", issue.rule);
    let count = seen.entry(base.clone()).and_modify(|count| *count += 1).or_insert(0);
    let fingerprint = crate::hex::encode_hex(&Sha256::digest(format!("{base}\n{count}")));
    json!({
        "description": text,
        "check_name": issue.rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": { "path": path, "lines": { "begin": place.map_or(1, |place| place.line) } },
    })
}
