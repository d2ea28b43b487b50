//! The counts of the recap.

use indexmap::IndexMap;

use crate::report::{OutcomeStatus, Stats};
use crate::value::{Dict, Value};

/// Counts and custom statistics of a run.
#[derive(Debug, Default)]
pub struct Tally {
    hosts: IndexMap<String, Stats>,
    custom: Dict,
}

impl Tally {
    /// Counts the end of a task on a host.
    pub fn count_result(&mut self, host: &str, status: OutcomeStatus, changed: bool) {
        let stats = self.hosts.entry(host.to_owned()).or_default();
        match status {
            OutcomeStatus::Ok => stats.ok += 1,
            OutcomeStatus::Changed => {
                stats.ok += 1;
                stats.changed += 1;
            }
            OutcomeStatus::Skipped => stats.skipped += 1,
            OutcomeStatus::Failed => stats.failed += 1,
            OutcomeStatus::Rescued => stats.rescued += 1,
            OutcomeStatus::Unreachable => stats.unreachable += 1,
            OutcomeStatus::Ignored => {
                stats.ok += 1;
                stats.ignored += 1;
                stats.changed += u64::from(changed);
            }
        }
    }

    /// Adds what `set_stats` gave.
    pub fn add_custom(&mut self, host: Option<&str>, data: &Dict, aggregate: bool) {
        if data.is_empty() {
            return;
        }
        let key = host.unwrap_or("_run");
        let mut entry = self.custom.get(key).and_then(|v| v.as_dict()).cloned().unwrap_or_default();
        for (name, value) in data.iter() {
            let sum = match entry.get_value(name) {
                Some(old) if aggregate => aggregate_values(old, value),
                _ => value.clone(),
            };
            entry.insert(name.clone(), sum);
        }
        self.custom.set(key, entry.into());
    }

    /// The counts by host.
    pub fn hosts(&self) -> &IndexMap<String, Stats> {
        &self.hosts
    }

    /// Returns the values collected by `set_stats`.
    pub fn custom(&self) -> &Dict {
        &self.custom
    }
}

/// Adds numbers and text, joins lists, and merges mappings at every level. Ignores a value of another type.
fn aggregate_values(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.saturating_add(*b)),
        (Value::Bool(a), Value::Bool(b)) => Value::Int(i64::from(*a) + i64::from(*b)),
        (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
        (Value::Str(a), Value::Str(b)) => Value::text(format!("{}{}", a.as_str(), b.as_str())),
        (Value::List(a), Value::List(b)) => Value::list(a.iter().chain(b.iter()).cloned()),
        (Value::Dict(a), Value::Dict(b)) => {
            let mut merged = (**a).clone();
            merged.merge(b);
            merged.into()
        }
        _ => old.clone(),
    }
}
