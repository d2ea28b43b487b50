//! The dry run that a plan is made from, and made from again when it is applied.

use std::rc::Rc;

use super::args::RunArgs;
use super::embedded::MockRegistry;
use super::run::{self, RunOutcome, RunSetup};
use crate::exit::Exit;
use crate::plan::Answers;
use crate::plan::CollectedResults;
use crate::plan::DryRunRecorder;
use crate::plan::Invocation;
use crate::plan::Plan;
use crate::plan::PlanDigester;
use crate::plan::ResultCollector;
use crate::plan::model;
use crate::plan::model::PlannedTask;
use crate::plan::record_dry_run;
use crate::playbook::Loader;
use crate::value::json::{self, JsonStyle};

/// Name of the mock registry in plans; its port changes with every run.
pub(super) const EMBEDDED: &str = "sandbox";

/// Inputs of a dry run.
pub(super) struct DryRun<'a> {
    /// The command line.
    pub args: &'a RunArgs,
    /// The embedded service, if it runs already.
    pub server: Option<Rc<MockRegistry>>,
    /// The time that relative dates count from.
    pub made: &'a str,
    /// Makes the digests.
    pub stamp: &'a PlanDigester,
    /// Answers to `vars_prompt`.
    pub answers: &'a Rc<Answers>,
}

impl DryRun<'_> {
    /// Does the dry run and makes its plan; none if it did not come so far.
    pub async fn make_plan(self) -> (Exit, Option<Plan>) {
        let mut args = self.args.clone();
        args.check = true;
        let recorder = DryRunRecorder::new(args.sandbox.then(|| EMBEDDED.to_owned()));
        let (gather, gathered) = ResultCollector::new();
        let handle = Rc::clone(&recorder);
        let making = RunSetup {
            writer: Some(Box::new(gather)),
            quiet: true,
            // Tasks that insist on being real (`check_mode: false`) are predicted, too.
            connectors: Some(Box::new(move |http| {
                let predicting = record_dry_run(http, &handle);
                (Rc::clone(&predicting), predicting)
            })),
            environment: vec![("IONPLAY_NOW".to_owned(), self.made.to_owned())],
            server: self.server.clone(),
            effects: Some(Rc::clone(&recorder) as _),
            answers: Rc::clone(self.answers),
        };
        let done = run::run_with(&args, making).await;
        let mut gathered = gathered.borrow_mut();
        if done.exit != Exit::Success && gathered.failed.is_empty() {
            // A plan of half a run must not look like a whole one.
            let unknown = || "the dry run ended with an error outside of any task".to_owned();
            let why = Some(done.reason.clone().unwrap_or_else(unknown));
            gathered.failed.push(PlannedTask {
                task: "(the run)".to_owned(),
                host: "(none)".to_owned(),
                item: None,
                why,
            });
        }
        let plan = self.plan_of(&done, &recorder, &gathered);
        (done.exit, plan)
    }

    fn plan_of(&self, done: &RunOutcome, recorder: &DryRunRecorder, gathered: &CollectedResults) -> Option<Plan> {
        let run = done.run.as_ref()?;
        let folder = std::env::current_dir().unwrap_or_default();
        let reads = run.loader.reads.all_digests();
        let variables: crate::value::Value = (*run.extra_vars).clone().into();
        let variables = json::to_string(&variables, JsonStyle { sort_keys: true, ..JsonStyle::EVENT });
        let plan = Plan {
            format: model::FORMAT,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            made: self.made.to_owned(),
            run: collect_invocation(self.args, &run.loader),
            salt: self.stamp.salt().to_owned(),
            files: self.stamp.digest_files(reads.iter().map(|(path, read)| (path.as_path(), read)), &folder),
            variables: self.stamp.digest_variables(&format!("{variables}\n{:?}", self.answers.to_map())),
            sealed: None,
            actions: gathered.records.iter().map(model::PlannedAction::from).collect(),
            others: gathered.others.clone(),
            undetermined: gathered.undetermined.clone(),
            failed: gathered.failed.clone(),
            observed: recorder.observed_objects(),
            writes: recorder.predicted_writes(),
            host_effects: recorder.predicted_effects(),
            digest: String::new(),
        };
        // Whatever a secret has got into, it does not leave here.
        let text = serde_json::to_string(&plan).ok()?;
        let mut plan: Plan = serde_json::from_str(&run.bus.redactor().redact_json(&text)).ok()?;
        plan.digest = plan.compute_digest();
        Some(plan)
    }
}

/// Collects the parts of the command line that decide the result.
fn collect_invocation(args: &RunArgs, loader: &Loader) -> Invocation {
    let (files, further): (Vec<&String>, Vec<&String>) = args.extra_vars.iter().partition(|vars| vars.starts_with('@'));
    Invocation {
        playbooks: args.playbooks.clone(),
        inventory: args.inventory.clone(),
        limit: args.limit.clone(),
        connection: args.connection.clone(),
        variable_files: files.into_iter().cloned().collect(),
        further_variables: further.len(),
        // With what was chosen and typed at the terminal.
        fill: loader.fill.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect(),
        vault_id: args.vault_id.clone(),
        vault_password_file: args.vault_password_file.clone(),
        tags: args.tags.clone(),
        skip_tags: args.skip_tags.clone(),
        start_at_task: args.start_at_task.clone(),
        block: loader.chosen_blocks.borrow().clone(),
        all_blocks: args.all_blocks,
        allow_python: args.allow_python,
        force_handlers: args.force_handlers,
        sandbox: args.sandbox,
    }
}
