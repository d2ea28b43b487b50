//! Plans for people: on a terminal, and as a comment on a pull request.

mod html;
mod markdown;
mod text;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::model::{PlannedAction, PlannedTask};
use crate::modules::MODULES;

pub use html::render_html;
pub use markdown::render_markdown;
pub use text::{Look, render_text};

/// A changed field.
pub struct ChangedField {
    /// Name of the field.
    pub name: String,
    /// Value before, if there is one to show.
    pub before: Option<String>,
    /// Value after, if there is one to show.
    pub after: Option<String>,
    /// Whether the object has to be replaced because of it.
    pub forces: bool,
    /// The entries of a list of mappings (scopes): a sign, and the entry in one line.
    pub entries: Vec<(char, String)>,
}

/// The sign of an action.
pub fn action_sign(action: &str) -> &'static str {
    match action {
        "create" => "+",
        "update" => "~",
        "replace" => "-/+",
        "delete" => "-",
        _ => " ",
    }
}

/// Returns the fields that an action changes.
pub fn changed_lines(action: &PlannedAction) -> Vec<ChangedField> {
    let of = |fields: &Map<String, Json>, name: &str| fields.get(name).filter(|value| !value.is_null()).map(show_value);
    let names: BTreeSet<&String> = action.before.keys().chain(action.after.keys()).collect();
    let mut lines = Vec::new();
    for name in names {
        let (before, after) = (of(&action.before, name), of(&action.after, name));
        let entries = changed_entries(action.before.get(name), action.after.get(name));
        let line = |before, after, forces| {
            let entries = entries.clone();
            ChangedField { name: name.clone(), before, after, forces, entries }
        };
        match action.action.as_str() {
            "create" if after.is_some() => lines.push(line(None, after, false)),
            "delete" if name == "name" => {}
            "delete" if before.is_some() => lines.push(line(before, None, false)),
            "update" | "replace" if before != after => {
                let nothing = || Some("(none)".to_owned());
                let forces = action.action == "replace" && needs_replacement(&action.kind, name);
                lines.push(line(before.or_else(nothing), after.or_else(nothing), forces));
            }
            _ => {}
        }
    }
    lines
}

/// The entries of a list of mappings, each with `+`, `-` or a blank before it; none of other values.
fn changed_entries(before: Option<&Json>, after: Option<&Json>) -> Vec<(char, String)> {
    let list = |value: Option<&Json>| -> Option<Vec<String>> {
        let items = value.and_then(Json::as_array)?;
        items.iter().map(|item| item.as_object().map(describe_entry)).collect()
    };
    let (old, new) = (list(before), list(after));
    if old.is_none() && new.is_none() {
        return Vec::new();
    }
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let removed = old.iter().filter(|entry| !new.contains(entry)).map(|entry| ('-', entry.clone()));
    let rest = new.iter().map(|entry| (if old.contains(entry) { ' ' } else { '+' }, entry.clone()));
    removed.chain(rest).collect()
}

/// `registry demo: pull, push` of a scope; other mappings with their keys.
fn describe_entry(fields: &Map<String, Json>) -> String {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let actions = fields.get("actions").and_then(Json::as_array);
    if let (Some(kind), Some(name), Some(actions)) = (text("type"), text("name"), actions) {
        let actions: Vec<String> = actions.iter().map(show_value).collect();
        return format!("{kind} {name}: {}", actions.join(", "));
    }
    fields.iter().map(|(name, value)| format!("{name}: {}", show_value(value))).collect::<Vec<_>>().join(", ")
}

/// Whether a field of an object can only be changed by replacing it.
fn needs_replacement(kind: &str, field: &str) -> bool {
    MODULES.iter().any(|module| {
        let spec = module.module_spec();
        spec.label == kind && spec.find_param(field).is_some_and(|param| param.replaces)
    })
}

fn show_value(value: &Json) -> String {
    match value {
        Json::String(text) => text.replace('\n', "\\n"),
        other => other.to_string(),
    }
}

fn describe_step(step: &PlannedTask) -> String {
    let item = step.item.as_ref().map(|item| format!(" (item={item})")).unwrap_or_default();
    format!("task \"{}\" on {}{item}", step.task, step.host)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plan::Plan;
    use serde_json::json;

    pub(super) fn action(verb: &str, before: Json, after: Json) -> PlannedAction {
        serde_json::from_value(json!({"kind": "Registry Token", "name": "ci", "id": "x", "parent": "r", "action": verb,
            "before": before, "after": after, "reason": null, "error": null}))
        .unwrap()
    }

    pub(super) fn plan(actions: Vec<PlannedAction>) -> Plan {
        Plan { actions, ..crate::plan::model::tests::empty() }
    }

    pub(super) fn step(why: &str) -> PlannedTask {
        serde_json::from_value(json!({"task": "Log in", "host": "localhost", "item": null, "why": why})).unwrap()
    }
}
