//! A plan as a comment on a pull request: the closing line, a table, the fields folded.

use std::fmt::Write as _;

use super::text::{Look, render_text};
use super::{changed_lines, describe_step};
use crate::plan::model::{Plan, PlannedAction, PlannedTask};

/// Comments may not be longer than 65,536 characters.
const LONGEST: usize = 60_000;

/// By this a comment is found again that is to be updated.
const MARKER: &str = "<!-- ionplay-plan -->";

/// The plan as Markdown: the closing line, a table, the fields folded.
pub fn render_markdown(plan: &Plan) -> String {
    let names = plan.run.playbooks.iter().map(|name| escape_code(name)).collect::<Vec<_>>().join(", ");
    let counts = plan.count_actions();
    let nothing = !counts.has_changes() && counts.undetermined + counts.failed == 0;
    let headline = if nothing { "No changes.".to_owned() } else { counts.to_string() };
    let mut out = format!("{MARKER}\n**{headline}**\n");
    if !names.is_empty() {
        let _ = writeln!(out, "\n{names}, planned {} by ionplay {}", plan.made, plan.tool);
    }
    let actions: Vec<&PlannedAction> =
        plan.actions.iter().filter(|a| a.action != "none" || a.error.is_some()).collect();
    if actions.len() + plan.others.len() + plan.undetermined.len() + plan.failed.len() == 0 {
        return out;
    }
    if counts.failed > 0 {
        out.push_str("\nTasks would fail: this plan cannot be applied.\n");
    }
    let rows = actions.iter().map(|action| render_object(action)).chain(
        [("change", &plan.others), ("undetermined", &plan.undetermined), ("**would fail**", &plan.failed)]
            .into_iter()
            .flat_map(|(what, steps)| steps.iter().map(move |step| render_task(what, step))),
    );
    out.push_str("\n| action | object or task | details |\n|---|---|---|\n");
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
    let verb = match (action.error.is_some(), action.action.as_str()) {
        (true, _) => "**would fail**".to_owned(),
        (false, verb @ ("delete" | "replace")) => format!("**{verb}**"),
        (false, verb) => verb.to_owned(),
    };
    let fields = changed_lines(action);
    let mut details: Vec<String> = fields
        .iter()
        .filter(|line| line.name != "name" || matches!(action.action.as_str(), "update" | "replace"))
        .map(|line| format!("`{}`{}", line.name, if line.forces { " (forces replacement)" } else { "" }))
        .collect();
    details.extend(action.error.iter().map(|error| escape_cell(error)));
    let details = if details.is_empty() { "all of it".to_owned() } else { details.join(", ") };
    format!("| {verb} | {} {} | {details} |\n", escape_cell(&action.kind), escape_code(&action.name))
}

fn render_task(what: &str, step: &PlannedTask) -> String {
    let why = match (what, step.why.as_deref().unwrap_or_default()) {
        ("undetermined", "") => "can be known only when it runs".to_owned(),
        ("undetermined", why) => format!("waits for {}", escape_cell(why)),
        (_, "") => "not about a registry object".to_owned(),
        (_, why) => escape_cell(why),
    };
    format!("| {what} | {} | {why} |\n", escape_cell(&describe_step(step)))
}

/// Escapes text for Markdown: it contains no mentions and no links.
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
        assert!(shown.starts_with("<!-- ionplay-plan -->\n**Plan: 0 to create, 0 to update, 1 to replace"), "{shown}");
        assert!(shown.contains("| **replace** | Registry Token `ci` | `name` (forces replacement) |\n"), "{shown}");
        assert!(
            shown.contains(
                "| undetermined | task \"Log in\" on localhost | waits for `made.registry.id` of @\u{200b}somebody |"
            ),
            "{shown}"
        );
        assert!(shown.contains("<details>") && shown.trim_end().ends_with("</details>"), "{shown}");
    }

    #[test]
    fn plan_without_changes_says_so_in_words() {
        let shown = render_markdown(&plan(vec![action("none", json!({"name": "ci"}), json!({"name": "ci"}))]));
        assert!(shown.starts_with("<!-- ionplay-plan -->\n**No changes.**\n"), "{shown}");
    }

    #[test]
    fn table_has_no_empty_cells() {
        let mut plan = plan(vec![
            action("create", json!({}), json!({"name": "ci", "status": "enabled"})),
            action("delete", json!({"name": "ci"}), json!({})),
        ]);
        plan.others = vec![PlannedTask { why: None, ..step("x") }];
        plan.failed = vec![step("no quota")];
        let shown = render_markdown(&plan);
        assert!(!shown.replace("|---", "").contains("|  |"), "{shown}");
        assert!(
            shown.contains("| **delete** | Registry Token `ci` |") && shown.contains("cannot be applied"),
            "{shown}"
        );
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
