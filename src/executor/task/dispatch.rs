//! How a module runs: not at all where an argument is unknown, here and now, or in the background.

use std::sync::Arc;

use super::background;
use super::foreground;
use super::invoke::ModuleCall;
use super::plan_guard;
use super::prepare::Prepared;
use crate::modules::{Failure, ModuleOutcome};
use crate::value::Unknown;

/// Runs the module in the foreground or in the background.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn run_module(call: &ModuleCall<'_>, prepared: &Prepared) -> Result<ModuleOutcome, Failure> {
    if let Some(unknown) = find_awaited_argument(prepared) {
        let awaits = unknown.describe_missing();
        return if call.is_prediction(prepared) {
            Ok(ModuleOutcome { undetermined: Some(awaits), ..ModuleOutcome::default() })
        } else {
            Err(Failure::new(format!("an argument is known to a dry run only: it waits for {awaits}")))
        };
    }
    if !call.is_prediction(prepared) {
        plan_guard::authorize_call(call, prepared).await?;
    }
    match call.settings.background {
        0 => foreground::run_in_foreground(call, prepared).await,
        _ => background::run_in_background(call, prepared).await,
    }
}

/// Returns the unknown argument that must be known first. Modules of registry objects can plan with unknown arguments.
fn find_awaited_argument(prepared: &Prepared) -> Option<&Arc<Unknown>> {
    let spec = prepared.module.module_spec();
    if spec.is_of_registry() { None } else { spec.unknown_argument(prepared.args.values()) }
}
