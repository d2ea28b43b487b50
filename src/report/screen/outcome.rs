//! The lines about a result: differences, an error with its place, and how it ended.

use super::{Screen, render};
use crate::diagnostic::Diagnostic;
use crate::report::diff;
use crate::report::event::{OutcomeStatus, ReportedOutcome};
use crate::report::style::Meaning;
use crate::secrets::Redactor;
use crate::value::Value;

/// The level that a result belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultLevel {
    /// One item of a loop.
    Item,
    /// The task on a host, with all its items.
    Task,
}

/// The line that says how a result ended, before its data.
struct StatusLine {
    text: String,
    meaning: Meaning,
    /// It is a failure, which always shows its data.
    is_failure: bool,
}

fn is_include(outcome: &ReportedOutcome) -> bool {
    outcome.label.action.ends_with(".include_tasks") || outcome.label.action.ends_with(".include_role")
}

impl Screen {
    pub(super) fn print_outcome(
        &mut self,
        outcome: &ReportedOutcome,
        level: ResultLevel,
        redactor: &Redactor,
    ) -> std::io::Result<()> {
        if self.is_hidden(outcome) {
            return Ok(());
        }
        self.announce_task(redactor)?;
        if is_include(outcome) && matches!(outcome.status, OutcomeStatus::Ok | OutcomeStatus::Changed) {
            // A line of its own says which file was included for which hosts.
            return Ok(());
        }
        let mut text = self.render_evidence(outcome, redactor);
        if let Some(awaits) = &outcome.undetermined {
            if outcome.looped && level == ResultLevel::Task {
                return Ok(());
            }
            self.undetermined += 1;
            let (host, label) = (host_label(outcome), item_label(outcome, redactor));
            let line = format!("undetermined: {host}{label} => waits for {awaits}");
            self.push_line(&mut text, &line, Meaning::Skipped);
            return self.print_text(&text, redactor);
        }
        // The line of the whole loop repeats what the items have said; that of a failed `debug` is there in Ansible, too.
        let silent = outcome.looped
            && level == ResultLevel::Task
            && match outcome.status {
                OutcomeStatus::Unreachable | OutcomeStatus::Skipped => false,
                OutcomeStatus::Ok | OutcomeStatus::Changed => true,
                OutcomeStatus::Failed | OutcomeStatus::Ignored | OutcomeStatus::Rescued => !is_debug(outcome),
            };
        if !silent {
            self.push_status(&mut text, outcome, level, redactor);
        }
        let failed = !matches!(outcome.status, OutcomeStatus::Ok | OutcomeStatus::Changed | OutcomeStatus::Skipped);
        if failed && self.options.failures_to_stderr && !self.options.quiet {
            self.print_error(&std::mem::take(&mut text), redactor)?;
        }
        if outcome.status == OutcomeStatus::Ignored && level == ResultLevel::Task {
            self.push_line(&mut text, "...ignoring", Meaning::Skipped);
        }
        self.print_text(&text, redactor)
    }

    /// Whether a result has no line by the settings. Where it was to be told of the task with it, nothing is.
    fn is_hidden(&self, outcome: &ReportedOutcome) -> bool {
        let hidden = match outcome.status {
            OutcomeStatus::Ok => !self.options.show_ok && !is_include(outcome),
            OutcomeStatus::Skipped => !self.options.show_skipped,
            _ => false,
        };
        hidden && outcome.undetermined.is_none()
    }

    /// The differences, and the error with its place.
    fn render_evidence(&self, outcome: &ReportedOutcome, redactor: &Redactor) -> String {
        let mut text = String::new();
        // A result that the playbook declares unchanged has no difference to show.
        let changed = outcome.result.get("changed").is_some_and(Value::is_true);
        for difference in outcome.diff.iter().filter(|_| changed) {
            let shown = if redactor.may_show_secrets() {
                difference.clone()
            } else {
                diff::redact_diff(&difference.masked(), redactor)
            };
            text.push_str(&diff::render_diff(&shown, self.paint));
        }
        if let Some(diagnostic) =
            outcome.diagnostic.as_ref().filter(|diagnostic| !self.is_announced(outcome, diagnostic))
        {
            text.push_str(&render::render_diagnostic(diagnostic, self.options.colour));
            text.push('\n');
        }
        text
    }

    /// Whether a failure was announced with a picture before the first task, which need not be drawn again.
    fn is_announced(&self, outcome: &ReportedOutcome, diagnostic: &Diagnostic) -> bool {
        let known = |place: &str| self.announcements.contains(place);
        outcome.label.place.as_deref().is_some_and(known)
            || diagnostic.span().is_some_and(|span| known(&span.to_string()))
    }

    fn push_line(&self, text: &mut String, line: &str, meaning: Meaning) {
        text.push_str(&self.paint.paint_text(line, meaning));
        text.push('\n');
    }

    /// Adds the line about the ending, with the data of the result where they are shown.
    fn push_status(&self, text: &mut String, outcome: &ReportedOutcome, level: ResultLevel, redactor: &Redactor) {
        let mut line = status_line(outcome, level, redactor);
        let place = outcome.label.place.as_ref().filter(|_| self.options.places_of_failures);
        let shows_place = line.is_failure && level == ResultLevel::Task && self.options.verbosity < 2;
        if let Some(place) = place.filter(|_| shows_place) {
            self.push_line(text, &format!("task path: {place}"), Meaning::Verbose);
        }
        if line.is_failure || self.shows_result(outcome) {
            line.text.push_str(if line.text.ends_with(' ') { "=> " } else { " => " });
            line.text.push_str(&self.format_result(outcome, redactor));
        }
        self.push_line(text, &line.text, line.meaning);
    }
}

/// Whether the task is a `debug`.
pub(super) fn is_debug(outcome: &ReportedOutcome) -> bool {
    outcome.label.action.ends_with(".debug")
}

fn item_label(outcome: &ReportedOutcome, redactor: &Redactor) -> String {
    match &outcome.item {
        Some(item) => format!(" => (item={})", redactor.show_value(item)),
        None => String::new(),
    }
}

/// The host in brackets, with the one that the task was delegated to.
fn host_label(outcome: &ReportedOutcome) -> String {
    match &outcome.delegated_to {
        Some(target) if **target != *outcome.host => format!("[{} -> {target}]", outcome.host),
        _ => format!("[{}]", outcome.host),
    }
}

fn status_line(outcome: &ReportedOutcome, level: ResultLevel, redactor: &Redactor) -> StatusLine {
    let (host, label) = (host_label(outcome), item_label(outcome, redactor));
    let fine = |text: String, meaning| StatusLine { text, meaning, is_failure: false };
    let failure = |text: String| StatusLine { text, meaning: Meaning::Failed, is_failure: true };
    match (outcome.status, level) {
        (OutcomeStatus::Ok, _) => fine(format!("ok: {host}{label}"), Meaning::Ok),
        (OutcomeStatus::Changed, _) => fine(format!("changed: {host}{label}"), Meaning::Changed),
        (OutcomeStatus::Skipped, ResultLevel::Item) => fine(format!("skipping: {host}{label} "), Meaning::Skipped),
        (OutcomeStatus::Skipped, ResultLevel::Task) => fine(format!("skipping: {host}"), Meaning::Skipped),
        _ if outcome.unreachable => failure(format!("fatal: {host}: UNREACHABLE!{label}")),
        (_, ResultLevel::Item) => failure(format!("failed: {host}{}", label.replacen(" =>", "", 1))),
        (_, ResultLevel::Task) => failure(format!("fatal: {host}: FAILED!")),
    }
}
