//! The process of a background task: reads its description, runs the module, leaves the result.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::executor::background;
use crate::exit::Exit;
use crate::host;
use crate::ionos::HttpConnector;
use crate::modules::builtin::async_jobs::{self, Job};
use crate::modules::{self, Failure, InventoryView, Outcome, TaskContext, args};
use crate::source::Source;
use crate::template::{Engine, Globals};
use crate::value::{Dict, Value, json};

/// Runs a job that a playbook run has described.
#[derive(Debug, Clone, clap::Args)]
pub struct JobArgs {
    /// The description; it is removed when it has been read.
    description: PathBuf,
}

/// Runs the job. Nobody reads what this process prints; everything is in the status file.
pub fn run(args: &JobArgs) -> Exit {
    let read = std::fs::read_to_string(&args.description).ok().and_then(|text| serde_json::from_str::<Job>(&text).ok());
    let Some(job) = read else { return Exit::General };
    // The arguments may hold secrets; they are not left lying about.
    let _ = std::fs::remove_file(&args.description);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Exit::Internal };
    let limit = Duration::from_secs(job.limit);
    let result = runtime.block_on(async {
        tokio::time::timeout(limit, work(&job)).await.unwrap_or_else(|_| {
            Err(Failure::new(format!("Job reached maximum execution time of {} seconds", job.limit)))
        })
    });
    match async_jobs::write_status(&job.status, &background::ended(&job.id, result)) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::General,
    }
}

async fn work(job: &Job) -> Result<Outcome, Failure> {
    let given = match json::from_str(&job.args) {
        Ok(Value::Dict(given)) => given,
        _ => return Err(Failure::new("the job's arguments cannot be read")),
    };
    let Some(module) = modules::find(&job.module) else {
        return Err(Failure::new(format!("there is no module `{}`", job.module)));
    };
    let checked = args::check(module.spec(), &given, &job.called)?;
    let (globals, scope) = (Globals::new(&job.base_dir), Dict::new());
    let search = [job.base_dir.clone()];
    let engine = Engine::new(&globals, &scope, &search);
    let source = Source::new("<background job>", "");
    let (warnings, registries) = (RefCell::default(), HttpConnector::default());
    let context = TaskContext {
        host_name: "localhost",
        host: &host::Real,
        registries: &registries,
        template: &engine,
        environment: &job.environment,
        check: false,
        planning: false,
        diff: false,
        verbosity: 0,
        search_path: &search,
        base_dir: &job.base_dir,
        span: &source.span(0..0),
        raw_args: &given,
        inventory: &Nobody,
        warnings: &warnings,
        interrupt: &crate::interrupt::Interrupt::default(),
        kept: None,
        progress: Rc::new(|_| {}),
    };
    module.run(&checked.args, &context).await
}

/// A job knows nothing of the inventory.
struct Nobody;

impl InventoryView for Nobody {
    fn has_host(&self, _: &str) -> bool {
        false
    }

    fn has_group(&self, _: &str) -> bool {
        false
    }
}
