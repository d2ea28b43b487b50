//! Reading a task: which of its keys are keywords, and which one is the module.

use std::rc::Rc;

use super::action::resolve_name;
use super::arguments::is_action;
use super::frame::Surroundings;
use super::keyword::{Keyword, KeywordPlace, Keywords, allowed_keyword, unknown_key};
use super::loader::Loader;
use super::task::{Loop, Task};
use super::{LoadError, LoadResult, keyword_checks, task_checks};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{MappingEntry, YamlNode};

/// Reads a task from its mapping.
///
/// # Errors
/// If there is no action, more than one, an unknown one, or a keyword is wrong.
pub fn read_task(loader: &Loader, node: &YamlNode, around: &Surroundings) -> LoadResult<Task> {
    let entries = node.entries().unwrap_or_default();
    let place = if around.handlers { KeywordPlace::Handler } else { KeywordPlace::Task };
    let TaskEntries { mut keywords, actions, looping } = sort_entries(entries, place)?;
    let entry = one_action(&actions, node, place)?;
    let collections = searched_collections(&keywords, around);
    let (action, mut args) = loader.read_action(entry, node.get("args"), &collections)?;
    if entry.key.as_str() == Some("local_action") {
        keywords.set(Keyword::DelegateTo, entry.key.span(), Value::text("localhost"));
    }
    task_checks::check_include(&action, &args, &keywords, entries)?;
    if around.handlers {
        task_checks::check_handler(&action, entry)?;
    }
    let mut task = Task::new(action, args.clone(), Rc::clone(&around.frame), task_span(node, entry));
    task.vars = loader.read_vars(node.get("vars"), "a task")?;
    if let Some(template) = args.template.take() {
        task.args.template = Some(template);
    }
    task.name = keywords.value(Keyword::Name).filter(|name| !name.is_null());
    task.register = register_name(&keywords)?;
    task.looping = looping;
    task.handler = around.handlers;
    task.listen = keywords.value(Keyword::Listen).map(to_list).unwrap_or_default();
    keyword_checks::check_structures(&keywords)?;
    task_checks::check_end_of_role(&task)?;
    keyword_checks::check_debugger(loader, &keywords);
    if let Some(control) = node.entry("loop_control") {
        task_checks::check_loop_control(&control.value)?;
        keywords.add(Keyword::LoopControl, control)?;
    }
    task.keywords = keywords;
    loader.check_arguments(&mut task);
    Ok(task)
}

/// The entries of a task by what they are.
#[derive(Default)]
struct TaskEntries<'a> {
    keywords: Keywords,
    /// Entries that are not keywords; one of them is to be the module.
    actions: Vec<&'a MappingEntry>,
    looping: Option<Loop>,
}

fn sort_entries(entries: &[MappingEntry], place: KeywordPlace) -> LoadResult<TaskEntries<'_>> {
    let mut sorted = TaskEntries::default();
    for entry in entries {
        let name = entry.key.as_str().unwrap_or_default();
        if let Some(lookup) = name.strip_prefix("with_") {
            check_lookup_loop(lookup, entry)?;
            set_loop(&mut sorted.looping, Loop::With(lookup.to_owned(), entry.value.clone()), entry)?;
            continue;
        }
        match Keyword::from_name(name) {
            Some(Keyword::Action | Keyword::LocalAction) => sorted.actions.push(entry),
            // A loop that is written as nothing is none.
            Some(Keyword::Loop) if entry.value.is_null() => {}
            Some(Keyword::Loop) => set_loop(&mut sorted.looping, Loop::List(entry.value.clone()), entry)?,
            Some(Keyword::Vars | Keyword::Args) => {}
            Some(Keyword::LoopControl) if entry.value.entries().is_none() => {
                return Err(Diagnostic::error("`loop_control` must be a mapping and cannot be a variable itself")
                    .at(entry.value.span(), "")
                    .hint("its members may be templates: `loop_control: {label: \"{{ item.name }}\"}`")
                    .into());
            }
            Some(keyword) if keyword.row().is_allowed(place) => sorted.keywords.add(keyword, entry)?,
            _ => {
                // Whatever is not a keyword is taken for a module; `allowed_keyword` only complains about odd keys.
                if entry.key.as_str().is_none() {
                    allowed_keyword(entry, place)?;
                }
                sorted.actions.push(entry);
            }
        }
    }
    Ok(sorted)
}

