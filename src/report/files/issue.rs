//! What is wrong with a run or a playbook, as lists for pipelines need it.

use crate::report::history::{Message, RunHistory};
use crate::report::place::Place;

/// Names of rules with what they say, in the order of their numbers.
pub const RULES: &[(&str, &str)] = &[
    ("task-failed", "A task failed."),
    ("host-unreachable", "A host could not be reached."),
    ("error", "A playbook is not understood, or a run ended with an error."),
    ("warning", "Something is probably wrong."),
    ("deprecation", "A way of writing that will stop working."),
];

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Name of the rule in `RULES`.
    pub rule: &'static str,
    /// A title: the task with its host, or nothing.
    pub title: Option<String>,
    /// The message.
    pub message: Message,
}

impl Issue {
    /// Takes over a message of a run or of `ionplay lint`.
    pub fn new(message: Message) -> Self {
        let rule = RULES.iter().map(|(name, _)| *name).find(|name| *name == message.severity).unwrap_or("error");
        Self { rule, title: None, message }
    }

    /// The number of the rule.
    pub fn rule_index(&self) -> usize {
        RULES.iter().position(|(name, _)| *name == self.rule).unwrap_or(0)
    }

    /// The file, unless the text was not in one.
    pub fn file_place(&self) -> Option<&Place> {
        self.message.place.as_ref().filter(|place| !place.file.starts_with('<') && !place.file.starts_with('-'))
    }

    /// The title and the message with its remedies.
    pub fn full_text(&self) -> String {
        match &self.title {
            Some(title) => format!("{title}: {}", self.message.full_text()),
            None => self.message.full_text(),
        }
    }
}

/// Lists the failures, errors and warnings of a run.
pub fn list_issues(history: &RunHistory) -> Vec<Issue> {
    let mut issues: Vec<Issue> = history.errors.iter().cloned().map(Issue::new).collect();
    for (_, task, result) in history.results().filter(|(_, _, result)| result.has_failed()) {
        for (label, failure) in result.failures() {
            let item = label.map(|label| format!(" (item={label})")).unwrap_or_default();
            let place = failure.place.clone().or_else(|| task.place.clone());
            issues.push(Issue {
                rule: if failure.status == "unreachable" { "host-unreachable" } else { "task-failed" },
                title: Some(format!("{} [{}]{item}", task.name, result.host)),
                message: Message {
                    severity: "error".to_owned(),
                    summary: if failure.message.is_empty() { "failed".to_owned() } else { failure.message.clone() },
                    hints: failure.hints.clone(),
                    place,
                    ..Message::default()
                },
            });
        }
    }
    issues.extend(history.warnings.iter().cloned().map(Issue::new));
    issues
}
