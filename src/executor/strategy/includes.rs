//! What an include task brings in on a host.

use std::rc::Rc;

use crate::executor::include::{IncludeError, IncludeRequest};
use crate::executor::task::TaskRun;
use crate::executor::task::task_result::TaskResult;
use crate::playbook::{LoadResult, TaskBlock};

/// Included lists of tasks, each with its number in the play.
pub type IncludedBlocks = Vec<(u32, Rc<TaskBlock>)>;

/// Loads what a task has asked for on its host, and reports the result of each include. `loaded` learns of each list and
/// of its number. Gives nothing if one of them has failed.
///
/// # Errors
/// If an included file is not understood: that ends the run.
pub fn load_includes(
    runner: &TaskRun<'_>,
    finished: &TaskResult,
    loaded: &mut dyn FnMut(&IncludeRequest, u32),
) -> LoadResult<Option<IncludedBlocks>> {
    let mut lists = Vec::new();
    for request in &finished.includes {
        match request.load_included(runner.run, runner.play, runner.task) {
            Ok((order, block)) => {
                runner.tell_include(finished, Ok(request.build_result()));
                loaded(request, order);
                lists.push((order, block));
            }
            Err(IncludeError::Fatal(problem)) => return Err(problem),
            Err(IncludeError::Failed(failure)) => {
                runner.tell_include(finished, Err(*failure));
                return Ok(None);
            }
        }
    }
    Ok(Some(lists))
}
