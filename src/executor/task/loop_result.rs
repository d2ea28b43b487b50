//! Collects the results of loop items as each ends; keeps only results that can be read later.

use super::task_result::{ItemEnding, ItemResult, SkipKind};
use crate::executor::include::IncludeRequest;
use crate::modules::Later;
use crate::value::{Dict, Value};

/// Loop results collected so far.
pub(in crate::executor) struct LoopResult {
    whole: ItemResult,
    /// The results, if they are kept.
    results: Option<Vec<Value>>,
    count: usize,
    includes: Vec<IncludeRequest>,
    notify: Vec<String>,
    /// An item has changed something, whatever the real run finds out.
    changed_for_sure: bool,
    unknown: Option<Value>,
    /// Entries about deprecated syntax, of the task and not of its items.
    deprecations: Vec<Value>,
}

/// Combined result of a loop.
pub(in crate::executor) struct LoopSummary {
    /// The task as if it were one item; its result is what `register` keeps.
    pub(in crate::executor) whole: ItemResult,
    /// The unknown value that the only item waits for; the loop as a whole is then unknown, too.
    pub(in crate::executor) unknown: Option<Value>,
    /// Lists of tasks to go on with.
    pub(in crate::executor) includes: Vec<IncludeRequest>,
    /// Handlers to notify.
    pub(in crate::executor) notify: Vec<String>,
}

impl LoopResult {
    /// Before the first item. Results are kept only where something can look at them later.
    pub(in crate::executor) fn new(keep_results: bool) -> Self {
        Self {
            whole: ItemResult {
                ending: ItemEnding::Skipped(SkipKind::ByModule),
                ignored: true,
                ..ItemResult::default()
            },
            results: keep_results.then(Vec::new),
            count: 0,
            includes: Vec::new(),
            notify: Vec::new(),
            changed_for_sure: false,
            unknown: None,
            deprecations: Vec::new(),
        }
    }

    /// Adds entries about deprecated syntax.
    pub(in crate::executor) fn add_deprecations(&mut self, mut entries: Vec<Value>) {
        self.deprecations.append(&mut entries);
    }

    /// Adds the result of an item.
    pub(in crate::executor) fn add(&mut self, mut item_result: ItemResult) {
        let whole = &mut self.whole;
        self.count += 1;
        whole.changed |= item_result.changed;
        self.changed_for_sure |= item_result.changes_for_sure();
        whole.ending.add_item(item_result.ending);
        whole.ignored &= item_result.ignored || !item_result.ending.is_failed();
        whole.no_log |= item_result.no_log;
        whole.always_shown |= item_result.always_shown;
        let unknown = item_result.unknown_result();
        whole.open.add(&item_result.open);
        if whole.undetermined.is_none() {
            whole.undetermined = item_result.undetermined.take();
        }
        if whole.later == Later::Nothing {
            whole.later = item_result.later;
        }
        let includes = item_result.include.is_some();
        self.includes.extend(item_result.include.take());
        self.notify.append(&mut item_result.notify);
        whole.may_notify.append(&mut item_result.may_notify);
        if let Some(results) = &mut self.results {
            if item_result.ending.has_run() {
                item_result.result.set("failed", (item_result.ending.is_failed() || item_result.exhausted).into());
            }
            // Of what is included nothing has run yet.
            if !includes {
                item_result.result.set("changed", item_result.changed.into());
            }
            if item_result.ending.is_skipped() {
                item_result.result.set("skipped", true.into());
            }
            let mut result = std::mem::take(&mut item_result.result);
            item_result.hide_deferred(&mut result);
            result.shrink_to_fit();
            results.push(unknown.clone().unwrap_or_else(|| Value::from(result)));
        }
        self.unknown = unknown;
    }

    /// Whether an item has failed.
    pub(in crate::executor) fn has_failed(&self) -> bool {
        self.whole.ending.is_failed()
    }

