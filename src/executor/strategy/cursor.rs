//! Where a host is in the tree of blocks, and where it goes after a success or a failure.

use std::rc::Rc;

use crate::playbook::{BlockItem, Role, Task, TaskBlock};

/// The section of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Main,
    Rescue,
    Always,
}

/// One level of nesting.
#[derive(Debug, Clone)]
struct Level {
    block: Option<Rc<TaskBlock>>,
    section: Section,
    items: Rc<[BlockItem]>,
    /// Distinguishes included lists of different hosts; see [`Place`].
    orders: Option<Rc<[u32]>>,
    index: usize,
    /// The block has failed, and its `always` runs before the failure goes on.
    failing: bool,
    /// A dry run cannot tell whether the block fails; its `rescue` is shown, and nothing in it is certain.
    doubtful: bool,
}

/// The place of a task in the order of the play. Hosts at equal places run the same task; the smallest place is next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskPosition(Vec<(u8, u32)>);

/// Consequence of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A `rescue` section takes over, now or after some `always`.
    Rescued,
    /// It counts as rescued, but by a block around the flush that runs the handler.
    RescuedAround,
    /// The host is out, perhaps after some `always`.
    Failed,
}

/// A host's way through a list of tasks and blocks.
#[derive(Debug, Clone)]
pub struct HostCursor {
    stack: Vec<Level>,
    failed: bool,
    /// A failure is rescued by a block around the flush that runs this list.
    rescued_around: bool,
}

impl HostCursor {
    /// At the beginning of a list.
    pub fn new(items: Rc<[BlockItem]>) -> Self {
        let level = Level {
            block: None,
            section: Section::Main,
            items,
            orders: None,
            index: 0,
            failing: false,
            doubtful: false,
        };
        Self { stack: vec![level], failed: false, rescued_around: false }
    }

    /// At the beginning of a list that is run at a place where a failure leads somewhere.
    pub fn new_within(items: Rc<[BlockItem]>, around: Fate) -> Self {
        Self { rescued_around: around != Fate::Failed, ..Self::new(items) }
    }

    /// Whether an enclosing block rescues a failure.
    pub fn is_rescued_around(&self) -> bool {
        self.rescued_around
    }

    /// Whether the host has an unhandled failure.
    pub fn is_failed(&self) -> bool {
        self.failed
    }

    /// Takes back a failure (`meta: clear_host_errors`), also one that waits for the end of an `always`.
    pub fn clear_failure(&mut self) {
        self.failed = false;
        self.stack.iter_mut().for_each(|level| level.failing = false);
    }

    /// The task that the host is at. Goes into blocks and out of finished ones; tells of roles that ended on the way.
    pub fn peek_task(&mut self, ended: &mut dyn FnMut(&Rc<Role>)) -> Option<Rc<Task>> {
        loop {
            let level = self.stack.last_mut()?;
            match level.items.get(level.index) {
                Some(BlockItem::Task(task)) => return Some(Rc::clone(task)),
                Some(BlockItem::Block(block)) => {
                    let block = Rc::clone(block);
                    self.stack.push(Level {
                        section: Section::Main,
                        items: Rc::clone(&block.main),
                        orders: None,
                        index: 0,
                        failing: false,
                        doubtful: false,
                        block: Some(block),
                    });
                }
                None => self.end_section(ended),
            }
        }
    }

    /// The place of the task that [`Cursor::peek`] gave.
    pub fn current_position(&self) -> TaskPosition {
        let step = |level: &Level| {
            let index = u32::try_from(level.index).unwrap_or(u32::MAX);
            let order = level.orders.as_ref().and_then(|orders| orders.get(level.index)).copied();
            (level.section as u8, order.unwrap_or(index))
        };
        TaskPosition(self.stack.iter().map(step).collect())
    }

    fn end_section(&mut self, ended: &mut dyn FnMut(&Rc<Role>)) {
        let Some(level) = self.stack.last_mut() else { return };
        if level.section == Section::Main
            && level.doubtful
            && let Some(block) = &level.block
        {
            level.section = Section::Rescue;
            level.items = Rc::clone(&block.rescue);
            level.index = 0;
            return;
        }
        if level.section != Section::Always
            && let Some(block) = level.block.clone().filter(|block| !block.always.is_empty())
        {
            level.section = Section::Always;
            level.items = Rc::clone(&block.always);
            level.index = 0;
            return;
        }
        let level = self.stack.pop();
        if level.as_ref().is_some_and(|level| level.failing) {
            self.handle_failure();
            return;
        }
        if let Some(role) = level.and_then(|level| level.block).and_then(|block| block.ends_role.clone()) {
            ended(&role);
        }
        if let Some(parent) = self.stack.last_mut() {
            parent.index += 1;
        }
    }

