//! The runs of a job as a table.

use std::fmt::Write as _;

use super::html::{Escaped, format_duration, render_commit, render_pill, render_time, shorten_text};
use super::{View, run_path};
use crate::gitops::view::{JobRun, PlanCounts};

/// Renders runs, newest first.
pub(super) fn render_runs(out: &mut String, runs: &[JobRun], view: &View<'_>) {
    out.push_str(
        "<table class=\"jobs\"><thead><tr><th scope=\"col\">Outcome</th><th scope=\"col\">Run</th>\
         <th scope=\"col\">Commit</th><th scope=\"col\">Changes</th><th scope=\"col\">Time</th></tr></thead><tbody>",
    );
    for run in runs {
        let error = run.error.as_deref().map(|error| {
            format!(
                "<small class=\"note\">{}</small>",
                Escaped(shorten_text(error.lines().next().unwrap_or_default(), 160))
            )
        });
        let _ = write!(
            out,
            "<tr><td>{}</td><th scope=\"row\"><a href=\"{}\">{}</a> <small>{}</small>{}</th>\
             <td data-label=\"Commit\">{}</td><td data-label=\"Changes\">{}</td><td data-label=\"Time\">{} <small>{}</small></td></tr>",
            render_pill(outcome_word(run)),
            run_path(&run.run),
            Escaped(&run.run),
            Escaped(describe_reasons(run)),
            error.unwrap_or_default(),
            run.commit.as_deref().map_or_else(|| "<span class=\"none\">–</span>".to_owned(), render_commit),
            run.plan.as_ref().map_or_else(|| "<span class=\"none\">–</span>".to_owned(), render_counts),
            format_duration(run.started, run.ended.unwrap_or(view.now)),
            render_time(run.started, view.now),
        );
    }
    out.push_str("</tbody></table>");
}

/// Returns the outcome, or `running`.
pub(super) fn outcome_word(run: &JobRun) -> &'static str {
    run.outcome.map_or("running", crate::gitops::view::Outcome::as_str)
}

/// Returns why the run started.
pub(super) fn describe_reasons(run: &JobRun) -> String {
    run.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns the counts of a plan, the zeros left out.
pub(super) fn render_counts(counts: &PlanCounts) -> String {
    let parts: Vec<String> = [
        ("create", "+", counts.create),
        ("update", "~", counts.update),
        ("replace", "±", counts.replace),
        ("delete", "−", counts.delete),
        ("undetermined", "?", counts.undetermined),
    ]
    .into_iter()
    .filter(|(_, _, count)| *count > 0)
    .map(|(word, sign, count)| {
        format!("<span class=\"count c-{word}\" title=\"{count} to {word}\">{sign}{count}</span>")
    })
    .collect();
    if parts.is_empty() { "<span class=\"none\">none</span>".to_owned() } else { parts.join(" ") }
}