    /// After the last item.
    pub(in crate::executor) fn into_summary(self) -> LoopSummary {
        let mut whole = self.whole;
        let message = match (whole.ending.is_failed(), whole.ending.is_skipped()) {
            (true, _) => "One or more items failed",
            (_, true) => "All items skipped",
            _ => "All items completed",
        };
        let mut result = Dict::new();
        result.set("results", Value::list(self.results.unwrap_or_default()));
        result.set("skipped", whole.ending.is_skipped().into());
        result.set("msg", message.into());
        result.set("changed", whole.changed.into());
        if whole.ending.is_failed() {
            result.set("failed", true.into());
        }
        add_deprecations(&mut result, self.deprecations);
        // An item of which nothing is known may have made the difference.
        if let Some(awaits) = &whole.undetermined {
            for (key, certain) in [
                ("changed", whole.changed),
                ("failed", whole.ending.is_failed()),
                ("skipped", !whole.ending.is_skipped()),
            ] {
                if !certain {
                    result.set(key, Value::unknown(awaits.as_str()));
                }
            }
        }
        whole.open.hide_unknown(&mut result);
        whole.result = result;
        LoopSummary {
            unknown: self.unknown.filter(|_| self.count == 1 && whole.undetermined.is_some()),
            // One item that changed something speaks for all that ran.
            notify: if whole.ending.is_failed() || !self.changed_for_sure { Vec::new() } else { self.notify },
            includes: self.includes,
            whole,
        }
    }
}

/// Adds entries about deprecated syntax to a result, behind those that a module gave.
pub(super) fn add_deprecations(result: &mut Dict, entries: Vec<Value>) {
    if entries.is_empty() {
        return;
    }
    let earlier = result.get("deprecations").and_then(Value::as_slice).unwrap_or_default();
    let all = Value::list(earlier.iter().cloned().chain(entries));
    result.set("deprecations", all);
}

/// Returns the entry of a result about deprecated syntax.
pub(super) fn deprecation_entry(rule: &str) -> Value {
    let deprecator = Value::dict([("resolved_name", Value::text("ansible.builtin")), ("type", Value::Null)]);
    Value::dict([
        ("collection_name", Value::text("ansible.builtin")),
        ("deprecator", deprecator),
        ("msg", Value::text(rule)),
        ("version", Value::text("2.23")),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::task_result::FailureKind;
    use super::*;
    use crate::executor::task::task_result::UnknownStatus;

    fn summed(keep: bool, items: [ItemResult; 2]) -> LoopSummary {
        let mut all = LoopResult::new(keep);
        items.into_iter().for_each(|item_result| all.add(item_result));
        all.into_summary()
    }

    #[test]
    fn one_failure_that_counts_is_enough() {
        let failed = || ItemResult { ending: ItemEnding::Failed(FailureKind::Judged), ..ItemResult::default() };
        let ignored = || ItemResult { ignored: true, ..failed() };
        let notifying = ItemResult { changed: true, notify: vec!["restart".to_owned()], ..ItemResult::default() };
        let whole = summed(true, [ignored(), notifying]);
        assert!(
            whole.whole.ending.is_failed() && whole.whole.changed && whole.whole.ignored && whole.notify.is_empty()
        );
        let whole = summed(true, [ignored(), failed()]).whole;
        assert!(whole.ending.is_failed() && !whole.ignored);
    }

    #[test]
    fn unknown_change_only_may_notify() {
        let notifying = |changed, open: Option<&str>| ItemResult {
            changed,
            open: UnknownStatus { changed: open.map(str::to_owned), failed: None },
            notify: vec!["restart".to_owned()],
            ..ItemResult::default()
        };
        assert!(summed(true, [notifying(true, Some("an id")), notifying(false, None)]).notify.is_empty());
        assert!(!summed(true, [notifying(true, Some("an id")), notifying(true, None)]).notify.is_empty());
    }

    #[test]
    fn results_are_kept_on_request() {
        let results = |keep| {
            let whole = summed(
                keep,
                [
                    ItemResult { ending: ItemEnding::Skipped(SkipKind::ByModule), ..ItemResult::default() },
                    ItemResult::default(),
                ],
            )
            .whole;
            assert!(!whole.ending.is_skipped());
            whole.result.get("results").and_then(Value::as_slice).map(<[Value]>::len)
        };
        assert_eq!((results(true), results(false)), (Some(2), Some(0)));
    }
}