    /// Goes on after a task that did not fail.
    pub fn advance(&mut self) {
        if let Some(level) = self.stack.last_mut() {
            level.index += 1;
        }
    }

    /// The task at hand may fail in the real run: the `rescue` that would take over comes after the block.
    pub fn may_fail(&mut self) {
        let rescued = self.stack.iter_mut().rev().find(|level| {
            level.section == Section::Main && level.block.as_ref().is_some_and(|block| !block.rescue.is_empty())
        });
        if let Some(level) = rescued {
            level.doubtful = true;
        }
    }

    /// Whether the host is in a `rescue` of which a dry run cannot tell whether it is gone through.
    pub fn is_uncertain(&self) -> bool {
        self.stack.iter().any(|level| level.section == Section::Rescue && level.doubtful)
    }

    /// Whether a failure here would be taken over by a `rescue` section.
    pub fn find_fate(&self) -> Fate {
        let rescued = self.stack.iter().any(|level| {
            level.section == Section::Main && level.block.as_ref().is_some_and(|block| !block.rescue.is_empty())
        });
        match (rescued, self.rescued_around) {
            (true, _) => Fate::Rescued,
            (false, true) => Fate::RescuedAround,
            (false, false) => Fate::Failed,
        }
    }

    /// Whether the host is in a `rescue` or `always` section, where a fatal error elsewhere leaves it alone.
    pub fn is_cleaning_up(&self) -> bool {
        self.stack.iter().any(|level| level.section != Section::Main)
    }

    /// Goes where a failure leads: to the nearest `rescue` or `always`, or out.
    pub fn handle_failure(&mut self) -> Fate {
        let fate = self.find_fate();
        while let Some(level) = self.stack.last_mut() {
            if let Some(block) = level.block.clone() {
                if level.section == Section::Main && !block.rescue.is_empty() {
                    level.section = Section::Rescue;
                    level.items = Rc::clone(&block.rescue);
                    level.index = 0;
                    level.doubtful = false;
                    return fate;
                }
                if level.section != Section::Always && !block.always.is_empty() {
                    level.section = Section::Always;
                    level.items = Rc::clone(&block.always);
                    level.index = 0;
                    level.failing = true;
                    return fate;
                }
            }
            self.stack.pop();
        }
        self.failed = true;
        fate
    }

    /// Puts included lists in the place of the include task. `orders` are numbers that are equal for equal lists on
    /// different hosts and grow in the order in which the lists are to run.
    pub fn insert_included(&mut self, lists: Vec<(u32, Rc<TaskBlock>)>) {
        let (orders, items): (Vec<u32>, Vec<BlockItem>) =
            lists.into_iter().map(|(order, block)| (order, BlockItem::Block(block))).unzip();
        self.stack.push(Level {
            block: None,
            section: Section::Main,
            items: items.into(),
            orders: Some(orders.into()),
            index: 0,
            failing: false,
            doubtful: false,
        });
    }

    /// Nothing more to do here.
    pub fn skip_to_end(&mut self) {
        self.stack.clear();
    }

