//! `meta`: tasks that act on the run itself.

use std::rc::Rc;

use indexmap::IndexMap;

use super::host_task::HostTask;
use super::play::{PlayEnd, PlayRun};
use super::state::RunState;
use super::strategy::cursor::HostCursor;
use super::task::conditional::{self, ConditionOutcome};
use super::task::label;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Keyword, LoadError, LoadResult, Task};
use crate::report::ReportEvent;
use crate::template::TemplateEngine;
use crate::value::json::{self, JsonStyle};
use crate::value::{Value, python};

/// Actions of `meta`, each with a description for the reference page.
pub const META_ACTIONS: &[(&str, &str)] = &[
    ("clear_facts", "Removes the facts of the hosts."),
    ("clear_host_errors", "Includes failed hosts again."),
    ("end_batch", "Ends the batch of a play with `serial`."),
    ("end_host", "Ends the play for the current host."),
    ("end_play", "Ends the play for all hosts."),
    ("end_role", "Ends the role for the current host."),
    ("flush_handlers", "Runs notified handlers immediately."),
    ("noop", "Does nothing."),
    ("refresh_inventory", "Reads the inventory again."),
    ("reset_connection", "Accepted, without effect: local connections need no reset."),
];

/// Actions that affect the whole play.
const FOR_ALL: &[&str] = &["clear_facts", "clear_host_errors", "end_batch", "end_play", "refresh_inventory"];

/// Actions that ignore conditions.
const UNCONDITIONAL: &[&str] = &["noop", "refresh_inventory", "reset_connection"];

/// Runs a `meta` task for these hosts, and moves them on. Returns the hosts whose notified handlers the strategy must run
/// now.
///
/// # Errors
/// If the action is unknown or not allowed here, or a condition cannot be evaluated.
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
        let at = HostTask::new(run, play, task, first);
        run.bus.emit(&ReportEvent::TaskStart(label::build_label(&at)));
    }
    let meta = MetaTask { run, play, task, action };
    let willing = meta.select_hosts(hosts)?;
    if willing.is_empty() {
        return Ok(Vec::new());
    }
    meta.report_action(&willing);
    meta.act(willing, cursors)
}

/// A `meta` task whose action is known.
struct MetaTask<'a> {
    run: &'a Rc<RunState>,
    play: &'a Rc<PlayRun>,
    task: &'a Rc<Task>,
    action: &'a str,
}

impl MetaTask<'_> {
    /// The hosts whose conditions hold. What is about the play as a whole is decided by the first host for all.
    fn select_hosts(&self, hosts: &[Rc<str>]) -> LoadResult<Vec<Rc<str>>> {
        let Self { run, play, task, action } = *self;
        let unconditional = task.implicit || UNCONDITIONAL.contains(&action);
        if unconditional && !task.implicit && !task.keyword_all(Keyword::When).is_empty() {
            let message = Diagnostic::warning(format!("{action} task does not support when conditional"));
            run.bus.emit(&ReportEvent::Notice(message.at(&task.span, "")));
        }
        let once = FOR_ALL.contains(&action);
        let mut willing: Vec<Rc<str>> = Vec::new();
        for host in &hosts[..if once { hosts.len().min(1) } else { hosts.len() }] {
            // Conditions of what brought the play in are for its own tasks.
            if unconditional || is_condition_met(&HostTask::new(run, play, task, host))? {
                willing.push(Rc::clone(host));
            } else if !task.implicit {
                self.report_skip(host);
            }
        }
        Ok(if once && !willing.is_empty() { hosts.to_vec() } else { willing })
    }

    fn report_skip(&self, host: &str) {
        let reason = skip_reason(self.action, host, self.task);
        let told = match self.run.options.verbosity {
            0 => String::new(),
            _ => format!(
                " => {}",
                json::to_string(&Value::dict([("skip_reason", Value::text(reason.as_str()))]), JsonStyle::PYTHON)
            ),
        };
        self.run.bus.emit(&ReportEvent::Line(format!("skipping: [{host}]{told}")));
        self.run.bus.emit(&ReportEvent::Verbose(2, format!("META: {reason}")));
    }

    fn report_action(&self, hosts: &[Rc<str>]) {
        let message = |host: &Rc<str>| format!("META: {}", describe_meta_action(self.action, host, self.task));
        if self.task.implicit {
            let notified = self.play.notifications.borrow();
            for host in hosts.iter().filter(|host| notified.get(*host).is_some_and(|names| !names.is_empty())) {
                self.run.bus.emit(&ReportEvent::Debug(message(host)));
            }
        } else {
            for host in &hosts[..if FOR_ALL.contains(&self.action) { 1 } else { hosts.len() }] {
                self.run.bus.emit(&ReportEvent::Verbose(2, message(host)));
            }
        }
    }

    /// Acts for some hosts. Gives those whose handlers are to run now.
    fn act(&self, hosts: Vec<Rc<str>>, cursors: &mut IndexMap<Rc<str>, HostCursor>) -> LoadResult<Vec<Rc<str>>> {
        let Self { run, play, task, action } = *self;
        match action {
            "flush_handlers" if task.handler => {
                let message = Diagnostic::error("flush_handlers cannot be used as a handler");
                return Err(Box::new(LoadError::from_general(message.at(&task.args.span, ""))));
            }
            "flush_handlers" => return Ok(hosts),
            "refresh_inventory" => run.inventory.borrow_mut().refresh(),
            "clear_facts" => hosts.iter().for_each(|host| run.clear_facts(host)),
            "clear_host_errors" => {
                for (host, cursor) in cursors.iter_mut() {
                    run.failed.borrow_mut().shift_remove(host);
                    cursor.clear_failure();
                }
                run.failed.borrow_mut().retain(|host, _| !play.all_hosts.contains(host));
                run.readmissions.set(run.readmissions.get() + 1);
            }
            "end_host" => {
                for host in &hosts {
                    play.ended_hosts.borrow_mut().insert(Rc::clone(host));
                    if let Some(cursor) = cursors.get_mut(host) {
                        cursor.skip_to_end();
                    }
                }
            }
            "end_role" => {
                for host in &hosts {
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
fn is_condition_met(at: &HostTask<'_>) -> LoadResult<bool> {
    let (task, scope) = (at.task, at.build_scope());
    let engine = TemplateEngine::new(&at.run.globals, &scope, &[]);
    match conditional::evaluate_when(&engine, task) {
        Ok(ConditionOutcome::Holds) => Ok(true),
        Ok(ConditionOutcome::Fails(_) | ConditionOutcome::Unknown(_)) => Ok(false),
        Err(fault) => Err(Box::new(LoadError::from_general(Diagnostic::from(fault.or_at(Some(&task.span)))))),
    }
}
