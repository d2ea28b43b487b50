//! A plan as a table.

use std::fmt::Write as _;

use super::html::{Escaped, shorten_text};
use super::run_path;
use crate::gitops::view::JobRun;
use crate::plan::Plan;
use crate::plan::model::{PlannedAction, PlannedTask};
use crate::plan::show::{action_sign, changed_lines};

/// Bytes of the table, so that the page stays below 40 kB.
const BUDGET: usize = 9_000;

/// Renders what a plan would change.
pub(super) fn render_plan(out: &mut String, plan: &Plan, run: &JobRun) {
    let changes = plan.actions.iter().filter(|action| action.action != "none" || action.error.is_some());
    let steps =
        [("change", "~", &plan.others), ("undetermined", "?", &plan.undetermined), ("failed", "!", &plan.failed)];
    let rows: Vec<String> = changes
        .map(render_action)
        .chain(steps.iter().flat_map(|(word, sign, steps)| steps.iter().map(|step| render_step(word, sign, step))))
        .collect();
    let unchanged = plan.count_actions().unchanged;
    let _ = write!(out, "<h2>Plan <a class=\"aside\" href=\"/api/v1{}/plan.md\">Markdown</a></h2>", run_path(&run.run));
    if rows.is_empty() {
        let _ = write!(out, "<p class=\"empty\">Nothing to change; {unchanged} as desired.</p>");
        return;
    }
    out.push_str(
        "<table class=\"plan\"><thead><tr><th scope=\"col\"><span class=\"hidden\">Action</span></th><th scope=\"col\">Object</th>\
         <th scope=\"col\">Changes</th></tr></thead><tbody>",
    );
    let start = out.len();
    let total = rows.len();
    for (position, row) in rows.into_iter().enumerate() {
        if out.len() - start + row.len() > BUDGET {
            let _ = write!(out, "<tr><td></td><td colspan=\"2\">{} more in the Markdown</td></tr>", total - position);
            break;
        }
        out.push_str(&row);
    }
    out.push_str("</tbody></table>");
    if unchanged > 0 {
        let _ = write!(out, "<p class=\"more\">{unchanged} as desired</p>");
    }
}

fn render_action(action: &PlannedAction) -> String {
    let word = if action.error.is_some() { "failed" } else { &action.action };
    let sign = if action.error.is_some() { "!" } else { action_sign(&action.action) };
    let mut fields = String::new();
    for line in changed_lines(action) {
        let value = |value: &Option<String>| value.as_ref().map(|value| Escaped(shorten_text(value, 120)).to_string());
        let _ = match (value(&line.before), value(&line.after)) {
            (Some(before), Some(after)) => {
                write!(fields, "<li><b>{}</b> <del>{before}</del> → <ins>{after}</ins>", Escaped(&line.name))
            }
            (before, after) => {
                write!(fields, "<li><b>{}</b> {}", Escaped(&line.name), after.or(before).unwrap_or_default())
            }
        };
        if line.forces {
            fields.push_str(" <em>forces replacement</em>");
        }
        fields.push_str("</li>");
    }
    if let Some(reason) = action.error.as_ref().or(action.reason.as_ref()) {
        let _ = write!(fields, "<li>{}</li>", Escaped(shorten_text(reason, 300)));
    }
    format!(
        "<tr><td><span class=\"count c-{0}\" title=\"{0}\">{1}</span></td><td>{2} <b>{3}</b></td><td><ul>{fields}</ul></td></tr>",
        Escaped(word),
        Escaped(sign),
        Escaped(&action.kind),
        Escaped(&action.name),
    )
}

fn render_step(word: &str, sign: &str, step: &PlannedTask) -> String {
    let item = step.item.as_ref().map(|item| format!(" ({})", Escaped(shorten_text(item, 80)))).unwrap_or_default();
    format!(
        "<tr><td><span class=\"count c-{word}\" title=\"{word}\">{sign}</span></td><td>task <b>{}</b>{item} on {}</td><td>{}</td></tr>",
        Escaped(&step.task),
        Escaped(&step.host),
        Escaped(shorten_text(step.why.as_deref().unwrap_or_default(), 300)),
    )
}
