//! Which key of a task is the module, and what its arguments are.

use std::rc::Rc;

use super::block::{Surroundings, allowed_keyword, unknown_key};
use super::freeform;
use super::keyword::{Keyword, Keywords, Place};
use super::loader::Loader;
use super::task::{Loop, Task};
use super::{Loaded, Problem, task_checks};
use crate::diagnostic::Diagnostic;
use crate::modules::{self, spec::FreeForm};
use crate::source::Span;
use crate::value::{Dict, Text, Value};
use crate::yaml::{Entry, Node};

/// What a task does: a module, or one of the executor's own actions.
#[derive(Debug, Clone)]
pub struct Action {
    /// The name as written in the playbook.
    pub written: Text,
    /// The full name (`ansible.builtin.copy`); empty if the name is a template.
    pub full: String,
}

impl Action {
    /// One of the builtin names.
    pub fn builtin(name: &str) -> Self {
        Self { written: Text::plain(name), full: format!("ansible.builtin.{name}") }
    }

    /// The name without its collection.
    pub fn short(&self) -> &str {
        self.full.strip_prefix("ansible.builtin.").unwrap_or(&self.full)
    }
}

/// The arguments of a task before templating.
#[derive(Debug, Clone)]
pub struct RawArgs {
    /// Names and values; free text that is no pair is under `_raw_params`.
    pub values: Dict,
    /// `args:` given as a template that becomes a mapping; what is in `values` beats it.
    pub template: Option<Value>,
    /// The mapping as written, for places in messages.
    pub node: Option<Node>,
    /// Where the arguments stand.
    pub span: Span,
}

