//! Which task a host is at: those are passed that tags leave out, that come before `--start-at-task`, or that belong to a
//! role which is through.

use std::rc::Rc;

use fancy_regex::Regex;

use super::cursor::Cursor;
use super::naming;
use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use super::tags;
use crate::inventory::glob_expression;
use crate::playbook::Task;
use crate::template::Engine;
use crate::value::python;

/// The task that a host is at.
pub fn at(run: &Rc<Run>, play: &Rc<PlayRun>, host: &Rc<str>, cursor: &mut Cursor) -> Option<Rc<Task>> {
    loop {
        let task = cursor.peek(&mut |role| role.complete(host))?;
        let done = !task.handler && task.role().is_some_and(|role| role.is_done(host));
        // What `meta` does to the run itself is not done where nobody knows whether it will be.
        let idle = cursor.is_doubtful() && task.action.short() == "meta";
        if !idle && (task.handler || !done && selected(run, play, &task, host) && started(run, play, &task, host)) {
            return Some(task);
        }
        cursor.advance();
    }
}

fn selected(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> bool {
    run.remember_selected(task, || {
        let written = task.tags();
        if written.is_empty() {
            return run.options.tags.takes(&[]);
        }
        let scope = TaskScope::new(run, Some(play), Some(task), host);
        let engine = Engine::new(&run.globals, &scope, &[]);
        let templated = written.iter().map(|tag| engine.value(tag).unwrap_or_else(|_| tag.clone())).collect::<Vec<_>>();
        run.options.tags.takes(&tags::texts(&templated))
    })
}

/// `--start-at-task`: nothing runs before the named task.
fn started(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> bool {
    if run.started.get() || task.implicit || play.started_hosts.borrow().contains(host) {
        return true;
    }
    let Some(wanted) = &run.options.start_at else { return true };
    let label = naming::label(run, play, task, host);
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    let pattern = Regex::new(&glob_expression(wanted)).ok();
    let matches =
        |name: &str| name == wanted || pattern.as_ref().is_some_and(|pattern| pattern.is_match(name).unwrap_or(false));
    let found = matches(&label.task) || matches(&name);
    if found {
        play.started_hosts.borrow_mut().insert(Rc::clone(host));
    }
    found
}
