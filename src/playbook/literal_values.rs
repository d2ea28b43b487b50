//! Values of registry tasks that stand in the text: names, dates, scopes and states are checked as the module checks them
//! when it runs, before anything is sent.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::keyword::Keyword;
use super::loader::Loader;
use super::task::Task;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::characters::{explain_odd_character, is_in_typographic_quotes};
use crate::host::RealHost;
use crate::ionos::{ApiConnection, ApiError, Connector, RegistryApi};
use crate::modules::args::{ArgumentRules, validate_args};
use crate::modules::{InventoryView, ModuleArgs, Spec, TaskContext, TaskModule};
use crate::source::Span;
use crate::template::{Globals, TemplateEngine};
use crate::value::{Dict, Value};

impl Loader {
    /// Notes values of a task that can be right in no run, and those that are probably wrong.
    pub(super) fn check_literal_values(&self, module: &'static dyn TaskModule, task: &Task) {
        let spec = module.module_spec();
        let tolerated =
            [Keyword::IgnoreErrors, Keyword::FailedWhen].iter().any(|keyword| task.find_keyword(*keyword).is_some());
        let state = task.args.values.get("state").filter(|state| !is_open(state)).cloned();
        if task.args.values.contains("state") && state.is_none() {
            return;
        }
        for (name, value) in task.args.values.iter() {
            let Some(param) = name.as_str().and_then(|name| spec.find_param(name)) else { continue };
            if is_open(value) || param.name == "state" || !param.choices.is_empty() {
                continue;
            }
            let mut given = Dict::new();
            given.set(param.name, value.clone());
            if param.name == "rotate" {
                // A rotation is right or wrong only together with the rest of the task.
                if task.args.values.values().any(is_open) {
                    continue;
                }
                given = task.args.values.clone();
            }
            state.iter().for_each(|state| given.set("state", state.clone()));
            let place = task.args.node.as_ref().and_then(|node| node.get(name.as_str().unwrap_or_default()));
            let place = place.map_or(&task.args.span, |node| node.span());
            let about = |message: &str| message.contains(&format!("`{}", param.name));
            let (wrong, warnings) = check_one(module, spec, given, place);
            if let Some(message) = wrong.filter(|message| about(&message.summary)) {
                let message = with_quote_hint(message, value);
                match (tolerated, value) {
                    (true, _) => self.warn_as_noticed(message),
                    // That a mapping is not a list was noted already, in Ansible's words and without a remedy.
                    (false, Value::Dict(_)) => self.complain_instead(message),
                    (false, _) => self.add_complaint(message),
                }
            }
            for warning in warnings.into_iter().filter(|warning| about(warning)) {
                self.add_warning(Diagnostic::warning(warning).at(place, ""));
            }
        }
    }

    fn warn_as_noticed(&self, message: Diagnostic) {
        self.add_warning(Diagnostic { severity: crate::diagnostic::Severity::Warning, ..message });
    }
}

/// Adds that typographic quotes are part of the value, where it stands in them.
fn with_quote_hint(message: Diagnostic, value: &Value) -> Diagnostic {
    let text = value.as_str().filter(|text| is_in_typographic_quotes(text));
    match text.and_then(explain_odd_character) {
        Some(hint) => message.hint(hint),
        None => message,
    }
}

/// Checks one parameter alone with the module.
fn check_one(
    module: &'static dyn TaskModule,
    spec: &'static Spec,
    given: Dict,
    place: &Span,
) -> (Option<Diagnostic>, Vec<String>) {
    let raw = given.clone();
    let (values, _, _) = validate_args(&ArgumentRules::of_module(spec), &given);
    let (globals, scope, warnings) = (Globals::new("."), Dict::new(), RefCell::default());
    let engine = TemplateEngine::new(&globals, &scope, &[]);
    let context = TaskContext {
        host_name: "localhost",
        host: &RealHost,
        registries: &Offline,
        template: &engine,
        environment: &[],
        check: true,
        planning: false,
        diff: false,
        no_log: false,
        verbosity: 0,
        search_path: &[],
        base_dir: Path::new("."),
        span: place,
        raw_args: &raw,
        inventory: &NoHosts,
        warnings: &warnings,
        interrupt: &crate::interrupt::Interrupt::default(),
        kept: None,
        is_looped: false,
        order: None,
        task: String::new(),
        bridge: None,
        credentials: None,
        progress: crate::progress::ProgressChannel::default(),
    };
    let wrong = module.check_values(&ModuleArgs::new(values), &context).err().map(|message| *message);
    (wrong, warnings.take())
}

/// Whether a value is known only when the task runs.
fn is_open(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_template() || text.is_empty(),
        Value::Sealed(_) | Value::Null => true,
        Value::List(items) => items.iter().any(is_open),
        Value::Dict(dict) => dict.iter().any(|(key, value)| is_open(key) || is_open(value)),
        _ => false,
    }
}

/// A connector for checks that send nothing.
struct Offline;

impl Connector for Offline {
    fn connect(&self, _connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        Err(ApiError::unsent("nothing is sent before the run"))
    }
}

/// An inventory for checks that concern no host.
struct NoHosts;

impl InventoryView for NoHosts {
    fn has_host(&self, _name: &str) -> bool {
        false
    }

    fn has_group(&self, _name: &str) -> bool {
        false
    }
}
