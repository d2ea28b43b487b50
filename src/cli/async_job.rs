//! The process of a background task: reads its description, runs the module, leaves the result.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::token::{self, Keeping};
use crate::bridge::Bridge;
use crate::credentials::{CredentialStore, RecordingConnector};
use crate::executor::task::background;
use crate::executor::task::timeout::Limit;
use crate::exit::Exit;
use crate::host;
use crate::interrupt::Interrupt;
use crate::ionos::HttpConnector;
use crate::modules::builtin::async_jobs::{self, Job};
use crate::modules::{self, Failure, InventoryView, ModuleArgs, ModuleOutcome, TaskContext, args};
use crate::progress::ProgressChannel;
use crate::source::Source;
use crate::template::{Globals, TemplateEngine};
use crate::value::{Dict, Value, json};

/// Runs a background job of a playbook run.
#[derive(Debug, Clone, clap::Args)]
pub struct JobArgs {
    /// File with the description of the job; removed after reading.
    description: PathBuf,
}

/// Warnings collected from a background job.
type Warnings = Rc<RefCell<Vec<String>>>;

/// Runs the job. The output of this process is not read; the results are in the status file.
pub fn run_job(args: &JobArgs) -> Exit {
    let read = crate::input::read_text(&args.description).ok().and_then(|text| serde_json::from_str::<Job>(&text).ok());
    let Some(job) = read else { return Exit::General };
    // The arguments may hold secrets; they are not left lying about.
    let _ = std::fs::remove_file(&args.description);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Exit::Internal };
    let warnings = Warnings::default();
    let told = Rc::clone(&warnings);
    let warn = Box::new(move |message| told.borrow_mut().push(message));
    let (result, store) = match token::store_with(Keeping::InFolder, job.seal_key_file.as_deref(), warn) {
        Ok(store) => {
            let store = Rc::new(store);
            (runtime.block_on(run_module(&job, Rc::clone(&store), &warnings)), Some(store))
        }
        Err(error) => (Err(Failure::new(format!("{error:#}"))), None),
    };
    // The run takes the passwords over as soon as it has read the result: by then they must not be held here.
    let tokens = store.map(|store| store.release_log()).unwrap_or_default();
    let mut status = background::build_job_status(&job.id, result);
    let warnings = warnings.take();
    if !warnings.is_empty() {
        status.set("warnings", Value::list(warnings.into_iter().map(Value::text)));
    }
    match async_jobs::write_status(&job.status, &status, &tokens) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::General,
    }
}

async fn run_module(job: &Job, store: Rc<CredentialStore>, warnings: &Warnings) -> Result<ModuleOutcome, Failure> {
    let given = match json::from_str(&job.args) {
        Ok(Value::Dict(given)) => given,
        _ => return Err(Failure::new("the job's arguments cannot be read")),
    };
    modules::foreign::set_search(job.search.clone());
    let bridge = Bridge::new(job.python);
    let Some(module) = modules::find_module(&job.module) else {
        return Err(Failure::new(format!("there is no module `{}`", job.module)));
    };
    let args = match module.checks_own_arguments() {
        true => ModuleArgs::new((*given).clone()),
        false => args::check_args(module.module_spec(), &given, &job.called)?.args,
    };
    let (globals, scope) = (Globals::new(&job.base_dir), Dict::new());
    let search = [job.base_dir.clone()];
    let engine = TemplateEngine::new(&globals, &scope, &search);
    let source = Source::new("<background job>", "");
    let registries = RecordingConnector::new(Rc::new(HttpConnector::default()), Rc::clone(&store));
    let interrupt = Interrupt::default();
    let limit = Limit::new(&interrupt, Some(job.limit), module.module_spec().is_of_registry());
    let context = TaskContext {
        host_name: "localhost",
        host: &host::RealHost,
        registries: &registries,
        template: &engine,
        environment: &job.environment,
        check: false,
        planning: false,
        diff: false,
        no_log: false,
        verbosity: 0,
        search_path: &search,
        base_dir: &job.base_dir,
        span: &source.span(0..0),
        raw_args: &given,
        inventory: &NoInventory,
        warnings,
        interrupt: limit.interrupt(),
        kept: None,
        is_looped: false,
        order: None,
        progress: ProgressChannel::default(),
        task: job.called.clone(),
        bridge: Some(&bridge),
        credentials: Some(store),
    };
    limit.run_within(module.run_module(&args, &context)).await.map_err(|failure| mark_overdue(failure, job.limit))
}

/// Returns the failure, with Ansible's message if the job took too long.
fn mark_overdue(mut failure: Failure, seconds: u64) -> Failure {
    if failure.data.remove("timedout").is_none() {
        return failure;
    }
    let more = failure.message.split_once("second(s). ").map(|(_, more)| format!("; {more}")).unwrap_or_default();
    Failure { message: format!("Job reached maximum execution time of {seconds} seconds{more}"), ..failure }
}

/// A job has no inventory.
struct NoInventory;

impl InventoryView for NoInventory {
    fn has_host(&self, _: &str) -> bool {
        false
    }

    fn has_group(&self, _: &str) -> bool {
        false
    }
}
