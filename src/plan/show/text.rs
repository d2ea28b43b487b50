//! A plan on a terminal.

use std::fmt::Write as _;

use super::{ChangedField, action_sign, changed_lines, describe_step};
use crate::diagnostic::render::wrap_text;
use crate::plan::model::{Plan, PlannedAction, PlannedTask};
use crate::report::style::{Meaning, Paint};

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Colours, or none.
    pub paint: Paint,
    /// Longer lines are broken where a field changes.
    pub width: usize,
    /// Sentences are broken at words, too.
    pub wraps: bool,
}

impl Look {
    /// As a file has it.
    pub const PLAIN: Self = Self { paint: Paint(false), width: usize::MAX, wraps: false };
}

/// The plan as text, with its closing line.
pub fn render_text(plan: &Plan, look: Look) -> String {
    let mut out = String::new();
    for action in plan.actions.iter().filter(|action| action.action != "none" || action.error.is_some()) {
        write_object(&mut out, action, look);
    }
    for (mark, steps, word) in
        [("~", &plan.others, ""), ("?", &plan.undetermined, "waits for "), ("!", &plan.failed, "would fail: ")]
    {
        steps.iter().for_each(|step| write_task(&mut out, mark, step, word, look));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let closing = plan.count_actions().to_string();
    let _ = writeln!(out, "{}", wrap_text(&closing, look.wraps.then_some(look.width), 0));
    out
}

fn write_object(out: &mut String, action: &PlannedAction, look: Look) {
    let mark = if action.error.is_some() { "!" } else { action_sign(&action.action) };
    write_head(out, mark, &format!("{} {}", action.kind, action.name), look);
    let lines = changed_lines(action);
    let width = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
    for line in &lines {
        out.push_str(&format_field(line, width, look.width));
    }
    for note in action.reason.iter().chain(&action.error) {
        let _ = writeln!(out, "      # {}", one_line(note));
    }
}

fn write_task(out: &mut String, mark: &str, step: &PlannedTask, word: &str, look: Look) {
    write_head(out, mark, &describe_step(step), look);
    if let Some(why) = &step.why {
        let _ = writeln!(out, "      # {word}{}", one_line(why));
    }
}

fn write_head(out: &mut String, mark: &str, what: &str, look: Look) {
    let meaning = match mark {
        "+" => Meaning::Added,
        "~" => Meaning::Changed,
        "?" => Meaning::Skipped,
        _ => Meaning::Removed,
    };
    // The blanks are outside the colour, so that signs line up with and without it.
    let blanks = " ".repeat(3usize.saturating_sub(mark.len()));
    let _ = writeln!(out, "{blanks}{}", look.paint.paint_text(&format!("{mark} {what}"), meaning));
}

/// A field in one line, or where that is too long the new value below the old one.
fn format_field(line: &ChangedField, names: usize, width: usize) -> String {
    let forced = if line.forces { "  # forces replacement" } else { "" };
    let name = &line.name;
    if !line.entries.is_empty() {
        let entries = line.entries.iter().map(|(sign, entry)| format!("        {sign} {}\n", one_line(entry)));
        return format!("      {name:<names$} :{forced}\n{}", entries.collect::<String>());
    }
    match (&line.before, &line.after) {
        (Some(before), Some(after)) => {
            let whole = format!("      {name:<names$} : {before} -> {after}{forced}");
            if whole.chars().count() <= width {
                return whole + "\n";
            }
            format!("      {name:<names$} : {before}\n      {:<names$}  -> {after}{forced}\n", "")
        }
        (None, Some(only)) | (Some(only), None) => format!("      {name:<names$} : {only}{forced}\n"),
        (None, None) => String::new(),
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{action, plan, step};
    use super::*;
    use serde_json::json;

    #[test]
    fn scopes_are_shown_as_lines() {
        let scope = |actions: &[&str]| json!({"type": "registry", "name": "demo", "actions": actions});
        let shown = render_text(
            &plan(vec![
                action("create", json!({}), json!({"scopes": [scope(&["pull"])]})),
                action("update", json!({"scopes": [scope(&["pull"])]}), json!({"scopes": [scope(&["pull", "push"])]})),
            ]),
            Look::PLAIN,
        );
        assert!(shown.contains("      scopes :\n        + registry demo: pull\n"), "{shown}");
        assert!(shown.contains("        - registry demo: pull\n        + registry demo: pull, push\n"), "{shown}");
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
        plan.undetermined = vec![step("`made.registry.id`")];
        assert_eq!(
            render_text(&plan, Look::PLAIN),
            "  + Registry Token ci
      name   : ci
      status : enabled
  ~ Registry Token ci
      status : enabled -> disabled
-/+ Registry Token ci
      name : ci -> cd  # forces replacement
  - Registry Token ci
      status : enabled
  ? task \"Log in\" on localhost
      # waits for `made.registry.id`

Plan: 1 to create, 1 to update, 1 to replace, 1 to delete, 1 unchanged, 1 undetermined
"
        );
    }

    #[test]
    fn narrow_windows_have_the_new_value_below_the_old_one() {
        let plan = plan(vec![action("update", json!({"status": "enabled"}), json!({"status": "disabled"}))]);
        let shown = render_text(&plan, Look { width: 30, ..Look::PLAIN });
        assert!(shown.contains("      status : enabled\n              -> disabled\n"), "{shown}");
    }

    #[test]
    fn colours_leave_the_columns_alone() {
        let plan = plan(vec![action("delete", json!({"name": "ci"}), json!({}))]);
        let shown = render_text(&plan, Look { paint: Paint(true), ..Look::PLAIN });
        assert!(shown.starts_with("  \u{1b}[31m- Registry Token ci\u{1b}[0m\n"), "{shown:?}");
    }
}
