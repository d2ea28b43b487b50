//! What a task would get: its variables with their layers, its arguments after templating, its conditions, and the
//! requests that its module would send. Nothing is run and no request is sent; what only a run can say is unknown.

mod layers;
mod render;
mod requests;

pub use layers::{ExplainedLayers, RunInputs};
pub use render::render_task;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::playbook::block::visit_tasks;
use crate::playbook::{BlockItem, Keyword, Play, Playbook, Task};
use crate::template::{ConditionVerdict, Globals, TemplateEngine, TemplateError, TemplateErrorKind};
use crate::value::{Value, python};

/// A task of a playbook, its play, and its number.
#[derive(Clone)]
pub struct NumberedTask {
    /// Number in the order of the playbook, from 1.
    pub number: usize,
    /// Play of the task.
    pub play: Rc<Play>,
    /// Task.
    pub task: Rc<Task>,
}

/// Result of an evaluation without a run.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// A value.
    Known(Value),
    /// It depends on what a run finds out; with the reason.
    Unknown(String),
    /// It fails; with the message.
    Failed(String),
}

/// A condition with its verdict.
pub struct ExplainedCondition {
    /// Condition as written.
    pub text: String,
    /// Verdict: a boolean, or why there is none.
    pub verdict: Evaluated,
}

/// Everything known of a task.
pub struct ExplainedTask {
    /// The task.
    pub numbered: NumberedTask,
    /// Host it is explained for.
    pub host: String,
    /// Conditions of `when`, those of blocks first.
    pub conditions: Vec<ExplainedCondition>,
    /// List of the loop, if there is one.
    pub loop_items: Option<Evaluated>,
    /// Arguments by name.
    pub arguments: Vec<(String, Evaluated)>,
    /// Variables that were looked up, with the layer that gave each.
    pub variables: BTreeMap<String, (String, Evaluated)>,
}

/// Lists the tasks of a playbook, handlers last.
pub fn list_tasks(playbook: &Playbook) -> Vec<NumberedTask> {
    let mut found: Vec<NumberedTask> = Vec::new();
    for play in &playbook.plays {
        let mut add = |items: &[BlockItem]| {
            visit_tasks(items, &mut |task| {
                if !task.implicit {
                    let number = found.len() + 1;
                    found.push(NumberedTask { number, play: Rc::clone(play), task: Rc::clone(task) });
                }
            });
        };
        [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks].into_iter().for_each(|items| add(items));
        play.handlers.iter().for_each(|items| add(items));
    }
    found
}

/// Returns a task by its number or name.
///
/// # Errors
/// If there is no such task, or several of the name.
pub fn find_task(tasks: &[NumberedTask], wanted: &str) -> Result<NumberedTask, Diagnostic> {
    if let Some(found) = wanted.parse().ok().and_then(|number: usize| tasks.get(number.checked_sub(1)?)) {
        return Ok(found.clone());
    }
    let named: Vec<&NumberedTask> = tasks.iter().filter(|found| task_name(&found.task) == wanted).collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let names: Vec<String> = tasks.iter().map(|found| task_name(&found.task)).collect();
            let message = Diagnostic::error(format!("there is no task `{wanted}`")).suggest(wanted, &names);
            Err(message.hint("`ionplay explain PLAYBOOK` lists the tasks with their numbers"))
        }
        several => {
            let numbers: Vec<String> = several.iter().map(|found| found.number.to_string()).collect();
            let message = Diagnostic::error(format!("{} tasks are called `{wanted}`", several.len()));
            Err(message.hint(format!("choose one by its number: {}", numbers.join(", "))))
        }
    }
}

/// Returns the name of a task as written, or that of its module.
pub fn task_name(task: &Task) -> String {
    task.name.as_ref().map_or_else(|| task.action.written.as_str().to_owned(), python::str)
}

/// Evaluates everything about a task that can be known without a run.
pub fn explain_task(numbered: &NumberedTask, inputs: &RunInputs<'_>, globals: &Globals) -> ExplainedTask {
    let task = &numbered.task;
    let layers = ExplainedLayers::collect(numbered, inputs);
    let folders = search_path(numbered);
    let engine = TemplateEngine::new(globals, &layers, &folders);
    let loop_items = task.looping.as_ref().map(|looping| {
        let items = evaluate(&engine, &looping.node().to_value());
        layers.set_loop_item(&items);
        items
    });
    let conditions = task.keyword_all(Keyword::When).into_iter().flat_map(|node| {
        let value = node.to_value();
        let parts = match &value {
            Value::List(items) => items.to_vec(),
            _ => vec![value],
        };
        parts
            .into_iter()
            .map(|part| ExplainedCondition {
                text: python::str(&part),
                verdict: match engine.evaluate_condition(&part) {
                    Ok(ConditionVerdict::True) => Evaluated::Known(Value::Bool(true)),
                    Ok(ConditionVerdict::False) => Evaluated::Known(Value::Bool(false)),
                    Ok(ConditionVerdict::Unknown(unknown)) => Evaluated::Unknown(unknown.describe_missing()),
                    Err(error) => from_error(&error),
                },
            })
            .collect::<Vec<_>>()
    });
    let conditions = conditions.collect();
    let values = task.args.values.iter();
    let mut arguments: Vec<(String, Evaluated)> =
        values.map(|(name, value)| (python::str(name), evaluate_argument(&engine, task, name, value))).collect();
    arguments.extend(task.args.template.iter().map(|template| ("args".to_owned(), evaluate(&engine, template))));
    let seen = layers.take_seen();
    let variables = seen.into_iter().map(|(name, (label, value))| (name, (label, evaluate(&engine, &value)))).collect();
    ExplainedTask {
        numbered: numbered.clone(),
        host: inputs.host.clone(),
        conditions,
        loop_items,
        arguments,
        variables,
    }
}

/// The conditions of `assert` and the variable of `debug` are expressions.
fn evaluate_argument(engine: &TemplateEngine<'_>, task: &Task, name: &Value, value: &Value) -> Evaluated {
    match (task.action.short_name(), name.as_str(), value) {
        ("debug", Some("var"), Value::Str(text)) if !text.is_template() => match engine.evaluate_expression(text) {
            Ok(value) => known_or_not(value),
            Err(error) => from_error(&error),
        },
        ("assert", Some("that"), _) => Evaluated::Known(value.clone()),
        _ => evaluate(engine, value),
    }
}

fn evaluate(engine: &TemplateEngine<'_>, value: &Value) -> Evaluated {
    match engine.evaluate_value(value) {
        Ok(value) => known_or_not(value),
        Err(error) => from_error(&error),
    }
}

fn known_or_not(value: Value) -> Evaluated {
    match &value {
        Value::Unknown(unknown) => Evaluated::Unknown(unknown.describe_missing()),
        _ => Evaluated::Known(value),
    }
}

fn from_error(error: &TemplateError) -> Evaluated {
    match error.kind {
        TemplateErrorKind::Unknown => Evaluated::Unknown(error.message.clone()),
        _ => Evaluated::Failed(error.message.clone()),
    }
}

/// Folders for relative names of a task, nearest first.
fn search_path(numbered: &NumberedTask) -> Vec<PathBuf> {
    let frames = numbered.task.frame.chain();
    let own = frames.flat_map(|frame| {
        let role = frame.role.iter().map(|role| role.path.clone());
        role.chain(frame.folder.iter().map(|folder| folder.to_path_buf()))
    });
    own.chain([numbered.play.folder.to_path_buf()]).collect()
}
