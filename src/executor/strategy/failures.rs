//! What a failure does to the hosts of a play: to the one that failed, and to the others.

use std::rc::Rc;

use indexmap::IndexMap;

use super::cursor::{Cursor, Fate};
use crate::executor::play::{PlayEnd, PlayRun};
use crate::executor::state::{Out, Run};
use crate::executor::task::rescue_vars;
use crate::executor::task::settings::flag;
use crate::executor::task::task_result::Finished;
use crate::playbook::{Keyword, Task};
use crate::report::{Event, Status};

/// Sends a host where its failure leads; a rescue section learns what has failed.
pub fn fail(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    finished: &Finished,
    host: &Rc<str>,
    cursor: &mut Cursor,
) {
    if finished.status == Status::Unreachable {
        // No rescue can reach it either.
        run.failed.borrow_mut().insert(Rc::clone(host), Out::Unreachable);
        play.removed_hosts.borrow_mut().insert(Rc::clone(host));
        cursor.end();
        return;
    }
    if cursor.fail() != Fate::Failed {
        rescue_vars::remember(run, play, task, host, finished);
    } else if !cursor.is_rescued_around() {
        // From here on it is no host of the play, though it may have sections to run that run in any case.
        play.removed_hosts.borrow_mut().insert(Rc::clone(host));
    }
}

/// Hosts whose cursor came to a failure are out of the run.
pub fn note_failures(run: &Rc<Run>, cursors: &IndexMap<Rc<str>, Cursor>) {
    for (host, cursor) in cursors {
        if cursor.is_failed() && !cursor.is_rescued_around() {
            run.failed.borrow_mut().entry(Rc::clone(host)).or_insert(Out::Failed);
        }
    }
}

/// Whether nobody is left to go on.
pub fn out_of_hosts(run: &Rc<Run>, cursors: &IndexMap<Rc<str>, Cursor>) -> bool {
    !cursors.is_empty() && cursors.keys().all(|host| run.is_out(host))
}

/// Fails the hosts that have not failed themselves together with those that have. Gives whether any is out for good.
///
/// They are no longer counted among the play's hosts, though a rescue section may take them over. Where one host ran for
/// all this happens twice, as in the original: the first failure leads the others into the rescue section, the second
/// one out of it.
pub fn fail_others(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    failed: &[Rc<str>],
    cursors: &mut IndexMap<Rc<str>, Cursor>,
) -> bool {
    let mut broken = false;
    for (host, cursor) in cursors.iter_mut() {
        if run.is_out(host) {
            broken = true;
        } else if !failed.contains(host) {
            broken |= cursor.fail() == Fate::Failed;
            play.removed_hosts.borrow_mut().insert(Rc::clone(host));
        }
    }
    broken
}

/// `any_errors_fatal` and `max_fail_percentage`.
pub fn fatal(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    failed: &[Rc<str>],
    cursors: &mut IndexMap<Rc<str>, Cursor>,
    once: bool,
) {
    note_failures(run, cursors);
    let all = match task.keyword(Keyword::AnyErrorsFatal) {
        Some(_) => flag(run, play, task, &failed[0], Keyword::AnyErrorsFatal),
        None => run.options.any_errors_fatal,
    };
    if once || all {
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
            run.bus.emit(&Event::NoHostsRemaining);
        }
    }
}
