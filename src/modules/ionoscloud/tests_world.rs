//! A stage for modules: the embedded API, and one task after the other against it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::*;
use crate::ionos::{Connector, HttpConnector, OverlayConnector};
use crate::modules::{Args, Failure, InventoryView, Module, Outcome, TaskContext};
use crate::progress::Progress;
use crate::sandbox::{self, Fault, Handle, Options, Seed};
use crate::source::Source;
use crate::template::error::Fault as TemplateFault;
use crate::template::plugin::{Args as CallArgs, Context, RenderOptions};
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
    fn expression(&self, _: &Text) -> Result<Value, TemplateFault> {
        unreachable!("no module of the collection evaluates expressions")
    }

    fn condition(&self, _: &Value) -> Result<crate::template::Verdict, TemplateFault> {
        unreachable!("no module of the collection evaluates conditions")
    }

    fn filter(&self, _: &str, _: Value, _: CallArgs) -> Result<Value, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn test(&self, _: &str, _: Value, _: CallArgs) -> Result<bool, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn lookup(&self, _: &str, _: CallArgs) -> Result<Vec<Value>, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn member(&self, _: &Value, _: &Value) -> Value {
        Value::Null
    }
    fn iterate(&self, _: &Value) -> Result<Vec<Value>, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn variable(&self, _: &str) -> Result<Option<Value>, TemplateFault> {
        Ok(None)
    }
    fn variable_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn template(&self, value: &Value) -> Result<Value, TemplateFault> {
        Ok(value.clone())
    }
    fn render(&self, text: &Text, _: &RenderOptions) -> Result<Value, TemplateFault> {
        Ok(text.clone().into())
    }
    fn call(&self, _: &Value, _: CallArgs) -> Result<Value, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn open(&self, _: &Sealed) -> Result<Text, TemplateFault> {
        Err(TemplateFault::value("none"))
    }
    fn search_path(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn base_dir(&self) -> &Path {
        Path::new(".")
    }
    fn setting(&self, _: &str) -> Option<(Value, String)> {
        None
    }
    fn warn(&self, _: String) {}
}

/// A server and a run against it.
pub(super) struct World {
    pub(super) server: Handle,
    pub(super) real: Rc<HttpConnector>,
    pub(super) foretold: OverlayConnector,
    pub(super) warnings: RefCell<Vec<String>>,
    pub(super) check: bool,
}

pub(super) type Ran = Result<Outcome, Failure>;

impl World {
    pub(super) fn new(seed: &str, faults: &[&str]) -> Self {
        let mut options = Options { seed: Seed::parse(seed).unwrap(), ..Options::default() };
        options.logins = vec![("u".to_owned(), "p".to_owned())];
        options.faults = faults.iter().map(|fault| Fault::parse(fault).unwrap()).collect();
        options.pace.new = std::time::Duration::from_millis(20);
        options.pace.storage = std::time::Duration::from_millis(20);
        options.pace.deletion = std::time::Duration::from_millis(20);
        let real = Rc::new(HttpConnector::default());
        let inner: Rc<dyn Connector> = real.clone();
        Self {
            server: sandbox::start(options).unwrap(),
            real,
            foretold: OverlayConnector::new(inner),
            warnings: RefCell::default(),
            check: false,
        }
    }

    pub(super) async fn run(&self, module: &dyn Module, args: Value) -> Ran {
        let mut given = args.as_dict().unwrap().clone();
        let raw = given.clone();
        for (name, value) in [("token", sandbox::TOKEN), ("api_url", &self.server.url())] {
            if !given.contains(name) {
                given.set(name, value.into());
            }
        }
        let args = Args::new(given);
        let quick = ["IONPLAY_RETRY_BASE_MS", "IONPLAY_POLL_MS"].map(|name| (name.to_owned(), "5".to_owned()));
        let span = Source::new("test.yml", "").span(0..0);
        let connector: &dyn Connector = if self.check { &self.foretold } else { &*self.real };
        let context = TaskContext {
            host_name: "localhost",
            host: &crate::host::Predict,
            registries: connector,
            template: &Nothing,
            environment: &quick,
            check: self.check,
            planning: false,
            diff: true,
            verbosity: 0,
            search_path: &[],
            base_dir: Path::new("."),
            span: &span,
            raw_args: &raw,
            inventory: &Nothing,
            warnings: &self.warnings,
            interrupt: &crate::interrupt::Interrupt::default(),
            kept: None,
            progress: Progress::default(),
            task: String::new(),
            credentials: None,
        };
        module.run(&args, &context).await
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
