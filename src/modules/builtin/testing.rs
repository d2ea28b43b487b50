//! A task for tests: arguments as a playbook has them, real templates, no network.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::host::{DryRunHost, HostApi, RealHost};
use crate::modules::{Failure, InventoryView, ModuleOutcome, TaskContext, TaskModule, args};
use crate::progress::ProgressChannel;
use crate::source::Source;
use crate::template::{Globals, TemplateEngine};
use crate::value::{Dict, Value};

/// Environment of a task under test.
pub struct Bench {
    /// The folder of the playbook.
    pub folder: PathBuf,
    /// The variables of the host.
    pub vars: Dict,
    /// A dry run.
    pub check: bool,
    /// `-v`.
    pub verbosity: u8,
    /// The task's environment.
    pub environment: Vec<(String, String)>,
    /// Warnings of the task.
    pub warnings: RefCell<Vec<String>>,
}

struct Empty;

impl InventoryView for Empty {
    fn has_host(&self, _: &str) -> bool {
        false
    }

    fn has_group(&self, _: &str) -> bool {
        false
    }
}

/// Data as it is read from a file of the user's.
pub fn yaml(text: &str) -> Value {
    let root = crate::yaml::load_document(&Source::new("test.yml", text)).unwrap().root;
    root.map_or(Value::Null, |node| node.to_value())
}

fn mapping(text: &str) -> Dict {
    match yaml(text) {
        Value::Dict(dict) => (*dict).clone(),
        _ => Dict::new(),
    }
}

impl Bench {
    /// A host with these variables, in YAML.
    pub fn new(vars: &str) -> Self {
        Self {
            folder: PathBuf::from("/"),
            vars: mapping(vars),
            check: false,
            verbosity: 0,
            environment: Vec::new(),
            warnings: RefCell::default(),
        }
    }

    /// Runs a module with these arguments, in YAML: templated and checked as the executor does it.
    pub fn run(&self, module: &dyn TaskModule, given: &str) -> Result<ModuleOutcome, Failure> {
        let raw = mapping(given);
        let globals = Globals::new(&self.folder);
        let search_path = [self.folder.clone()];
        let engine = TemplateEngine::new(&globals, &self.vars, &search_path);
        let mut values = Dict::new();
        for (name, value) in raw.iter() {
            values.insert(name.clone(), engine.evaluate_value(value).map_err(Failure::from)?);
        }
        let args = args::check_args(module.module_spec(), &values, module.module_spec().short_name())?.args;
        let span = Source::new("test.yml", given).span(0..0);
        let host: &dyn HostApi = if self.check { &DryRunHost } else { &RealHost };
        let context = TaskContext {
            host_name: "localhost",
            host,
            registries: &crate::ionos::HttpConnector::default(),
            template: &engine,
            environment: &self.environment,
            check: self.check,
            planning: false,
            diff: false,
            no_log: false,
            verbosity: self.verbosity,
            search_path: &search_path,
            base_dir: &self.folder,
            span: &span,
            raw_args: &raw,
            inventory: &Empty,
            warnings: &self.warnings,
            interrupt: &crate::interrupt::Interrupt::default(),
            kept: None,
            is_looped: false,
            order: None,
            progress: ProgressChannel::default(),
            task: String::new(),
            bridge: None,
            credentials: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(module.run_module(&args, &context))
    }

    /// The message with which a module fails.
    #[track_caller]
    pub fn fails(&self, module: &dyn TaskModule, given: &str) -> String {
        self.run(module, given).unwrap_err().message
    }

    /// One key of the result of a module that succeeds.
    #[track_caller]
    pub fn gives(&self, module: &dyn TaskModule, given: &str, key: &str) -> Value {
        self.run(module, given).unwrap().data.get(key).cloned().unwrap_or(Value::Null)
    }
}
