//! The job list.

use std::fmt::Write as _;

use super::html::{Escaped, render_commit, render_pill, render_time, short_commit};
use super::{HtmlPage, View, job_path, run_path};
use crate::gitops::view::{GitopsStatus, JobState, JobStatus};

/// Jobs on one page, which stays below 40 kB so.
const PER_PAGE: usize = 30;

/// Renders the jobs, those in one state if one is given.
pub(super) fn render_home(status: &GitopsStatus, state: Option<&str>, number: usize, view: &View<'_>) -> HtmlPage {
    let jobs: Vec<&JobStatus> =
        status.jobs.iter().filter(|job| state.is_none_or(|state| job.state.as_str() == state)).collect();
    let pages = jobs.len().div_ceil(PER_PAGE).max(1);
    let number = number.clamp(1, pages);
    let shown = jobs.iter().skip((number - 1) * PER_PAGE).take(PER_PAGE);
    let mut main = format!("<h1>Jobs <small>on {}</small></h1>", Escaped(&status.host));
    main.push_str(&render_states(status, state));
    if state.is_none() {
        render_waiting(&mut main, status, view);
    }
    if jobs.is_empty() {
        main.push_str("<p class=\"empty\">No job is in this state.</p>");
    } else {
        main.push_str(
            "<table class=\"jobs\"><thead><tr><th scope=\"col\">State</th><th scope=\"col\">Job</th>\
             <th scope=\"col\">Applied</th><th scope=\"col\">Last run</th><th scope=\"col\">Next due</th></tr></thead><tbody>",
        );
        for job in shown {
            render_job(&mut main, job, view);
        }
        main.push_str("</tbody></table>");
    }
    if pages > 1 {
        render_pages(&mut main, state, number, pages);
    }
    HtmlPage { title: window_title(status), main, follow: None }
}

/// Returns the title of the window: what needs a person comes first.
fn window_title(status: &GitopsStatus) -> String {
    let count = |state| status.jobs.iter().filter(|job| job.state == state).count();
    let parts: Vec<String> = [JobState::Failed, JobState::Refused, JobState::Waiting, JobState::Drift]
        .into_iter()
        .filter_map(|state| Some((count(state), state)).filter(|(count, _)| *count > 0))
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    if parts.is_empty() { "ionplay gitops".to_owned() } else { format!("{} · ionplay gitops", parts.join(", ")) }
}

fn render_states(status: &GitopsStatus, current: Option<&str>) -> String {
    let mut out = String::from("<nav class=\"states\" aria-label=\"Jobs by state\">");
    let link = |out: &mut String, href: &str, is_current: bool, text: &str| {
        let current = if is_current { " aria-current=\"page\"" } else { "" };
        let _ = write!(out, "<a href=\"{href}\"{current}>{text}</a>");
    };
    link(&mut out, "/", current.is_none(), &format!("<b>{}</b> all", status.jobs.len()));
    for state in JobState::ALL {
        let count = status.jobs.iter().filter(|job| job.state == *state).count();
        if count > 0 {
            let text = format!("<b>{count}</b> {}", render_pill(state.as_str()));
            link(&mut out, &format!("/?state={state}"), current == Some(state.as_str()), &text);
        }
    }
    out.push_str("</nav>");
    out
}

fn render_waiting(out: &mut String, status: &GitopsStatus, view: &View<'_>) {
    let waiting: Vec<_> = status.jobs.iter().filter_map(|job| Some((job, job.waiting.as_ref()?))).collect();
    if waiting.is_empty() {
        return;
    }
    out.push_str("<section class=\"card waiting\"><h2>Waiting for approval</h2><ul>");
    for (job, waiting) in waiting.iter().take(10) {
        let _ = write!(
            out,
            "<li><span><b>{}</b> {} <small>planned {}</small></span><a class=\"button\" href=\"{}\">Review plan</a></li>",
            Escaped(&job.job),
            job.attempted.as_deref().map(render_commit).unwrap_or_default(),
            render_time(waiting.since, view.now),
            run_path(&waiting.run),
        );
    }
    if waiting.len() > 10 {
        let _ = write!(out, "<li><a href=\"/?state=waiting\">{} more</a></li>", waiting.len() - 10);
    }
    out.push_str("</ul></section>");
}

