//! Results on the screen: what of one is shown, and in which format.

use super::outcome::is_debug;
use super::{ResultFormat, Screen};
use crate::report::event::{OutcomeStatus, ReportedOutcome};
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};
use crate::yaml::DumpOptions;
use crate::yaml::dump::to_yaml;

impl Screen {
    pub(super) fn shows_result(&self, outcome: &ReportedOutcome) -> bool {
        outcome.always_shown || self.options.verbosity > 0
    }

    /// The result in the format of the settings.
    pub(super) fn format_result(&self, outcome: &ReportedOutcome, redactor: &Redactor) -> String {
        let shown = self.select_shown(outcome);
        let mask_secrets = !redactor.may_show_secrets();
        match self.options.format {
            ResultFormat::Json => {
                let came_for_it = outcome.always_shown && outcome.status != OutcomeStatus::Skipped;
                let pretty = self.options.pretty.unwrap_or(came_for_it || self.options.verbosity > 2);
                let style =
                    JsonStyle { indent: pretty.then_some(4), sort_keys: true, mask_secrets, ..JsonStyle::SCREEN };
                json::to_string(&shown.into(), style)
            }
            ResultFormat::Yaml => {
                let pretty = self.options.pretty.unwrap_or(true);
                let options = DumpOptions { literal: true, indent: if pretty { 4 } else { 2 }, ..DumpOptions::NICE };
                let shown: Value = if pretty { make_readable(shown) } else { shown }.into();
                // Values masked in JSON are masked here, too; text that was JSON can be read as such.
                let masked = json::to_string(&shown, JsonStyle { mask_secrets, ..JsonStyle::EVENT });
                let masked = json::from_str(&masked).unwrap_or(Value::text(masked));
                to_yaml(&masked, &options).trim_end().lines().fold(String::new(), |text, line| {
                    let indent = if line.is_empty() { "" } else { "    " };
                    format!("{text}\n{indent}{line}")
                })
            }
        }
    }

    /// Selects the part of a result that is shown to people.
    fn select_shown(&self, outcome: &ReportedOutcome) -> Dict {
        let debug = is_debug(outcome);
        let message = debug && outcome.result.contains("msg");
        let mut shown: Dict = (*outcome.result).clone();
        shown.retain(|key, _| {
            let key = key.as_str().unwrap_or_default();
            let internal = key.starts_with("_ansible_")
                || matches!(key, "warnings" | "deprecations")
                || (self.options.verbosity < 3 && matches!(key, "invocation" | "diff" | "exception"));
            // A message stands alone; a variable has round it the keys that name the loop item.
            let of_loop = matches!(key, "ansible_loop_var" | "ansible_index_var" | "ansible_loop");
            let status = matches!(key, "changed" | "failed" | "failed_when_result" | "skipped" | "skip_reason");
            !(internal || debug && (of_loop || status) || message && key != "msg")
        });
        shown
    }
}

/// For people: lines that stand there as a text already are left out, and texts of several lines are such that they can
/// be written line by line.
fn make_readable(mut shown: Dict) -> Dict {
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if shown.contains(text) && shown.contains(lines) {
            shown.set(lines, Value::text("<omitted>"));
        }
    }
    let pairs = shown.iter().map(|(name, value)| (name.clone(), tidy_value(value)));
    pairs.collect()
}

fn tidy_value(value: &Value) -> Value {
    match value {
        Value::Str(text) if text.contains('\n') && !text.is_secret() => {
            let lines = text.trim_end().split('\n').map(|line| line.trim_end_matches(' ').replace('\t', "    "));
            Value::text(lines.collect::<Vec<_>>().join("\n"))
        }
        Value::List(items) => Value::list(items.iter().map(tidy_value)),
        Value::Dict(dict) => dict.iter().map(|(key, value)| (key.clone(), tidy_value(value))).collect::<Dict>().into(),
        other => other.clone(),
    }
}
