//! What a dry run does not know, and what follows from that.

use super::task::{Pass, TaskRun};
use crate::modules::Later;
use crate::value::{Dict, Value};

impl TaskRun<'_> {
    /// What follows from nothing being known about a task: what it may have written is in doubt, and so are the facts
    /// that it may have set.
    pub(super) fn spread_doubt(&self, pass: &Pass) {
        let Some(awaits) = &pass.undetermined else { return };
        let action = &*self.label.action;
        let writes = action.starts_with("ionoscloudsdk.") && !action.ends_with("_info");
        if writes || action.contains(".include_") || action.contains(".import_") {
            self.run.foretold_registries.doubt(&self.label.task);
        }
        if action.ends_with(".set_fact") {
            for name in self.task.args.values.keys().filter_map(Value::as_str).filter(|name| *name != "cacheable") {
                for host in self.targets {
                    self.run.host(host).set(name, Value::unknown(awaits.as_str()));
                }
            }
        }
    }
}

impl Pass {
    /// Why nothing certain can be said of the pass, if that is so.
    pub(super) fn doubt(&self) -> Option<String> {
        let later = || (self.later != Later::Nothing && !self.failed).then(|| Later::AWAITS.to_owned());
        self.undetermined.clone().or_else(later)
    }

    /// Why the whole result is unknown, if it is.
    pub(super) fn unknown(&self) -> Option<&str> {
        match self.later {
            Later::Everything => Some(Later::AWAITS),
            _ => self.undetermined.as_deref(),
        }
    }
}

/// Makes unknown what only the real run can say.
pub(super) fn hide(result: &mut Dict, later: Later) {
    let Later::Keys(keys) = later else { return };
    for key in keys {
        result.set(*key, Value::unknown(Later::AWAITS));
    }
}
