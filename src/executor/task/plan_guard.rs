//! What modules do to files and run as commands, told to whoever makes a plan, and held to it when the plan is applied.
//!
//! Requests about registry objects are held to their plan by the connector, see [`crate::plan::Guard`].

use std::cell::RefCell;

use super::invoke::{Call, once};
use super::prepare::{IN_CONTROLLER, Prepared};
use crate::modules::spec::CheckSupport;
use crate::modules::{Failure, Later, Outcome, Spec};
use crate::plan::host_effects::{Deed, Does};
use crate::template::{Context, Engine};
use crate::value::python;

/// Whether a module acts on files or runs something.
fn acts(spec: &Spec) -> bool {
    !spec.is_of_registry() && !IN_CONTROLLER.contains(&spec.short_name())
}

/// Tells what a dry run has come to.
pub(in crate::executor) fn foretold(call: &Call<'_>, spec: &Spec, result: &Result<Outcome, Failure>) {
    if let Some(deeds) = call.task.run.deeds.as_ref().filter(|_| acts(spec)) {
        deeds.foretold(deed(call, does(result)));
    }
}

/// Asks whether a real run may do this; the module is asked in a dry run first what it would do.
///
/// # Errors
/// If the plan does not have it.
pub(in crate::executor) async fn may(call: &Call<'_>, prepared: &Prepared) -> Result<(), Failure> {
    let spec = prepared.module.spec();
    let Some(deeds) = call.task.run.deeds.as_ref().filter(|_| acts(spec)) else { return Ok(()) };
    let does = match spec.check {
        CheckSupport::None => Does::Unknown,
        _ => does(&once(call, prepared, true, &RefCell::default()).await),
    };
    deeds.may(&deed(call, does)).map_err(Failure::new)
}

fn does(result: &Result<Outcome, Failure>) -> Does {
    match result {
        Ok(outcome) if outcome.undetermined.is_some() || outcome.later != Later::Nothing => Does::Unknown,
        Ok(outcome) if outcome.changed => Does::Change,
        Ok(_) => Does::Nothing,
        Err(_) => Does::Unknown,
    }
}

fn deed(call: &Call<'_>, does: Does) -> Deed {
    let task = call.task;
    let engine = Engine::new(&task.run.globals, call.scope, call.search);
    let item = task.task.looping.as_ref().and_then(|_| {
        let name = engine.variable("ansible_loop_var").ok().flatten()?;
        engine.variable(&python::str(&name)).ok().flatten()
    });
    let redactor = task.run.bus.redactor();
    Deed {
        task: task.label.task.to_string(),
        host: task.host.to_string(),
        item: item.map(|item| redactor.show(&item)),
        does,
    }
}
