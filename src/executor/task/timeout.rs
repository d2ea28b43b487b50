//! Time limits of modules: the `timeout` of the task, and Ctrl-C of the user.
//!
//! At the limit, reads and waits are cancelled. A request that changes a registry object is not: the service may have carried
//! it out, and its answer may contain a one-time password. Such a task stops waiting, finishes the request, and then fails
//! with the data that it has.

use std::time::Duration;

use crate::interrupt::Interrupt;
use crate::modules::{Failure, ModuleFuture, ModuleOutcome};
use crate::reconcile::{Record, Verb};
use crate::value::Value;

/// The limit of one call of a module.
pub struct Limit<'a> {
    run: &'a Interrupt,
    /// That of this call alone, for modules that finish what they have begun.
    own: Option<Interrupt>,
    seconds: Option<u64>,
}

/// The longest `timeout` in seconds.
const LONGEST: u64 = 100_000_000;

/// The limit that a task's `timeout` means.
///
/// # Errors
/// If it is none.
pub fn parse_timeout(timeout: Option<i64>) -> Result<Option<u64>, Failure> {
    let Some(seconds) = timeout else { return Ok(None) };
    match u64::try_from(seconds) {
        Ok(limit) if limit <= LONGEST => Ok(Some(limit)),
        _ => {
            let message = format!("Timeout {seconds} is invalid, it must be between 0 and {LONGEST}.");
            Err(Failure::new(message).breaking_off())
        }
    }
}

impl<'a> Limit<'a> {
    /// A limit for a module; `finishes` if it must not be dropped while it changes something.
    pub fn new(run: &'a Interrupt, seconds: Option<u64>, finishes: bool) -> Self {
        Self { run, own: finishes.then(Interrupt::default), seconds }
    }

    /// Whom the module asks whether to go on waiting.
    pub fn interrupt(&self) -> &Interrupt {
        self.own.as_ref().unwrap_or(self.run)
    }

    /// Runs it within the limit.
    ///
    /// # Errors
    /// If it fails, or does not come to its end in time.
    pub async fn run_within(
        &self,
        mut work: ModuleFuture<'_, Result<ModuleOutcome, Failure>>,
    ) -> Result<ModuleOutcome, Failure> {
        let time_is_up = async {
            match self.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_up);
        let mut late = false;
        loop {
            tokio::select! {
                biased;
                result = &mut work => return if late { Err(self.fail_late_result(result)) } else { result },
                () = self.run.wait_until_raised(), if !self.interrupt().is_raised() || self.own.is_none() => match &self.own {
                    Some(own) => own.raise(),
                    None => return Err(Failure::new("interrupted")),
                },
                () = &mut time_is_up, if !late => match &self.own {
                    Some(own) if own.is_writing() => {
                        late = true;
                        own.raise_because("the time limit of the task has passed");
                    }
                    _ => return Err(self.timed_out(Failure::new(""))),
                },
            }
        }
    }

    /// Turns the result of a request that began in time and ended late into a failure.
    fn fail_late_result(&self, result: Result<ModuleOutcome, Failure>) -> Failure {
        let late = match result {
            Err(failure) => failure,
            Ok(outcome) => {
                let done: Vec<String> = outcome.actions.iter().filter_map(describe_action).collect();
                let message = if done.is_empty() { String::new() } else { format!("by then {}", done.join(", ")) };
                Failure {
                    changed: outcome.changed,
                    data: outcome.data,
                    actions: outcome.actions,
                    effects: outcome.effects,
                    ..Failure::new(message)
                }
            }
        };
        self.timed_out(late)
    }

    /// Returns the failure with Ansible's message about a timeout.
    fn timed_out(&self, failure: Failure) -> Failure {
        let seconds = self.seconds.unwrap_or(0);
        let period =
            Value::dict([("period", Value::from(seconds)), ("frame", Value::text("interrupted at the module"))]);
        let more = if failure.message.is_empty() { String::new() } else { format!(" {}", failure.message) };
        let message = format!("Task failed: Timed out after {seconds} second(s).{more}");
        Failure { message, diagnostic: None, ..failure }.with("timedout", period).breaking_off()
    }
}

/// Describes the action on an object, if there was one.
fn describe_action(record: &Record) -> Option<String> {
    let changed = record.verb != Verb::Nothing && record.error.is_none();
    changed.then(|| format!("{} `{}` had been {}", record.kind, record.identity, record.verb.participle()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Dict;

    #[tokio::test(flavor = "current_thread")]
    async fn waiting_work_is_dropped_and_changing_work_is_completed() {
        let run = Interrupt::default();
        let limits = [false, true, true].map(|finishes| Limit::new(&run, Some(1), finishes));
        let long = Duration::from_secs(600);
        let waits = || -> ModuleFuture<'_, _> {
            Box::pin(async move {
                tokio::time::sleep(long).await;
                Ok(ModuleOutcome::default())
            })
        };
        let inside = limits[2].interrupt().clone();
        let writes = Box::pin(async move {
            let _writing = inside.begin_writing();
            assert!(!inside.pause_for(long).await, "pauses end with the limit");
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(ModuleOutcome::new(true, Dict::new()).with("password", "only-once"))
        });
        let ended =
            tokio::join!(limits[0].run_within(waits()), limits[1].run_within(waits()), limits[2].run_within(writes));
        let written = ended.2.unwrap_err();
        assert!(written.changed && written.data.contains("password"));
        for failure in [ended.0.unwrap_err(), ended.1.unwrap_err(), written] {
            assert_eq!(failure.message, "Task failed: Timed out after 1 second(s).");
            assert!(failure.broke_off && failure.data.contains("timedout"));
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_interrupted_run_reaches_both_kinds() {
        for (finishes, ends) in [(false, false), (true, true)] {
            let run = Interrupt::default();
            let limit = Limit::new(&run, None, finishes);
            let inside = limit.interrupt().clone();
            let work = Box::pin(async move {
                inside.pause_for(Duration::from_secs(600)).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(ModuleOutcome::default())
            });
            let (result, ()) = tokio::join!(limit.run_within(work), async { run.raise() });
            assert_eq!(result.is_ok(), ends);
        }
    }
}
