//! Tasks and blocks of tasks.

use std::rc::Rc;

use super::frame::Frame;
use super::task::Task;

/// A member of a list of tasks.
#[derive(Debug, Clone)]
pub enum BlockItem {
    /// A task.
    Task(Rc<Task>),
    /// A block, or what came from an import.
    Block(Rc<TaskBlock>),
}

/// A block with its three sections.
#[derive(Debug)]
pub struct TaskBlock {
    /// The tasks.
    pub main: Rc<[BlockItem]>,
    /// Tasks that run after a failure.
    pub rescue: Rc<[BlockItem]>,
    /// Tasks that run in any case.
    pub always: Rc<[BlockItem]>,
    /// Keywords and variables of the block.
    pub frame: Rc<Frame>,
    /// The end of a role's tasks on a host; the role counts as run from there on.
    pub ends_role: Option<Rc<super::Role>>,
}

impl TaskBlock {
    /// Tasks that belong together for the engine's own reasons.
    pub fn new_implicit(items: Vec<BlockItem>, frame: Rc<Frame>) -> Self {
        Self { main: items.into(), rescue: Rc::new([]), always: Rc::new([]), frame, ends_role: None }
    }
}

/// All tasks of a list, those inside blocks included, in order.
pub fn visit_tasks(items: &[BlockItem], each: &mut dyn FnMut(&Rc<Task>)) {
    for item in items {
        match item {
            BlockItem::Task(task) => each(task),
            BlockItem::Block(block) => {
                for section in [&block.main, &block.rescue, &block.always] {
                    visit_tasks(section, each);
                }
            }
        }
    }
}
