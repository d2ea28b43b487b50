//! One task on all hosts that are at it, side by side, and what becomes of each of them.

use std::collections::HashMap;
use std::rc::Rc;

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;

use super::cursor::{Fate, HostCursor};
use super::failures::{check_fatal_limits, fail_others, handle_failure};
use super::step;
use crate::diagnostic::Diagnostic;
use crate::executor::include::IncludeError;
use crate::executor::play::PlayRun;
use crate::executor::shared_lists::open_lists;
use crate::executor::state::RunState;
use crate::executor::task::TaskRun;
use crate::executor::task::label;
use crate::executor::task::settings::read_flag;
use crate::executor::task::task_result::{MAY_RESCUE, TaskResult};
use crate::executor::variables::scope::TaskScope;
use crate::playbook::{Keyword, LoadError, LoadResult, Task};
use crate::report::{OutcomeStatus, ReportEvent, TaskLabel};
use crate::template::TemplateEngine;
use crate::value::{Value, python};

/// Modules that run once for all hosts of the batch.
const ONCE_FOR_ALL: &[&str] = &["add_host", "pause"];

/// Runs one task on the hosts that are at it, and moves them on.
///
/// # Errors
/// If something that is included is not understood, or an unknown handler is notified.
pub async fn one_task(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    hosts: Vec<Rc<str>>,
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) -> LoadResult<()> {
    let Some(first) = hosts.first() else { return Ok(()) };
    let label = label::build_label(run, play, task, first);
    if !step::confirm_task(run, &label.task).await? {
        hosts.iter().for_each(|host| {
            if let Some(cursor) = cursors.get_mut(host) {
                cursor.advance();
            }
        });
        return Ok(());
    }
    let on_behalf = read_flag(run, play, task, first, Keyword::RunOnce);
    let once = on_behalf || ONCE_FOR_ALL.contains(&task.action.short_name());
    let runners: &[Rc<str>] = if once { &hosts[..1] } else { &hosts };
    run.bus.emit(&ReportEvent::TaskStart(label.clone()));
    let alive: Vec<Rc<str>> = cursors.keys().filter(|host| !run.is_out(host)).cloned().collect();
    let forks = run.options.forks.max(1);
    let width = read_throttle(run, play, task, first)?.map_or(forks, |most| most.min(forks));
    let tasks: Vec<(Rc<str>, Fate)> = runners
        .iter()
        .map(|host| (Rc::clone(host), cursors.get(host).map_or(Fate::Failed, HostCursor::find_fate)))
        .collect();
    for host in runners.iter().filter(|host| cursors.get(*host).is_some_and(HostCursor::is_uncertain)) {
        play.mark_task_uncertain(task, host, MAY_RESCUE);
    }
    let run_one = |(host, fate): (Rc<str>, Fate)| {
        let (label, alive) = (&label, &alive);
        async move {
            let targets: &[Rc<str>] = if once { alive } else { std::slice::from_ref(&host) };
            let finished =
                TaskRun { run, play, task, label, host: &host, targets, fate, kept: open_lists(run, task), turn: None }
                    .run_task()
                    .await;
            (host, fate, finished)
        }
    };
    let results: Vec<(Rc<str>, Fate, LoadResult<TaskResult>)> =
        stream::iter(tasks).map(run_one).buffer_unordered(width).collect().await;
    let mut failed = Vec::new();
    let mut order = Vec::with_capacity(results.len());
    for (host, fate, finished) in results {
        order.push((host, fate, finished?));
    }
    let places: HashMap<&str, usize> = hosts.iter().enumerate().map(|(place, host)| (&**host, place)).collect();
    order.sort_by_key(|(host, ..)| places.get(&**host).copied());
    let mut shared: IndexMap<u32, (String, Vec<String>, Option<Value>)> = IndexMap::new();
    for (host, fate, finished) in &order {
        if matches!(finished.status, OutcomeStatus::Failed | OutcomeStatus::Rescued | OutcomeStatus::Unreachable) {
            if let Some(cursor) = cursors.get_mut(host) {
                handle_failure(run, play, task, finished, host, cursor);
            }
            if on_behalf && finished.status != OutcomeStatus::Unreachable {
                fail_others(run, play, std::slice::from_ref(host), cursors);
            }
            failed.push(Rc::clone(host));
            continue;
        }
        // What is included goes to the host that asked for it alone, even where it asked on behalf of all.
        let includes = !finished.includes.is_empty();
        for other in (if once { &hosts[..] } else { std::slice::from_ref(host) }).iter() {
            if let Some(cursor) = cursors.get_mut(other).filter(|_| !includes || other != host) {
                if finished.may_fail {
                    cursor.may_fail();
                }
                cursor.advance();
            }
        }
        let includer = Includer { run, play, task, label: &label, fate: *fate };
        if includes && includer.go_in(host, std::slice::from_ref(host), finished, cursors, &mut shared)? {
            failed.push(Rc::clone(host));
        }
    }
    for (_, (what, hosts, item)) in shared {
        run.bus.emit(&ReportEvent::Included { what, hosts, item });
    }
    if !failed.is_empty() {
        check_fatal_limits(run, play, task, &failed, cursors, once);
    }
    Ok(())
}

