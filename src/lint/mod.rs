//! Everything that can be known of a playbook without running it.
//!
//! `ionplay lint` reports it, and a run reports it before the first task starts. What Ansible finds only when the task
//! runs still fails that task at that time: here it is announced, with its place and its remedy.

mod arguments;
mod bridge;
mod files;
mod handlers;
mod includes;
mod keywords;
mod tags;
mod tokens;

pub use keywords::{BOOLEANS, STRATEGIES};
pub use tags::check_tags;

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use crate::bridge::PythonUse;
use crate::diagnostic::{Diagnostic, Severity};
use crate::modules;
use crate::playbook::keyword::Keyword;
use crate::playbook::{BlockItem, Keywords, Loader, Play, Playbook, Task, action};
use crate::source::Span;
use crate::template::{Globals, TemplateEngine, TemplateError};
use crate::value::{Text, Value};

/// One thing that is wrong, or probably wrong.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The message.
    pub message: Diagnostic,
    /// Where the task stands that it is about.
    pub task: Option<Span>,
    /// Whether a run announces it, too.
    pub announced: Announced,
}

/// Who says a finding besides `ionplay lint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// A run, before its first task.
    BeforeTasks,
    /// The run ends with this message by itself.
    ByTheEnd,
    /// A run that does not allow modules written in Python, before its first task.
    WithoutPython,
    /// Only `ionplay lint`: it is advice.
    ByLintOnly,
}

/// Returns all findings of a playbook that is about to run, in the order of its text.
pub fn check_playbook(playbook: &Playbook, globals: &Globals) -> Vec<Finding> {
    let mut lint = Lint { globals: Some(globals), ..Lint::default() };
    playbook.plays.iter().for_each(|play| lint.check_play(play));
    lint.findings
}

/// Returns all findings of a playbook and of the files and roles that its tasks include by a plain name.
///
/// A run reads those only when it comes to them, so this is for `ionplay lint`.
pub fn check_with_includes(playbook: &Playbook, loader: &Loader) -> Vec<Finding> {
    let mut lint = Lint { loader: Some(loader), ..Lint::default() };
    playbook.plays.iter().for_each(|play| lint.check_play(play));
    lint.findings
}

/// Returns all findings of what could be read of a playbook, as [`check_with_includes`] does. Handlers may be among what
/// could not be read, so that their names are not checked.
pub fn check_readable_part(part: &Playbook, loader: &Loader) -> Vec<Finding> {
    let mut lint = Lint { loader: Some(loader), is_partial: true, ..Lint::default() };
    part.plays.iter().for_each(|play| lint.check_play(play));
    lint.findings
}

/// Findings so far, and what they are about.
#[derive(Default)]
struct Lint<'a> {
    findings: Vec<Finding>,
    /// Reported places: aliases and roles that are used twice are read twice.
    seen: BTreeSet<(String, usize, String)>,
    task: Option<Span>,
    play: Option<&'a Play>,
    /// The names of the play's handlers, once a task has notified one.
    handlers: Option<Rc<handlers::HandlerNames>>,
    registered: BTreeSet<String>,
    /// Paths that tasks so far name as what they write.
    made: Vec<String>,
    /// The templates of the run that follows.
    globals: Option<&'a Globals>,
    /// Reads what tasks include, if that is to be checked, too.
    loader: Option<&'a Loader>,
    /// Included files and roles that were read.
    entered: BTreeSet<String>,
    /// Parts of the playbook could not be read.
    is_partial: bool,
}

impl<'a> Lint<'a> {
    fn check_play(&mut self, play: &'a Play) {
        self.play = Some(play);
        self.handlers = None;
        self.check_value(&play.hosts);
        self.check_value(&Value::from((*play.vars).clone()));
        self.check_keywords(&play.frame.keywords);
        self.check_strategy(play);
        self.check_vars_files(play);
        play.vars_files.iter().for_each(|files| self.check_value(files));
        let sections = [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks];
        sections.into_iter().for_each(|items| self.check_items(items));
        play.handlers.iter().for_each(|items| self.check_items(items));
    }

    fn check_items(&mut self, items: &[BlockItem]) {
        for item in items {
            match item {
                BlockItem::Task(task) => self.check_task(task),
                BlockItem::Block(found) => {
                    self.task = None;
                    self.check_keywords(&found.frame.keywords);
                    found.frame.vars.iter().for_each(|vars| self.check_value(&Value::from((**vars).clone())));
                    [&found.main, &found.rescue, &found.always].into_iter().for_each(|items| self.check_items(items));
                }
            }
        }
    }

