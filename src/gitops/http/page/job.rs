//! The page of a job: its state, what can be done with it, and its runs.

use std::fmt::Write as _;

use super::forms::{Form, Permission, Required, text_field};
use super::html::{Escaped, render_pill, short_commit};
use super::{HtmlPage, View, history, home, job_path};
use crate::gitops::http::control::{ControlError, GitopsControl};
use crate::gitops::view::{JobRun, JobStatus, Outcome};

/// Runs on the page, which stays below 40 kB so.
const RUNS: usize = 25;

/// Renders a job.
pub(super) async fn render_job<C: GitopsControl>(
    control: &C,
    name: &str,
    view: &View<'_>,
) -> Result<HtmlPage, ControlError> {
    let status = control.read_status().await?;
    let job = status.jobs.iter().find(|job| job.job == name);
    let job = job.ok_or_else(|| ControlError::UnknownJob(name.to_owned()))?;
    let runs = control.list_runs(name, RUNS).await?;
    let mut main = format!(
        "<nav class=\"trail\" aria-label=\"Path\"><a href=\"/\">Jobs</a></nav><h1>{} {}</h1>{}",
        Escaped(name),
        render_pill(job.state.as_str()),
        home::render_note(job, view),
    );
    let _ = write!(
        main,
        "<dl class=\"facts\"><div><dt>Applied</dt><dd>{}</dd></div><div><dt>Last run</dt><dd>{}</dd></div>\
         <div><dt>Next due</dt><dd>{}</dd></div></dl>",
        home::render_commits(job),
        home::render_last_run(job, view),
        home::render_next_due(job, view),
    );
    render_actions(&mut main, job, &runs, view);
    main.push_str("<h2>Runs</h2>");
    if runs.is_empty() {
        main.push_str("<p class=\"empty\">This job never ran.</p>");
    } else {
        history::render_runs(&mut main, &runs, view);
        let _ = write!(
            main,
            "<p class=\"more\"><a href=\"/api/v1{}/runs?limit=1000\">All runs as JSON</a></p>",
            job_path(name)
        );
    }
    let follow = runs.iter().find(|run| run.outcome.is_none()).map(super::events_path);
    Ok(HtmlPage { title: format!("{name} · ionplay gitops"), main, follow })
}

fn render_actions(out: &mut String, job: &JobStatus, runs: &[JobRun], view: &View<'_>) {
    if view.permission() == Permission::None {
        let _ = write!(
            out,
            "<details class=\"card\" id=\"commands\"><summary>Commands</summary>\
             <p>This page changes nothing: the daemon has no <code>server.token_file</code>.</p>{}{}{}</details>",
            view.command_block("run", &[&job.job]),
            view.command_block("suspend", &[&job.job, "--reason", "TEXT"]),
            view.command_block("rollback", &[&job.job]),
        );
        return;
    }
    let action = |verb: &str| format!("/api/v1{}/{verb}", job_path(&job.job));
    let form =
        |verb: &str, button, class, fields| Form { action: action(verb), button, class, fields }.render_form(view);
    let _ = write!(
        out,
        "<div class=\"actions\">{}",
        render_details("run", "Run now", &form("run", "Run now", "primary", String::new()))
    );
    if job.suspended.is_some() {
        out.push_str(&render_details("resume", "Resume", &form("resume", "Resume", "primary", String::new())));
    } else {
        let fields = text_field("Reason", "reason", "why", Required::Yes)
            + &text_field("Until", "until", "2h, or empty", Required::No);
        out.push_str(&render_details("suspend", "Suspend", &form("suspend", "Suspend", "", fields)));
    }
    let targets = render_targets(job, runs);
    if !targets.is_empty() {
        out.push_str(&render_details("rollback", "Roll back", &form("rollback", "Roll back", "danger", targets)));
    }
    out.push_str("</div>");
}

fn render_details(id: &str, title: &str, form: &str) -> String {
    format!("<details id=\"{id}\"><summary>{title}</summary>{form}</details>")
}

/// Returns a choice of the commits that were applied before.
fn render_targets(job: &JobStatus, runs: &[JobRun]) -> String {
    let mut seen = Vec::new();
    let mut options = String::new();
    for run in runs {
        let Some(commit) = run.commit.as_deref() else { continue };
        let is_applied = run.outcome.is_some_and(Outcome::is_fine);
        if !is_applied || job.applied.as_deref() == Some(commit) || seen.contains(&commit) {
            continue;
        }
        seen.push(commit);
        let day = run.started.strftime("%Y-%m-%d %H:%M");
        let _ = write!(
            options,
            "<option value=\"{}\">{} of {day}</option>",
            Escaped(commit),
            Escaped(short_commit(commit))
        );
    }
    if options.is_empty() {
        return String::new();
    }
    format!("<label>To <select name=\"to\">{options}</select></label>")
}