/// What the executor does itself.
pub const EXECUTOR_ACTIONS: &[&str] =
    &["import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "meta"];

/// Modules that the original has and that are not here. A task that uses one is a failure only if it is run: it may be
/// skipped, or be for other machines.
pub const NOT_HERE: &[&str] = &[
    "apt",
    "apt_key",
    "apt_repository",
    "cron",
    "deb822_repository",
    "debconf",
    "dnf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "group",
    "hostname",
    "iptables",
    "known_hosts",
    "mount_facts",
    "package",
    "package_facts",
    "pip",
    "reboot",
    "rpm_key",
    "service",
    "subversion",
    "systemd",
    "systemd_service",
    "sysvinit",
    "user",
    "wait_for_connection",
    "yum_repository",
];

/// Finds the full name of a module or action.
pub fn resolve(name: &str) -> Option<String> {
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    if EXECUTOR_ACTIONS.contains(&short) {
        return Some(format!("ansible.builtin.{short}"));
    }
    let found = modules::find(name).map(|module| module.spec().name.to_owned());
    found.or_else(|| NOT_HERE.contains(&short).then(|| format!("ansible.builtin.{short}")))
}

/// Reads a task from its mapping.
///
/// # Errors
/// If there is no action, more than one, an unknown one, or a keyword is wrong.
pub fn read_task(loader: &Loader, node: &Node, around: &Surroundings) -> Loaded<Task> {
    let entries = node.entries().unwrap_or_default();
    let place = if around.handlers { Place::Handler } else { Place::Task };
    let mut keywords = Keywords::default();
    let mut actions: Vec<&Entry> = Vec::new();
    let mut looping: Option<Loop> = None;
    for entry in entries {
        let name = entry.key.as_str().unwrap_or_default();
        if let Some(lookup) = name.strip_prefix("with_") {
            let known = crate::template::lookups::FAMILIES.iter().flat_map(|(_, table)| table.iter());
            if !known.clone().any(|row| row.name == lookup) {
                let names: Vec<&str> = known.map(|row| row.name).collect();
                return Err(Diagnostic::error(format!("there is no lookup `{lookup}` for `{name}`"))
                    .at(entry.key.span(), "")
                    .suggest(lookup, &names)
                    .into());
            }
            set_loop(&mut looping, Loop::With(lookup.to_owned(), entry.value.clone()), entry)?;
            continue;
        }
        match Keyword::find(name) {
            Some(Keyword::Action | Keyword::LocalAction) => actions.push(entry),
            // A loop that is written as nothing is none.
            Some(Keyword::Loop) if entry.value.is_null() => {}
            Some(Keyword::Loop) => set_loop(&mut looping, Loop::List(entry.value.clone()), entry)?,
            Some(Keyword::Vars | Keyword::Args) => {}
            Some(Keyword::LoopControl) if entry.value.entries().is_none() => {
                return Err(Diagnostic::error("`loop_control` must be a mapping and cannot be a variable itself")
                    .at(entry.value.span(), "")
                    .hint("its members may be templates: `loop_control: {label: \"{{ item.name }}\"}`")
                    .into());
            }
            Some(keyword) if keyword.row().allowed(place) => keywords.add(keyword, entry)?,
            _ => {
                // Whatever is no keyword is taken for a module; `allowed_keyword` only complains about odd keys.
                if entry.key.as_str().is_none() {
                    allowed_keyword(entry, place)?;
                }
                actions.push(entry);
            }
        }
    }
    let entry = one_action(&actions, node, place)?;
    let (action, mut args) = loader.read_action(entry, node.get("args"))?;
    let mut keywords = keywords;
    if entry.key.as_str() == Some("local_action") {
        keywords.set(Keyword::DelegateTo, entry.key.span(), Value::text("localhost"));
    }
    task_checks::include(&action, &args, &keywords, entries)?;
    if around.handlers {
        task_checks::handler(&action, entry)?;
    }
    let mut task = Task::new(action, args.clone(), Rc::clone(&around.frame), task_span(node, entry));
    task.vars = loader.vars(node.get("vars"), "a task")?;
    if let Some(template) = args.template.take() {
        task.args.template = Some(template);
    }
    task.name = keywords.value(Keyword::Name).filter(|name| !name.is_null());
    task.register = register_name(&keywords)?;
    task.looping = looping;
    task.handler = around.handlers;
    task.listen = keywords.value(Keyword::Listen).map(listed).unwrap_or_default();
    task_checks::tags(&keywords)?;
    task_checks::debugger(loader, &keywords);
    if let Some(control) = node.entry("loop_control") {
        task_checks::loop_control(&control.value)?;
        keywords.add(Keyword::LoopControl, control)?;
    }
    task.keywords = keywords;
    loader.check_arguments(&mut task);
    Ok(task)
}

/// A value, or the members of a list.
pub fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

fn task_span(node: &Node, action: &Entry) -> Span {
    node.entries().and_then(|entries| entries.first()).map_or(action.key.span(), |entry| entry.key.span()).clone()
}

fn set_loop(slot: &mut Option<Loop>, new: Loop, entry: &Entry) -> Loaded<()> {
    if slot.is_some() {
        return Err(Box::new(Problem::general(
            Diagnostic::error("a task can have only one loop")
                .at(entry.key.span(), "a second one")
                .hint("keep `loop` or one `with_...`, not both"),
        )));
    }
    *slot = Some(new);
    Ok(())
}

/// The one entry that is the action.
fn one_action<'a>(actions: &[&'a Entry], node: &Node, place: Place) -> Loaded<&'a Entry> {
    match actions {
        [] => Err(Diagnostic::error("there is no module in this task")
            .at(node.entries().and_then(|e| e.first()).map_or(node.span(), |e| e.key.span()), "")
            .hint("name a module: `debug:`, `ansible.builtin.copy:`, `registry_token:`")
            .into()),
        [one] => Ok(one),
        several => {
            // The unknown one is the likely mistake: a misspelt keyword looks like a second module.
            let known =
                |entry: &&&Entry| entry.key.as_str().is_some_and(|name| resolve(name).is_some() || is_action(name));
            if let Some(odd) = several.iter().find(|entry| !known(entry)) {
                let name = odd.key.as_str().unwrap_or_default();
                return Err(unknown_key(name, odd.key.span(), place)
                    .hint("every key that is no keyword is taken for a module, and a task has only one")
                    .into());
            }
            let names: Vec<_> = several.iter().filter_map(|e| e.key.as_str()).collect();
            let mut message = Diagnostic::error(format!("a task can do only one thing: `{}`", names.join("`, `")));
            for entry in several {
                message = message.at(entry.key.span(), "");
            }
            Err(message.hint("make it several tasks, each with its own dash").into())
        }
    }
}

