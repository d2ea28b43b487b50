//! SARIF 2.1.0, as code scanning reads it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::issue::{Issue, RULES, list_issues};
use crate::report::history::RunHistory;

/// Characters of paths that stay as they are in a reference.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The failures, errors and warnings of a run.
pub fn write_run(history: &RunHistory) -> String {
    let invocation = json!({
        "executionSuccessful": history.exit == 0,
        "exitCode": history.exit,
        "startTimeUtc": history.started,
    });
    write_log(&list_issues(history), Some(invocation))
}

/// The messages of `ionplay lint`.
pub fn write_issues(issues: &[Issue]) -> String {
    write_log(issues, None)
}

fn write_log(issues: &[Issue], invocation: Option<Json>) -> String {
    let rules = RULES.iter().map(|(name, about)| json!({ "id": name, "shortDescription": { "text": about } }));
    let mut run = json!({
        "tool": { "driver": {
            "name": "ionplay",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.collect::<Vec<_>>(),
        } },
        "columnKind": "unicodeCodePoints",
        "results": issues.iter().map(describe_issue).collect::<Vec<_>>(),
    });
    if let Some(invocation) = invocation {
        run["invocations"] = json!([invocation]);
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

fn describe_issue(issue: &Issue) -> Json {
    let level = match issue.rule {
        "warning" => "warning",
        "deprecation" => "note",
        _ => "error",
    };
    let mut result = json!({
        "ruleId": issue.rule,
        "ruleIndex": issue.rule_index(),
        "level": level,
        "message": { "text": issue.full_text() },
    });
    if let Some(place) = issue.file_place() {
        let mut region = json!({ "startLine": place.line, "startColumn": place.column });
        if let Some((line, column)) = issue.message.end.filter(|end| *end >= (place.line, place.column)) {
            region["endLine"] = line.into();
            region["endColumn"] = column.into();
        }
        let scheme = if place.file.starts_with('/') { "file://" } else { "" };
        let path = place.file.strip_prefix("./").unwrap_or(&place.file);
        let uri = format!("{scheme}{}", utf8_percent_encode(path, PATH));
        result["locations"] = json!([{ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": region } }]);
    }
    result
}