    /// Leaves the innermost role (`meta: end_role`).
    pub fn end_role(&mut self, ended: &mut dyn FnMut(&Rc<Role>)) {
        while let Some(level) = self.stack.pop() {
            if let Some(role) = level.block.and_then(|block| block.ends_role.clone()) {
                ended(&role);
                if let Some(parent) = self.stack.last_mut() {
                    parent.index += 1;
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Frame, RawArgs, TaskAction};
    use crate::source::Source;
    use crate::value::{Dict, Value};

    fn task(name: &str) -> BlockItem {
        let span = Source::new("t", "x").span(0..1);
        let args = RawArgs { values: Dict::new(), template: None, node: None, span: span.clone() };
        let mut task = Task::new(TaskAction::from_builtin("debug"), args, Rc::new(Frame::default()), span);
        task.name = Some(Value::text(name));
        BlockItem::Task(Rc::new(task))
    }

    fn block(main: Vec<BlockItem>, rescue: Vec<BlockItem>, always: Vec<BlockItem>) -> BlockItem {
        let mut block = TaskBlock::new_implicit(main, Rc::new(Frame::default()));
        block.rescue = rescue.into();
        block.always = always.into();
        BlockItem::Block(Rc::new(block))
    }

    /// Runs through a list; tasks whose name begins with `!` fail, with `?` may fail. Gives the names, those in brackets that
    /// may not come, and whether the host is out.
    fn walk(items: Vec<BlockItem>) -> (String, bool) {
        let mut cursor = HostCursor::new(items.into());
        let mut names = Vec::new();
        while let Some(task) = cursor.peek_task(&mut |_| {}) {
            let name = task.name.as_ref().and_then(Value::as_str).unwrap().to_owned();
            names.push(if cursor.is_uncertain() { format!("({name})") } else { name.clone() });
            if name.starts_with('?') {
                cursor.may_fail();
            }
            if name.starts_with('!') {
                cursor.handle_failure();
            } else {
                cursor.advance();
            }
        }
        (names.join(" "), cursor.is_failed())
    }

    #[track_caller]
    fn case(items: Vec<BlockItem>, way: &str, out: bool) {
        assert_eq!(walk(items), (way.to_owned(), out));
    }

    #[test]
    fn a_failure_ends_the_way() {
        case(vec![task("a"), task("!b"), task("c")], "a !b", true);
    }

    #[test]
    fn rescue_takes_over_and_always_follows() {
        let inner = block(vec![task("!a"), task("b")], vec![task("r")], vec![task("w")]);
        case(vec![inner, task("z")], "!a r w z", false);
        let fine = block(vec![task("a")], vec![task("r")], vec![task("w")]);
        case(vec![fine, task("z")], "a w z", false);
    }

    #[test]
    fn a_block_that_may_fail_is_followed_by_its_rescue() {
        let inner = block(vec![task("?a"), task("b")], vec![task("r")], vec![task("w")]);
        case(vec![block(vec![inner, task("c")], vec![task("s")], vec![]), task("z")], "?a b (r) w c z", false);
        // The host drops out where no `rescue` of the block catches the failure.
        let plain = block(vec![task("?a")], vec![], vec![task("w")]);
        case(vec![block(vec![plain, task("c")], vec![task("s")], vec![])], "?a w c (s)", false);
        // A failure is no doubt.
        case(vec![block(vec![task("?a"), task("!b")], vec![task("r")], vec![])], "?a !b r", false);
    }

    #[test]
    fn always_runs_before_the_failure_goes_on() {
        let inner = block(vec![task("!a")], vec![], vec![task("w")]);
        case(vec![inner, task("z")], "!a w", true);
    }

    #[test]
    fn what_rescue_cannot_mend_goes_to_the_block_around() {
        let inner = block(vec![task("!a")], vec![task("!r"), task("s")], vec![task("w")]);
        let outer = block(vec![inner, task("n")], vec![task("R")], vec![task("W")]);
        case(vec![outer, task("z")], "!a !r w R W z", false);
    }

    #[test]
    fn a_failure_in_always_is_a_failure() {
        let inner = block(vec![task("!a")], vec![task("r")], vec![task("!w"), task("x")]);
        let outer = block(vec![inner], vec![task("R")], vec![]);
        case(vec![outer, task("z")], "!a r !w R z", false);
    }

    #[test]
    fn included_lists_run_in_their_order_and_then_the_way_goes_on() {
        let mut cursor = HostCursor::new(vec![task("include"), task("after")].into());
        cursor.peek_task(&mut |_| {});
        let list = |name: &str| Rc::new(TaskBlock::new_implicit(vec![task(name)], Rc::new(Frame::default())));
        cursor.insert_included(vec![(1, list("x")), (2, list("y"))]);
        let mut names = Vec::new();
        while let Some(task) = cursor.peek_task(&mut |_| {}) {
            names.push(task.name.as_ref().and_then(Value::as_str).unwrap().to_owned());
            cursor.advance();
        }
        assert_eq!(names, ["x", "y", "after"]);
    }

    #[test]
    fn the_smallest_place_is_next() {
        let items: Rc<[BlockItem]> = vec![block(vec![task("!a")], vec![task("r")], vec![]), task("z")].into();
        let (mut failed, mut fine) = (HostCursor::new(Rc::clone(&items)), HostCursor::new(items));
        failed.peek_task(&mut |_| {});
        fine.peek_task(&mut |_| {});
        assert_eq!(failed.current_position(), fine.current_position());
        failed.handle_failure();
        fine.advance();
        failed.peek_task(&mut |_| {});
        fine.peek_task(&mut |_| {});
        assert!(failed.current_position() < fine.current_position());
    }
}
