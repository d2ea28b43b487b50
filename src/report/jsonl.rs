//! `--events FILE`: one JSON object a line, each flushed as the thing it tells of happens.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;

use super::bus::Writer;
use super::event::{ReportEvent, ReportedOutcome, TaskLabel};
use super::place::{Place, number};
use super::timeline::{Stretch, Timeline, format_time};
use crate::diagnostic::{self, Diagnostic};
use crate::reconcile::Record;
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// Writes the event stream.
pub struct Jsonl {
    file: File,
    timeline: Timeline,
    /// Warnings from before the first play: until then the stream is empty.
    held: Option<Vec<Dict>>,
}

impl Jsonl {
    /// Creates or empties the file.
    ///
    /// # Errors
    /// If it cannot be opened for writing.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)?, timeline: Timeline::default(), held: Some(Vec::new()) })
    }

    fn write(&mut self, object: Dict, redactor: &Redactor) -> std::io::Result<()> {
        let style = JsonStyle { mask_secrets: !redactor.may_show_secrets(), ..JsonStyle::EVENT };
        let mut line = json::to_string(&object.into(), style);
        line.push('\n');
        self.file.write_all(redactor.redact_json(&line).as_bytes())
    }

    fn describe(&mut self, event: &ReportEvent) -> Option<Dict> {
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
                self.set_task(&mut object, label);
            }
            ReportEvent::Item(outcome) => {
                set_outcome(&mut object, "item", outcome);
                object.set("item_label", outcome.item.clone().unwrap_or(Value::Null));
                let stretch = self.timeline.end_item(outcome);
                self.set_extent(&mut object, outcome, stretch);
            }
            ReportEvent::Host(outcome) => {
                set_outcome(&mut object, "host", outcome);
                let stretch = self.timeline.end_task(outcome);
                self.set_extent(&mut object, outcome, stretch);
            }
            ReportEvent::Notice(notice) | ReportEvent::Announcement { notice, .. } => set_warning(&mut object, notice),
            ReportEvent::Recap { interrupted: true, .. } | ReportEvent::Recap { last: false, .. } => return None,
            ReportEvent::Recap { hosts, custom, records, passwords_kept, .. } => {
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
                set_records(&mut object, records);
                object.set("duration", Value::Float(self.timeline.elapsed_seconds()));
            }
            _ => return None,
        }
        object.set("time", Value::text(format_time(Timestamp::now())));
        Some(object)
    }

    /// Adds when and where a result was made, and what it did to registry objects.
    fn set_extent(&mut self, object: &mut Dict, outcome: &ReportedOutcome, stretch: Stretch) {
        self.set_task(object, &outcome.label);
        set_records(object, &outcome.records);
        object.set("duration", Value::Float(stretch.duration));
    }

    fn set_task(&mut self, object: &mut Dict, label: &TaskLabel) {
        object.set("task_id", number(self.timeline.number_task(label)));
        if let Some(place) = label.place.as_deref().and_then(Place::parse) {
            place.add_to(object);
        }
    }
}

impl Writer for Jsonl {
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        self.timeline.note(event);
        let Some(object) = self.describe(event) else { return Ok(()) };
        match &mut self.held {
            Some(held) if !matches!(event, ReportEvent::PlayStart { .. }) => held.push(object),
            _ => {
                for held in self.held.take().unwrap_or_default() {
                    self.write(held, redactor)?;
                }
                self.write(object, redactor)?;
            }
        }
        Ok(())
    }
}

/// Makes a warning: the message in one line, and its first place.
fn set_warning(object: &mut Dict, notice: &Diagnostic) {
    object.set("event", "warning".into());
    object.set("severity", diagnostic::json::severity_word(notice.severity).into());
    object.set("message", notice.one_line().into());
    if let Some(place) = notice.span().and_then(|span| Place::parse(&span.to_string())) {
        place.add_to(object);
    }
}

fn set_records(object: &mut Dict, records: &[Record]) {
    if !records.is_empty() {
        object.set("registry_objects", Value::list(records.iter().map(Record::to_value)));
    }
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
