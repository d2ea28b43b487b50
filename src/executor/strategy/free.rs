//! The free and host-pinned strategies: each host goes through the play at its own pace.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;
use tokio::sync::Semaphore;

use super::cursor::Cursor;
use super::failures::fail;
use super::linear;
use super::next_task;
use super::step_hosts;
use crate::executor::include::Missing;
use crate::executor::meta;
use crate::executor::play::PlayRun;
use crate::executor::state::{Out, Run};
use crate::executor::task::label;
use crate::executor::task::task_result::MAY_RESCUE;
use crate::executor::task::templated_action;
use crate::executor::task::{TaskRun, kept};
use crate::playbook::{Loaded, Task};
use crate::report::{Event, Status};

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

    fn narrow(&self, task: &Rc<Task>, most: usize) -> Rc<Semaphore> {
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
pub async fn run(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, Cursor>,
    pinned: bool,
) -> Loaded<()> {
    let forks = run.options.forks.max(1);
    let tickets = Tickets::new(if pinned { Semaphore::MAX_PERMITS } else { forks });
    let width = if pinned { forks } else { cursors.len().max(1) };
    let hosts: Vec<(Rc<str>, Cursor)> =
        cursors.iter().map(|(host, cursor)| (Rc::clone(host), cursor.clone())).collect();
    let lane = |(host, cursor): (Rc<str>, Cursor)| one_host(run, play, host, cursor, &tickets);
    let ended: Vec<Loaded<(Rc<str>, Cursor)>> = stream::iter(hosts).map(lane).buffer_unordered(width).collect().await;
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
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    host: Rc<str>,
    mut cursor: Cursor,
    tickets: &Tickets,
) -> Loaded<(Rc<str>, Cursor)> {
    while !run.interrupt.is_raised() && play.ended.get().is_none() {
        let Some(task) = next_task::at(run, play, &host, &mut cursor) else { break };
        // A name that cannot be told yet may be one of a loop's.
        let task = templated_action::task(run, play, &task, &host).unwrap_or(task);
        if task.action.short() == "meta" {
            let mut alone: IndexMap<Rc<str>, Cursor> = [(Rc::clone(&host), cursor)].into_iter().collect();
            let flushing = meta::act(run, play, &task, std::slice::from_ref(&host), &mut alone)?;
            linear::flush(run, play, &flushing, &mut alone).await?;
            cursor = alone.swap_remove(&host).unwrap_or_else(|| Cursor::new(Rc::new([])));
            continue;
        }
        let narrow = step_hosts::throttle(run, play, &task, &host)?.map(|most| tickets.narrow(&task, most));
        // A closed semaphore cannot be: it lives as long as the hosts do.
        let _narrow = match &narrow {
            Some(narrow) => narrow.acquire().await.ok(),
            None => None,
        };
        let _ticket = tickets.all.acquire().await.ok();
        let label = label::label(run, play, &task, &host);
        run.bus.emit(&Event::TaskStart(label.clone()));
        let fate = cursor.fate();
        if cursor.is_doubtful() {
            play.doubt_task(&task, &host, MAY_RESCUE);
        }
        let targets = std::slice::from_ref(&host);
        let runner = TaskRun { run, play, task: &task, label: &label, host: &host, targets, fate, kept: kept(&task) };
        let finished = runner.run().await?;
        if finished.may_fail {
            cursor.may_fail();
        }
        match finished.status {
            Status::Failed | Status::Rescued | Status::Unreachable => {
                fail(run, play, &task, &finished, &host, &mut cursor);
            }
            _ if finished.includes.is_empty() => cursor.advance(),
            _ => {
                let mut lists = Vec::new();
                let mut failed = false;
                for request in &finished.includes {
                    match request.load(run, play, &task) {
                        Ok(list) => {
                            runner.tell_include(&finished, Ok(request.result()));
                            let hosts = vec![host.to_string()];
                            let item = request.item.clone();
                            run.bus.emit(&Event::Included { what: request.shown(&task), hosts, item });
                            lists.push(list);
                        }
                        Err(Missing::Fatal(problem)) => return Err(problem),
                        Err(Missing::Failed(failure)) => {
                            runner.tell_include(&finished, Err(*failure));
                            failed = true;
                            break;
                        }
                    }
                }
                if failed {
                    fail(run, play, &task, &finished, &host, &mut cursor);
                } else {
                    cursor.include(lists);
                }
            }
        }
    }
    Ok((host, cursor))
}
