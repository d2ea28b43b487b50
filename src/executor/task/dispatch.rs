//! How a module runs: not at all where an argument is unknown, here and now, or in the background.

use std::sync::Arc;

use super::background;
use super::foreground;
use super::invoke::Call;
use super::plan_guard;
use super::prepare::Prepared;
use crate::modules::{Failure, Outcome};
use crate::value::Unknown;

/// Runs the module in the foreground or in the background.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn run(call: &Call<'_>, prepared: &Prepared) -> Result<Outcome, Failure> {
    if let Some(unknown) = awaited(prepared) {
        let awaits = unknown.sentence();
        return if call.foretells(prepared) {
            Ok(Outcome { undetermined: Some(awaits), ..Outcome::default() })
        } else {
            Err(Failure::new(format!("an argument is known to a dry run only: it waits for {awaits}")))
        };
    }
    if !call.foretells(prepared) {
        plan_guard::may(call, prepared).await?;
    }
    match call.settings.background {
        0 => foreground::run(call, prepared).await,
        _ => background::run(call, prepared).await,
    }
}

/// Returns the unknown argument that must be known first. Modules of registry objects can plan with unknown arguments.
fn awaited(prepared: &Prepared) -> Option<&Arc<Unknown>> {
    let spec = prepared.module.spec();
    if spec.is_of_registry() { None } else { spec.awaited(prepared.args.values()) }
}
