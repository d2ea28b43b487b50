//! `meta`: tasks that act on the run itself.

use std::rc::Rc;

use indexmap::IndexMap;

use super::play::{PlayEnd, PlayRun};
use super::state::RunState;
use super::strategy::cursor::HostCursor;
use super::task::conditional::{self, ConditionOutcome};
use super::task::label;
use super::variables::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Keyword, LoadError, LoadResult, Task};
use crate::report::ReportEvent;
use crate::template::TemplateEngine;
use crate::value::json::{self, JsonStyle};
use crate::value::{Value, python};

/// Actions of `meta`, each with a sentence for the reference page.
pub const META_ACTIONS: &[(&str, &str)] = &[
    ("clear_facts", "Forgets the facts of the hosts."),
    ("clear_host_errors", "Lets failed hosts take part again."),
    ("end_batch", "Ends the batch of a play with `serial`."),
    ("end_host", "Ends the play for the hosts that are at it."),
    ("end_play", "Ends the play for all hosts."),
    ("end_role", "Ends the role for the hosts that are at it."),
    ("flush_handlers", "Runs the notified handlers now."),
    ("noop", "Does nothing."),
    ("refresh_inventory", "Reads the inventory again."),
    ("reset_connection", "Accepted; local connections need no reset."),
];

/// Actions that are about the play as a whole.
const FOR_ALL: &[&str] = &["clear_facts", "clear_host_errors", "end_batch", "end_play", "refresh_inventory"];

/// Actions that are done whatever a condition says.
const UNCONDITIONAL: &[&str] = &["noop", "refresh_inventory", "reset_connection"];

/// Does what a `meta` task says for the hosts that are at it, and moves them on. Gives the hosts whose notified handlers
/// are to run now, which is for the strategy to do.
///
/// # Errors
/// If nobody knows the action, a condition cannot be evaluated, or the action has no place here.
pub fn run_meta_task(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    hosts: &[Rc<str>],
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) -> LoadResult<Vec<Rc<str>>> {
    let action = task.args.values.get("_raw_params").map(python::str).unwrap_or_default();
    let action = action.trim();
    if !META_ACTIONS.iter().any(|(known, _)| *known == action) {
        return Err(Box::new(LoadError::from_general(
            Diagnostic::error(format!("there is no meta action `{action}`"))
                .at(&task.args.span, "")
                .suggest(action, META_ACTIONS.iter().map(|(known, _)| known)),
        )));
    }
    for host in hosts {
        if let Some(cursor) = cursors.get_mut(host) {
            cursor.advance();
        }
    }
    if let Some(first) = hosts.first().filter(|_| !task.implicit) {
        run.bus.emit(&ReportEvent::TaskStart(label::build_label(run, play, task, first)));
    }
    let unconditional = task.implicit || UNCONDITIONAL.contains(&action);
    if unconditional && !task.implicit && !task.keyword_all(Keyword::When).is_empty() {
        let message = Diagnostic::warning(format!("{action} task does not support when conditional"));
        run.bus.emit(&ReportEvent::Notice(message.at(&task.span, "")));
    }
    // What is about the play as a whole is decided by the first host for all.
    let once = FOR_ALL.contains(&action);
    let mut willing: Vec<Rc<str>> = Vec::new();
    for host in &hosts[..if once { hosts.len().min(1) } else { hosts.len() }] {
        // Conditions of what brought the play in are for its own tasks.
        if unconditional || is_condition_met(run, play, task, host)? {
            willing.push(Rc::clone(host));
        } else if !task.implicit {
            let reason = skip_reason(action, host, task);
            let told = match run.options.verbosity {
                0 => String::new(),
                _ => format!(
                    " => {}",
                    json::to_string(&Value::dict([("skip_reason", Value::text(reason.as_str()))]), JsonStyle::PYTHON)
                ),
            };
            run.bus.emit(&ReportEvent::Line(format!("skipping: [{host}]{told}")));
            run.bus.emit(&ReportEvent::Verbose(2, format!("META: {reason}")));
        }
    }
    if once && !willing.is_empty() {
        willing = hosts.to_vec();
    }
    if willing.is_empty() {
        return Ok(Vec::new());
    }
    if task.implicit {
        let notified = play.notifications.borrow();
        for host in willing.iter().filter(|host| notified.get(*host).is_some_and(|names| !names.is_empty())) {
            run.bus.emit(&ReportEvent::Debug(format!("META: {}", describe_meta_action(action, host, task))));
        }
    } else {
        for host in &willing[..if once { 1 } else { willing.len() }] {
            run.bus.emit(&ReportEvent::Verbose(2, format!("META: {}", describe_meta_action(action, host, task))));
        }
    }
    match action {
        "flush_handlers" if task.handler => {
            let message = Diagnostic::error("flush_handlers cannot be used as a handler");
            return Err(Box::new(LoadError::from_general(message.at(&task.args.span, ""))));
        }
        "flush_handlers" => return Ok(willing),
        "refresh_inventory" => run.inventory.borrow_mut().refresh(),
        "clear_facts" => {
            for host in &willing {
                run.clear_facts(host);
            }
        }
        "clear_host_errors" => {
            for (host, cursor) in cursors.iter_mut() {
                run.failed.borrow_mut().shift_remove(host);
                cursor.clear_failure();
            }
            run.failed.borrow_mut().retain(|host, _| !play.all_hosts.contains(host));
            run.readmissions.set(run.readmissions.get() + 1);
        }
        "end_host" => {
            for host in &willing {
                play.ended_hosts.borrow_mut().insert(Rc::clone(host));
                if let Some(cursor) = cursors.get_mut(host) {
                    cursor.skip_to_end();
                }
            }
        }
        "end_role" => {
            for host in &willing {
                if let Some(cursor) = cursors.get_mut(host) {
                    cursor.end_role(&mut |role| role.record_complete(host));
                }
            }
        }
        "end_batch" => play.ended.set(Some(PlayEnd::Batch)),
        "end_play" => play.ended.set(Some(PlayEnd::Play)),
        _ => {}
    }
    Ok(Vec::new())
}

