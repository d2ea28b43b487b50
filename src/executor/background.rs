//! `async` and `poll`: tasks that run in the background.

use super::module::{Call, Prepared};
use crate::modules::{Failure, Outcome};

/// Starts a module in a process of its own and, unless `poll` is 0, waits for it.
///
/// # Errors
/// If it cannot be started, fails, or takes longer than `async` allows.
pub async fn start(_call: &Call<'_>, _prepared: &Prepared) -> Result<Outcome, Failure> {
    Err(Failure::new("background tasks are not supported yet"))
}
