//! Registry objects before and after.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::Page;
use crate::report::files::xml::escape;

/// An action on a registry object, done or planned.
#[derive(Debug, Clone, Default)]
pub struct ObjectChange {
    /// Type of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// `create`, `update`, `replace`, `delete` or `none`.
    pub action: String,
    /// It was only predicted.
    pub planned: bool,
    /// The managed fields before.
    pub before: Map<String, Json>,
    /// The managed fields after.
    pub after: Map<String, Json>,
    /// Why it has to be replaced.
    pub reason: Option<String>,
    /// Why it failed, or would.
    pub error: Option<String>,
}

impl ObjectChange {
    /// Reads a record as documents have it.
    pub fn of_record(record: &Json) -> Self {
        let text = |key: &str| record[key].as_str().map(str::to_owned);
        let fields = |key: &str| record[key].as_object().cloned().unwrap_or_default();
        Self {
            kind: text("kind").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            action: text("action").unwrap_or_default(),
            planned: record["planned"].as_bool().unwrap_or(false),
            before: fields("before"),
            after: fields("after"),
            reason: text("reason"),
            error: text("error"),
        }
    }

    /// Returns what was done with it, or would be, in words.
    pub fn verb(&self) -> &'static str {
        match (self.action.as_str(), self.planned, self.error.is_some()) {
            (_, false, true) => "failed",
            (_, true, true) => "would fail",
            ("create", false, _) => "created",
            ("update", false, _) => "updated",
            ("replace", false, _) => "replaced",
            ("delete", false, _) => "deleted",
            ("create", true, _) => "would be created",
            ("update", true, _) => "would be updated",
            ("replace", true, _) => "would be replaced",
            ("delete", true, _) => "would be deleted",
            _ => "unchanged",
        }
    }
}

impl Page {
    /// Adds a section with the objects; those that stay as they are come last, in one line.
    pub fn add_objects(&mut self, changes: &[ObjectChange]) {
        if changes.is_empty() {
            return;
        }
        self.add_heading("Registry objects");
        let (unchanged, changed): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| change.action == "none" && change.error.is_none());
        for change in changed {
            self.add_html(&write_object(change));
        }
        if !unchanged.is_empty() {
            let names: Vec<String> =
                unchanged.iter().map(|change| format!("{} {}", change.kind, change.name)).collect();
            self.add_html(&format!("<p class=soft>Unchanged: {}</p>\n", escape(&names.join(", "))));
        }
    }
}

fn write_object(change: &ObjectChange) -> String {
    let class = if change.error.is_some() { "failed" } else { change.action.as_str() };
    let mut out = format!(
        "<div class=\"note {class}\"><p><b>{} {}</b> <span class=pill>{}</span></p>",
        escape(&change.kind),
        escape(&change.name),
        change.verb()
    );
    for note in change.reason.iter().chain(&change.error) {
        let _ = write!(out, "<p>{}</p>", escape(note));
    }
    let names: BTreeSet<&String> = change.before.keys().chain(change.after.keys()).collect();
    let shown =
        |fields: &Map<String, Json>, name: &str| fields.get(name).filter(|value| !value.is_null()).map(field_text);
    let mut rows = String::new();
    for name in names {
        let (before, after) = (shown(&change.before, name), shown(&change.after, name));
        // What stays as it is says nothing, and a row without a value neither.
        let says_nothing = match change.action.as_str() {
            "create" => after.is_none(),
            "delete" => before.is_none(),
            _ => before == after,
        };
        if says_nothing {
            continue;
        }
        let cell = |text: Option<String>| text.map(|text| escape(&text).replace('\n', "<br>")).unwrap_or_default();
        let _ = match change.action.as_str() {
            "create" => write!(rows, "<tr><td>{}<td>{}", escape(name), cell(after)),
            "delete" => write!(rows, "<tr><td>{}<td>{}", escape(name), cell(before)),
            _ => write!(rows, "<tr><td>{}<td>{}<td>{}", escape(name), cell(before), cell(after)),
        };
    }
    if !rows.is_empty() {
        let head = match change.action.as_str() {
            "create" => "<tr><th>field<th>value",
            "delete" => "<tr><th>field<th>value before",
            _ => "<tr><th>field<th>before<th>after",
        };
        let _ = write!(out, "<div class=wide><table class=\"left fields\">{head}{rows}</table></div>");
    }
    out.push_str("</div>\n");
    out
}

/// A field: text as it is, a list with one entry a line.
fn field_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(field_text).collect::<Vec<_>>().join("\n"),
        Json::Object(fields) => entry_text(fields),
        other => other.to_string(),
    }
}

/// `repository app: pull, push` of a scope; other mappings with their keys.
fn entry_text(fields: &Map<String, Json>) -> String {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    if let (Some(kind), Some(name), Some(actions)) = (text("type"), text("name"), fields.get("actions")) {
        return format!("{kind} {name}: {}", inline_text(actions));
    }
    fields.iter().map(|(name, value)| format!("{name}: {}", inline_text(value))).collect::<Vec<_>>().join("; ")
}

fn inline_text(value: &Json) -> String {
    match value {
        Json::Array(items) => items.iter().map(inline_text).collect::<Vec<_>>().join(", "),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_show_scopes_as_people_say_them_and_no_empty_rows() {
        let scopes = json!([{"actions": ["pull", "push"], "name": "app", "type": "repository"}]);
        let record = json!({"kind": "Registry Token", "name": "ci", "action": "create",
            "after": {"expiry_date": null, "scopes": scopes}});
        let html = write_object(&ObjectChange::of_record(&record));
        assert!(html.contains("<td>scopes<td>repository app: pull, push"), "{html}");
        assert!(!html.contains("expiry_date"), "{html}");
    }
}