/// Returns the `-vv` message for a meta task that acts.
fn describe_meta_action(action: &str, host: &str, task: &Task) -> String {
    let role = task.role().map_or("", |role| role.name.as_str());
    match action {
        "flush_handlers" => format!("triggered running handlers for {host}"),
        "refresh_inventory" => "inventory successfully refreshed".to_owned(),
        "clear_facts" => "facts cleared".to_owned(),
        "clear_host_errors" => "cleared host errors".to_owned(),
        "end_batch" => "ending batch".to_owned(),
        "end_play" => "ending play".to_owned(),
        "end_host" => format!("ending play for {host}"),
        "end_role" => format!("ending role {role} for {host}"),
        "reset_connection" => "no connection, nothing to reset".to_owned(),
        other => other.to_owned(),
    }
}

/// Returns the message for a meta task whose condition is false.
fn skip_reason(action: &str, host: &str, task: &Task) -> String {
    let role = task.role().map_or("", |role| role.name.as_str());
    let consequence = match action {
        "flush_handlers" => format!(", not running handlers for {host}"),
        "clear_facts" => format!(", not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!(", not clearing host error state for {host}"),
        "end_batch" => ", continuing current batch".to_owned(),
        "end_play" => ", continuing play".to_owned(),
        "end_host" => format!(", continuing execution for {host}"),
        "end_role" => format!(", continuing role {role} for {host}"),
        _ => String::new(),
    };
    format!("{action} conditional evaluated to False{consequence}")
}

/// Whether the conditions of a `meta` task hold on a host.
fn is_condition_met(run: &Rc<RunState>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> LoadResult<bool> {
    let scope = TaskScope::new(run, Some(play), Some(task), host);
    let engine = TemplateEngine::new(&run.globals, &scope, &[]);
    match conditional::evaluate_when(&engine, task) {
        Ok(ConditionOutcome::Holds) => Ok(true),
        Ok(ConditionOutcome::Fails(_) | ConditionOutcome::Unknown(_)) => Ok(false),
        Err(fault) => Err(Box::new(LoadError::from_general(Diagnostic::from(fault.or_at(Some(&task.span)))))),
    }
}
