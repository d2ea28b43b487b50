//! One call of a module: what it is given to work with, and how long it may take.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::keywords::Settings;
use super::prepare::Prepared;
use super::scope::TaskScope;
use super::task::TaskRun;
use crate::modules::{self, Failure, InventoryView, Outcome, TaskContext};
use crate::report::Event;
use crate::template::Engine;
use crate::value::Value;

/// Modules that break off where they cannot do their work, with no result for `failed_when` to judge.
const BREAKING_OFF: &[&str] = &["add_host", "debug", "group_by", "set_fact", "set_stats"];

/// One call of a module.
pub struct Call<'a> {
    /// The task on its host.
    pub task: &'a TaskRun<'a>,
    /// Its variables.
    pub scope: &'a TaskScope,
    /// Folders for relative names.
    pub search: &'a [PathBuf],
    /// Its settings.
    pub settings: &'a Settings,
    /// The host it is delegated to.
    pub delegated_to: Option<&'a str>,
}

impl Call<'_> {
    /// Whether the module only foretells. `check_mode: false` makes tasks of a dry run real, but not those of registry
    /// objects: a dry run sends no writing request.
    pub(super) fn foretells(&self, prepared: &Prepared) -> bool {
        self.settings.check || (self.task.run.options.check && prepared.module.spec().is_of_registry())
    }
}

/// Runs the module once, for real or foretelling.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn once(
    call: &Call<'_>,
    prepared: &Prepared,
    check: bool,
    warnings: &RefCell<Vec<String>>,
) -> Result<Outcome, Failure> {
    let run = call.task.run;
    let engine = Engine::new(&run.globals, call.scope, call.search);
    let bus = Rc::clone(&run.bus);
    let inventory = View(call.task);
    let context = TaskContext {
        host_name: call.delegated_to.unwrap_or(call.task.host),
        host: if check { &*run.foretold_host_api } else { &*run.host_api },
        registries: if check { &*run.foretold_registries } else { &*run.registries },
        template: &engine,
        environment: &call.settings.environment,
        check,
        diff: call.settings.diff,
        verbosity: run.options.verbosity,
        search_path: call.search,
        base_dir: &call.task.play.play.folder,
        span: &call.task.task.args.span,
        raw_args: &call.task.task.args.values,
        inventory: &inventory,
        warnings,
        interrupt: &run.interrupt,
        kept: call.task.kept.clone(),
        progress: Rc::new(move |message: &str| bus.emit(&Event::Progress(message.to_owned()))),
    };
    // A request that has been sent to the API is waited for even when the user interrupts: its answer may hold a
    // password that is told only once.
    let spec = prepared.module.spec();
    let shielded = spec.is_of_registry();
    let result = limited(call, prepared.module.run(&prepared.args, &context), shielded).await;
    if BREAKING_OFF.contains(&spec.short_name()) { result.map_err(Failure::breaking_off) } else { result }
}

async fn limited(
    call: &Call<'_>,
    work: modules::Local<'_, Result<Outcome, Failure>>,
    shielded: bool,
) -> Result<Outcome, Failure> {
    let run = call.task.run;
    let interruptible = async {
        tokio::select! {
            biased;
            result = work => result,
            () = run.interrupt.raised(), if !shielded => Err(Failure::new("interrupted")),
        }
    };
    match call.settings.timeout {
        None => interruptible.await,
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds), interruptible).await {
            Ok(result) => result,
            Err(_) => {
                let period = Value::dict([
                    ("period", Value::from(seconds)),
                    ("frame", Value::text("interrupted at the module")),
                ]);
                let message = format!("Task failed: Timed out after {seconds} second(s).");
                Err(Failure::new(message).with("timedout", period).breaking_off())
            }
        },
    }
}

struct View<'a>(&'a TaskRun<'a>);

impl InventoryView for View<'_> {
    fn has_host(&self, name: &str) -> bool {
        self.0.run.inventory.borrow().has_host(name)
    }

    fn has_group(&self, name: &str) -> bool {
        self.0.run.inventory.borrow().has_group(name)
    }
}
