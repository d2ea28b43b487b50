//! The linear strategy: hosts stay in step. The earliest task of any host is next; the hosts at this task run it
//! concurrently, the others wait.

use std::rc::Rc;

use indexmap::IndexMap;

use super::cursor::{Fate, HostCursor, TaskPosition};
use super::failures::{note_failures, out_of_hosts};
use super::next_task;
use super::step_hosts;
use crate::executor::handlers::Flush;
use crate::executor::meta;
use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::executor::task::templated_action;
use crate::playbook::{BlockItem, LoadResult, Task};

/// Whether the tasks are the play's own, or a handler's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The play's sections.
    Play,
    /// One handler, run by a flush.
    Handler,
}

/// Runs the tasks that the cursors are at until all hosts are through or out.
///
/// # Errors
/// If something that is included is not understood, or the run must end for a reason outside any task.
pub async fn run_linear(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
    level: Level,
) -> LoadResult<()> {
    loop {
        if run.interrupt.is_raised() || play.ended.get().is_some() {
            return Ok(());
        }
        let found = next(run, play, cursors);
        // The end of an `always` may have been the end for a host.
        note_failures(run, cursors);
        let Some((task, hosts)) = found else { return Ok(()) };
        let (task, hosts) = templated_action::for_all(run, play, task, hosts)?;
        if task.action.short_name() == "meta" {
            let flushing = meta::run_meta_task(run, play, &task, &hosts, cursors)?;
            flush(run, play, &flushing, cursors).await?;
            continue;
        }
        step_hosts::one_task(run, play, &task, hosts, cursors).await?;
        note_failures(run, cursors);
        if level == Level::Play && out_of_hosts(run, cursors) {
            return Ok(());
        }
    }
}

/// Returns the next task and its hosts. Skips tasks excluded by tags or by a finished role.
fn next(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) -> Option<(Rc<Task>, Vec<Rc<str>>)> {
    let mut best: Option<(TaskPosition, Rc<Task>, Vec<Rc<str>>)> = None;
    for (host, cursor) in cursors.iter_mut() {
        let Some(task) = next_task::find_next_task(run, play, host, cursor) else { continue };
        let place = cursor.current_position();
        match &mut best {
            Some((known, _, hosts)) if *known == place => hosts.push(Rc::clone(host)),
            Some((known, ..)) if *known < place => {}
            _ => best = Some((place, task, vec![Rc::clone(host)])),
        }
    }
    best.map(|(_, task, hosts)| (task, hosts))
}

/// Runs the notified handlers of some hosts, and takes out those that fail.
///
/// # Errors
/// As [`run`].
pub async fn flush(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    hosts: &[Rc<str>],
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) -> LoadResult<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    let mut flush = Flush::resolve_notified(run, play, hosts);
    while let Some((handler, chosen)) = flush.next(play) {
        let items: Rc<[BlockItem]> = Rc::new([BlockItem::Task(Rc::clone(&handler))]);
        let fate = |host: &Rc<str>| cursors.get(host).map_or(Fate::Failed, HostCursor::find_fate);
        let mut inside: IndexMap<Rc<str>, HostCursor> = chosen
            .iter()
            .map(|host| (Rc::clone(host), HostCursor::new_within(Rc::clone(&items), fate(host))))
            .collect();
        Box::pin(self::run_linear(run, play, &mut inside, Level::Handler)).await?;
        flush.record_run(play, &handler, &inside);
        if play.ended.get().is_some() || run.interrupt.is_raised() {
            break;
        }
    }
    for host in flush.failed_hosts() {
        if let Some(cursor) = cursors.get_mut(host) {
            cursor.handle_failure();
        }
    }
    for host in play.ended_hosts.borrow().iter() {
        if let Some(cursor) = cursors.get_mut(host) {
            cursor.skip_to_end();
        }
    }
    Ok(())
}
