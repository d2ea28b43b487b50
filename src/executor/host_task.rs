//! One task of a play as one host meets it.

use std::rc::Rc;

use super::play::PlayRun;
use super::state::RunState;
use super::variables::scope::TaskScope;
use crate::playbook::Task;

/// A task on a host, with the play and the run that it belongs to.
#[derive(Clone, Copy)]
pub struct HostTask<'a> {
    /// The run.
    pub run: &'a Rc<RunState>,
    /// The play.
    pub play: &'a Rc<PlayRun>,
    /// The task.
    pub task: &'a Rc<Task>,
    /// The host.
    pub host: &'a Rc<str>,
}

impl<'a> HostTask<'a> {
    /// A task of a play on a host.
    pub fn new(run: &'a Rc<RunState>, play: &'a Rc<PlayRun>, task: &'a Rc<Task>, host: &'a Rc<str>) -> Self {
        Self { run, play, task, host }
    }

    /// The same task on another host.
    #[must_use]
    pub fn on_host(self, host: &'a Rc<str>) -> Self {
        Self { host, ..self }
    }

    /// The variables that the task sees on the host.
    pub fn build_scope(&self) -> TaskScope {
        TaskScope::new(self.run, Some(self.play), Some(self.task), self.host)
    }
}