fn is_action(name: &str) -> bool {
    matches!(name, "action" | "local_action")
}

impl Loader {
    /// The action of an entry, with its arguments.
    fn read_action(&self, entry: &Entry, args: Option<&Node>) -> Loaded<(Action, RawArgs)> {
        let key = entry.key.as_str().unwrap_or_default();
        let (name, mut raw) = if is_action(key) {
            self.action_value(entry)?
        } else {
            let span = entry.key.span().clone();
            let name = Text::written(key, span.clone());
            let args = self.arguments(key, &entry.value)?;
            (name, args)
        };
        let templated = is_action(key) && name.is_template();
        let full = match resolve(&name) {
            Some(full) => full,
            None if templated => String::new(),
            None => return Err(unknown_module(&name, entry.key.span()).into()),
        };
        if let Some(args) = args.filter(|args| !args.is_null()) {
            match args.to_value() {
                Value::Dict(more) => {
                    let mut merged = (*more).clone();
                    merged.extend(&raw.values);
                    raw.values = merged;
                }
                Value::Str(text) if text.is_template() => raw.template = Some(Value::Str(text)),
                _ => {
                    return Err(Diagnostic::error(format!("`args` must be a mapping, not {}", args.description()))
                        .at(args.span(), "")
                        .into());
                }
            }
        }
        Ok((Action { written: name, full }, raw))
    }

    /// `action: MODULE key=value` or `action: {module: MODULE, key: value}`.
    fn action_value(&self, entry: &Entry) -> Loaded<(Text, RawArgs)> {
        let (key, value) = (entry.key.as_str().unwrap_or_default(), &entry.value);
        if let Some(entries) = value.entries() {
            let Some(module) = value.get("module").filter(|node| node.as_str().is_some()) else {
                return Err(Diagnostic::error(format!("`{key}` needs to name a `module`")).at(value.span(), "").into());
            };
            let mut values: Dict = entries
                .iter()
                .filter(|e| e.key.as_str() != Some("module"))
                .map(|e| (e.key.to_value(), e.value.to_value()))
                .collect();
            let (name, more) = self.named_text(module.as_str().unwrap_or_default(), module.span())?;
            values.extend(&more);
            // Arguments may also be kept together.
            match values.remove("args") {
                Some(Value::Dict(more)) => values.extend(&more),
                Some(Value::Str(text)) => values.extend(&self.free_text(&name, &text, value.span())?),
                _ => {}
            }
            return Ok((
                name,
                RawArgs { values, template: None, node: Some(value.clone()), span: value.span().clone() },
            ));
        }
        let Some(text) = value.as_str() else {
            return Err(Diagnostic::error(format!("`{key}` must name a module, not be {}", value.description()))
                .at(value.span(), "")
                .into());
        };
        let (name, values) = self.named_text(text, value.span())?;
        Ok((name, RawArgs { values, template: None, node: None, span: value.span().clone() }))
    }

    /// A module's name and its arguments in one text. A template is one word, whatever blanks are in it.
    fn named_text(&self, text: &str, span: &Span) -> Loaded<(Text, Dict)> {
        let text = text.trim();
        let words = freeform::split_args(text).map_err(|problem| unclosed(problem, text, span))?;
        let name = Text::written(words.first().map_or("", |word| word.trim()), span.clone());
        let values = self.free_text(&name, text[name.len()..].trim(), span)?;
        Ok((name, values))
    }

