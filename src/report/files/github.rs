//! Workflow commands of GitHub Actions, which become annotations beside the lines they are about.

use std::fmt::Write as _;

use super::issue::{Issue, list_issues};
use crate::report::history::RunHistory;

/// The failures, errors and warnings of a run.
pub fn write_run(history: &RunHistory) -> String {
    write_issues(&list_issues(history))
}

/// One command a line.
pub fn write_issues(issues: &[Issue]) -> String {
    issues.iter().map(write_issue).collect()
}

fn write_issue(issue: &Issue) -> String {
    let command = match issue.rule {
        "warning" => "warning",
        "deprecation" => "notice",
        _ => "error",
    };
    let mut properties: Vec<String> = Vec::new();
    if let Some(place) = issue.file_place() {
        properties.push(format!("file={}", escape_property(&place.file)));
        properties.push(format!("line={}", place.line));
        // Columns are understood only where the place is in one line.
        if let Some((line, column)) = issue.message.end.filter(|(line, _)| *line == place.line) {
            properties.push(format!("endLine={line}"));
            properties.push(format!("col={}", place.column));
            properties.push(format!("endColumn={column}"));
        } else if issue.message.end.is_none() {
            properties.push(format!("col={}", place.column));
        }
    }
    properties.extend(issue.title.iter().map(|title| format!("title={}", escape_property(title))));
    let mut out = format!("::{command}");
    if !properties.is_empty() {
        let _ = write!(out, " {}", properties.join(","));
    }
    let _ = writeln!(out, "::{}", escape_data(&issue.message.full_text()));
    out
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::history::Message;
    use crate::report::place::Place;

    #[test]
    fn line_breaks_and_colons_cannot_begin_another_command() {
        let message = Message {
            severity: "error".to_owned(),
            summary: "50% gone\n::warning::no".to_owned(),
            place: Some(Place { file: "a,b:c.yml".to_owned(), line: 3, column: 5 }),
            end: Some((3, 9)),
            ..Message::default()
        };
        let issue = Issue { title: Some("Task: one".to_owned()), ..Issue::new(message) };
        assert_eq!(
            write_issues(&[issue]),
            "::error file=a%2Cb%3Ac.yml,line=3,endLine=3,col=5,endColumn=9,title=Task%3A one::50%25 gone%0A::warning::no\n"
        );
    }
}
