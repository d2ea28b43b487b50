//! `ionplay lint`: everything that can be known of playbooks without running them.

use std::rc::Rc;

use clap::ValueEnum as _;

use super::args::RunArgs;
use super::load::{self, ReadPlaybook};
use super::output;
use crate::diagnostic::{Diagnostic, Report, Severity, fold_repeated, json, render};
use crate::exit::Exit;
use crate::lint;
use crate::playbook::LoadErrorKind;
use crate::report::files::{Issue, format_issues};
use crate::report::history::Message;
use crate::secrets::Redactor;

/// Check playbooks without running them
///
/// Reads the files that a run reads at its start, and the files and roles that tasks include by a literal name. Checks
/// keywords, modules and their parameters, and in every template the syntax and the names of filters, tests and lookups.
/// Touches no host and sends no request. Exits with 0 without errors (warnings do not count), 4 with errors, and 1 if a file
/// cannot be read.
#[derive(Debug, clap::Args)]
pub struct LintArgs {
    /// Playbooks, task lists, bare tasks or Markdown pages; `-` reads standard input
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<String>,
    /// Format of messages
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LintFormat::Text)]
    pub format: LintFormat,
    /// Variables for static imports: `name=value` pairs, JSON or YAML, or `@FILE` (may be given again)
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// Fill the empty placeholders of a parameter, for example `registry=NAME` (may be given again)
    #[arg(long, value_name = "PARAMETER=VALUE")]
    pub fill: Vec<String>,
    /// A vault identity: `[ID@]FILE`, `[ID@]prompt` (may be given again)
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,
    /// A file or script with the vault password (may be given again)
    #[arg(long, value_name = "FILE")]
    pub vault_password_file: Vec<String>,
}

/// Formats of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LintFormat {
    /// Text for a terminal.
    Text,
    /// One JSON document: `{"messages": [..]}`.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// The code quality report of GitLab.
    Gitlab,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Checks the playbooks, and prints the messages.
pub fn run_lint(args: &LintArgs) -> Exit {
    let (mut report, mut exit) = (Report::new(), Exit::Success);
    let redactor = Rc::new(Redactor::new(false));
    for name in &args.playbooks {
        let options = RunArgs {
            playbooks: vec![name.clone()],
            all_blocks: true,
            extra_vars: args.extra_vars.clone(),
            fill: args.fill.clone(),
            vault_id: args.vault_id.clone(),
            vault_password_file: args.vault_password_file.clone(),
            ..RunArgs::default()
        };
        match load::read(&options, name, &redactor) {
            Ok(read) => {
                let (messages, problem) = describe_playbook(read);
                report.extend(messages);
                exit = problem.map_or(exit, LoadErrorKind::exit_status);
            }
            Err(problem) => {
                report.extend(problem.report);
                exit = problem.kind.exit_status();
            }
        }
    }
    if exit == Exit::Success && report.iter().any(|message| message.severity == Severity::Error) {
        exit = Exit::Unparsable;
    }
    print_report(&fold_repeated(report), args.format, &redactor);
    exit
}

/// Returns the messages about a playbook, and the kind of the problem if parts of it could not be read; the messages are
/// then about the other parts, too.
pub fn describe_playbook(read: ReadPlaybook) -> (Report, Option<LoadErrorKind>) {
    let ReadPlaybook { loader, playbook, part } = read;
    let (mut report, kind, findings) = match playbook {
        Ok(playbook) => (Report::new(), None, lint::check_with_includes(&playbook, &loader)),
        Err(problem) => {
            let findings = part.map(|part| lint::check_readable_part(&part, &loader)).unwrap_or_default();
            (problem.report, Some(problem.kind), findings)
        }
    };
    // What is wrong at a place has been said by what could not read it.
    let is_said = |message: &Diagnostic, said: &Report| {
        message
            .span()
            .is_some_and(|place| said.iter().any(|other| other.span() == Some(place) || other.also.contains(place)))
    };
    let findings = findings.into_iter().map(|finding| finding.message);
    let more: Report =
        loader.take_warnings().into_iter().chain(findings).filter(|message| !is_said(message, &report)).collect();
    report.extend(more);
    (report, kind)
}

fn print_report(report: &Report, format: LintFormat, redactor: &Redactor) {
    let text = match format {
        LintFormat::Json => {
            let messages: Vec<_> = report.iter().map(json::to_json).collect();
            format!("{:#}\n", serde_json::json!({ "messages": messages }))
        }
        LintFormat::Github | LintFormat::Gitlab | LintFormat::Sarif => {
            // Before anything is escaped: an escaped secret is not found.
            let issues: Vec<Issue> =
                report.iter().map(|message| Issue::new(Message::new(message).redact(redactor))).collect();
            let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            format_issues(&name, &issues).unwrap_or_default()
        }
        LintFormat::Text => {
            let colour = output::has_colours(false);
            let mut text =
                report.iter().map(|message| render::render_diagnostic(message, colour) + "\n\n").collect::<String>();
            let errors = report.iter().filter(|message| message.severity == Severity::Error).count();
            let others = report.len() - errors;
            let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
            text.push_str(&format!("{}, {}\n", count(errors, "error"), count(others, "warning")));
            text
        }
    };
    // A reader that has seen enough is not a failure.
    let text = match format {
        LintFormat::Text | LintFormat::Github => redactor.redact(&text),
        LintFormat::Json | LintFormat::Gitlab | LintFormat::Sarif => redactor.redact_json(&text),
    };
    super::output::write_stdout(&text);
}
