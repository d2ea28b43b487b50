//! The result of one loop item, and of the task as a whole.

use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::executor::include::IncludeRequest;
use crate::modules::{Diff, Later, ModuleEffect};
use crate::reconcile::Record;
use crate::report::OutcomeStatus;
use crate::value::{Dict, Unknown, Value};

/// Unknown that tasks in a `rescue` wait for.
pub const MAY_RESCUE: &str = "whether a task of the block fails";

/// Outcome of a task on a host.
pub struct TaskResult {
    /// How it ended.
    pub status: OutcomeStatus,
    /// Value kept by `register`.
    pub result: Rc<Dict>,
    /// Lists of tasks to go on with.
    pub includes: Vec<IncludeRequest>,
    /// The result is hidden.
    pub no_log: bool,
    /// The result is shown without being asked for.
    pub always_shown: bool,
    /// In the dry run that makes a plan: it may fail in the real one, and would not be ignored then.
    pub may_fail: bool,
}

/// Result of one loop item.
#[derive(Default)]
pub(in crate::executor) struct ItemResult {
    pub(in crate::executor) result: Dict,
    pub(in crate::executor) ending: ItemEnding,
    /// Something is changed; an item that fails may have changed something, too.
    pub(in crate::executor) changed: bool,
    /// All tries were in vain, whatever `failed_when` says of the last one.
    pub(in crate::executor) exhausted: bool,
    /// A failure does not count: `ignore_errors` or `ignore_unreachable`.
    pub(in crate::executor) ignored: bool,
    pub(in crate::executor) no_log: bool,
    pub(in crate::executor) always_shown: bool,
    pub(in crate::executor) diff: Vec<Diff>,
    /// Actions on registry objects.
    pub(in crate::executor) records: Vec<Record>,
    pub(in crate::executor) diagnostic: Option<Box<Diagnostic>>,
    pub(in crate::executor) delegated_to: Option<Rc<str>>,
    pub(in crate::executor) undetermined: Option<String>,
    pub(in crate::executor) later: Later,
    pub(in crate::executor) open: UnknownStatus,
    pub(in crate::executor) include: Option<IncludeRequest>,
    pub(in crate::executor) notify: Vec<String>,
    /// Handlers that the real run may notify.
    pub(in crate::executor) may_notify: Vec<String>,
    /// It has set facts or variables, or changed the inventory.
    pub(in crate::executor) touched: bool,
    /// The ids of tokens whose passwords it has delivered, if nothing makes it fail.
    pub(in crate::executor) delivered: Vec<String>,
    /// Changes to variables and statistics, unless the task fails.
    pub(in crate::executor) effects: Vec<ModuleEffect>,
}

/// How an item of a task has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::executor) enum ItemEnding {
    /// It ran, and nothing speaks against it.
    #[default]
    Ran,
    /// It brings in tasks, of which nothing has run yet.
    Included,
    /// It was left out.
    Skipped(SkipKind),
    /// It failed.
    Failed(FailureKind),
}

/// Why an item was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::executor) enum SkipKind {
    /// Nothing ran: a condition is false, there are no items, or a dry run cannot know enough.
    NotRun,
    /// The module ran and had nothing to do.
    ByModule,
}

/// How an item failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::executor) enum FailureKind {
    /// With a result that conditions can look at.
    Judged,
    /// Without one: it broke off.
    BrokeOff,
    /// So early that nothing says whether something has changed.
    Early,
    /// The host cannot be acted on.
    Unreachable,
}

impl ItemEnding {
    /// Whether it is a failure.
    pub(in crate::executor) fn is_failed(self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Whether it was left out.
    pub(in crate::executor) fn is_skipped(self) -> bool {
        matches!(self, Self::Skipped(_))
    }

    /// Whether the host could not be acted on.
    pub(in crate::executor) fn is_unreachable(self) -> bool {
        self == Self::Failed(FailureKind::Unreachable)
    }

    /// Whether something ran, so that the result says whether it failed.
    pub(in crate::executor) fn has_run(self) -> bool {
        !matches!(self, Self::Included | Self::Skipped(SkipKind::NotRun))
    }

    /// The ending of a loop, to which a further item is added: the worst counts, and it is skipped if all are.
    pub(in crate::executor) fn add_item(&mut self, item: Self) {
        *self = match (*self, item) {
            (whole, item) if whole.is_unreachable() || item.is_unreachable() => Self::Failed(FailureKind::Unreachable),
            (Self::Failed(_), _) | (_, Self::Failed(_)) => Self::Failed(FailureKind::Judged),
            (Self::Skipped(_), Self::Skipped(_)) => Self::Skipped(SkipKind::ByModule),
            _ => Self::Ran,
        };
    }

    /// Makes it a failure, or no failure. How it failed is kept.
    pub(in crate::executor) fn set_failed(&mut self, failed: bool) {
        if failed != self.is_failed() {
            *self = if failed { Self::Failed(FailureKind::Judged) } else { Self::Ran };
        }
    }
}

/// Open questions about the end of a task whose actions are known: `changed_when`, `failed_when` or `until` has
/// to wait.
#[derive(Debug, Clone, Default)]
pub(in crate::executor) struct UnknownStatus {
    /// Unknown that `changed` waits for.
    pub(in crate::executor) changed: Option<String>,
    /// Unknown that `failed` waits for.
    pub(in crate::executor) failed: Option<String>,
}

impl UnknownStatus {
    /// Adds the open questions of one loop item to those of the loop.
    pub(in crate::executor) fn add(&mut self, other: &Self) {
        self.changed = self.changed.take().or_else(|| other.changed.clone());
        self.failed = self.failed.take().or_else(|| other.failed.clone());
    }

