//! How jobs and runs are shown to people.

use std::io::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::exit::Exit;
use crate::gitops::once::{JobsVerdict, judge_jobs};
use crate::gitops::view::{JobRun, JobState, JobStatus};

/// Writes a line to standard output; a reader that has gone is not an error.
pub(super) fn print_line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a document to standard output.
pub(super) fn print_json<T: Serialize>(document: &T) {
    print_line(&serde_json::to_string_pretty(document).unwrap_or_default());
}

/// Writes a line of the log to standard error.
pub(super) fn log_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The first digits of a commit.
pub(super) fn shorten_commit(commit: Option<&str>) -> &str {
    commit.map_or("-", |commit| commit.get(..12).unwrap_or(commit))
}

/// One line about each job.
pub(super) fn status_lines(jobs: &[JobStatus], now: Timestamp) -> String {
    let width = jobs.iter().map(|job| job.job.len()).max().unwrap_or(0);
    let mut text = String::new();
    for job in jobs {
        let mut parts = vec![format!(
            "{:<width$}  {:<9}  {:<12}",
            job.job,
            job.state.as_str(),
            shorten_commit(job.applied.as_deref())
        )];
        if let Some(last) = &job.last_run {
            parts.push(format!("{} {} ago", last.outcome, format_span(last.ended, now)));
        }
        if job.drift > 0 {
            parts.push(format!("drift {}", job.drift));
        }
        if let Some(waiting) = &job.waiting {
            parts.push(format!("run {} waits for approval", waiting.run));
        }
        if let Some(next) = &job.next_due {
            // Less than a second ahead is not a time to wait for.
            let is_now = next.at.duration_since(now).as_secs() < 1;
            parts.push(if is_now {
                format!("{} is due", next.by)
            } else {
                format!("next {} in {}", next.by, format_span(now, next.at))
            });
        }
        if let Some(until) = job.suspended.as_ref().and_then(|suspended| suspended.until) {
            parts.push(format!("until {until}"));
        }
        text += parts.join("  ").trim_end();
        text.push('\n');
        let shown = !matches!(job.state, JobState::Ok | JobState::Running | JobState::Waiting | JobState::New);
        if let Some(message) = job.message.as_ref().filter(|_| shown) {
            for line in message.lines().filter(|line| !is_snippet_line(line)).take(4) {
                text += &format!("{:width$}  {line}\n", "");
            }
        } else if let Some(message) = job.message.as_ref().filter(|_| job.state == JobState::Ok) {
            text += &format!("{:width$}  {}\n", "", message.lines().next().unwrap_or_default());
        }
    }
    text
}

/// Whether a line of a message is of the lines of source that it draws: `3 | tasks:`. In a list the place says enough, and
/// half a drawing would be worse than none.
fn is_snippet_line(line: &str) -> bool {
    line.trim_start().trim_start_matches(|sign: char| sign.is_ascii_digit()).trim_start().starts_with('|')
}

/// A span of time, in its largest unit.
fn format_span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The exit status of `once`.
pub(super) fn once_exit(jobs: &[JobStatus]) -> Exit {
    match judge_jobs(jobs) {
        JobsVerdict::Fine => Exit::Success,
        JobsVerdict::Waiting => Exit::Waiting,
        JobsVerdict::Failed => Exit::Failed,
    }
}

/// One line about a run.
pub(super) fn run_line(run: &JobRun) -> String {
    let outcome = run.outcome.map_or("running", |outcome| outcome.as_str());
    let reasons: Vec<&str> = run.reasons.iter().map(|reason| reason.as_str()).collect();
    let took =
        run.ended.map(|ended| format!("{} ms", ended.duration_since(run.started).as_millis())).unwrap_or_default();
    let why = run.error.as_deref().and_then(|error| error.lines().next()).unwrap_or_default();
    let line = format!(
        "{}  {:<11}  {:<12}  {:<20}  {:>9}  {why}",
        run.run,
        outcome,
        shorten_commit(run.commit.as_deref()),
        format!("{} ({})", run.started.strftime("%F %T"), reasons.join(", ")),
        took
    );
    line.trim_end().to_owned()
}

/// The text with a line break at its end.
pub(super) fn with_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
