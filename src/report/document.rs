//! `--output json|yaml`: one document of all results on standard output, at the end.

use std::io::Write;

use super::bus::{RunClose, Writer};
use super::event::{ReportEvent, ReportedOutcome};
use crate::diagnostic;
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// The two forms of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// JSON, four blanks a level.
    Json,
    /// YAML.
    Yaml,
}

/// Gathers results and writes them when the recap comes.
pub struct ResultDocument {
    format: DocumentFormat,
    plays: Vec<Dict>,
    tasks: Vec<Vec<Dict>>,
    warnings: Vec<Value>,
    written: bool,
}

impl ResultDocument {
    /// An empty document.
    pub fn new(format: DocumentFormat) -> Self {
        Self { format, plays: Vec::new(), tasks: Vec::new(), warnings: Vec::new(), written: false }
    }

    fn add(&mut self, outcome: &ReportedOutcome, item: bool) {
        let Some(tasks) = self.tasks.last_mut() else { return };
        if tasks.is_empty() {
            return;
        }
        let Some(task) = tasks.last_mut() else { return };
        let mut hosts = match task.get("hosts") {
            Some(Value::Dict(hosts)) => (**hosts).clone(),
            _ => Dict::new(),
        };
        let mut entry = match hosts.get(&outcome.host) {
            Some(Value::Dict(entry)) => (**entry).clone(),
            _ => Dict::new(),
        };
        if item {
            let mut items = entry.get("items").and_then(Value::as_slice).map(<[Value]>::to_vec).unwrap_or_default();
            items.push(Value::dict([
                ("status", outcome.status.word().into()),
                ("result", (*outcome.result).clone().into()),
            ]));
            entry.set("items", Value::list(items));
        } else {
            entry.set("status", outcome.status.word().into());
            entry.set("result", (*outcome.result).clone().into());
        }
        hosts.set(&*outcome.host, entry.into());
        task.set("hosts", hosts.into());
    }

    fn finish_document(&mut self, hosts: Value, custom: &Dict, records: Value) -> Dict {
        let plays = std::mem::take(&mut self.plays).into_iter().zip(std::mem::take(&mut self.tasks));
        let plays: Vec<Value> = plays
            .map(|(mut play, tasks)| {
                play.set("tasks", Value::list(tasks.into_iter().map(Value::from)));
                play.into()
            })
            .collect();
        let mut document = Dict::new();
        document.set("plays", Value::list(plays));
        document.set("stats", hosts);
        document.set("custom_stats", custom.clone().into());
        document.set("registry_objects", records);
        document.set("warnings", Value::list(std::mem::take(&mut self.warnings)));
        document
    }

    fn write(&mut self, document: Dict, redactor: &Redactor) -> std::io::Result<()> {
        self.written = true;
        let style = JsonStyle { mask_secrets: !redactor.may_show_secrets(), quote_specials: true, ..JsonStyle::SCREEN };
        let text = json::to_string(&document.into(), style);
        let text = redactor.redact_json(&text);
        let text = match self.format {
            DocumentFormat::Json => format!("{text}\n"),
            DocumentFormat::Yaml => to_yaml(&text)?,
        };
        crate::block_output::write_pending();
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Writer for ResultDocument {
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            ReportEvent::PlayStart { play, .. } => {
                let mut entry = Dict::new();
                entry.set("play", (**play).into());
                self.plays.push(entry);
                self.tasks.push(Vec::new());
            }
            ReportEvent::TaskStart(label) => {
                let mut entry = Dict::new();
                entry.set("task", (*label.task).into());
                entry.set("action", (*label.action).into());
                entry.set("hosts", Dict::new().into());
                if let Some(tasks) = self.tasks.last_mut() {
                    tasks.push(entry);
                }
            }
            ReportEvent::Item(outcome) => self.add(outcome, true),
            ReportEvent::Host(outcome) => self.add(outcome, false),
            ReportEvent::Notice(notice) | ReportEvent::Announcement { notice, .. } => {
                self.warnings.push(notice.one_line().into())
            }
            ReportEvent::Recap { last: true, hosts, custom, records, passwords_kept, .. } => {
                let counts = hosts.iter().map(|(host, stats)| {
                    (host.as_str(), Value::dict(stats.named_counts().map(|(name, count)| (name, count.into()))))
                });
                let records = Value::list(records.iter().map(crate::reconcile::Record::to_value));
                let mut document = self.finish_document(Value::dict(counts), custom, records);
                let names = passwords_kept.iter().map(|name| Value::text(name.as_str()));
                document.set("passwords_kept", Value::list(names));
                self.write(document, redactor)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A run that ends before its recap has a document all the same, with the errors that ended it.
    fn finish(&mut self, end: &RunClose<'_>, redactor: &Redactor) -> std::io::Result<()> {
        if self.written {
            return Ok(());
        }
        let mut document = self.finish_document(Dict::new().into(), &Dict::new(), Value::list([]));
        document.set("passwords_kept", Value::list([]));
        let errors = end.errors.iter().map(|error| json::from_serde(&diagnostic::json::to_json(error)));
        document.set("errors", Value::list(errors));
        self.write(document, redactor)
    }
}

/// The masked JSON is the one form of a result; YAML is only another spelling of it.
fn to_yaml(text: &str) -> std::io::Result<String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(std::io::Error::other)?;
    serde_yaml::to_string(&value).map_err(std::io::Error::other)
}
