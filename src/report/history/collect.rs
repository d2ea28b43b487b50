//! Makes the history of a run from its events.

use super::{ItemHistory, Message, PlayHistory, RequestHistory, ResultHistory, RunHistory, TaskHistory};
use crate::diagnostic::Diagnostic;
use crate::modules;
use crate::playbook::{Keyword, Task};
use crate::progress::RequestSpan;
use crate::reconcile::Record;
use crate::report::bus::RunClose;
use crate::report::diff;
use crate::report::event::{OutcomeStatus, ReportEvent, ReportedOutcome, TaskLabel};
use crate::report::place::Place;
use crate::report::style::Paint;
use crate::report::timeline::{Stretch, Timeline, format_time};
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, STARS, Value, python};
use crate::yaml::DumpOptions;
use crate::yaml::dump::to_yaml;

/// Collects events.
#[derive(Debug, Default)]
pub struct Collector {
    history: RunHistory,
    timeline: Timeline,
    /// Items of loops that are under way.
    open: Vec<(usize, String, Vec<ItemHistory>)>,
}

impl Collector {
    /// A collector for a run of these playbooks.
    pub fn new(playbooks: &[String]) -> Self {
        let history = RunHistory { playbooks: playbooks.to_vec(), ..RunHistory::default() };
        Self { history, ..Self::default() }
    }

    /// Takes note of an event.
    pub fn note(&mut self, event: &ReportEvent, redactor: &Redactor) {
        self.timeline.note(event);
        match event {
            ReportEvent::PlayStart { play, check } => {
                let start = self.timeline.elapsed_seconds();
                self.history.check |= *check;
                self.history.plays.push(PlayHistory { name: play.to_string(), start, tasks: Vec::new() });
            }
            ReportEvent::TaskStart(label) => self.begin_task(label),
            ReportEvent::Item(outcome) => self.note_item(outcome, redactor),
            ReportEvent::Host(outcome) => self.note_host(outcome, redactor),
            ReportEvent::Notice(notice) | ReportEvent::Announcement { notice, .. } => {
                self.history.warnings.push(Message::new(notice));
            }
            ReportEvent::Request(span) => {
                let stretch = self.timeline.measure(span.sent, span.ended);
                self.history.requests.push(describe_request(span, stretch));
            }
            ReportEvent::Recap { hosts, records, passwords_kept, .. } => {
                let counts = hosts.iter().map(|(host, stats)| {
                    let named = stats.named_counts().map(|(name, count)| (name.to_owned(), count));
                    (host.clone(), named.into_iter().collect())
                });
                self.history.hosts = counts.collect();
                self.history.records = records.iter().map(|record| show_record(record, redactor)).collect();
                self.history.passwords_kept.clone_from(passwords_kept);
            }
            _ => {}
        }
    }

    /// Gives the history of the run that has ended, without any secret that is known by now.
    pub fn finish(&mut self, end: &RunClose<'_>, redactor: &Redactor) -> RunHistory {
        let mut history = std::mem::take(&mut self.history);
        history.started = format_time(self.timeline.started_at());
        history.seconds = self.timeline.elapsed_seconds();
        history.exit = end.exit.code();
        history.errors = end.errors.iter().map(Message::new).collect();
        redact_history(history, redactor)
    }

    /// A task that runs on each host by itself (`strategy: free`) is still one task.
    fn begin_task(&mut self, label: &TaskLabel) {
        let id = self.timeline.number_task(label);
        let start = self.timeline.elapsed_seconds();
        let Some(play) = self.history.plays.last_mut() else { return };
        let known = play.tasks.iter().rposition(|task| task.id == id && task.name == *label.task);
        let repeats = known.is_some_and(|at| at + 1 != play.tasks.len() && label.handler);
        if known.is_some() && !repeats {
            return;
        }
        play.tasks.push(TaskHistory {
            id,
            name: label.task.to_string(),
            action: label.action.to_string(),
            handler: label.handler,
            place: label.place.as_deref().and_then(Place::parse).filter(|_| !label.definition.implicit),
            arguments: write_arguments(&label.definition),
            start,
            results: Vec::new(),
        });
    }

    fn note_item(&mut self, outcome: &ReportedOutcome, redactor: &Redactor) {
        let stretch = self.timeline.end_item(outcome);
        let label = outcome.item.as_ref().map(|item| redactor.show_value(item)).unwrap_or_default();
        let item = ItemHistory { label, outcome: describe_outcome(outcome, stretch, redactor) };
        let (id, host) = (self.timeline.number_task(&outcome.label), &*outcome.host);
        match self.open.iter_mut().find(|(known, on, _)| *known == id && on == host) {
            Some((_, _, items)) => items.push(item),
            None => self.open.push((id, host.to_owned(), vec![item])),
        }
    }

