//! `--events FILE`: one JSON object a line, each flushed as the thing it tells of happens.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::bus::Writer;
use super::event::{ReportEvent, ReportedOutcome, TaskLabel};
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// Writes the event stream.
pub struct Jsonl {
    file: File,
}

impl Jsonl {
    /// Creates or empties the file.
    ///
    /// # Errors
    /// If it cannot be opened for writing.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)? })
    }
}

impl Writer for Jsonl {
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        let Some(object) = event_object(event) else { return Ok(()) };
        let style = JsonStyle { mask_secrets: !redactor.may_show_secrets(), ..JsonStyle::EVENT };
        let mut line = json::to_string(&object.into(), style);
        line.push('\n');
        self.file.write_all(redactor.redact_json(&line).as_bytes())
    }
}

fn event_object(event: &ReportEvent) -> Option<Dict> {
    let mut object = Dict::new();
    match event {
        ReportEvent::PlayStart { play, .. } => {
            object.set("event", "play_start".into());
            object.set("play", (**play).into());
        }
        ReportEvent::NoHostsMatched => object.set("event", "no_hosts_matched".into()),
        ReportEvent::TaskStart(label) => {
            object.set("event", "task_start".into());
            set_label(&mut object, label);
            object.set("handler", label.handler.into());
        }
        ReportEvent::Item(outcome) => {
            set_outcome(&mut object, "item", outcome);
            object.set("item_label", outcome.item.clone().unwrap_or(Value::Null));
        }
        ReportEvent::Host(outcome) => set_outcome(&mut object, "host", outcome),
        ReportEvent::Recap { interrupted: true, .. } | ReportEvent::Recap { last: false, .. } => return None,
        ReportEvent::Recap { hosts, custom, passwords_kept, .. } => {
            object.set("event", "recap".into());
            let counts = hosts.iter().map(|(host, stats)| {
                (host.as_str(), Value::dict(stats.named_counts().map(|(name, count)| (name, count.into()))))
            });
            object.set("hosts", Value::dict(counts));
            if !passwords_kept.is_empty() {
                let names = passwords_kept.iter().map(|name| Value::text(name.as_str()));
                object.set("passwords_kept", Value::list(names));
            }
            if !custom.is_empty() {
                object.set("custom_stats", custom.clone().into());
            }
        }
        _ => return None,
    }
    Some(object)
}

fn set_label(object: &mut Dict, label: &TaskLabel) {
    object.set("play", (*label.play).into());
    object.set("task", (*label.task).into());
    object.set("action", (*label.action).into());
}

fn set_outcome(object: &mut Dict, kind: &str, outcome: &ReportedOutcome) {
    object.set("event", kind.into());
    set_label(object, &outcome.label);
    object.set("host", (*outcome.host).into());
    object.set("status", outcome.status.word().into());
    object.set("result", (*outcome.result).clone().into());
    if outcome.label.handler {
        object.set("handler", true.into());
    }
    if let Some(delegated) = &outcome.delegated_to {
        object.set("delegated_to", (**delegated).into());
    }
}
