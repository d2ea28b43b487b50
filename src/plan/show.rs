//! Plans for people: on a terminal, and as a comment on a pull request.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::model::{Action, Plan, Step};
use crate::modules::MODULES;

/// A changed field.
struct Line {
    name: String,
    before: Option<String>,
    after: Option<String>,
    forces: bool,
}

/// The plan as text, with its closing line.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for action in plan.actions.iter().filter(|action| action.action != "none" || action.error.is_some()) {
        let mark = if action.error.is_some() { "!" } else { sign(&action.action) };
        let _ = writeln!(out, "{mark:>3} {} {}", action.kind, action.name);
        let lines = lines(action);
        let width = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
        for line in &lines {
            let change = match (&line.before, &line.after) {
                (Some(before), Some(after)) => format!("{before} -> {after}"),
                (None, Some(only)) | (Some(only), None) => only.clone(),
                (None, None) => String::new(),
            };
            let forced = if line.forces { "  # forces replacement" } else { "" };
            let _ = writeln!(out, "      {:<width$} : {change}{forced}", line.name);
        }
        for note in action.reason.iter().chain(&action.error) {
            let _ = writeln!(out, "      # {note}");
        }
    }
    for step in &plan.others {
        let _ = writeln!(out, "  ~ {}", place(step));
    }
    for step in &plan.undetermined {
        let _ = writeln!(out, "  ? {}{}", place(step), because(step, "waits for"));
    }
    for step in &plan.failed {
        let _ = writeln!(out, "  ! {}{}", place(step), because(step, "would fail:"));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{}", plan.counts());
    out
}

/// The plan as Markdown: the closing line, a table, the fields folded.
pub fn markdown(plan: &Plan) -> String {
    let mut out = format!("**{}**\n", plan.counts());
    let actions: Vec<&Action> = plan.actions.iter().filter(|action| action.action != "none").collect();
    if actions.len() + plan.others.len() + plan.undetermined.len() + plan.failed.len() == 0 {
        return out;
    }
    out.push_str("\n| | what | name | changes |\n|---|---|---|---|\n");
    for action in &actions {
        let names: Vec<String> = lines(action)
            .iter()
            .filter(|line| matches!(action.action.as_str(), "update" | "replace") && line.before.is_some())
            .map(|line| format!("`{}`{}", line.name, if line.forces { " (forces replacement)" } else { "" }))
            .collect();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            sign(&action.action),
            cell(&action.kind),
            cell(&action.name),
            names.join(", ")
        );
    }
    for (mark, steps) in [("~", &plan.others), ("?", &plan.undetermined), ("!", &plan.failed)] {
        for step in steps {
            let why = step.why.as_deref().unwrap_or_default();
            let _ = writeln!(out, "| `{mark}` | task | {} | {} |", cell(&place(step)), cell(why));
        }
    }
    out.push_str("\n<details><summary>Details</summary>\n\n```text\n");
    // A fence that a name could close would be none.
    out.push_str(&text(plan).replace("```", "'''"));
    out.push_str("```\n\n</details>\n");
    out
}

/// The sign of an action.
fn sign(action: &str) -> &'static str {
    match action {
        "create" => "+",
        "update" => "~",
        "replace" => "-/+",
        "delete" => "-",
        _ => " ",
    }
}

fn lines(action: &Action) -> Vec<Line> {
    let of = |fields: &Map<String, Json>, name: &str| fields.get(name).filter(|value| !value.is_null()).map(show);
    let names: BTreeSet<&String> = action.before.keys().chain(action.after.keys()).collect();
    let mut lines = Vec::new();
    for name in names {
        let (before, after) = (of(&action.before, name), of(&action.after, name));
        let line = |before, after, forces| Line { name: name.clone(), before, after, forces };
        match action.action.as_str() {
            "create" if after.is_some() => lines.push(line(None, after, false)),
            "delete" if name == "name" => {}
            "delete" if before.is_some() => lines.push(line(before, None, false)),
            "update" | "replace" if before != after => {
                let nothing = || Some("(none)".to_owned());
                let forces = action.action == "replace" && replaces(&action.kind, name);
                lines.push(line(before.or_else(nothing), after.or_else(nothing), forces));
            }
            _ => {}
        }
    }
    lines
}

/// Whether a field of an object can only be changed by replacing it.
fn replaces(kind: &str, field: &str) -> bool {
    MODULES.iter().any(|module| {
        let spec = module.spec();
        spec.label == kind && spec.param(field).is_some_and(|param| param.replaces)
    })
}

fn show(value: &Json) -> String {
    match value {
        Json::String(text) => text.replace('\n', "\\n"),
        other => other.to_string(),
    }
}

fn place(step: &Step) -> String {
    let item = step.item.as_ref().map(|item| format!(" (item={item})")).unwrap_or_default();
    format!("task \"{}\" on {}{item}", step.task, step.host)
}

fn because(step: &Step, word: &str) -> String {
    step.why.as_ref().map(|why| format!(" {word} {why}")).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn action(verb: &str, before: Json, after: Json) -> Action {
        serde_json::from_value(json!({"kind": "Registry Token", "name": "ci", "id": "x", "parent": "r", "action": verb,
            "before": before, "after": after, "reason": null, "error": null}))
        .unwrap()
    }

    fn plan(actions: Vec<Action>) -> Plan {
        let mut plan: Plan = serde_json::from_value(json!({"format": 1, "tool": "0", "made": "", "run": {}, "files": {},
            "variables": "", "actions": [], "others": [], "undetermined": [], "failed": [], "observed": [], "writes": []}))
        .unwrap();
        plan.actions = actions;
        plan
    }

    #[test]
    fn every_kind_of_change_has_its_sign_and_fields_line_up() {
        let mut plan = plan(vec![
            action("create", json!({}), json!({"name": "ci", "status": "enabled", "expiry_date": null})),
            action("update", json!({"status": "enabled", "name": "ci"}), json!({"status": "disabled", "name": "ci"})),
            action("replace", json!({"name": "ci"}), json!({"name": "cd"})),
            action("delete", json!({"name": "ci", "status": "enabled"}), json!({})),
            action("none", json!({"name": "ci"}), json!({"name": "ci"})),
        ]);
        let step = json!({"task": "Log in", "host": "localhost", "item": null, "why": "registry `demo`"});
        plan.undetermined = vec![serde_json::from_value(step).unwrap()];
        assert_eq!(
            text(&plan),
            "  + Registry Token ci
      name   : ci
      status : enabled
  ~ Registry Token ci
      status : enabled -> disabled
-/+ Registry Token ci
      name : ci -> cd  # forces replacement
  - Registry Token ci
      status : enabled
  ? task \"Log in\" on localhost waits for registry `demo`

Plan: 1 to create, 1 to update, 1 to replace, 1 to delete, 1 unchanged, 1 undetermined
"
        );
    }

    #[test]
    fn markdown_has_a_summary_a_table_and_folded_details() {
        let plan = plan(vec![action("replace", json!({"name": "a|b"}), json!({"name": "cd"}))]);
        let shown = markdown(&plan);
        assert!(shown.starts_with("**Plan: 0 to create, 0 to update, 1 to replace"), "{shown}");
        assert!(shown.contains("| `-/+` | Registry Token | ci | `name` (forces replacement) |"), "{shown}");
        assert!(shown.contains("<details>") && shown.trim_end().ends_with("</details>"), "{shown}");
    }
}