    fn check_task(&mut self, task: &Rc<Task>) {
        if task.implicit {
            return;
        }
        self.task = Some(task.span.clone());
        task.name.iter().for_each(|name| self.check_value(name));
        task.vars.iter().for_each(|vars| self.check_value(&Value::from((**vars).clone())));
        task.looping.iter().for_each(|looping| self.check_value(&looping.node().to_value()));
        task.args.template.iter().for_each(|template| self.check_value(template));
        self.check_keywords(&task.keywords);
        self.check_loop(task);
        self.check_until(task);
        let spec = modules::find_module(&task.action.full).map(modules::TaskModule::module_spec);
        for (name, value) in task.args.values.iter() {
            let param = spec.zip(name.as_str()).and_then(|(spec, name)| spec.find_param(name));
            let is_expression = param.is_some_and(|param| param.expression);
            if is_expression { self.check_condition(value) } else { self.check_value(value) }
        }
        match spec {
            Some(spec) => {
                self.check_arguments(task, spec);
                self.check_bridge(task, spec);
                if spec.short_name() == "registry_token" {
                    self.check_token_use(task);
                }
            }
            None => self.check_missing_module(task),
        }
        self.check_files(task);
        self.check_notifications(task);
        self.registered.extend(task.register.iter().map(|name| name.to_string()));
        self.follow_include(task);
        self.task = None;
    }

    /// A module that is not included fails its task, but only if the task runs.
    fn check_missing_module(&mut self, task: &Task) {
        let (full, short) = (&task.action.full, task.action.short_name());
        if !full.is_empty() && action::resolve_name(full).is_none() {
            self.report_message(action::unknown_module(full, &task.span));
        }
        if action::NOT_HERE.contains(&short) {
            let summary = format!("the module `{full}` is not included in ionplay; the task fails if it runs");
            self.report_message(Diagnostic::warning(summary).at(&task.span, ""));
        }
    }

    fn check_keywords(&mut self, keywords: &Keywords) {
        for (keyword, node) in keywords.iter() {
            let value = node.to_value();
            match keyword {
                Keyword::When | Keyword::ChangedWhen | Keyword::FailedWhen | Keyword::Until => {
                    self.check_condition(&value);
                    self.check_braces(keyword, node);
                }
                _ => self.check_value(&value),
            }
            self.check_type(keyword, node);
        }
    }

    /// A condition, or several.
    fn check_condition(&mut self, value: &Value) {
        match value {
            Value::Str(text) if !text.trim().is_empty() => {
                self.report_faults(TemplateEngine::lint_expression(text, self.globals), text)
            }
            Value::List(items) => items.iter().for_each(|item| self.check_condition(item)),
            _ => {}
        }
    }

    /// A value with templates in it.
    fn check_value(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.report_faults(TemplateEngine::lint_template(text, self.globals), text),
            Value::List(items) => items.iter().for_each(|item| self.check_value(item)),
            Value::Dict(dict) => dict.iter().for_each(|(key, value)| {
                self.check_value(key);
                self.check_value(value);
            }),
            _ => {}
        }
    }

    fn report_faults(&mut self, faults: Vec<TemplateError>, text: &Text) {
        for fault in faults {
            let fault = Self::explain_plugin(fault.or_at(text.origin()));
            self.report_message(Diagnostic::from(fault));
        }
    }

    fn report_message(&mut self, message: Diagnostic) {
        self.add(message, Announced::BeforeTasks);
    }

    /// Adds a message that a run ends with by itself.
    fn report_end(&mut self, message: Diagnostic) {
        self.add(message, Announced::ByTheEnd);
    }

    /// Adds advice: a run has no reason to repeat it each time.
    fn report_advice(&mut self, message: Diagnostic) {
        self.add(message, Announced::ByLintOnly);
    }

    fn add(&mut self, message: Diagnostic, announced: Announced) {
        let place =
            message.span().map_or_else(Default::default, |span| (span.source().name().to_owned(), span.range().start));
        if self.seen.insert((place.0, place.1, message.summary.clone())) {
            self.findings.push(Finding { message, task: self.task.clone(), announced });
        }
    }

    /// The folder of the playbook.
    fn playbook_folder(&self) -> Option<&'a Path> {
        self.play.map(|play| &*play.folder)
    }
}

/// Whether a text is decided only when a task runs.
fn is_open(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_template() || crate::value::has_template_markers(text),
        Value::Sealed(_) => true,
        Value::List(items) => items.iter().any(is_open),
        Value::Dict(dict) => dict.iter().any(|(key, value)| is_open(key) || is_open(value)),
        _ => false,
    }
}

/// A finding as a run announces it: the run goes on until the task fails, so it is a warning.
pub fn announce_finding(finding: &Finding, python: PythonUse) -> Option<Diagnostic> {
    let is_announced = match finding.announced {
        Announced::BeforeTasks => true,
        Announced::WithoutPython => python == PythonUse::Refused,
        Announced::ByTheEnd | Announced::ByLintOnly => false,
    };
    if !is_announced {
        return None;
    }
    let severity = match finding.message.severity {
        Severity::Error => Severity::Warning,
        other => other,
    };
    Some(Diagnostic { severity, ..finding.message.clone() })
}
