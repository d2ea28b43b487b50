//! JUnit XML, in the form that Jenkins and GitLab read: a suite for each play, a case for each task on each host.

use std::fmt::Write as _;

use super::xml::{escape, escape_attribute};
use crate::report::history::{Message, PlayHistory, ResultHistory, RunHistory, TaskHistory};

/// The run as suites; errors outside of any task are a suite of their own.
pub fn write_run(history: &RunHistory) -> String {
    let mut suites = String::new();
    let mut totals = Totals::default();
    for play in &history.plays {
        suites.push_str(&write_suite(play, history, &mut totals));
    }
    if !history.errors.is_empty() {
        suites.push_str(&write_errors(history, &mut totals));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">\n{suites}</testsuites>\n",
        escape_attribute(&history.title()),
        totals.tests,
        totals.failures,
        totals.errors,
        history.seconds
    )
}

/// How many cases there are.
#[derive(Debug, Default, Clone, Copy)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

fn write_suite(play: &PlayHistory, history: &RunHistory, all: &mut Totals) -> String {
    let (mut cases, mut totals, mut seconds) = (String::new(), Totals::default(), 0.0);
    for (task, result) in play.tasks.iter().flat_map(|task| task.results.iter().map(move |result| (task, result))) {
        totals.tests += 1;
        seconds += result.duration;
        match result.status.as_str() {
            "failed" => totals.failures += 1,
            "unreachable" => totals.errors += 1,
            "skipped" | "undetermined" => totals.skipped += 1,
            _ => {}
        }
        cases.push_str(&write_case(play, task, result));
    }
    all.tests += totals.tests;
    all.failures += totals.failures;
    all.errors += totals.errors;
    let name = if play.name.trim().is_empty() { "play" } else { &play.name };
    open_suite(name, totals, seconds, history) + &cases + "  </testsuite>\n"
}

fn open_suite(name: &str, totals: Totals, seconds: f64, history: &RunHistory) -> String {
    let Totals { tests, failures, errors, skipped } = totals;
    // The schema wants the time without a zone.
    let started = history.started.split('.').next().unwrap_or_default();
    format!(
        "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{started}\">\n",
        escape_attribute(name)
    )
}

fn write_case(play: &PlayHistory, task: &TaskHistory, result: &ResultHistory) -> String {
    let place = result.place.as_ref().filter(|_| result.has_failed()).or(task.place.as_ref());
    let file = task.place.as_ref().map(|place| format!(" file=\"{}\"", escape_attribute(&place.file)));
    let mut out = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\"{}",
        escape_attribute(&format!("{} [{}]", task.name, result.host)),
        escape_attribute(&play.name),
        result.duration,
        file.unwrap_or_default()
    );
    let inside = match result.status.as_str() {
        "failed" | "unreachable" => {
            let element = if result.status == "failed" { "failure" } else { "error" };
            let first = result.failures().first().map(|(_, failure)| failure.message.clone()).unwrap_or_default();
            let mut text = place.map(|place| format!("{place}\n")).unwrap_or_default();
            for (label, failure) in result.failures() {
                let item = label.map(|label| format!("(item={label}) ")).unwrap_or_default();
                let _ = writeln!(text, "{item}{}", failure.message);
                failure.hints.iter().for_each(|hint| _ = writeln!(text, "help: {hint}"));
                if let Ok(details) = serde_json::to_string_pretty(&failure.details()) {
                    let _ = writeln!(text, "{details}");
                }
            }
            format!(
                "      <{element} message=\"{}\" type=\"{}\">{}</{element}>\n",
                escape_attribute(&first),
                escape_attribute(&task.action),
                escape(&text)
            )
        }
        "skipped" | "undetermined" => format!("      <skipped message=\"{}\"/>\n", escape_attribute(&result.message)),
        _ => String::new(),
    };
    let output = if result.diff.is_empty() {
        String::new()
    } else {
        format!("      <system-out>{}</system-out>\n", escape(&result.diff))
    };
    if inside.is_empty() && output.is_empty() {
        out.push_str("/>\n");
        return out;
    }
    let _ = write!(out, ">\n{inside}{output}    </testcase>\n");
    out
}

fn write_errors(history: &RunHistory, all: &mut Totals) -> String {
    let count = history.errors.len();
    all.tests += count;
    all.errors += count;
    let totals = Totals { tests: count, errors: count, ..Totals::default() };
    let cases: String = history.errors.iter().map(write_error).collect();
    open_suite("ionplay", totals, history.seconds, history) + &cases + "  </testsuite>\n"
}

fn write_error(message: &Message) -> String {
    let place = message.place.as_ref().map(|place| format!("{place}\n")).unwrap_or_default();
    format!(
        "    <testcase name=\"run\" classname=\"ionplay\" time=\"0.000\">\n      <error message=\"{}\" type=\"error\">{}</error>\n    </testcase>\n",
        escape_attribute(&message.summary),
        escape(&format!("{place}{}", message.full_text()))
    )
}
