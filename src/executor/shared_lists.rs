//! Lists of the service that a stretch of registry tasks shares.
//!
//! A list that a task has read is good for the next one if nothing stands between them that could reach the service, and if
//! it was read less than two seconds ago. Within a loop it is good to the end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::state::RunState;
use crate::ionos::ListCaches;
use crate::modules;
use crate::playbook::{Keyword, Task};

/// A list that is older is read again.
const LONGEST_AGE: Duration = Duration::from_secs(2);

/// Actions besides registry modules that cannot reach the service.
const LOCAL_ACTIONS: &[&str] = &[
    "add_host",
    "assert",
    "copy",
    "debug",
    "fail",
    "file",
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "set_fact",
    "set_stats",
    "stat",
    "template",
    "validate_argument_spec",
];

/// Who shares lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListSharing {
    /// Tasks in a row, and the items of a loop.
    #[default]
    BetweenTasks,
    /// The items of a loop only: a plan, and what applies it, look at the service for every task.
    WithinLoops,
    /// No sharing: every task reads the lists anew (`--fresh`).
    Never,
}

/// The lists of a run.
#[derive(Default)]
pub struct SharedLists {
    caches: Rc<ListCaches>,
    /// Tasks under way that may reach the service in other ways.
    outsiders: Cell<usize>,
    /// Lookups that had reached out of this process when a task last began.
    outside_calls: Cell<u64>,
    /// A process of its own may be at work.
    has_jobs: Cell<bool>,
}

/// A task that may change what the service has, past the lists.
pub(in crate::executor) struct OutsideTask<'a>(&'a SharedLists);

impl Drop for OutsideTask<'_> {
    fn drop(&mut self) {
        self.0.caches.clear();
        self.0.outsiders.set(self.0.outsiders.get() - 1);
    }
}

impl SharedLists {
    /// Notes that a task begins. If it may reach the service past the lists, they count for nothing until it has ended.
    pub(in crate::executor) fn begin_task(&self, task: &Task) -> Option<OutsideTask<'_>> {
        let is_background = task.find_keyword(Keyword::Async).is_some();
        self.has_jobs.set(self.has_jobs.get() || is_background);
        if !is_background && is_local(task) {
            return None;
        }
        self.caches.clear();
        self.outsiders.set(self.outsiders.get() + 1);
        Some(OutsideTask(self))
    }

    /// Returns the lists that a task shares with the tasks before it, or lists of its own.
    fn join_stretch(&self, outside_calls: u64) -> Option<Rc<ListCaches>> {
        if self.outside_calls.replace(outside_calls) != outside_calls {
            self.caches.clear();
        }
        if self.has_jobs.get() || self.outsiders.get() > 0 {
            return None;
        }
        self.caches.drop_older_than(LONGEST_AGE);
        Some(Rc::clone(&self.caches))
    }
}

/// Whether a task does nothing past the lists.
fn is_local(task: &Task) -> bool {
    is_registry_task(task) || (LOCAL_ACTIONS.contains(&task.action.short_name()) && !may_run_command(task))
}

/// Whether a task that writes a file may check it with a command (`validate`).
fn may_run_command(task: &Task) -> bool {
    task.args.template.is_some() || task.args.values.contains("validate")
}

fn is_registry_task(task: &Task) -> bool {
    modules::find_module(&task.action.full).is_some_and(|module| module.module_spec().is_of_registry())
}

/// Returns the lists that a task begins with.
pub(in crate::executor) fn open_lists(run: &RunState, task: &Task) -> Option<Rc<ListCaches>> {
    let of_loop = || task.looping.is_some().then(Rc::default);
    match run.options.list_sharing {
        _ if !is_registry_task(task) => None,
        ListSharing::Never => task.looping.is_some().then(|| Rc::new(ListCaches::always_fresh())),
        ListSharing::WithinLoops => of_loop(),
        ListSharing::BetweenTasks => run.lists.join_stretch(run.globals.count_outside_calls()).or_else(of_loop),
    }
}
