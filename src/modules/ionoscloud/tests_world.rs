//! A stage for modules: the embedded API, and one task after the other against it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::*;
use crate::ionos::{Connector, HttpConnector, OverlayConnector};
use crate::modules::{Failure, InventoryView, ModuleArgs, ModuleOutcome, TaskContext, TaskModule};
use crate::progress::ProgressChannel;
use crate::sandbox::{self, Handle, InjectedFault, SandboxOptions, Seed};
use crate::source::Source;
use crate::template::error::TemplateError as TemplateFault;
use crate::template::plugin::{Context, PluginArgs as CallArgs, RenderOptions};
use crate::value::{Sealed, Text, Value, json};

pub(super) const REG: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

struct Nothing;

impl InventoryView for Nothing {
    fn has_host(&self, _: &str) -> bool {
        false
    }
    fn has_group(&self, _: &str) -> bool {
        false
    }
}

impl Context for Nothing {
    fn evaluate_expression(&self, _: &Text) -> Result<Value, TemplateFault> {
        unreachable!("no module of the collection evaluates expressions")
    }

    fn evaluate_condition(&self, _: &Value) -> Result<crate::template::ConditionVerdict, TemplateFault> {
        unreachable!("no module of the collection evaluates conditions")
    }

    fn list_written_members(&self, _: &Text) -> Option<Vec<Value>> {
        unreachable!("no module of the collection evaluates conditions")
    }

    fn call_filter(&self, _: &str, _: Value, _: CallArgs) -> Result<Value, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn call_test(&self, _: &str, _: Value, _: CallArgs) -> Result<bool, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn call_lookup(&self, _: &str, _: CallArgs) -> Result<Vec<Value>, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn get_member(&self, _: &Value, _: &Value) -> Value {
        Value::Null
    }
    fn collect_members(&self, _: &Value) -> Result<Vec<Value>, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn get_variable(&self, _: &str) -> Result<Option<Value>, TemplateFault> {
        Ok(None)
    }
    fn variable_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn template_value(&self, value: &Value) -> Result<Value, TemplateFault> {
        Ok(value.clone())
    }
    fn render_text(&self, text: &Text, _: &RenderOptions) -> Result<Value, TemplateFault> {
        Ok(text.clone().into())
    }
    fn call(&self, _: &Value, _: CallArgs) -> Result<Value, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn open_sealed(&self, _: &Sealed) -> Result<Text, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn search_path(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn base_dir(&self) -> &Path {
        Path::new(".")
    }
    fn get_setting(&self, _: &str) -> Option<(Value, String)> {
        None
    }
    fn add_warning(&self, _: String) {}
}

/// A server and a run against it.
pub(super) struct World {
    pub(super) server: Handle,
    pub(super) real: Rc<HttpConnector>,
    pub(super) predicting: OverlayConnector,
    pub(super) warnings: RefCell<Vec<String>>,
    pub(super) check: bool,
}

pub(super) type Ran = Result<ModuleOutcome, Failure>;

impl World {
    pub(super) fn new(seed: &str, faults: &[&str]) -> Self {
        let mut options = SandboxOptions { seed: Seed::parse_seed(seed).unwrap(), ..SandboxOptions::default() };
        options.logins = vec![("u".to_owned(), "p".to_owned())];
        options.faults = faults.iter().map(|fault| InjectedFault::parse_fault(fault).unwrap()).collect();
        options.pace.new = std::time::Duration::from_millis(20);
        options.pace.storage = std::time::Duration::from_millis(20);
        options.pace.deletion = std::time::Duration::from_millis(20);
        let real = Rc::new(HttpConnector::default());
        let inner: Rc<dyn Connector> = real.clone();
        Self {
            server: sandbox::start_server(options).unwrap(),
            real,
            predicting: OverlayConnector::new(inner),
            warnings: RefCell::default(),
            check: false,
        }
    }

    pub(super) async fn run(&self, module: &dyn TaskModule, args: Value) -> Ran {
        let mut given = args.as_dict().unwrap().clone();
        let raw = given.clone();
        for (name, value) in [("token", sandbox::TOKEN), ("api_url", &self.server.url())] {
            if !given.contains(name) {
                given.set(name, value.into());
            }
        }
        let args = ModuleArgs::new(given);
        let quick = ["IONPLAY_RETRY_BASE_MS", "IONPLAY_POLL_MS"].map(|name| (name.to_owned(), "5".to_owned()));
        let span = Source::new("test.yml", "").span(0..0);
        let connector: &dyn Connector = if self.check { &self.predicting } else { &*self.real };
        let context = TaskContext {
            host_name: "localhost",
            host: &crate::host::DryRunHost,
            registries: connector,
            template: &Nothing,
            environment: &quick,
            check: self.check,
            planning: false,
            diff: true,
            no_log: false,
            verbosity: 0,
            search_path: &[],
            base_dir: Path::new("."),
            span: &span,
            raw_args: &raw,
            inventory: &Nothing,
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
        module.run_module(&args, &context).await
    }

    pub(super) async fn token(&self, args: &str) -> Ran {
        let args = json::from_str(args).unwrap();
        let mut dict = args.as_dict().unwrap().clone();
        if !dict.contains("registry") {
            dict.set("registry", REG.into());
        }
        self.run(&registry_token::RegistryToken, dict.into()).await
    }

    pub(super) async fn registry(&self, args: &str) -> Ran {
        self.run(&registry::RegistryModule, json::from_str(args).unwrap()).await
    }

    /// Methods of the requests since the last look.
    pub(super) fn methods(&self) -> String {
        let all: Vec<String> = self.server.requests().into_iter().map(|entry| entry.method).collect();
        self.server.clear_requests();
        all.join(" ")
    }

    pub(super) fn warned(&self) -> String {
        self.warnings.borrow().join("\n")
    }
}