/// Refuses a `with_` loop over a lookup that does not exist, or over nothing.
fn check_lookup_loop(lookup: &str, entry: &MappingEntry) -> LoadResult<()> {
    let known = crate::template::lookups::FAMILIES.iter().flat_map(|(_, table)| table.iter());
    if !known.clone().any(|row| row.name == lookup) {
        let names: Vec<&str> = known.map(|row| row.name).collect();
        return Err(Diagnostic::error(format!("there is no lookup `{lookup}` for `with_{lookup}`"))
            .at(entry.key.span(), "")
            .suggest(lookup, &names)
            .into());
    }
    if entry.value.is_null() {
        return Err(Box::new(LoadError::from_general(
            Diagnostic::error(format!("`with_{lookup}` does not say what the loop is for"))
                .at(entry.key.span(), "")
                .hint(format!("write `with_{lookup}: [ITEM]`, or remove it")),
        )));
    }
    Ok(())
}

/// The collections in which short names of modules are looked for: that of the role, and those of the keyword.
fn searched_collections(keywords: &Keywords, around: &Surroundings) -> Vec<String> {
    let own = around.frame.role().and_then(|role| role.collection.clone());
    let node = keywords.node(Keyword::Collections).or_else(|| around.frame.nearest_value(Keyword::Collections));
    let named = node.map(|node| to_list(node.to_value())).unwrap_or_default();
    own.into_iter().chain(named.iter().filter_map(Value::as_str).map(str::to_owned)).collect()
}

/// A value, or the members of a list.
pub fn to_list(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

fn task_span(node: &YamlNode, action: &MappingEntry) -> Span {
    node.entries().and_then(|entries| entries.first()).map_or(action.key.span(), |entry| entry.key.span()).clone()
}

fn set_loop(slot: &mut Option<Loop>, new: Loop, entry: &MappingEntry) -> LoadResult<()> {
    if slot.is_some() {
        return Err(Box::new(LoadError::from_general(
            Diagnostic::error("a task can have only one loop")
                .at(entry.key.span(), "a second one")
                .hint("keep `loop` or one `with_...`, not both"),
        )));
    }
    *slot = Some(new);
    Ok(())
}

/// The one entry that is the action.
fn one_action<'a>(actions: &[&'a MappingEntry], node: &YamlNode, place: KeywordPlace) -> LoadResult<&'a MappingEntry> {
    match actions {
        [] => Err(Diagnostic::error("this task has no module")
            .at(node.entries().and_then(|e| e.first()).map_or(node.span(), |e| e.key.span()), "")
            .hint("name a module: `debug:`, `ansible.builtin.copy:`, `registry_token:`")
            .into()),
        [one] => Ok(one),
        several => {
            // The unknown one is the likely mistake: a misspelt keyword looks like a second module.
            let known = |entry: &&&MappingEntry| {
                entry.key.as_str().is_some_and(|name| resolve_name(name).is_some() || is_action(name))
            };
            if let Some(odd) = several.iter().find(|entry| !known(entry)) {
                let name = odd.key.as_str().unwrap_or_default();
                if let Some(module) = several.iter().find_map(|entry| module_without_arguments(entry, name)) {
                    return Err(Diagnostic::error(format!(
                        "`{name}` is an argument of `{module}`, not a keyword of {}",
                        place.label()
                    ))
                    .at(odd.key.span(), "")
                    .hint(format!("indent it below `{module}:`, further to the right"))
                    .into());
                }
                return Err(unknown_key(name, odd.key.span(), place)
                    .hint("every key that is not a keyword counts as a module, and a task has only one")
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

/// The name of a module that stands without arguments and has this parameter.
fn module_without_arguments<'a>(entry: &'a MappingEntry, param: &str) -> Option<&'a str> {
    let name = entry.key.as_str().filter(|_| entry.value.is_null())?;
    crate::modules::find_module(name)?.module_spec().find_param(param)?;
    Some(name)
}

fn register_name(keywords: &Keywords) -> LoadResult<Option<Rc<str>>> {
    let Some(node) = keywords.node(Keyword::Register).filter(|node| !node.is_null()) else { return Ok(None) };
    match node.as_str() {
        Some(name) if crate::value::is_variable_name(name) => Ok(Some(Rc::from(name))),
        _ => Err(Diagnostic::error(format!("Invalid variable name `{}`", node.span().text()))
            .at(node.span(), "")
            .hint("use letters, digits and underscores, not beginning with a digit")
            .into()),
    }
}
