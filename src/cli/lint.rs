//! `ionplay lint`: everything that can be known of playbooks without running them.

use std::collections::BTreeSet;
use std::io::Write;
use std::rc::Rc;

use super::args::RunArgs;
use super::load;
use super::output;
use crate::diagnostic::{Diagnostic, Report, Severity, json, render};
use crate::exit::Exit;
use crate::modules::{self, args};
use crate::playbook::keyword::{Keyword, TABLE};
use crate::playbook::{Item, Keywords, Play, Playbook, Task, action};
use crate::secrets::Redactor;
use crate::template::{Engine, Fault};
use crate::value::{Text, Value};

/// Check playbooks without running them
///
/// Reads everything that a run would read at its start, and checks keywords, modules and their parameters, and every
/// template: its syntax, and the names of filters, tests and lookups. No host is touched and no request is sent. Ends with
/// 0 if all is well (warnings do not count), 4 if something is wrong, and 1 if a file cannot be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Playbooks, task lists, bare tasks or Markdown pages; `-` reads standard input
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<String>,
    /// How messages are printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
    /// Variables for static imports: `name=value` pairs, JSON or YAML, or `@FILE` (may be given again)
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// A value for every empty placeholder of a parameter: `registry=NAME` (may be given again)
    #[arg(long, value_name = "PARAMETER=VALUE")]
    pub fill: Vec<String>,
    /// A vault identity: `[ID@]FILE`, `[ID@]prompt` (may be given again)
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,
    /// A file or script with the vault password (may be given again)
    #[arg(long, value_name = "FILE")]
    pub vault_password_file: Vec<String>,
}

/// The forms of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Pictures for people.
    Text,
    /// One JSON document: `{"messages": [..]}`.
    Json,
}

/// Checks, and prints what was found.
pub fn run(args: &Args) -> Exit {
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
            Ok((loader, playbook)) => {
                report.extend(loader.take_warnings());
                let mut lint = Lint { report: Report::new(), seen: BTreeSet::new() };
                lint.playbook(&playbook);
                report.extend(lint.report);
            }
            Err(problem) => {
                report.extend(problem.report);
                exit = problem.kind.exit();
            }
        }
    }
    if exit == Exit::Success && report.iter().any(|message| message.severity == Severity::Error) {
        exit = Exit::Unparsable;
    }
    print(&report, args.format, &redactor);
    exit
}

fn print(report: &Report, format: Format, redactor: &Redactor) {
    let text = match format {
        Format::Json => {
            let messages: Vec<_> = report.iter().map(json::to_json).collect();
            format!("{:#}\n", serde_json::json!({ "messages": messages }))
        }
        Format::Text => {
            let colour = output::colours(false);
            let mut text = report.iter().map(|message| render::render(message, colour) + "\n").collect::<String>();
            let errors = report.iter().filter(|message| message.severity == Severity::Error).count();
            let others = report.len() - errors;
            let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
            text.push_str(&format!("{}, {}\n", count(errors, "error"), count(others, "warning")));
            text
        }
    };
    // A reader that has seen enough is no failure.
    let text = match format {
        Format::Text => redactor.redact(&text),
        Format::Json => redactor.redact_json(&text),
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Findings so far.
struct Lint {
    report: Report,
    /// Places that were told already: aliases and roles that are used twice are read twice.
    seen: BTreeSet<(String, usize, String)>,
}

impl Lint {
    fn playbook(&mut self, playbook: &Playbook) {
        playbook.plays.iter().for_each(|play| self.play(play));
    }

    fn play(&mut self, play: &Play) {
        self.value(&play.hosts);
        self.value(&Value::from((*play.vars).clone()));
        self.keywords(&play.frame.keywords);
        play.vars_files.iter().for_each(|files| self.value(files));
        let sections = [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks];
        sections.into_iter().for_each(|items| self.items(items));
        play.handlers.iter().for_each(|items| self.items(items));
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task),
                Item::Block(found) => {
                    self.keywords(&found.frame.keywords);
                    found.frame.vars.iter().for_each(|vars| self.value(&Value::from((**vars).clone())));
                    [&found.main, &found.rescue, &found.always].into_iter().for_each(|items| self.items(items));
                }
            }
        }
    }

    fn task(&mut self, task: &Rc<Task>) {
        if task.implicit {
            return;
        }
        task.name.iter().for_each(|name| self.value(name));
        task.vars.iter().for_each(|vars| self.value(&Value::from((**vars).clone())));
        task.looping.iter().for_each(|looping| self.value(&looping.node().to_value()));
        task.args.template.iter().for_each(|template| self.value(template));
        self.keywords(&task.keywords);
        for (name, value) in task.args.values.iter() {
            let expression =
                matches!((task.action.short(), name.as_str()), ("assert", Some("that")) | ("debug", Some("var")));
            if expression { self.condition(value) } else { self.value(value) }
        }
        let Some(spec) = modules::find(&task.action.full).map(modules::Module::spec) else {
            self.absent(task);
            return;
        };
        if let Some(node) = &task.args.node {
            let defaults = !task.keyword_all(Keyword::ModuleDefaults).is_empty() || task.args.template.is_some();
            args::check_names(spec, node, defaults).into_iter().for_each(|message| self.tell(message));
        }
    }

    /// A module that is not here fails its task, but only if that is run.
    fn absent(&mut self, task: &Task) {
        let (full, short) = (&task.action.full, task.action.short());
        if !full.is_empty() && action::resolve(full).is_none() {
            self.tell(action::unknown_module(full, &task.span));
        }
        if action::NOT_HERE.contains(&short) {
            let said = format!("there is no module `{full}` in this program; the task fails if it is run");
            self.tell(Diagnostic::warning(said).at(&task.span, ""));
        }
    }

    fn keywords(&mut self, keywords: &Keywords) {
        for row in TABLE {
            let Some(keyword) = Keyword::find(row.name) else { continue };
            let Some(value) = keywords.value(keyword) else { continue };
            match keyword {
                Keyword::When | Keyword::ChangedWhen | Keyword::FailedWhen | Keyword::Until => self.condition(&value),
                _ => self.value(&value),
            }
        }
    }

    /// A condition, or several.
    fn condition(&mut self, value: &Value) {
        match value {
            Value::Str(text) if !text.trim().is_empty() => self.faults(Engine::lint_expression(text), text),
            Value::List(items) => items.iter().for_each(|item| self.condition(item)),
            _ => {}
        }
    }

    /// A value with templates in it.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.faults(Engine::lint(text), text),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Dict(dict) => dict.iter().for_each(|(key, value)| {
                self.value(key);
                self.value(value);
            }),
            _ => {}
        }
    }

    fn faults(&mut self, faults: Vec<Fault>, text: &Text) {
        faults.into_iter().for_each(|fault| self.tell(Diagnostic::from(fault.or_at(text.origin()))));
    }

    fn tell(&mut self, message: Diagnostic) {
        let place =
            message.span().map_or_else(Default::default, |span| (span.source().name().to_owned(), span.range().start));
        if self.seen.insert((place.0, place.1, message.summary.clone())) {
            self.report.push(message);
        }
    }
}