    /// The arguments after a module's key.
    fn arguments(&self, module: &str, value: &Node) -> Loaded<RawArgs> {
        let span = value.span().clone();
        let values = match value.to_value() {
            Value::Dict(dict) => (*dict).clone(),
            Value::Null => Dict::new(),
            Value::Str(text) => self.free_text(module, &text, value.span())?,
            // `pause: 5` and the like: the text of the scalar, as the original takes it.
            scalar @ (Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
                self.free_text(module, &crate::value::python::str(&scalar), value.span())?
            }
            _ => {
                return Err(Diagnostic::error(format!(
                    "the arguments of `{module}` must be a mapping, not {}",
                    value.description()
                ))
                .at(value.span(), "")
                .hint("write `parameter: value` pairs without dashes")
                .into());
            }
        };
        Ok(RawArgs { values, template: None, node: value.entries().map(|_| value.clone()), span })
    }

    /// Free text after a module's name as arguments.
    fn free_text(&self, module: &str, text: &str, span: &Span) -> Loaded<Dict> {
        let spec = modules::find(module).map(modules::Module::spec);
        let raw_options = spec.filter(|spec| spec.free_form == FreeForm::Raw).map(|_| freeform::RAW_OPTIONS);
        let written = |text: String| Value::Str(Text::written(text, span.clone()));
        let freeform::Pairs { pairs, rest } =
            freeform::parse_pairs(text, raw_options).map_err(|problem| unclosed(problem, text, span))?;
        let mut values = Dict::new();
        for (name, value) in pairs {
            // The name may be a template too (`set_fact`).
            values.insert(written(name), written(value));
        }
        if let Some(rest) = rest.filter(|rest| !rest.trim().is_empty()) {
            // Builtin modules say that they take no free text when they run, as the original's do. What a template
            // comes to may be a mapping of arguments; that is seen when it is known.
            let pairs_only = spec.is_some_and(|spec| spec.free_form == FreeForm::Pairs && spec.is_of_registry());
            if pairs_only && !rest.trim_start().starts_with("{{") {
                return Err(Diagnostic::error(format!("`{module}` takes `parameter=value` pairs, not free text"))
                    .at(span, format!("`{}` is no pair", rest.trim()))
                    .hint("write the arguments as a mapping below the module's name")
                    .into());
            }
            values.set("_raw_params", written(rest));
        }
        Ok(values)
    }
}

fn unclosed(problem: freeform::Problem, text: &str, span: &Span) -> Diagnostic {
    let place = if span.text().contains(text) { span.part(problem.range) } else { span.clone() };
    Diagnostic::error(problem.message).at(&place, "").hint("quotes and `{{ }}` must be closed")
}

fn unknown_module(name: &str, span: &Span) -> Diagnostic {
    let full: Vec<&str> = modules::MODULES.iter().map(|module| module.spec().name).collect();
    let short: Vec<&str> = full
        .iter()
        .map(|name| name.rsplit('.').next().unwrap_or(name))
        .chain(EXECUTOR_ACTIONS.iter().copied())
        .collect();
    let message = Diagnostic::error(format!("there is no module `{name}`")).at(span, "");
    if name.contains('.') { message.suggest(name, &full) } else { message.suggest(name, &short) }
}

fn register_name(keywords: &Keywords) -> Loaded<Option<Rc<str>>> {
    let Some(node) = keywords.node(Keyword::Register).filter(|node| !node.is_null()) else { return Ok(None) };
    match node.as_str() {
        Some(name) if crate::value::is_variable_name(name) => Ok(Some(Rc::from(name))),
        _ => Err(Diagnostic::error(format!("Invalid variable name `{}`", node.span().text()))
            .at(node.span(), "")
            .hint("use letters, digits and underscores, not beginning with a digit")
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_here_is_not_here() {
        for name in NOT_HERE {
            assert!(modules::find(name).is_none(), "`{name}` is here");
            assert_eq!(resolve(name), Some(format!("ansible.builtin.{name}")));
        }
    }
}
