//! What can be said of the arguments of a registry task before anything runs: unknown names, wrong literal values,
//! required parameters that are missing or still empty placeholders. Builtin modules fail when they run, as the
//! Ansible's do; here nothing must be sent to the API before the whole playbook is known to be sound.

use super::keyword::Keyword;
use super::loader::Loader;
use super::placeholder::Placeholder;
use super::task::Task;
use crate::address;
use crate::diagnostic::Diagnostic;
use crate::modules::spec::Param;
use crate::modules::{self, Spec, args};
use crate::source::Span;
use crate::suggest;
use crate::value::{Dict, Text, Value};

impl Loader {
    /// Fills empty placeholders and notes what is wrong; [`Loader::report_collected`] tells it all at once.
    pub(super) fn check_arguments(&self, task: &mut Task) {
        let Some(spec) = modules::find_module(&task.action.full).map(modules::TaskModule::module_spec) else { return };
        self.note_secrets(spec, &task.args.values);
        for node in task.keyword_all(Keyword::ModuleDefaults) {
            let defaults = node.to_value();
            let each = defaults.as_dict().into_iter().flat_map(|defaults| defaults.values().filter_map(Value::as_dict));
            each.for_each(|values| self.note_secrets(spec, values));
        }
        if !spec.is_of_registry() {
            return;
        }
        self.fill_placeholders(spec, task);
        let mut misspelt = false;
        if let Some(node) = &task.args.node {
            for message in args::check_names(spec, node, true) {
                self.add_complaint(message);
            }
            let names = node.entries().unwrap_or_default().iter().filter_map(|entry| entry.key.as_str());
            misspelt = names.into_iter().any(|name| spec.find_param(name).is_none());
        }
        if let Some(module) = modules::find_module(&task.action.full) {
            self.check_literal_values(module, task);
        }
        if task.args.template.is_none() && task.keyword_all(Keyword::When).is_empty() {
            self.check_required(spec, task, misspelt);
        }
    }

    /// Values of secret parameters, and of names that were probably meant to be one.
    fn note_secrets(&self, spec: &Spec, given: &Dict) {
        if !spec.all_params().any(|param| param.secret) {
            return;
        }
        let names = || spec.all_params().flat_map(|param| std::iter::once(&param.name).chain(param.aliases).copied());
        for (name, value) in given.iter() {
            let (Some(name), Value::Str(text)) = (name.as_str(), value) else { continue };
            let known: Vec<&str> = names().collect();
            let meant = spec.find_param(name).or_else(|| spec.find_param(suggest::find_nearest(name, &known)?));
            match meant {
                Some(param) if param.secret && text.is_template() => (self.on_secret_template)(text),
                Some(param) if param.secret => (self.on_secret)(text),
                Some(param) if param.name == "api_url" => {
                    address::find_secrets(text).iter().for_each(|secret| (self.on_secret)(secret));
                }
                Some(param) if param.name == "url" => {
                    address::find_password(text).iter().for_each(|secret| (self.on_secret)(secret));
                }
                _ => {}
            }
        }
    }

    /// `--fill` gives a value to every empty placeholder of its parameter; what has a value keeps it.
    fn fill_placeholders(&self, spec: &Spec, task: &mut Task) {
        for (name, value) in self.fill.borrow().iter() {
            let Some(param) = spec.find_param(name) else { continue };
            for known in std::iter::once(&param.name).chain(param.aliases) {
                if task.args.values.get(known).is_some_and(is_empty) {
                    let origin = self.place_of(task, known);
                    task.args.values.set(*known, Value::Str(Text::from_source(value.as_str(), origin)));
                }
            }
        }
    }

    /// A parameter that seems to be missing may be the one that is `misspelt`, which has been reported.
    fn check_required(&self, spec: &Spec, task: &Task, misspelt: bool) {
        let state = match task.args.values.get("state") {
            Some(Value::Str(text)) if !text.is_template() => text.as_str(),
            Some(_) => return,
            None => spec.states.first().copied().unwrap_or("info"),
        };
        let defaults = !task.keyword_all(Keyword::ModuleDefaults).is_empty();
        // Missing parameters are reported first, as Ansible does.
        let needed = |param: &&Param| param.required || param.required_in.contains(&state);
        let (absent, others): (Vec<&Param>, Vec<&Param>) =
            spec.all_params().filter(needed).partition(|param| param.required && given_value(task, param).is_none());
        for param in absent.into_iter().chain(others) {
            let of_state = || format!("{} parameter is required for {} state {state}", param.name, spec.label);
            match given_value(task, param) {
                Some((name, value)) if is_empty(value) => self.note_placeholder(Placeholder {
                    param: param.name,
                    about: param.about,
                    reason: of_state(),
                    place: self.place_of(task, name),
                }),
                Some(_) => {}
                None if misspelt || defaults || param.env.is_some() => {}
                None => {
                    let message =
                        if param.required { format!("missing required arguments: {}", param.name) } else { of_state() };
                    let message = Diagnostic::error(message).at(&task.args.span, "");
                    self.add_complaint(message.hint(format!("add `{}: VALUE`", param.name)));
                }
            }
        }
    }

    fn place_of(&self, task: &Task, name: &str) -> Span {
        let node = task.args.node.as_ref().and_then(|node| node.get(name));
        node.map_or_else(|| task.args.span.clone(), |node| with_quotes(node.span()))
    }
}

/// The place of an empty text with its quotes, for there is nothing else to point at.
fn with_quotes(span: &Span) -> Span {
    let (source, range) = (span.source(), span.range());
    let text = source.text().as_bytes();
    let quote = |at: Option<usize>| at.and_then(|at| text.get(at)).filter(|byte| matches!(**byte, b'\'' | b'"'));
    let (before, after) = (quote(range.start.checked_sub(1)), quote(Some(range.end)));
    if range.is_empty() && before.is_some() && before == after {
        return source.span(range.start - 1..range.end + 1);
    }
    span.clone()
}

fn given_value<'a>(task: &'a Task, param: &Param) -> Option<(&'static str, &'a Value)> {
    std::iter::once(param.name)
        .chain(param.aliases.iter().copied())
        .find_map(|name| task.args.values.get(name).map(|value| (name, value)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        _ => false,
    }
}
