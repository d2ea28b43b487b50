//! Which task a host is at: those are passed that tags leave out, that come before `--start-at-task`, or that belong to a
//! role which is through.

use std::rc::Rc;

use fancy_regex::Regex;

use super::cursor::HostCursor;
use crate::diagnostic::Diagnostic;
use crate::executor::host_task::HostTask;
use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::executor::tags;
use crate::executor::task::label;
use crate::executor::variables::scope::TaskScope;
use crate::inventory::glob_expression;
use crate::playbook::{LoadError, LoadResult, Task, block};
use crate::template::{TemplateEngine, TemplateError};
use crate::value::python;

/// The task that a host is at.
pub fn find_next_task(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    host: &Rc<str>,
    cursor: &mut HostCursor,
) -> Option<Rc<Task>> {
    loop {
        let task = cursor.peek_task(&mut |role| role.record_complete(host))?;
        let done = !task.handler && task.role().is_some_and(|role| role.is_done(host));
        // What `meta` does to the run itself is not done where it is unknown whether it will be.
        let idle = cursor.is_uncertain() && task.action.short_name() == "meta";
        if !idle
            && (task.handler
                || !done && is_selected(run, play, &task) && has_started(&HostTask::new(run, play, &task, host)))
        {
            return Some(task);
        }
        cursor.advance();
    }
}

fn is_selected(run: &Rc<RunState>, play: &Rc<PlayRun>, task: &Rc<Task>) -> bool {
    // Tags that cannot be told were complained of before; those of included tasks choose nothing.
    run.remember_selected(task, || run.options.tags.is_selected(&tags_of(run, play, task).unwrap_or_default()))
}

/// The tags of a task, which are the same on all hosts.
fn tags_of(run: &Rc<RunState>, play: &Rc<PlayRun>, task: &Rc<Task>) -> Result<Vec<String>, TemplateError> {
    let written = task.tags();
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let scope = TaskScope::of_play(run, play, Some(task));
    let engine = TemplateEngine::new(&run.globals, &scope, &[]);
    let templated = written.iter().map(|tag| engine.evaluate_value(tag)).collect::<Result<Vec<_>, _>>()?;
    Ok(tags::format_tags(&templated))
}

/// Reports tags that cannot be resolved: the tasks of a play are selected before the first one runs.
///
/// # Errors
/// For the first task with such tags.
pub fn check_tags(run: &Rc<RunState>, play: &Rc<PlayRun>) -> LoadResult<()> {
    let mut problem = None;
    let sections = [&play.play.pre_tasks, &play.play.role_blocks, &play.play.tasks, &play.play.post_tasks];
    for section in sections {
        block::visit_tasks(section, &mut |task| {
            if problem.is_none() {
                problem = tags_of(run, play, task).err().map(|fault| fault.or_at(Some(&task.span)));
            }
        });
    }
    problem.map_or(Ok(()), |fault| Err(Box::new(LoadError::from_general(Diagnostic::from(fault)))))
}

/// `--start-at-task`: nothing runs before the named task.
fn has_started(at: &HostTask<'_>) -> bool {
    let HostTask { run, play, task, host } = *at;
    if run.started.get() || task.implicit || play.started_hosts.borrow().contains(host) {
        return true;
    }
    let Some(wanted) = &run.options.start_at else { return true };
    // As it is written: what a template makes of it is not asked.
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    let pattern = Regex::new(&glob_expression(wanted)).ok();
    let matches =
        |name: &str| name == wanted || pattern.as_ref().is_some_and(|pattern| pattern.is_match(name).unwrap_or(false));
    let found = matches(&label::untemplated_name(task)) || matches(&name);
    if found {
        play.started_hosts.borrow_mut().insert(Rc::clone(host));
    }
    found
}