fn render_job(out: &mut String, job: &JobStatus, view: &View<'_>) {
    let _ = write!(
        out,
        "<tr><td>{}</td><th scope=\"row\"><a href=\"{}\">{}</a>{}</th><td data-label=\"Applied\">{}</td>\
         <td data-label=\"Last run\">{}</td><td data-label=\"Next due\">{}</td></tr>",
        render_pill(job.state.as_str()),
        job_path(&job.job),
        Escaped(&job.job),
        render_note(job, view),
        render_commits(job),
        render_last_run(job, view),
        render_next_due(job, view),
    );
}

/// Returns why the job is in its state.
pub(super) fn render_note(job: &JobStatus, view: &View<'_>) -> String {
    let mut notes = Vec::new();
    if let Some(suspended) = &job.suspended {
        let reason = suspended.reason.as_deref().map(|reason| format!(": {}", Escaped(reason))).unwrap_or_default();
        let until = suspended.until.map(|until| format!(", ends {}", render_time(until, view.now))).unwrap_or_default();
        notes.push(format!("suspended{reason}{until}"));
    }
    if job.drift > 0 {
        notes.push(format!("{} {} drifted", job.drift, if job.drift == 1 { "object" } else { "objects" }));
    }
    if let Some(message) = &job.message {
        notes.push(Escaped(super::html::shorten_text(message, 240)).to_string());
    }
    if notes.is_empty() { String::new() } else { format!("<small class=\"note\">{}</small>", notes.join("<br>")) }
}

/// Returns the applied commit, and the observed one where it is another.
pub(super) fn render_commits(job: &JobStatus) -> String {
    let applied = job.applied.as_deref().map_or_else(|| "<span class=\"none\">none</span>".to_owned(), render_commit);
    match &job.observed {
        Some(observed) if job.applied.as_ref() != Some(observed) => {
            format!(
                "{applied} <span class=\"ahead\" title=\"seen {}\">→ <code>{}</code></span>",
                Escaped(observed),
                Escaped(short_commit(observed))
            )
        }
        _ => applied,
    }
}

/// Returns outcome and time of the last run, as a link.
pub(super) fn render_last_run(job: &JobStatus, view: &View<'_>) -> String {
    job.last_run.as_ref().map_or_else(
        || "<span class=\"none\">never</span>".to_owned(),
        |run| {
            let outcome = run.outcome.as_str().replace('_', " ");
            format!(
                "<a href=\"{}\">{outcome}</a> <small>{}</small>",
                run_path(&run.run),
                render_time(run.ended, view.now)
            )
        },
    )
}

/// Returns when the job is due next, and by which clock.
pub(super) fn render_next_due(job: &JobStatus, view: &View<'_>) -> String {
    job.next_due.as_ref().map_or_else(
        || "<span class=\"none\">–</span>".to_owned(),
        |due| format!("{} <small>{}</small>", render_time(due.at, view.now), due.by),
    )
}

fn render_pages(out: &mut String, state: Option<&str>, number: usize, pages: usize) {
    let filter = state.map(|state| format!("state={}&amp;", Escaped(state))).unwrap_or_default();
    let _ = write!(out, "<nav class=\"pages\" aria-label=\"Pages\">");
    if number > 1 {
        let _ = write!(out, "<a rel=\"prev\" href=\"/?{filter}page={}\">Previous</a>", number - 1);
    }
    let _ = write!(out, "<span>Page {number} of {pages}</span>");
    if number < pages {
        let _ = write!(out, "<a rel=\"next\" href=\"/?{filter}page={}\">Next</a>", number + 1);
    }
    out.push_str("</nav>");
}
