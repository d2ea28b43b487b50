//! Handlers: who is notified, and when they run.

use std::rc::Rc;

use indexmap::IndexMap;

use super::handler_index::with_role_names;
use super::host_task::HostTask;
use super::play::PlayRun;
use super::state::RunState;
use super::strategy::cursor::HostCursor;
use super::variables::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::playbook::{LoadError, LoadResult, Task};
use crate::report::ReportEvent;
use crate::template::TemplateEngine;
use crate::value::{Value, python};

/// Notes that handlers are to run on a host. Which ones a name means is decided by the flush: a handler that came in
/// later may have taken the name. Only in a flush, where a handler notifies another, that is decided at once.
///
/// # Errors
/// If a name is unknown: the run ends, as Ansible's does (exit 1).
pub fn notify_handlers(at: &HostTask<'_>, names: &[String]) -> LoadResult<()> {
    let HostTask { run, play, task, host } = *at;
    for name in names {
        let found = require_handlers(run, play, task, name)?;
        if task.handler {
            mark_notified(play, found, host);
        } else {
            play.notifications.borrow_mut().entry(Rc::clone(host)).or_default().insert(name.clone());
        }
    }
    Ok(())
}

fn mark_notified(play: &Rc<PlayRun>, handlers: Vec<Rc<Task>>, host: &Rc<str>) {
    for handler in handlers {
        play.notified.borrow_mut().entry(Rc::as_ptr(&handler)).or_default().insert(Rc::clone(host));
    }
}

/// Handlers that a dry run shows where it cannot tell whether they are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtfulHandlers {
    /// All.
    All,
    /// Those of registry objects.
    OfRegistry,
}

/// Notes that a dry run cannot tell whether handlers are to run on a host, and what it would have to know.
///
/// # Errors
/// If a name is unknown.
pub fn may_notify(at: &HostTask<'_>, names: &[String], which: DoubtfulHandlers, awaits: &str) -> LoadResult<()> {
    let HostTask { run, play, task, host } = *at;
    for name in names {
        for handler in require_handlers(run, play, task, name)? {
            if which == DoubtfulHandlers::All || handler.action.full.starts_with("ionoscloudsdk.") {
                play.mark_task_uncertain(&handler, host, awaits);
            }
        }
    }
    Ok(())
}

/// Returns the handlers of a name; at least one, unless the settings ignore unknown names.
fn require_handlers(run: &Rc<RunState>, play: &Rc<PlayRun>, task: &Task, name: &str) -> LoadResult<Vec<Rc<Task>>> {
    let found = find_handlers(run, play, name);
    if !found.is_empty() {
        return Ok(found);
    }
    let known: Vec<String> =
        play.handlers.borrow().iter().flat_map(|(_, handler)| names_of(run, play, handler)).collect();
    let message = format!(
        "The requested handler '{name}' was not found in either the main handlers list nor in the listening \
         handlers list"
    );
    if run.options.pass_unknown_handlers {
        run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(message).at(&task.span, "").suggest(name, &known)));
        return Ok(Vec::new());
    }
    Err(Box::new(LoadError::from_general(Diagnostic::error(message).at(&task.span, "").suggest(name, &known))))
}

/// The handlers that a name means: one by its name, and all that listen. A list that was defined later beats an earlier
/// one, and of equal names in one list the first counts; so it is among those that listen.
fn find_handlers(run: &Rc<RunState>, play: &Rc<PlayRun>, wanted: &str) -> Vec<Rc<Task>> {
    let candidates = play.handler_index.borrow_mut().find_candidates(&play.handlers.borrow(), wanted);
    let ranked = candidates.iter();
    let named = ranked.clone().find(|handler| names_of(run, play, handler).iter().any(|name| name == wanted));
    let mut found: Vec<Rc<Task>> = named.cloned().into_iter().collect();
    let mut seen: Vec<&Value> = Vec::new();
    // Topics are taken as they are written; they are not templates.
    for handler in ranked.filter(|handler| is_listening_to(handler, wanted)) {
        if handler.name.as_ref().is_some_and(|name| seen.contains(&name)) {
            continue;
        }
        seen.extend(&handler.name);
        if !found.iter().any(|known| Rc::ptr_eq(known, handler)) {
            found.push(Rc::clone(handler));
        }
    }
    found
}

