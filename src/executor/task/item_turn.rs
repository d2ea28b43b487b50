//! Whose turn it is among the items of a loop that run side by side.
//!
//! An item whose objects an earlier one may touch waits until that has ended. So does a module that meets something that
//! earlier items could still change; it has written nothing by then, and is called again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Notify;

use super::invoke::{ModuleCall, run_module_once};
use super::prepare::Prepared;
use crate::interrupt::Interrupt;
use crate::modules::{Failure, LoopOrder, ModuleOutcome, ObjectClaims};

/// The items of a loop that are under way, and the objects that they may touch.
#[derive(Default)]
pub(in crate::executor) struct LoopTurns {
    under_way: RefCell<BTreeMap<usize, ObjectClaims>>,
    ended: Notify,
}

/// The place of one item in its loop.
pub(in crate::executor) struct ItemTurn {
    turns: Rc<LoopTurns>,
    index: usize,
    interrupt: Interrupt,
    is_abandoned: Cell<bool>,
}

impl ItemTurn {
    /// Begins an item. Until its arguments are known it may touch anything.
    pub(in crate::executor) fn begin_item(turns: &Rc<LoopTurns>, index: usize, interrupt: &Interrupt) -> Self {
        turns.under_way.borrow_mut().insert(index, ObjectClaims::Unclear);
        Self { turns: Rc::clone(turns), index, interrupt: interrupt.clone(), is_abandoned: Cell::default() }
    }

    /// Whether the run was interrupted before the module had done anything: the item counts as not begun.
    pub(in crate::executor) fn is_abandoned(&self) -> bool {
        self.is_abandoned.get()
    }

    fn is_ahead(&self) -> bool {
        self.turns.under_way.borrow().keys().any(|index| *index < self.index)
    }

    /// Waits until no earlier item is under way whose claims are meant; false if the run was interrupted meanwhile.
    async fn wait_for_earlier(&self, is_meant: impl Fn(&ObjectClaims) -> bool) -> bool {
        let mut has_waited = false;
        loop {
            let ended = self.turns.ended.notified();
            let is_blocked = self.turns.under_way.borrow().range(..self.index).any(|(_, claims)| is_meant(claims));
            if !is_blocked {
                self.is_abandoned.set(has_waited && self.interrupt.is_raised());
                return !self.is_abandoned.get();
            }
            has_waited = true;
            ended.await;
        }
    }
}

impl Drop for ItemTurn {
    fn drop(&mut self) {
        self.turns.under_way.borrow_mut().remove(&self.index);
        self.turns.ended.notify_waiters();
    }
}

/// Runs the module once, in its turn where the items of a loop run side by side.
///
/// # Errors
/// If the module fails, the time limit has passed, or the run was interrupted before its turn.
pub(in crate::executor) async fn run_module_in_turn(
    call: &ModuleCall<'_>,
    prepared: &Prepared,
    check: bool,
    warnings: &RefCell<Vec<String>>,
) -> Result<ModuleOutcome, Failure> {
    let Some(turn) = call.task.turn.as_deref() else {
        return run_module_once(call, prepared, check, warnings, None).await;
    };
    let claims = prepared.module.claim_objects(&prepared.args, &call.settings.environment);
    turn.turns.under_way.borrow_mut().insert(turn.index, claims.clone());
    if !turn.wait_for_earlier(|earlier| earlier.conflicts_with(&claims)).await {
        return Err(Failure::new("interrupted"));
    }
    if turn.is_ahead() {
        let order = LoopOrder::default();
        let result = run_module_once(call, prepared, check, warnings, Some(&order)).await;
        if !order.has_given_up() {
            return result;
        }
        warnings.take();
        if !turn.wait_for_earlier(|_| true).await {
            return Err(Failure::new("interrupted"));
        }
    }
    run_module_once(call, prepared, check, warnings, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn conflicting_items_wait_for_earlier_ones_only() {
        let (turns, interrupt) = (Rc::<LoopTurns>::default(), Interrupt::default());
        let [first, second, third] = [0, 1, 2].map(|index| ItemTurn::begin_item(&turns, index, &interrupt));
        assert!(!first.is_ahead() && second.is_ahead());
        assert!(first.wait_for_earlier(|_| true).await, "nothing is before the first");
        let waiting = async {
            assert!(third.wait_for_earlier(|claims| *claims == ObjectClaims::Unclear).await);
        };
        let ending = async {
            drop(first);
            tokio::task::yield_now().await;
            drop(second);
        };
        tokio::join!(waiting, ending);
        assert!(!third.is_ahead() && !third.is_abandoned());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn interrupted_item_that_waits_counts_as_not_begun() {
        let (turns, interrupt) = (Rc::<LoopTurns>::default(), Interrupt::default());
        let [first, second] = [0, 1].map(|index| ItemTurn::begin_item(&turns, index, &interrupt));
        let ending = async {
            interrupt.raise();
            drop(first);
        };
        let (begun, ()) = tokio::join!(second.wait_for_earlier(|_| true), ending);
        assert!(!begun && second.is_abandoned());
    }
}