    fn note_host(&mut self, outcome: &ReportedOutcome, redactor: &Redactor) {
        let stretch = self.timeline.end_task(outcome);
        let mut result = describe_outcome(outcome, stretch, redactor);
        let id = self.timeline.number_task(&outcome.label);
        if let Some(at) = self.open.iter().position(|(known, on, _)| *known == id && **on == *outcome.host) {
            result.items = self.open.swap_remove(at).2;
        }
        let Some(play) = self.history.plays.last_mut() else { return };
        if let Some(task) = play.tasks.iter_mut().rev().find(|task| task.id == id) {
            task.results.push(result);
        }
    }
}

fn describe_outcome(outcome: &ReportedOutcome, stretch: Stretch, redactor: &Redactor) -> ResultHistory {
    let reason = |name: &str| outcome.result.get(name).map(|value| redactor.show_value(value));
    let message = match (outcome.status, &outcome.undetermined) {
        (_, Some(awaits)) => format!("waits for {awaits}"),
        (OutcomeStatus::Ok | OutcomeStatus::Changed, None) => String::new(),
        (OutcomeStatus::Skipped, None) => match (reason("false_condition"), reason("skipped_reason")) {
            (Some(condition), _) => format!("condition was false: {condition}"),
            (None, other) => other.or_else(|| reason("skip_reason")).or_else(|| reason("msg")).unwrap_or_default(),
        },
        _ => reason("msg").unwrap_or_default(),
    };
    let place_of = |diagnostic: &Diagnostic| diagnostic.span().and_then(|span| Place::parse(&span.to_string()));
    ResultHistory {
        host: outcome.host.to_string(),
        status: if outcome.undetermined.is_some() { "undetermined" } else { outcome.status.word() }.to_owned(),
        start: stretch.start,
        duration: stretch.duration,
        message,
        place: outcome.diagnostic.as_deref().and_then(place_of),
        hints: outcome.diagnostic.as_ref().map(|diagnostic| diagnostic.hints.clone()).unwrap_or_default(),
        result: to_json(&Value::from((*outcome.result).clone()), redactor),
        diff: write_diff(outcome, redactor),
        records: outcome.records.iter().map(|record| show_record(record, redactor)).collect(),
        items: Vec::new(),
    }
}

/// The differences of a result that changed something.
fn write_diff(outcome: &ReportedOutcome, redactor: &Redactor) -> String {
    let changed = outcome.result.get("changed").is_some_and(Value::is_true);
    let differences = outcome.diff.iter().filter(|_| changed);
    differences
        .map(|difference| {
            let shown = if redactor.may_show_secrets() {
                difference.clone()
            } else {
                diff::redact_diff(&difference.masked(), redactor)
            };
            diff::render_diff(&shown, Paint(false))
        })
        .collect()
}

fn show_record(record: &Record, redactor: &Redactor) -> serde_json::Value {
    to_json(&record.to_value(), redactor)
}

fn to_json(value: &Value, redactor: &Redactor) -> serde_json::Value {
    let style = JsonStyle { mask_secrets: !redactor.may_show_secrets(), quote_specials: true, ..JsonStyle::EVENT };
    let text = json::to_string(value, style);
    serde_json::from_str(&redactor.redact_json(&text)).unwrap_or_default()
}

/// The module and its arguments as they are written; values of secret parameters and of `no_log` tasks are hidden.
fn write_arguments(task: &Task) -> String {
    let hidden = task
        .find_keyword(Keyword::NoLog)
        .is_some_and(|node| crate::template::python::text::boolean_word(&node.to_value()).unwrap_or(true));
    let spec = modules::find_module(&task.action.full).map(modules::TaskModule::module_spec);
    let is_secret = |name: &str| spec.and_then(|spec| spec.find_param(name)).is_some_and(|param| param.secret);
    let shown = task.args.values.iter().map(|(name, value)| {
        let is_template = value.as_str().is_some_and(crate::value::has_template_markers);
        let masked = hidden || (is_secret(&python::str(name)) && !is_template);
        (name.clone(), if masked { Value::text(STARS) } else { value.to_masked() })
    });
    let mut whole = Dict::new();
    whole.set(task.action.written.as_str(), shown.collect::<Dict>().into());
    let written = if task.args.values.is_empty() {
        task.args.template.as_ref().filter(|_| !hidden).map(python::str).unwrap_or_default()
    } else {
        String::new()
    };
    match (task.args.values.is_empty(), written.is_empty()) {
        (true, true) => format!("{}:\n", task.action.written.as_str()),
        (true, false) => format!("{}: {written}\n", task.action.written.as_str()),
        _ => to_yaml(&whole.into(), &DumpOptions { literal: true, indent: 2, sort_keys: false, ..DumpOptions::NICE }),
    }
}

fn describe_request(span: &RequestSpan, stretch: Stretch) -> RequestHistory {
    RequestHistory {
        method: span.method.clone(),
        path: span.path.clone(),
        status: span.status,
        start: stretch.start,
        duration: stretch.duration,
    }
}

/// Passes every text of the history through the redactor: what became known as a secret late was a secret before.
fn redact_history(history: RunHistory, redactor: &Redactor) -> RunHistory {
    let text = match serde_json::to_string(&history) {
        Ok(text) => text,
        Err(_) => return RunHistory::default(),
    };
    serde_json::from_str(&redactor.redact_json(&text)).unwrap_or_default()
}
