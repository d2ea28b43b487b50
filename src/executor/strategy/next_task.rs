//! Which task a host is at: those are passed that tags leave out, that come before `--start-at-task`, or that belong to a
//! role which is through.

use std::rc::Rc;

use fancy_regex::Regex;

use super::cursor::Cursor;
use crate::diagnostic::Diagnostic;
use crate::executor::play::PlayRun;
use crate::executor::state::Run;
use crate::executor::tags;
use crate::executor::task::label;
use crate::executor::variables::scope::TaskScope;
use crate::inventory::glob_expression;
use crate::playbook::{Loaded, Problem, Task, block};
use crate::template::{Engine, Fault};
use crate::value::python;

/// The task that a host is at.
pub fn at(run: &Rc<Run>, play: &Rc<PlayRun>, host: &Rc<str>, cursor: &mut Cursor) -> Option<Rc<Task>> {
    loop {
        let task = cursor.peek(&mut |role| role.complete(host))?;
        let done = !task.handler && task.role().is_some_and(|role| role.is_done(host));
        // What `meta` does to the run itself is not done where nobody knows whether it will be.
        let idle = cursor.is_doubtful() && task.action.short() == "meta";
        if !idle && (task.handler || !done && selected(run, play, &task) && started(run, play, &task, host)) {
            return Some(task);
        }
        cursor.advance();
    }
}

fn selected(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>) -> bool {
    // Tags that cannot be told were complained of before; those of included tasks choose nothing.
    run.remember_selected(task, || run.options.tags.takes(&tags_of(run, play, task).unwrap_or_default()))
}

/// The tags of a task, which are the same on all hosts.
fn tags_of(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>) -> Result<Vec<String>, Fault> {
    let written = task.tags();
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let scope = TaskScope::of_play(run, play, Some(task));
    let engine = Engine::new(&run.globals, &scope, &[]);
    let templated = written.iter().map(|tag| engine.value(tag)).collect::<Result<Vec<_>, _>>()?;
    Ok(tags::texts(&templated))
}

/// Complains about tags that cannot be told: which tasks a play has is settled before its first one.
///
/// # Errors
/// For the first task with such tags.
pub fn check_tags(run: &Rc<Run>, play: &Rc<PlayRun>) -> Loaded<()> {
    let mut problem = None;
    let sections = [&play.play.pre_tasks, &play.play.role_blocks, &play.play.tasks, &play.play.post_tasks];
    for section in sections {
        block::flatten(section, &mut |task| {
            if problem.is_none() {
                problem = tags_of(run, play, task).err().map(|fault| fault.or_at(Some(&task.span)));
            }
        });
    }
    problem.map_or(Ok(()), |fault| Err(Box::new(Problem::general(Diagnostic::from(fault)))))
}

/// `--start-at-task`: nothing runs before the named task.
fn started(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> bool {
    if run.started.get() || task.implicit || play.started_hosts.borrow().contains(host) {
        return true;
    }
    let Some(wanted) = &run.options.start_at else { return true };
    // As it is written: what a template makes of it is not asked.
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    let pattern = Regex::new(&glob_expression(wanted)).ok();
    let matches =
        |name: &str| name == wanted || pattern.as_ref().is_some_and(|pattern| pattern.is_match(name).unwrap_or(false));
    let found = matches(&label::written_name(task)) || matches(&name);
    if found {
        play.started_hosts.borrow_mut().insert(Rc::clone(host));
    }
    found
}
