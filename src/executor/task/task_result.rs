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
    pub(in crate::executor) changed: bool,
    pub(in crate::executor) failed: bool,
    pub(in crate::executor) skipped: bool,
    /// The host cannot be acted on; then it has failed, too.
    pub(in crate::executor) unreachable: bool,
    /// All retries failed.
    pub(in crate::executor) exhausted: bool,
    /// It broke off without a result that conditions could look at.
    pub(in crate::executor) broke_off: bool,
    /// Nothing ran, so that there is no `failed` in the result.
    pub(in crate::executor) bare: bool,
    /// It failed so early that nothing says whether something has changed.
    pub(in crate::executor) unjudged: bool,
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
    /// A pass whose condition was false.
    pub(in crate::executor) fn skipped_by(condition: &Value) -> Self {
        let mut result = Dict::new();
        result.set("changed", false.into());
        result.set("skipped", true.into());
        result.set("skip_reason", "Conditional result was False".into());
        result.set("false_condition", condition.clone());
        Self { result, skipped: true, bare: true, ..Self::default() }
    }

    /// A loop over nothing.
    pub(in crate::executor) fn no_items() -> Self {
        let mut result = Dict::new();
        result.set("changed", false.into());
        result.set("skipped", true.into());
        result.set("skipped_reason", "No items in the list".into());
        result.set("results", Value::list([]));
        Self { result, skipped: true, bare: true, ..Self::default() }
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
        Self { result, skipped: true, bare: true, undetermined: Some(awaits), ..Self::default() }
    }

    /// How it ended, whatever becomes of the task.
    pub(in crate::executor) fn status(&self) -> OutcomeStatus {
        if self.unreachable {
            OutcomeStatus::Unreachable
        } else if self.failed {
            OutcomeStatus::Failed
        } else if self.skipped {
            OutcomeStatus::Skipped
        } else if self.changed {
            OutcomeStatus::Changed
        } else {
            OutcomeStatus::Ok
        }
    }

    /// Why nothing certain can be said of the pass, if that is so.
    pub(in crate::executor) fn explain_uncertainty(&self) -> Option<String> {
        let later = || (self.later != Later::Nothing && !self.failed).then(|| Later::AWAITS.to_owned());
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
        open && !self.failed && !self.ignored
    }

    /// Whether only the real run can say if something is changed.
    pub(in crate::executor) fn may_change(&self) -> bool {
        !self.failed && !self.changes_for_sure() && self.explain_uncertainty().is_some()
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
