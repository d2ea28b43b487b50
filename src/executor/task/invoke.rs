//! One call of a module, and the context that it gets.

use std::cell::RefCell;
use std::rc::Rc;

use super::TaskRun;
use super::file_effects;
use super::prepare::Prepared;
use super::settings::TaskSettings;
use super::timeout::Limit;
use crate::executor::variables::scope::TaskScope;
use crate::host::{HostApi, TrackingHost};
use crate::modules::spec::FailureMode;
use crate::modules::{Failure, InventoryView, LoopOrder, ModuleOutcome, TaskContext};
use crate::progress::ProgressChannel;
use crate::report::ReportEvent;

/// One call of a module.
pub struct ModuleCall<'a> {
    /// The task on its host.
    pub task: &'a TaskRun<'a>,
    /// Variables of the task.
    pub scope: &'a TaskScope,
    /// Settings of the task.
    pub settings: &'a TaskSettings,
    /// The host it is delegated to.
    pub delegated_to: Option<&'a str>,
}

impl ModuleCall<'_> {
    /// Returns whether the module only predicts. `check_mode: false` makes tasks of a dry run real, but not tasks on registry
    /// objects: a dry run sends no writing request.
    pub(in crate::executor) fn is_prediction(&self, prepared: &Prepared) -> bool {
        self.settings.check || (self.task.run.options.check && prepared.module.module_spec().is_of_registry())
    }
}

/// Runs the module once, for real or as a prediction.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn run_module_once(
    call: &ModuleCall<'_>,
    prepared: &Prepared,
    check: bool,
    warnings: &RefCell<Vec<String>>,
    order: Option<&LoopOrder>,
) -> Result<ModuleOutcome, Failure> {
    let run = call.task.run;
    let engine = call.task.engine(call.scope);
    let (bus, sent, answered) = (Rc::clone(&run.bus), Rc::clone(&run.bus), Rc::clone(&run.bus));
    let inventory = View(call.task);
    let spec = prepared.module.module_spec();
    let limit =
        Limit::new(&run.interrupt, super::timeout::parse_timeout(call.settings.timeout)?, spec.is_of_registry());
    let tracking = (check && run.globals.pending.is_tracking()).then(|| TrackingHost::new(&run.globals.pending));
    let predicting = tracking.as_ref().map_or(&*run.predicting_host_api, |tracking| tracking as &dyn HostApi);
    let context = TaskContext {
        host_name: call.delegated_to.unwrap_or(call.task.host),
        host: if check { predicting } else { &*run.host_api },
        registries: if check { &*run.predicting_registries } else { &*run.registries },
        template: &engine,
        environment: &call.settings.environment,
        check,
        planning: tracking.is_some(),
        diff: call.settings.diff,
        no_log: call.settings.no_log,
        verbosity: run.options.verbosity,
        search_path: &call.task.search,
        base_dir: &call.task.play.play.folder,
        span: &call.task.task.args.span,
        raw_args: &call.task.task.args.values,
        inventory: &inventory,
        warnings,
        interrupt: limit.interrupt(),
        kept: call.task.kept.clone(),
        is_looped: call.task.task.looping.is_some(),
        order,
        progress: ProgressChannel::new(move |message| bus.emit(&ReportEvent::Progress(message.to_owned())))
            .with_requests(
                move |method, path| {
                    sent.emit(&ReportEvent::RequestStart { method: method.to_owned(), path: path.to_owned() });
                },
                move |span| {
                    answered.emit(&ReportEvent::RequestEnd { method: span.method.clone(), path: span.path.clone() });
                    answered.emit(&ReportEvent::Request(span));
                },
            ),
        task: if spec.is_of_registry() { describe_task(call.task) } else { String::new() },
        bridge: Some(&run.bridge),
        credentials: run.credentials.clone(),
    };
    let mut result = limit.run_within(prepared.module.run_module(&prepared.args, &context)).await;
    if let Some(tracking) = &tracking {
        result = file_effects::settle_file_effects(call.task, !call.settings.check_only, prepared, tracking, result);
    }
    match spec.failure {
        FailureMode::BreaksOff => result.map_err(Failure::breaking_off),
        FailureMode::Judged => result,
    }
}

/// The task with its place.
fn describe_task(task: &TaskRun<'_>) -> String {
    let place = task.label.place.as_deref().unwrap_or_default();
    match task.label.task.trim() {
        "" => place.to_owned(),
        name => format!("{name} ({place})"),
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
