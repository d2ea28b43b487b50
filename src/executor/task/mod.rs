//! The life of one task on one host: its loop, conditions, retries, module call and result.

pub mod background;
pub mod conditional;
pub mod connection;
pub mod delivery;
pub mod dispatch;
pub mod effects;
pub mod file_effects;
pub mod foreground;
pub mod invoke;
mod item_capture;
mod item_turn;
pub mod label;
mod loop_independence;
pub mod loop_result;
pub mod loops;
mod parallel_loop;
pub mod plan_guard;
pub mod prepare;
pub mod rescue_vars;
pub mod result;
pub mod retry;
pub mod run;
mod run_loop;
pub mod settings;
pub mod task_result;
pub mod templated_action;
pub mod timeout;
pub mod unknowns;

use std::path::PathBuf;
use std::rc::Rc;

use super::play::PlayRun;
use super::shared_lists::open_lists;
use super::state::RunState;
use super::strategy::cursor::Fate;
use crate::executor::host_task::HostTask;
use crate::ionos::ListCaches;
use crate::playbook::Task;
use crate::report::TaskLabel;
use crate::template::{TemplateEngine, VariableScope};

/// A task that is about to run on a host.
pub struct TaskRun<'a> {
    /// The run.
    pub run: &'a Rc<RunState>,
    /// The play.
    pub play: &'a Rc<PlayRun>,
    /// The task.
    pub task: &'a Rc<Task>,
    /// How it is shown.
    pub label: &'a TaskLabel,
    /// The host.
    pub host: &'a Rc<str>,
    /// The hosts that results and facts are kept for: more than one for `run_once`.
    pub targets: &'a [Rc<str>],
    /// Where a failure leads.
    pub fate: Fate,
    /// The lists of the service that it shares with other tasks, or among its items.
    pub kept: Option<Rc<ListCaches>>,
    /// The place of the item in its loop, where several run side by side.
    pub(in crate::executor) turn: Option<Rc<item_turn::ItemTurn>>,
    /// Folders for relative names, nearest first.
    search: Rc<[PathBuf]>,
}

impl<'a> TaskRun<'a> {
    /// A task on its host. Results and facts are kept for the `targets`; a failure leads to `fate`.
    pub(in crate::executor) fn new(at: HostTask<'a>, label: &'a TaskLabel, targets: &'a [Rc<str>], fate: Fate) -> Self {
        let HostTask { run, play, task, host } = at;
        let (kept, search) = (open_lists(run, task), play.search_path(Some(task)).into());
        Self { run, play, task, label, host, targets, fate, kept, turn: None, search }
    }

    /// Evaluates templates with the variables of a scope.
    pub(in crate::executor) fn engine<'e>(&'e self, scope: &'e dyn VariableScope) -> TemplateEngine<'e> {
        TemplateEngine::new(&self.run.globals, scope, &self.search)
    }

    /// The task on its host.
    pub(in crate::executor) fn host_task(&self) -> HostTask<'a> {
        HostTask::new(self.run, self.play, self.task, self.host)
    }
}
