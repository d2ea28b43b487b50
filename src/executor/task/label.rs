//! How tasks are called on the screen, in events and in listings.

use std::rc::Rc;

use crate::executor::host_task::HostTask;
use crate::playbook::{Keyword, Task};
use crate::report::TaskLabel;
use crate::template::TemplateEngine;
use crate::template::python::text::boolean_word;
use crate::value::{Value, python};
use crate::yaml::YamlNode;

/// The name of a task as it is shown: templated, stripped, with its role before it.
pub fn build_label(at: &HostTask<'_>) -> TaskLabel {
    let HostTask { run, play, task, .. } = *at;
    let action: Rc<str> =
        if task.action.full.is_empty() { Rc::from(&*task.action.written) } else { Rc::from(&*task.action.full) };
    let name = match &task.name {
        Some(Value::Str(text)) if text.is_template() => {
            TemplateEngine::new(&run.globals, &at.build_scope(), &play.search_path(Some(task)))
                .render_label(text, &|value| run.bus.redactor().show_value(value))
        }
        Some(other) => python::str(other),
        None => String::new(),
    };
    TaskLabel {
        play: Rc::clone(&play.name),
        task: Rc::from(full_name(task, name.trim())),
        action,
        handler: task.handler,
        definition: Rc::clone(task),
        place: Some(Rc::from(task.span.to_string())),
        check: task.find_keyword(Keyword::CheckMode).map_or(run.options.check, read_static_boolean),
        args: run.options.show_args.then(|| shown_args(task)),
    }
}

/// A boolean keyword before it can be templated: a template counts as true.
pub fn read_static_boolean(node: &YamlNode) -> bool {
    boolean_word(&node.to_value()).unwrap_or(true)
}

/// The arguments as written, with a blank before them; none of a task that hides them.
fn shown_args(task: &Task) -> Rc<str> {
    if task.find_keyword(Keyword::NoLog).is_some_and(read_static_boolean) {
        return Rc::default();
    }
    let pairs = task.args.values.iter().map(|(name, value)| format!("{}={}", python::str(name), python::str(value)));
    Rc::from(format!(" {}", pairs.collect::<Vec<_>>().join(", ")))
}

/// The name of a task as it is written, with its role, for listings; the bare action of one without a name.
pub fn listed_name(task: &Task) -> String {
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    match name.trim() {
        "" => task.action.written.as_str().to_owned(),
        name => full_name(task, name),
    }
}

/// Returns the name of a task as written, with its role; the action replaces a missing name.
pub fn untemplated_name(task: &Task) -> String {
    full_name(task, &task.name.as_ref().map(python::str).unwrap_or_default())
}

/// Returns the name, or the replacement of a missing name, with the role before it. The include of a role does not belong to
/// the enclosing role.
fn full_name(task: &Task, name: &str) -> String {
    let includes_role = task.action.short_name() == "include_role";
    let name = match name {
        "" if includes_role => {
            let role = ["name", "role"].iter().find_map(|key| task.args.values.get(key));
            format!("{} : {}", task.action.written.as_str(), role.map(python::str).unwrap_or_default())
        }
        "" => task.action.written.as_str().to_owned(),
        name => name.to_owned(),
    };
    match task.role() {
        Some(role) if !includes_role => format!("{} : {name}", role.full_name()),
        _ => name,
    }
}