/// Whether a handler listens to a topic, which may have the handler's role before it.
fn is_listening_to(handler: &Task, wanted: &str) -> bool {
    handler.listen.iter().map(python::str).any(|topic| {
        topic == wanted
            || handler.role().is_some_and(|role| {
                [&role.name, &role.full_name()].into_iter().any(|role| {
                    wanted.strip_prefix(role.as_str()).and_then(|rest| rest.strip_prefix(" : ")) == Some(&*topic)
                })
            })
    })
}

/// The names a handler answers to: its own, and with its role before it.
fn names_of(run: &Rc<RunState>, play: &Rc<PlayRun>, handler: &Rc<Task>) -> Vec<String> {
    let Some(name) = &handler.name else { return Vec::new() };
    let Some(name) = template_handler_name(run, play, handler, name) else { return Vec::new() };
    with_role_names(name, handler.role())
}

/// Returns the name of a handler, resolved without a host; none if that fails, which is allowed if the handler has
/// `listen` topics.
fn template_handler_name(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    handler: &Rc<Task>,
    written: &Value,
) -> Option<String> {
    let Value::Str(text) = written else { return Some(python::str(written).trim().to_owned()) };
    if !text.is_template() {
        return Some(text.trim().to_owned());
    }
    let scope = TaskScope::of_play(run, play, Some(handler));
    match TemplateEngine::new(&run.globals, &scope, &[]).evaluate_value(written) {
        Ok(name) => Some(python::str(&name).trim().to_owned()),
        Err(fault) => {
            if handler.listen.is_empty() {
                let message = format!(
                    "Handler '{}' is unusable because it has no listen topics and its name cannot be told: {}",
                    text.as_str(),
                    fault.message
                );
                run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(message)));
            }
            None
        }
    }
}

/// One run through the notified handlers of some hosts, in the order of definition. A handler may notify others: later
/// ones come on the way, earlier ones at the next flush.
pub struct Flush<'a> {
    hosts: &'a [Rc<str>],
    failed: Vec<Rc<str>>,
    index: usize,
}

impl<'a> Flush<'a> {
    /// Decides which handlers the names mean that the hosts have notified.
    pub fn resolve_notified(run: &Rc<RunState>, play: &Rc<PlayRun>, hosts: &'a [Rc<str>]) -> Self {
        for host in hosts {
            let names = play.notifications.borrow_mut().remove(host).unwrap_or_default();
            names.iter().for_each(|name| mark_notified(play, find_handlers(run, play, name), host));
        }
        Self { hosts, failed: Vec::new(), index: 0 }
    }

    /// The next handler, and the hosts that it is to run on. Included roles may add handlers on the way.
    pub fn next(&mut self, play: &PlayRun) -> Option<(Rc<Task>, Vec<Rc<str>>)> {
        loop {
            let (_, handler) = play.handlers.borrow().get(self.index).cloned()?;
            self.index += 1;
            let (mut notified, mut doubtful) = (play.notified.borrow_mut(), play.doubtful_tasks.borrow_mut());
            let key = Rc::as_ptr(&handler);
            let takes_part = |host: &&Rc<str>| {
                let asked = notified.get(&key).is_some_and(|hosts| hosts.contains(*host))
                    || doubtful.get(&key).is_some_and(|hosts| hosts.contains_key(*host));
                asked && !self.failed.contains(host) && !play.ended_hosts.borrow().contains(*host)
            };
            let chosen: Vec<Rc<str>> = self.hosts.iter().filter(takes_part).cloned().collect();
            if chosen.is_empty() {
                continue;
            }
            if let Some(hosts) = doubtful.get_mut(&key) {
                // Who is notified beyond doubt is in no doubt.
                hosts.retain(|host, _| !notified.get(&key).is_some_and(|known| known.contains(host)));
            }
            if let Some(hosts) = notified.get_mut(&key) {
                hosts.retain(|host| !chosen.contains(host));
            }
            return Some((handler, chosen));
        }
    }

    /// Notes how a handler has ended on its hosts.
    pub fn record_run(&mut self, play: &PlayRun, handler: &Rc<Task>, cursors: &IndexMap<Rc<str>, HostCursor>) {
        if let Some(hosts) = play.doubtful_tasks.borrow_mut().get_mut(&Rc::as_ptr(handler)) {
            hosts.retain(|host, _| !cursors.contains_key(host));
        }
        self.failed.extend(cursors.iter().filter(|(_, cursor)| cursor.is_failed()).map(|(host, _)| Rc::clone(host)));
    }

    /// The hosts on which a handler has failed.
    pub fn failed_hosts(&self) -> &[Rc<str>] {
        &self.failed
    }
}
