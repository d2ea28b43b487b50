//! The items of a loop over a registry module, several at once.
//!
//! Items begin in their order, and their results are told in their order. What is told, registered, counted and recorded is
//! that of a loop whose items run one after the other.

use std::rc::Rc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use super::TaskRun;
use super::item_capture::{CapturedItem, Capturing};
use super::item_turn::{ItemTurn, LoopTurns};
use super::loops::LoopControl;
use super::task_result::ItemResult;
use crate::executor::variables::scope::TaskScope;
use crate::value::Value;

/// The result of an item; none if the run was interrupted before it had begun.
type EndedItem = (Option<ItemResult>, CapturedItem);

/// The values that all items of a loop share.
#[derive(Clone, Copy)]
pub(in crate::executor) struct LoopParts<'a> {
    /// `loop_control`.
    pub(in crate::executor) control: &'a LoopControl,
    /// The items.
    pub(in crate::executor) items: &'a [Value],
}

/// A loop whose items run side by side.
pub(in crate::executor) struct ParallelLoop<'a> {
    task: &'a TaskRun<'a>,
    parts: LoopParts<'a>,
    turns: Rc<LoopTurns>,
    under_way: FuturesOrdered<Capturing<'a, Option<ItemResult>>>,
    /// The next item to begin.
    next: usize,
    width: usize,
    /// An item has reached the service and ended well: connection and lists are there for all.
    is_warm: bool,
}

impl<'a> ParallelLoop<'a> {
    /// Begins nothing yet.
    pub(in crate::executor) fn new(task: &'a TaskRun<'a>, parts: LoopParts<'a>, width: usize) -> Self {
        let under_way = FuturesOrdered::new();
        Self { task, parts, turns: Rc::default(), under_way, next: 0, width, is_warm: false }
    }

    /// Whether items are under way, or have ended without being told.
    pub(in crate::executor) fn has_more(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Waits for the items that are under way, and tells what they had to say: what has been sent is never given up.
    pub(in crate::executor) async fn finish_begun(&mut self) {
        while let Some((_, captured)) = self.under_way.next().await {
            captured.replay(self.task.run);
        }
    }

    /// Returns the result of the next item, and tells what it had to say; `None` if it was not begun.
    pub(in crate::executor) async fn next_result(&mut self) -> Option<ItemResult> {
        let run = self.task.run;
        // The first one finds out whether there is a service, and reads the lists that the others share.
        let width = if self.is_warm { self.width } else { 1 };
        while self.under_way.len() < width && self.next < self.parts.items.len() && !run.interrupt.is_raised() {
            self.begin_item();
        }
        let (result, captured): EndedItem = self.under_way.next().await?;
        captured.replay(run);
        let result = result?;
        self.is_warm |= !result.ending.is_failed() && !result.ending.is_skipped();
        Some(result)
    }

    fn begin_item(&mut self) {
        let (task, parts, index) = (self.task, self.parts, self.next);
        self.next += 1;
        let turn = Rc::new(ItemTurn::begin_item(&self.turns, index, &task.run.interrupt));
        let work = async move {
            let item = TaskRun {
                turn: Some(Rc::clone(&turn)),
                kept: task.kept.clone(),
                search: Rc::clone(&task.search),
                ..*task
            };
            let mut scope = TaskScope::new(task.run, Some(task.play), Some(task.task), task.host);
            scope.set_top(vec![Rc::new(parts.control.build_item_variables(parts.items, index))]);
            let result = item.run_item(&mut scope).await;
            (!turn.is_abandoned()).then_some(result)
        };
        self.under_way.push_back(Capturing::new(task.run, Box::pin(work)));
    }
}