/// Brings included lists to the hosts that asked for them.
struct Includer<'a> {
    run: &'a Rc<RunState>,
    play: &'a Rc<PlayRun>,
    task: &'a Rc<Task>,
    label: &'a TaskLabel,
    fate: Fate,
}

impl Includer<'_> {
    /// Loads what a host asked for; `true` if that failed.
    fn go_in(
        &self,
        host: &Rc<str>,
        hosts: &[Rc<str>],
        finished: &TaskResult,
        cursors: &mut IndexMap<Rc<str>, HostCursor>,
        shared: &mut IndexMap<u32, (String, Vec<String>, Option<Value>)>,
    ) -> LoadResult<bool> {
        let Self { run, play, task, label, fate } = *self;
        let runner =
            TaskRun { run, play, task, label, host, targets: hosts, fate, kept: open_lists(run, task), turn: None };
        let mut lists = Vec::new();
        for request in &finished.includes {
            match request.load_included(run, play, task) {
                Ok((order, block)) => {
                    runner.tell_include(finished, Ok(request.build_result()));
                    let entry = shared
                        .entry(order)
                        .or_insert_with(|| (request.display_name(task), Vec::new(), request.item.clone()));
                    entry.1.push(host.to_string());
                    lists.push((order, block));
                }
                Err(IncludeError::Fatal(problem)) => return Err(problem),
                Err(IncludeError::Failed(failure)) => {
                    runner.tell_include(finished, Err(*failure));
                    for host in hosts {
                        if let Some(cursor) = cursors.get_mut(host) {
                            handle_failure(run, play, task, finished, host, cursor);
                        }
                    }
                    return Ok(true);
                }
            }
        }
        for host in hosts {
            if let Some(cursor) = cursors.get_mut(host) {
                cursor.insert_included(lists.clone());
            }
        }
        Ok(false)
    }
}

/// How many hosts a task may run on side by side, if it says so.
///
/// # Errors
/// If it is no whole number: that ends the run.
pub fn read_throttle(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    host: &Rc<str>,
) -> LoadResult<Option<usize>> {
    let Some(node) = task.find_keyword(Keyword::Throttle) else { return Ok(None) };
    let scope = TaskScope::new(run, Some(play), Some(task), host);
    let value = TemplateEngine::new(&run.globals, &scope, &[]).evaluate_value(&node.to_value());
    let number = value.map_err(|fault| fault.message).and_then(|value| match value {
        Value::Int(number) => Ok(number),
        Value::Float(number) if number.is_finite() => Ok(number as i64),
        Value::Bool(yes) => Ok(i64::from(yes)),
        Value::Unknown(_) => Ok(0),
        Value::Str(text) => text.trim().parse().map_err(|_| {
            format!("invalid literal for int() with base 10: {}", python::repr(&Value::text(text.as_str())))
        }),
        other => Err(format!("{} is no whole number", python::repr(&other))),
    });
    match number {
        Ok(number) => Ok(usize::try_from(number).ok().filter(|most| *most > 0)),
        Err(why) => Err(Box::new(LoadError::from_general(
            Diagnostic::error(format!("Failed to convert the throttle value to an integer: {why}")).at(node.span(), ""),
        ))),
    }
}
