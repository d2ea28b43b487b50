//! Runs one task on its current hosts, concurrently, and decides how each host continues.

use std::rc::Rc;

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;

use super::cursor::{Fate, HostCursor};
use super::failures::{FailureReach, check_fatal_limits, fail_others, handle_failure};
use super::includes::load_includes;
use super::step;
use crate::diagnostic::Diagnostic;
use crate::executor::host_task::HostTask;
use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::executor::task::TaskRun;
use crate::executor::task::label;
use crate::executor::task::settings::read_flag;
use crate::executor::task::task_result::{MAY_RESCUE, TaskResult};
use crate::modules::{self, spec::HostScope};
use crate::playbook::{Keyword, LoadError, LoadResult, Task};
use crate::report::{OutcomeStatus, ReportEvent, TaskLabel};
use crate::template::TemplateEngine;
use crate::value::{Value, python};

/// Runs one task on its current hosts, and moves them on.
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
    let at = HostTask::new(run, play, task, first);
    let label = label::build_label(&at);
    if !step::confirm_task(run, &label.task).await? {
        hosts.iter().filter_map(|host| cursors.get_mut(host).map(HostCursor::advance)).for_each(drop);
        return Ok(());
    }
    let run_once = read_flag(&at, Keyword::RunOnce);
    let module = modules::find_module(&task.action.full);
    let once = run_once || module.is_some_and(|module| module.module_spec().hosts == HostScope::OncePerBatch);
    let reach = if once { FailureReach::AllHosts } else { FailureReach::ThisHost };
    let forks = run.options.forks.max(1);
    let width = read_throttle(&at)?.map_or(forks, |most| most.min(forks));
    run.bus.emit(&ReportEvent::TaskStart(label.clone()));
    let step = TaskStep { at, label: &label, hosts: &hosts, reach, run_once };
    let ended = step.run_on_hosts(width, cursors).await?;
    let failed = step.move_on(&ended, cursors)?;
    if let Some(first) = failed.first() {
        check_fatal_limits(&at.on_host(first), &failed, reach, cursors);
    }
    Ok(())
}

/// How a task ended on a host, and where a failure would have led.
struct HostEnd {
    host: Rc<str>,
    fate: Fate,
    finished: TaskResult,
}

/// The report of an included list: its name, the hosts, the item of the loop.
type IncludedLists = IndexMap<u32, (String, Vec<String>, Option<Value>)>;

/// One task on all hosts that are at it.
struct TaskStep<'a> {
    /// The task on the first of the hosts.
    at: HostTask<'a>,
    label: &'a TaskLabel,
    hosts: &'a [Rc<str>],
    reach: FailureReach,
    /// `run_once`: on behalf of all hosts, so that a failure is theirs.
    run_once: bool,
}

