//! Effects of a failure on the failed host of a play, and on the others.

use std::rc::Rc;

use indexmap::IndexMap;

use super::cursor::{Fate, HostCursor};
use crate::executor::host_task::HostTask;
use crate::executor::play::{PlayEnd, PlayRun};
use crate::executor::state::{Out, RunState};
use crate::executor::task::rescue_vars;
use crate::executor::task::settings::read_flag;
use crate::executor::task::task_result::TaskResult;
use crate::playbook::Keyword;
use crate::report::{OutcomeStatus, ReportEvent};

/// Sends a host where its failure leads; a rescue section learns what has failed.
pub fn handle_failure(at: &HostTask<'_>, finished: &TaskResult, cursor: &mut HostCursor) {
    let HostTask { run, play, host, .. } = *at;
    if finished.status == OutcomeStatus::Unreachable {
        // No rescue can reach it either.
        run.failed.borrow_mut().insert(Rc::clone(host), Out::Unreachable);
        play.removed_hosts.borrow_mut().insert(Rc::clone(host));
        cursor.skip_to_end();
        return;
    }
    if cursor.handle_failure() != Fate::Failed {
        rescue_vars::set_rescue_vars(at, finished);
    } else if !cursor.is_rescued_around() {
        // From here on it is not a host of the play, though it may have sections to run that run in any case.
        play.removed_hosts.borrow_mut().insert(Rc::clone(host));
    }
}

/// Hosts whose cursor came to a failure are out of the run.
pub fn note_failures(run: &Rc<RunState>, cursors: &IndexMap<Rc<str>, HostCursor>) {
    for (host, cursor) in cursors {
        if cursor.is_failed() && !cursor.is_rescued_around() {
            run.failed.borrow_mut().entry(Rc::clone(host)).or_insert(Out::Failed);
        }
    }
}

/// Returns whether no host is left.
pub fn out_of_hosts(run: &Rc<RunState>, cursors: &IndexMap<Rc<str>, HostCursor>) -> bool {
    !cursors.is_empty() && cursors.keys().all(|host| run.is_out(host))
}

/// Fails all hosts of the play after a failure on one. Returns whether any host has an unhandled failure.
///
/// These hosts no longer count among the play's hosts, but a rescue section may handle their failure. With `run_once` this
/// happens twice, as with Ansible: the first failure moves the other hosts into the rescue section, the second moves them
/// out of it.
pub fn fail_others(
    run: &Rc<RunState>,
    play: &Rc<PlayRun>,
    failed: &[Rc<str>],
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) -> bool {
    let mut broken = false;
    for (host, cursor) in cursors.iter_mut() {
        if run.is_out(host) {
            broken = true;
        } else if !failed.contains(host) {
            broken |= cursor.handle_failure() == Fate::Failed;
            play.removed_hosts.borrow_mut().insert(Rc::clone(host));
        }
    }
    broken
}

/// Whose failure a task's failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReach {
    /// That of the host on which it failed.
    ThisHost,
    /// That of all hosts: it ran once for them.
    AllHosts,
}

/// `any_errors_fatal` and `max_fail_percentage`, once a task has failed on some hosts, of which `at` has the first.
pub fn check_fatal_limits(
    at: &HostTask<'_>,
    failed: &[Rc<str>],
    reach: FailureReach,
    cursors: &mut IndexMap<Rc<str>, HostCursor>,
) {
    let HostTask { run, play, task, .. } = *at;
    note_failures(run, cursors);
    let is_fatal = match task.find_keyword(Keyword::AnyErrorsFatal) {
        Some(_) => read_flag(at, Keyword::AnyErrorsFatal),
        None => run.options.any_errors_fatal,
    };
    if reach == FailureReach::AllHosts || is_fatal {
        let broken = fail_others(run, play, failed, cursors);
        note_failures(run, cursors);
        if broken && cursors.iter().all(|(host, cursor)| run.is_out(host) || !cursor.is_cleaning_up()) {
            play.ended.set(Some(PlayEnd::Fatal));
        }
    }
    if let Some(limit) = play.max_failed {
        let failed = cursors.keys().filter(|host| run.is_out(host)).count();
        if failed as f64 / cursors.len().max(1) as f64 > limit / 100.0 {
            play.ended.set(Some(PlayEnd::Fatal));
            run.bus.emit(&ReportEvent::NoHostsRemaining);
        }
    }
}
