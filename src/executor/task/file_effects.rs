//! Files in the dry run that makes a plan: who looks at a path that an earlier task would have changed is undetermined.

use std::path::Path;

use super::TaskRun;
use super::prepare::Prepared;
use super::task_result::ItemResult;
use crate::executor::variables::scope::TaskScope;
use crate::host::{TrackingHost, Uncertainty};
use crate::modules::spec::ChangedPaths;
use crate::modules::{self, Failure, ModuleOutcome, TaskModule};
use crate::template::TemplateEngine;
use crate::value::{Dict, Value};

/// Returns the result of a call; or none, if it has read a path that only the real run can know. Other tasks do not see
/// the effects of a task that is never real.
pub(in crate::executor) fn settle_file_effects(
    task: &TaskRun<'_>,
    real: bool,
    prepared: &Prepared,
    host: &TrackingHost<'_>,
    result: Result<ModuleOutcome, Failure>,
) -> Result<ModuleOutcome, Failure> {
    let changed_paths = prepared.module.module_spec().changed_paths;
    let fresh = changed_paths.new_folder.is_some_and(|(name, value)| prepared.args.str(name) == Some(value));
    let pending = &task.run.globals.pending;
    // A folder that an earlier task makes is there by now: what this one makes of the folder itself is not known.
    let is_made_before = collect_paths(prepared.args.values(), changed_paths.arguments)
        .iter()
        .any(|path| !path.ends_with('/') && pending.is_fresh_folder(Path::new(path)));
    if fresh && real {
        record_changed_paths(task, collect_paths(prepared.args.values(), changed_paths.arguments).into_iter(), true);
    }
    let Uncertainty { changed, fresh } = host.end_call(&task.label.task);
    let new = result.as_ref().is_ok_and(|outcome| outcome.changed);
    let doubt = changed.or_else(|| pending.take_seen()).or(fresh.filter(|_| !new || is_made_before));
    let changes =
        doubt.is_some() || result.as_ref().is_ok_and(|outcome| outcome.changed || outcome.undetermined.is_some());
    if changes && real {
        let told =
            result.as_ref().map(|outcome| collect_paths(&outcome.data, changed_paths.results)).unwrap_or_default();
        record_changed_paths(
            task,
            told.into_iter().chain(collect_paths(prepared.args.values(), changed_paths.arguments)),
            false,
        );
    }
    match doubt {
        Some(awaits) => Ok(ModuleOutcome { undetermined: Some(awaits), ..ModuleOutcome::default() }),
        None => result,
    }
}

impl TaskRun<'_> {
    /// An unpredictable task may change all paths that it names.
    pub(in crate::executor) fn mark_files_unknown(&self, item_result: &ItemResult) {
        if item_result.undetermined.is_none() || !self.run.globals.pending.is_tracking() {
            return;
        }
        let scope = TaskScope::new(self.run, Some(self.play), Some(self.task), self.host);
        let engine = TemplateEngine::new(&self.run.globals, &scope, &[]);
        let named = |name: &&str| engine.evaluate_value(self.task.args.values.get(name)?).ok();
        let module = modules::find_module(&self.task.action.full).map(TaskModule::module_spec);
        let names = module.map_or(ChangedPaths::USUAL, |spec| spec.changed_paths).arguments;
        let known = names.iter().filter_map(named);
        record_changed_paths(
            self,
            known.filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>().into_iter(),
            false,
        );
    }
}

/// The paths under these names; relative ones are in the folder that the task changes to.
fn collect_paths(values: &Dict, names: &[&str]) -> Vec<String> {
    let folder = values.get("chdir").and_then(Value::as_str).map(Path::new);
    let paths = names.iter().filter_map(|name| values.get(name).and_then(Value::as_str));
    let placed = |path: &str| match folder.filter(|_| !path.is_empty()) {
        Some(folder) => folder.join(path).display().to_string(),
        None => path.to_owned(),
    };
    paths.map(placed).collect()
}

fn record_changed_paths(task: &TaskRun<'_>, paths: impl Iterator<Item = String>, fresh: bool) {
    for path in paths.filter(|path| !path.is_empty()) {
        task.run.globals.pending.add_change(Path::new(&path), &task.label.task, fresh);
    }
}
