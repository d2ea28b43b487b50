//! A whole run as data, for reports that are written at its end. Everything in it is redacted.

mod collect;

pub use collect::Collector;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::place::Place;
use crate::diagnostic::{self, Diagnostic};
use crate::secrets::Redactor;

/// A run that has ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunHistory {
    /// Names of the playbooks.
    pub playbooks: Vec<String>,
    /// When it started, in UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// It was a dry run.
    pub check: bool,
    /// The exit status.
    pub exit: u8,
    /// Plays, and batches of plays.
    pub plays: Vec<PlayHistory>,
    /// Counts by host.
    pub hosts: IndexMap<String, IndexMap<String, u64>>,
    /// Actions on registry objects, as in the documents of `--output json`.
    pub records: Vec<Json>,
    /// Warnings and announcements.
    pub warnings: Vec<Message>,
    /// Errors that ended the run outside of any task.
    pub errors: Vec<Message>,
    /// Requests to the service.
    pub requests: Vec<RequestHistory>,
    /// Names of tokens whose one-time passwords are kept.
    pub passwords_kept: Vec<String>,
}

/// A play, or a batch of one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PlayHistory {
    /// The templated name.
    pub name: String,
    /// When it began, in seconds since the run started.
    pub start: f64,
    /// Tasks, in the order of their start.
    pub tasks: Vec<TaskHistory>,
}

/// A task of a play.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TaskHistory {
    /// The number of the task in the run.
    pub id: usize,
    /// The templated name.
    pub name: String,
    /// The full name of the module.
    pub action: String,
    /// It is a handler.
    pub handler: bool,
    /// Where it is written.
    pub place: Option<Place>,
    /// The arguments as written, in YAML.
    pub arguments: String,
    /// When it began, in seconds since the run started.
    pub start: f64,
    /// Results by host.
    pub results: Vec<ResultHistory>,
}

/// The result of a task on a host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ResultHistory {
    /// The host.
    pub host: String,
    /// The word of the event stream; `undetermined` where a dry run can say nothing.
    pub status: String,
    /// When it began, in seconds since the run started.
    pub start: f64,
    /// How long it took, in seconds.
    pub duration: f64,
    /// Why it failed, was skipped or is undetermined; empty where there is nothing to say.
    pub message: String,
    /// Where the failure is, if not simply at the task.
    pub place: Option<Place>,
    /// Remedies for a failure.
    pub hints: Vec<String>,
    /// The result as it may be shown.
    pub result: Json,
    /// Differences in the unified form.
    pub diff: String,
    /// Actions on registry objects.
    pub records: Vec<Json>,
    /// The loop items; empty without a loop.
    pub items: Vec<ItemHistory>,
}

/// One item of a loop.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ItemHistory {
    /// Text that stands for the item in output.
    pub label: String,
    /// The result of the item.
    pub outcome: ResultHistory,
}

/// A warning or an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `error`, `warning` or `deprecation`.
    pub severity: String,
    /// One sentence.
    pub summary: String,
    /// Further facts.
    pub notes: Vec<String>,
    /// Remedies.
    pub hints: Vec<String>,
    /// The first place.
    pub place: Option<Place>,
    /// Where that place ends: line and column.
    pub end: Option<(usize, usize)>,
}

/// A request to the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RequestHistory {
    /// `GET`, `POST`, ..
    pub method: String,
    /// The path below the base URL.
    pub path: String,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// When it was sent, in seconds since the run started.
    pub start: f64,
    /// How long it took, in seconds.
    pub duration: f64,
}

impl RunHistory {
    /// Every result with its play and its task.
    pub fn results(&self) -> impl Iterator<Item = (&PlayHistory, &TaskHistory, &ResultHistory)> {
        let tasks = self.plays.iter().flat_map(|play| play.tasks.iter().map(move |task| (play, task)));
        tasks.flat_map(|(play, task)| task.results.iter().map(move |result| (play, task, result)))
    }

    /// The sum of a count over all hosts.
    pub fn count(&self, name: &str) -> u64 {
        self.hosts.values().filter_map(|counts| counts.get(name)).sum()
    }

    /// A title: the names of the playbooks.
    pub fn title(&self) -> String {
        if self.playbooks.is_empty() { "ionplay".to_owned() } else { self.playbooks.join(", ") }
    }
}

impl ResultHistory {
    /// Whether it counts as a failure.
    pub fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "unreachable")
    }

    /// The result without what other fields say already.
    pub fn details(&self) -> Map<String, Json> {
        let mut details = self.result.as_object().cloned().unwrap_or_default();
        for name in ["changed", "diff", "skip_reason", "false_condition", "undetermined", "exception", "warnings"] {
            details.remove(name);
        }
        if details.get("msg").and_then(Json::as_str) == Some(self.message.as_str()) {
            details.remove("msg");
        }
        details
    }

    /// The loop items that failed; the result itself where there is no loop.
    pub fn failures(&self) -> Vec<(Option<&str>, &Self)> {
        let failed: Vec<_> = self.items.iter().filter(|item| item.outcome.has_failed()).collect();
        match failed.is_empty() {
            true => vec![(None, self)],
            false => failed.into_iter().map(|item| (Some(item.label.as_str()), &item.outcome)).collect(),
        }
    }
}

impl Message {
    /// Takes over a diagnostic. It is not redacted yet.
    pub fn new(diagnostic: &Diagnostic) -> Self {
        let span = diagnostic.span().map(|span| span.to_original());
        Self {
            severity: diagnostic::json::severity_word(diagnostic.severity).to_owned(),
            summary: diagnostic.summary.clone(),
            notes: diagnostic.notes.clone(),
            hints: diagnostic.hints.clone(),
            place: span.as_ref().and_then(|span| Place::parse(&span.to_string())),
            end: span.as_ref().map(|span| {
                let end = span.source().position(span.range().end);
                (end.line, end.column)
            }),
        }
    }

    /// The message without the secrets that are known.
    #[must_use]
    pub fn redact(self, redactor: &Redactor) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| redactor.redact(text).into_owned()).collect();
        Self {
            summary: redactor.redact(&self.summary).into_owned(),
            notes: all(self.notes),
            hints: all(self.hints),
            ..self
        }
    }

    /// The sentence with its notes and hints.
    pub fn full_text(&self) -> String {
        let hints = self.hints.iter().map(|hint| format!("help: {hint}"));
        let lines = std::iter::once(self.summary.clone()).chain(self.notes.iter().cloned()).chain(hints);
        lines.collect::<Vec<_>>().join("\n")
    }
}
