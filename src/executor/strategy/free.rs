//! The free and host-pinned strategies: each host goes through the play at its own pace.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;
use tokio::sync::Semaphore;

use super::cursor::HostCursor;
use super::failures::handle_failure;
use super::includes::load_includes;
use super::linear;
use super::next_task;
use super::step_hosts;
use crate::executor::host_task::HostTask;
use crate::executor::meta;
use crate::executor::play::PlayRun;
use crate::executor::state::{Out, RunState};
use crate::executor::task::TaskRun;
use crate::executor::task::label;
use crate::executor::task::task_result::MAY_RESCUE;
use crate::executor::task::templated_action;
use crate::playbook::{LoadResult, Task};
use crate::report::{OutcomeStatus, ReportEvent};

/// The tickets of tasks with a `throttle`; the task is kept, so that its address cannot come to mean another one.
type Narrow = HashMap<*const Task, (Rc<Task>, Rc<Semaphore>)>;

/// Locks that hosts wait for before they run a task.
struct Tickets {
    /// One for each fork.
    all: Semaphore,
    /// Fewer, for tasks with a `throttle`.
    narrow: RefCell<Narrow>,
}

impl Tickets {
    fn new(forks: usize) -> Self {
        Self { all: Semaphore::new(forks), narrow: RefCell::default() }
    }

    fn throttle_task(&self, task: &Rc<Task>, most: usize) -> Rc<Semaphore> {
        let most = most.min(Semaphore::MAX_PERMITS);
        let mut narrow = self.narrow.borrow_mut();
        let new = || (Rc::clone(task), Rc::new(Semaphore::new(most)));
        Rc::clone(&narrow.entry(Rc::as_ptr(task)).or_insert_with(new).1)
    }
}

/// Runs every host by itself. With `pinned`, at most `forks` hosts are under way at all; else at most `forks` tasks.
///
/// # Errors
/// If something that is included is not understood, or the run must end for a reason outside any task.
pub async fn run_free(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
    pinned: bool,
) -> LoadResult<()> {
    let forks = run.options.forks.max(1);
    let tickets = Tickets::new(if pinned { Semaphore::MAX_PERMITS } else { forks });
    let width = if pinned { forks } else { cursors.len().max(1) };
    let hosts: Vec<(Rc<str>, HostCursor)> =
        cursors.iter().map(|(host, cursor)| (Rc::clone(host), cursor.clone())).collect();
    let lane = |(host, cursor): (Rc<str>, HostCursor)| one_host(run, play, host, cursor, &tickets);
    let ended: Vec<LoadResult<(Rc<str>, HostCursor)>> =
        stream::iter(hosts).map(lane).buffer_unordered(width).collect().await;
    for result in ended {
        let (host, cursor) = result?;
        if cursor.is_failed() {
            run.failed.borrow_mut().entry(Rc::clone(&host)).or_insert(Out::Failed);
        }
        cursors.insert(host, cursor);
    }
    Ok(())
}

async fn one_host(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    host: Rc<str>,
    mut cursor: HostCursor,
    tickets: &Tickets,
) -> LoadResult<(Rc<str>, HostCursor)> {
    while !run.interrupt.is_raised() && play.ended.get().is_none() {
        let Some(task) = next_task::find_next_task(run, play, &host, &mut cursor) else { break };
        // A name that cannot be told yet may be one of a loop's.
        let task = templated_action::resolve_task(&HostTask::new(run, play, &task, &host)).unwrap_or(task);
        let at = HostTask::new(run, play, &task, &host);
        if task.action.short_name() == "meta" {
            let mut alone: IndexMap<Rc<str>, HostCursor> = [(Rc::clone(&host), cursor)].into_iter().collect();
            let flushing = meta::run_meta_task(run, play, &task, std::slice::from_ref(&host), &mut alone)?;
            linear::flush(run, play, &flushing, &mut alone).await?;
            cursor = alone.swap_remove(&host).unwrap_or_else(|| HostCursor::new(Rc::new([])));
            continue;
        }
        let narrow = step_hosts::read_throttle(&at)?.map(|most| tickets.throttle_task(&task, most));
        // A closed semaphore cannot be: it lives as long as the hosts do.
        let _narrow = match &narrow {
            Some(narrow) => narrow.acquire().await.ok(),
            None => None,
        };
        let _ticket = tickets.all.acquire().await.ok();
        run_task(&at, &mut cursor).await?;
    }
    Ok((host, cursor))
}

/// Runs a task on a host, and moves the host on.
async fn run_task(at: &HostTask<'_>, cursor: &mut HostCursor) -> LoadResult<()> {
    let HostTask { run, play, task, host } = *at;
    let label = label::build_label(at);
    run.bus.emit(&ReportEvent::TaskStart(label.clone()));
    let fate = cursor.find_fate();
    if cursor.is_uncertain() {
        play.mark_task_uncertain(task, host, MAY_RESCUE);
    }
    let targets = std::slice::from_ref(host);
    let runner = TaskRun::new(*at, &label, targets, fate);
    let finished = runner.run_task().await?;
    if finished.may_fail {
        cursor.may_fail();
    }
    match finished.status {
        OutcomeStatus::Failed | OutcomeStatus::Rescued | OutcomeStatus::Unreachable => {
            handle_failure(at, &finished, cursor);
        }
        _ if finished.includes.is_empty() => cursor.advance(),
        _ => {
            let lists = load_includes(&runner, &finished, &mut |request, _| {
                let (what, hosts) = (request.display_name(task), vec![host.to_string()]);
                run.bus.emit(&ReportEvent::Included { what, hosts, item: request.item.clone() });
            })?;
            match lists {
                Some(lists) => cursor.insert_included(lists),
                None => handle_failure(at, &finished, cursor),
            }
        }
    }
    Ok(())
}
