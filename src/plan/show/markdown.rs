//! A plan as a comment on a pull request: the closing line, a table, the fields folded.

use std::fmt::Write as _;

use super::text::{Look, render_text};
use super::{action_sign, changed_lines, describe_step};
use crate::plan::model::{Plan, PlannedAction, PlannedTask};

/// Comments may not be longer than 65,536 characters.
const LONGEST: usize = 60_000;

/// The plan as Markdown.
pub fn render_markdown(plan: &Plan) -> String {
    let names = plan.run.playbooks.iter().map(|name| escape_code(name)).collect::<Vec<_>>().join(", ");
    let mut out = format!("**{}**\n", plan.count_actions());
    if !names.is_empty() {
        let _ = writeln!(out, "\n{names}, foretold {} by ionplay {}", plan.made, plan.tool);
    }
    let actions: Vec<&PlannedAction> =
        plan.actions.iter().filter(|a| a.action != "none" || a.error.is_some()).collect();
    if actions.len() + plan.others.len() + plan.undetermined.len() + plan.failed.len() == 0 {
        return out;
    }
    let rows = actions.iter().map(|action| render_object(action)).chain(
        [("~", &plan.others), ("?", &plan.undetermined), ("!", &plan.failed)]
            .into_iter()
            .flat_map(|(mark, steps)| steps.iter().map(move |step| render_task(mark, step))),
    );
    out.push_str("\n| | what | name | changes |\n|---|---|---|---|\n");
    for (shown, row) in rows.enumerate() {
        if out.len() + row.len() > LONGEST {
            let _ = writeln!(out, "\nThere is more than fits here after {shown} rows; see `ionplay plan show`.");
            return out;
        }
        out.push_str(&row);
    }
    // A fence that a name could close would be none.
    let details = render_text(plan, Look::PLAIN).replace("```", "\'\'\'");
    if out.len() + details.len() > LONGEST {
        out.push_str("\nThe details are too long for a comment; see `ionplay plan show`.\n");
    } else {
        let _ = write!(out, "\n<details><summary>Details</summary>\n\n```text\n{details}```\n\n</details>\n");
    }
    out
}

fn render_object(action: &PlannedAction) -> String {
    let mark = if action.error.is_some() { "!" } else { action_sign(&action.action) };
    let mut changes: Vec<String> = changed_lines(action)
        .iter()
        .filter(|line| matches!(action.action.as_str(), "update" | "replace") && line.before.is_some())
        .map(|line| format!("`{}`{}", line.name, if line.forces { " (forces replacement)" } else { "" }))
        .collect();
    changes.extend(action.error.iter().map(|error| escape_cell(error)));
    format!("| `{mark}` | {} | {} | {} |\n", escape_cell(&action.kind), escape_code(&action.name), changes.join(", "))
}

fn render_task(mark: &str, step: &PlannedTask) -> String {
    format!(
        "| `{mark}` | task | {} | {} |\n",
        escape_cell(&describe_step(step)),
        escape_cell(step.why.as_deref().unwrap_or_default())
    )
}

/// Text that is shown as it is, whatever is in it: nobody is notified and nothing is a link.
fn escape_code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('`', "\'"))
}

/// A sentence in a table; names in backticks stay code.
fn escape_cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;");
    text.replace('@', "@\u{200b}").replace('*', "\\*").replace('[', "\\[")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{action, plan, step};
    use super::*;
    use serde_json::json;

    #[test]
    fn markdown_has_a_summary_a_table_and_folded_details() {
        let mut plan = plan(vec![action("replace", json!({"name": "a|b"}), json!({"name": "cd"}))]);
        plan.undetermined = vec![step("`made.registry.id` of @somebody")];
        let shown = render_markdown(&plan);
        assert!(shown.starts_with("**Plan: 0 to create, 0 to update, 1 to replace"), "{shown}");
        assert!(shown.contains("| `-/+` | Registry Token | `ci` | `name` (forces replacement) |\n"), "{shown}");
        assert!(
            shown.contains("| `?` | task | task \"Log in\" on localhost | `made.registry.id` of @\u{200b}somebody |")
        );
        assert!(shown.contains("<details>") && shown.trim_end().ends_with("</details>"), "{shown}");
    }

    #[test]
    fn comments_are_not_longer_than_comments_may_be() {
        let many = || action("update", json!({"name": "x".repeat(100)}), json!({"name": "y".repeat(100)}));
        let shown = render_markdown(&plan((0..300).map(|_| many()).collect()));
        assert!(shown.len() < 65_536 && shown.contains("too long for a comment"), "{}", shown.len());
        let shown = render_markdown(&plan((0..3000).map(|_| many()).collect()));
        assert!(shown.len() < 65_536 && shown.contains("more than fits"), "{}", shown.len());
    }
}
