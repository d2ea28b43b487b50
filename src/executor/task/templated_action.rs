//! Tasks whose action is a template: `action: "{{ module }} a=b"`.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::executor::host_task::HostTask;
use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::playbook::{LoadError, LoadResult, Task, TaskAction, action};
use crate::template::{TemplateEngine, TemplateError};
use crate::value::{Text, Value, python};

/// Resolves a templated action. Returns the task with its module, and the hosts with the same action as the first host. The
/// other hosts follow in a further round.
///
/// # Errors
/// If the name cannot be resolved before the task starts: the run ends, as with Ansible's linear strategy.
pub fn for_all(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    task: Rc<Task>,
    mut hosts: Vec<Rc<str>>,
) -> LoadResult<(Rc<Task>, Vec<Rc<str>>)> {
    let Some(first) = hosts.first().filter(|_| is_template(&task)).cloned() else { return Ok((task, hosts)) };
    let wanted = template_name(&HostTask::new(run, play, &task, &first)).map_err(|fault| {
        let written = task.action.written.origin().unwrap_or(&task.span).clone();
        Box::new(LoadError::from_general(Diagnostic::from(fault.or_at(Some(&written)))))
    })?;
    if wanted == Value::Omit {
        let message = Diagnostic::error("`omit` cannot be the action of a task");
        return Err(message.at(&task.span, "").into());
    }
    // Whose name cannot be told is the first of the next round.
    hosts.retain(|host| template_name(&HostTask::new(run, play, &task, host)).is_ok_and(|name| name == wanted));
    Ok((build_resolved_task(play, &task, &wanted), hosts))
}

/// The task as what its action comes to on a host.
///
/// # Errors
/// If its name cannot be told.
pub fn resolve_task(at: &HostTask<'_>) -> Result<Rc<Task>, TemplateError> {
    if !is_template(at.task) {
        return Ok(Rc::clone(at.task));
    }
    Ok(build_resolved_task(at.play, at.task, &template_name(at)?))
}

/// Handlers are known by their address; their modules are found when they run.
fn is_template(task: &Task) -> bool {
    task.action.full.is_empty() && !task.handler
}

fn template_name(at: &HostTask<'_>) -> Result<Value, TemplateError> {
    let written = Value::Str(at.task.action.written.clone());
    TemplateEngine::new(&at.run.globals, &at.build_scope(), &[]).evaluate_value(&written)
}

/// Returns the task with its action; a task with an unknown action fails when it runs. Each task is created once, because
/// includes are identified by its address.
fn build_resolved_task(play: &Rc<PlayRun>, task: &Rc<Task>, name: &Value) -> Rc<Task> {
    let name = python::str(name);
    let full = action::resolve_name(&name).unwrap_or_default();
    let mut known = play.named.borrow_mut();
    let made = known.entry((Rc::as_ptr(task), name.clone())).or_insert_with(|| {
        let written = match task.action.written.origin() {
            Some(span) => Text::from_source(name, span.clone()),
            None => Text::new_plain(name.as_str()),
        };
        let mut made = (**task).clone();
        // It is called what is written, whatever that comes to.
        let own_name = made.name.take().filter(|name| !python::str(name).trim().is_empty());
        made.name = own_name.or_else(|| Some(Value::text(task.action.written.as_str())));
        made.action = TaskAction { written, full };
        Rc::new(made)
    });
    Rc::clone(made)
}