    /// Makes the keys unknown that are.
    pub(in crate::executor) fn hide_unknown(&self, result: &mut Dict) {
        for (key, awaits) in [("changed", &self.changed), ("failed", &self.failed)] {
            if let Some(awaits) = awaits {
                result.set(key, Value::unknown(awaits.as_str()));
            }
        }
    }
}

impl ItemResult {
    /// An item whose condition was false.
    pub(in crate::executor) fn skipped_by(condition: &Value) -> Self {
        let mut result = Dict::new();
        result.set("changed", false.into());
        result.set("skipped", true.into());
        result.set("skip_reason", "Conditional result was False".into());
        result.set("false_condition", condition.clone());
        Self { result, ending: ItemEnding::Skipped(SkipKind::NotRun), ..Self::default() }
    }

    /// A loop over nothing.
    pub(in crate::executor) fn no_items() -> Self {
        let mut result = Dict::new();
        result.set("changed", false.into());
        result.set("skipped", true.into());
        result.set("skipped_reason", "No items in the list".into());
        result.set("results", Value::list([]));
        Self { result, ending: ItemEnding::Skipped(SkipKind::NotRun), ..Self::default() }
    }

    /// Nothing can be said before something has been created.
    pub(in crate::executor) fn undetermined_by(unknown: &Value) -> Self {
        let awaits = match unknown {
            Value::Unknown(unknown) => unknown.describe_missing(),
            _ => String::new(),
        };
        let mut result = Dict::new();
        result.set("skipped", true.into());
        result.set("skip_reason", format!("cannot be known in a dry run: {awaits}").into());
        result.set("undetermined", true.into());
        Self { result, ending: ItemEnding::Skipped(SkipKind::NotRun), undetermined: Some(awaits), ..Self::default() }
    }

    /// How it ended, whatever becomes of the task.
    pub(in crate::executor) fn status(&self) -> OutcomeStatus {
        match self.ending {
            ItemEnding::Failed(FailureKind::Unreachable) => OutcomeStatus::Unreachable,
            ItemEnding::Failed(_) => OutcomeStatus::Failed,
            ItemEnding::Skipped(_) => OutcomeStatus::Skipped,
            ItemEnding::Ran | ItemEnding::Included if self.changed => OutcomeStatus::Changed,
            ItemEnding::Ran | ItemEnding::Included => OutcomeStatus::Ok,
        }
    }

    /// Why nothing certain can be said of the item, if that is so.
    pub(in crate::executor) fn explain_uncertainty(&self) -> Option<String> {
        let later = || (self.later != Later::Nothing && !self.ending.is_failed()).then(|| Later::AWAITS.to_owned());
        let known = [&self.undetermined, &self.open.failed, &self.open.changed];
        known.into_iter().flatten().next().cloned().or_else(later)
    }

    /// Whether the task is in a `rescue` section that may run. Later tasks are predicted for the case without
    /// a failure, so they do not depend on it.
    pub(in crate::executor) fn is_of_rescue(&self) -> bool {
        self.undetermined.as_deref() == Some(MAY_RESCUE)
    }

    /// Whether only the real run can say if it fails, and that matters.
    pub(in crate::executor) fn may_fail(&self) -> bool {
        let open = self.undetermined.is_some() || self.open.failed.is_some() || self.later != Later::Nothing;
        open && !self.ending.is_failed() && !self.ignored
    }

    /// Whether only the real run can say if something is changed.
    pub(in crate::executor) fn may_change(&self) -> bool {
        !self.ending.is_failed() && !self.changes_for_sure() && self.explain_uncertainty().is_some()
    }

    /// Whether something is changed, whatever the real run finds out.
    pub(in crate::executor) fn changes_for_sure(&self) -> bool {
        self.changed && self.undetermined.is_none() && self.open.changed.is_none()
    }

    /// Returns the placeholder for the whole result, if all of it is unknown.
    pub(in crate::executor) fn unknown_result(&self) -> Option<Value> {
        match self.later {
            Later::Everything => Some(Value::Unknown(Arc::new(Unknown::new_result(Later::AWAITS)))),
            _ => self.undetermined.as_deref().map(Value::unknown),
        }
    }

    /// Makes unknown what only the real run can say.
    pub(in crate::executor) fn hide_deferred(&self, result: &mut Dict) {
        if let Later::Keys(keys) = self.later {
            for key in keys {
                result.set(*key, Value::Unknown(Arc::new(Unknown::new_result(Later::AWAITS))));
            }
        }
        self.open.hide_unknown(result);
    }
}

/// Value of `exception` in registered results.
pub(in crate::executor) const NO_TRACEBACK: &str = "(traceback unavailable)";

/// Every failed result has the key; there are no tracebacks here to put into it.
pub(in crate::executor) fn no_exception(result: &mut Dict) {
    if !result.contains("exception") {
        result.set("exception", NO_TRACEBACK.into());
    }
}
