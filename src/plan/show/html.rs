//! A plan as a page, in the style of the reports of runs.

use super::describe_step;
use crate::plan::model::{Plan, PlannedTask};
use crate::report::files::html::{ObjectChange, Page};
use crate::report::history::Message;

/// The plan as one self-contained page.
pub fn render_html(plan: &Plan) -> String {
    let counts = plan.count_actions();
    let (class, state) = match (counts.failed, counts.has_changes(), counts.undetermined) {
        (0, false, 0) => ("ok", "No changes"),
        (0, false, _) => ("undetermined", "Parts cannot be known before it runs"),
        (0, true, _) => ("changed", "There are changes"),
        _ => ("failed", "Tasks would fail: this plan cannot be applied"),
    };
    let title = if plan.run.playbooks.is_empty() { "plan".to_owned() } else { plan.run.playbooks.join(", ") };
    let made = plan.made.split('.').next().unwrap_or_default().trim_end_matches('Z').replace('T', " ");
    let line = format!("plan, made {made} UTC by ionplay {}", plan.tool);
    let mut page = Page::new(class, state, &title, &[line, counts.to_string()]);
    let card = |class: &'static str, count: usize, name: &'static str| {
        (if count > 0 { class } else { "none" }, count.to_string(), name)
    };
    page.add_cards(&[
        card("create", counts.create, "create"),
        card("update", counts.update, "update"),
        card("replace", counts.replace, "replace"),
        card("delete", counts.delete, "delete"),
        card("", counts.unchanged, "unchanged"),
        card("undetermined", counts.undetermined, "undetermined"),
        card("changed", counts.others, "other changes"),
        card("failed", counts.failed, "would fail"),
    ]);
    add_tasks(&mut page, "Would fail", "error", &plan.failed);
    let changes: Vec<ObjectChange> = plan
        .actions
        .iter()
        .map(|action| ObjectChange {
            kind: action.kind.clone(),
            name: action.name.clone(),
            action: action.action.clone(),
            planned: true,
            before: action.before.clone(),
            after: action.after.clone(),
            reason: action.reason.clone(),
            error: action.error.clone(),
        })
        .collect();
    page.add_objects(&changes);
    add_tasks(&mut page, "Other changes", "changed", &plan.others);
    add_tasks(&mut page, "Undetermined", "undetermined", &plan.undetermined);
    page.write()
}

fn add_tasks(page: &mut Page, heading: &str, severity: &str, steps: &[PlannedTask]) {
    if steps.is_empty() {
        return;
    }
    page.add_heading(heading);
    for step in steps {
        let notes = step.why.iter().map(|why| match severity {
            "undetermined" => format!("waits for {why}"),
            _ => why.clone(),
        });
        page.add_message(&Message {
            severity: severity.to_owned(),
            summary: describe_step(step),
            notes: notes.collect(),
            ..Message::default()
        });
    }
}