impl TaskStep<'_> {
    /// Runs the task, on so many hosts at a time; in the order of the hosts.
    async fn run_on_hosts(&self, width: usize, cursors: &IndexMap<Rc<str>, HostCursor>) -> LoadResult<Vec<HostEnd>> {
        let HostTask { run, play, task, .. } = self.at;
        let once = self.reach == FailureReach::AllHosts;
        let runners = if once { &self.hosts[..1] } else { self.hosts };
        let alive: Vec<Rc<str>> = cursors.keys().filter(|host| !run.is_out(host)).cloned().collect();
        for host in runners.iter().filter(|host| cursors.get(*host).is_some_and(HostCursor::is_uncertain)) {
            play.mark_task_uncertain(task, host, MAY_RESCUE);
        }
        let run_one = |(number, host): (usize, &Rc<str>)| {
            let host = Rc::clone(host);
            let fate = cursors.get(&host).map_or(Fate::Failed, HostCursor::find_fate);
            let alive = &alive;
            async move {
                let targets: &[Rc<str>] = if once { alive } else { std::slice::from_ref(&host) };
                let runner = TaskRun::new(self.at.on_host(&host), self.label, targets, fate);
                let finished = runner.run_task().await;
                (number, finished.map(|finished| HostEnd { host, fate, finished }))
            }
        };
        let mut ended: Vec<(usize, LoadResult<HostEnd>)> =
            stream::iter(runners.iter().enumerate()).map(run_one).buffer_unordered(width).collect().await;
        if let Some(failed) = ended.iter().position(|(_, end)| end.is_err()) {
            return ended.swap_remove(failed).1.map(|end| vec![end]);
        }
        ended.sort_by_key(|(number, _)| *number);
        ended.into_iter().map(|(_, end)| end).collect()
    }

    /// Moves the hosts on. Gives those on which the task has failed.
    fn move_on(&self, ended: &[HostEnd], cursors: &mut IndexMap<Rc<str>, HostCursor>) -> LoadResult<Vec<Rc<str>>> {
        let HostTask { run, play, .. } = self.at;
        let mut failed = Vec::new();
        let mut included = IncludedLists::new();
        for end in ended {
            let HostEnd { host, finished, .. } = end;
            if matches!(finished.status, OutcomeStatus::Failed | OutcomeStatus::Rescued | OutcomeStatus::Unreachable) {
                if let Some(cursor) = cursors.get_mut(host) {
                    handle_failure(&self.at.on_host(host), finished, cursor);
                }
                if self.run_once && finished.status != OutcomeStatus::Unreachable {
                    fail_others(run, play, std::slice::from_ref(host), cursors);
                }
                failed.push(Rc::clone(host));
                continue;
            }
            // What is included goes to the host that asked for it alone, even where it asked on behalf of all.
            let includes = !finished.includes.is_empty();
            let once = self.reach == FailureReach::AllHosts;
            for other in if once { self.hosts } else { std::slice::from_ref(host) } {
                if let Some(cursor) = cursors.get_mut(other).filter(|_| !includes || other != host) {
                    if finished.may_fail {
                        cursor.may_fail();
                    }
                    cursor.advance();
                }
            }
            if includes && !self.bring_in(end, cursors, &mut included)? {
                failed.push(Rc::clone(host));
            }
        }
        for (_, (what, hosts, item)) in included {
            run.bus.emit(&ReportEvent::Included { what, hosts, item });
        }
        Ok(failed)
    }

    /// Brings what a host asked for to it; `false` if that failed.
    fn bring_in(
        &self,
        end: &HostEnd,
        cursors: &mut IndexMap<Rc<str>, HostCursor>,
        included: &mut IncludedLists,
    ) -> LoadResult<bool> {
        let task = self.at.task;
        let HostEnd { host, fate, finished } = end;
        let targets = std::slice::from_ref(host);
        let runner = TaskRun::new(self.at.on_host(host), self.label, targets, *fate);
        let lists = load_includes(&runner, finished, &mut |request, order| {
            let new = || (request.display_name(task), Vec::new(), request.item.clone());
            included.entry(order).or_insert_with(new).1.push(host.to_string());
        })?;
        let Some(cursor) = cursors.get_mut(host) else { return Ok(lists.is_some()) };
        match lists {
            Some(lists) => {
                cursor.insert_included(lists);
                Ok(true)
            }
            None => {
                handle_failure(&self.at.on_host(host), finished, cursor);
                Ok(false)
            }
        }
    }
}

/// How many hosts a task may run on side by side, if it says so.
///
/// # Errors
/// If it is not a whole number: that ends the run.
pub fn read_throttle(at: &HostTask<'_>) -> LoadResult<Option<usize>> {
    let Some(node) = at.task.find_keyword(Keyword::Throttle) else { return Ok(None) };
    let value = TemplateEngine::new(&at.run.globals, &at.build_scope(), &[]).evaluate_value(&node.to_value());
    let number = value.map_err(|fault| fault.message).and_then(|value| match value {
        Value::Int(number) => Ok(number),
        Value::Float(number) if number.is_finite() => Ok(number as i64),
        Value::Bool(yes) => Ok(i64::from(yes)),
        Value::Unknown(_) => Ok(0),
        Value::Str(text) => text.trim().parse().map_err(|_| {
            format!("invalid literal for int() with base 10: {}", python::repr(&Value::text(text.as_str())))
        }),
        other => Err(format!("{} is not a whole number", python::repr(&other))),
    });
    match number {
        Ok(number) => Ok(usize::try_from(number).ok().filter(|most| *most > 0)),
        Err(why) => Err(Box::new(LoadError::from_general(
            Diagnostic::error(format!("Failed to convert the throttle value to an integer: {why}")).at(node.span(), ""),
        ))),
    }
}
