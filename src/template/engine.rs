//! The engine: evaluates texts, values and conditions in a scope.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ast::{At, ExprNode, ParsedTemplate};
use super::budget::{self, Evaluation};
use super::error::{TemplateError, TemplateErrorKind};
use super::locals::Locals;
use super::lookup_policy::LookupPolicy;
use super::mutation::ValueChanges;
use super::named_tuples::NamedTuples;
use super::notes::{Deprecation, TemplateNotes};
use super::parse;
use super::plugin::RenderOptions;
use super::secret_variables::SecretVariables;
use super::source_map::SourceMap;
use crate::host::pending_changes::PendingChanges;
use crate::input_digests::InputDigests;
use crate::source::Span;
use crate::value::{Dict, Sealed, Text, Undefined, Value};

/// How many members of what is there already are looked at in one step: that a list is long costs little, and it does not
/// grow by being looked at.
const LOOKS: u64 = 64;
/// How deep templates may use one another.
const MAX_NESTING: usize = 100;
/// How deep expressions may nest.
const MAX_DEPTH: usize = 300;

/// Where variables come from.
pub trait VariableScope {
    /// The raw value of a variable, not templated.
    fn get(&self, name: &str) -> Option<Value>;
    /// The names of all variables.
    fn variable_names(&self) -> Vec<String>;
}

impl VariableScope for Dict {
    fn get(&self, name: &str) -> Option<Value> {
        Self::get(self, name).cloned()
    }

    fn variable_names(&self) -> Vec<String> {
        self.keys().filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }
}

/// Extra variables on top of a scope.
pub struct LayeredScope<'a> {
    /// The variables on top.
    pub vars: &'a [(String, Value)],
    /// Lower layer.
    pub under: &'a dyn VariableScope,
}

impl VariableScope for LayeredScope<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        let own = self.vars.iter().rev().find(|(known, _)| known == name);
        own.map(|(_, value)| value.clone()).or_else(|| self.under.get(name))
    }

    fn variable_names(&self) -> Vec<String> {
        let mut names = self.under.variable_names();
        names.extend(self.vars.iter().map(|(name, _)| name.clone()));
        names
    }
}

/// Opens vaulted text.
pub type Opener = dyn Fn(&Sealed) -> Result<Text, TemplateError>;

/// State shared by all templates of a run.
pub struct Globals {
    lookups: LookupPolicy,
    base_dir: PathBuf,
    settings: HashMap<String, (Value, String)>,
    /// Whether there is a module of a name.
    has_module: fn(&str) -> bool,
    /// How texts of playbooks are read.
    playbook: RenderOptions,
    opener: Option<Box<Opener>>,
    taint_known: Option<Box<dyn Fn(Value) -> Value>>,
    notes: RefCell<TemplateNotes>,
    /// Counts lookups that reached out of this process.
    outside_calls: Cell<u64>,
    templates: RefCell<foldhash::HashMap<Arc<str>, Arc<ParsedTemplate>>>,
    expressions: RefCell<foldhash::HashMap<Arc<str>, Arc<ExprNode>>>,
    /// Which files were read.
    pub reads: std::rc::Rc<InputDigests>,
    /// Predicted changes of files in a dry run.
    pub pending: PendingChanges,
    /// Variables whose values are secret.
    pub secret_variables: SecretVariables,
}

impl Globals {
    /// For a playbook in a folder.
    pub fn new(base_dir: impl Into<PathBuf>) -> Self {
        Self {
            lookups: LookupPolicy::All,
            base_dir: base_dir.into(),
            settings: HashMap::new(),
            has_module: |_| false,
            playbook: RenderOptions::default(),
            opener: None,
            taint_known: None,
            notes: RefCell::default(),
            outside_calls: Cell::default(),
            templates: RefCell::default(),
            expressions: RefCell::default(),
            reads: std::rc::Rc::default(),
            pending: PendingChanges::default(),
            secret_variables: SecretVariables::default(),
        }
    }

    /// With a way to open vaulted text.
    #[must_use]
    pub fn with_opener(mut self, opener: Box<Opener>) -> Self {
        self.opener = Some(opener);
        self
    }

    /// With what knows the names of modules, for the test `a_module`.
    #[must_use]
    pub fn with_modules(mut self, has_module: fn(&str) -> bool) -> Self {
        self.has_module = has_module;
        self
    }

    /// With a rule for lookups.
    #[must_use]
    pub fn with_lookups(mut self, lookups: LookupPolicy) -> Self {
        self.lookups = lookups;
        self
    }

    /// The rule for lookups.
    pub(super) fn lookup_policy(&self) -> LookupPolicy {
        self.lookups
    }

    /// Whether there is a module of a name.
    pub fn has_module(&self, name: &str) -> bool {
        (self.has_module)(name)
    }

    /// With what marks values that hold a known secret: lookups read them from outside.
    #[must_use]
    pub fn with_known_secrets(mut self, taint: Box<dyn Fn(Value) -> Value>) -> Self {
        self.taint_known = Some(taint);
        self
    }

    /// Returns a value from outside, marked where it holds a known secret.
    pub(super) fn taint_known(&self, value: Value) -> Value {
        match &self.taint_known {
            Some(taint) => taint(value),
            None => value,
        }
    }

    /// With a setting for the `config` lookup, and where it comes from.
    #[must_use]
    pub fn with_setting(mut self, name: impl Into<String>, value: Value, origin: impl Into<String>) -> Self {
        self.settings.insert(name.into(), (value, origin.into()));
        self
    }

    /// The folder of the playbook.
    pub fn base_dir(&self) -> &Path {
        &self.base_dir
    }

    /// A setting, and where it comes from.
    pub fn get_setting(&self, name: &str) -> Option<(Value, String)> {
        self.settings.get(name).cloned()
    }

    /// Notes a warning; one that is there already is not noted twice.
    pub fn add_warning(&self, message: String) {
        self.notes.borrow_mut().add_warning(message);
    }

    /// Notes a way of writing that will stop working.
    pub fn add_deprecation(&self, deprecation: Deprecation) {
        self.notes.borrow_mut().add_deprecation(deprecation);
    }

    /// Records that a lookup reaches out of this process.
    pub fn note_outside_call(&self) {
        self.outside_calls.set(self.outside_calls.get() + 1);
    }

    /// Returns how many lookups have reached out of this process.
    pub fn count_outside_calls(&self) -> u64 {
        self.outside_calls.get()
    }

    /// The warnings since the last time.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.borrow_mut().warnings)
    }

    /// The deprecated ways of writing that were met since the last time.
    pub fn take_deprecations(&self) -> Vec<Deprecation> {
        std::mem::take(&mut self.notes.borrow_mut().deprecations)
    }

    /// Puts other warnings and deprecations in the place of those noted so far, and returns these.
    pub fn exchange_notes(&self, notes: TemplateNotes) -> TemplateNotes {
        self.notes.replace(notes)
    }

    /// Opens a vaulted text.
    ///
    /// # Errors
    /// If there is no secret that fits.
    pub fn open_sealed(&self, sealed: &Sealed) -> Result<Text, TemplateError> {
        match &self.opener {
            Some(opener) => opener(sealed),
            None => {
                let fault = TemplateError::value("this value is vaulted, and no vault secret was given");
                Err(fault.hint("give one with `--vault-password-file`").or_at(sealed.span.as_ref()))
            }
        }
    }

    pub(super) fn parse_template(&self, text: &Text) -> Result<Arc<ParsedTemplate>, (TemplateError, At)> {
        self.template_with(text, &self.playbook)
    }

    pub(super) fn template_with(
        &self,
        text: &Text,
        options: &RenderOptions,
    ) -> Result<Arc<ParsedTemplate>, (TemplateError, At)> {
        // Only the playbook's own way of reading is worth keeping; files are rendered once.
        let usual = std::ptr::eq(options, &self.playbook) || is_usual(options);
        let key = text.shared();
        if usual && let Some(found) = self.templates.borrow().get(&key) {
            return Ok(Arc::clone(found));
        }
        let parsed = Arc::new(parse::parse_template(text, options)?);
        if usual {
            self.templates.borrow_mut().insert(key, Arc::clone(&parsed));
        }
        Ok(parsed)
    }

    pub(super) fn parsed_expression(&self, text: &Text) -> Result<Arc<ExprNode>, (TemplateError, At)> {
        let key = text.shared();
        if let Some(found) = self.expressions.borrow().get(&key) {
            return Ok(Arc::clone(found));
        }
        let parsed = Arc::new(parse::parse_expression(text)?);
        self.expressions.borrow_mut().insert(key, Arc::clone(&parsed));
        Ok(parsed)
    }
}

fn is_usual(options: &RenderOptions) -> bool {
    options.escape_backslashes
        && options.trim_blocks
        && !options.lstrip_blocks
        && options.newline == "\n"
        && options.block.0 == "{%"
        && options.variable.0 == "{{"
        && options.comment.0 == "{#"
        && options.block.1 == "%}"
        && options.variable.1 == "}}"
        && options.comment.1 == "#}"
}

/// A text that is being evaluated, to find recursion.
struct Running {
    text: Arc<str>,
    /// The variable, or the text itself.
    label: String,
}

/// Evaluates templates in one scope.
pub struct TemplateEngine<'a> {
    pub(super) globals: &'a Globals,
    pub(super) scope: &'a dyn VariableScope,
    pub(super) search_path: &'a [PathBuf],
    pub(super) options: &'a RenderOptions,
    running: RefCell<Vec<Running>>,
    depth: Cell<usize>,
    /// Levels with macros in them, which refer to their level.
    levels: RefCell<Vec<Arc<Locals>>>,
    pub(super) changes: ValueChanges,
    pub(super) named_tuples: RefCell<NamedTuples>,
}

impl Drop for TemplateEngine<'_> {
    fn drop(&mut self) {
        for level in self.levels.borrow_mut().drain(..) {
            level.clear();
        }
    }
}

impl<'a> TemplateEngine<'a> {
    /// An engine for a scope. Relative names are looked for in the folders of `search_path`, nearest first.
    pub fn new(globals: &'a Globals, scope: &'a dyn VariableScope, search_path: &'a [PathBuf]) -> Self {
        Self {
            globals,
            scope,
            search_path,
            options: &globals.playbook,
            running: RefCell::default(),
            depth: Cell::new(0),
            levels: RefCell::default(),
            changes: ValueChanges::default(),
            named_tuples: RefCell::default(),
        }
    }

    /// An engine for a template file, with the depth of this one.
    pub(super) fn new_nested<'b>(
        &'b self,
        scope: &'b dyn VariableScope,
        options: &'b RenderOptions,
    ) -> TemplateEngine<'b> {
        let mut nested = TemplateEngine::new(self.globals, scope, self.search_path);
        nested.depth.set(self.depth.get() + 10);
        nested.options = options;
        nested
    }

    pub(super) fn keep_level(&self, level: &Arc<Locals>) {
        self.levels.borrow_mut().push(Arc::clone(level));
    }

    /// Counts one step.
    pub(super) fn count_step(&self) -> Result<(), TemplateError> {
        self.count_steps(1)
    }

    /// Counts the steps of a look at so many members of what is there already.
    pub(super) fn look_at(&self, members: usize) -> Result<(), TemplateError> {
        self.count_steps(members as u64 / LOOKS)
    }

    /// Counts several steps, for work that is as large as its result.
    pub(super) fn count_steps(&self, steps: u64) -> Result<(), TemplateError> {
        budget::spend_steps(steps)
    }

    /// Does something one level deeper.
    pub(super) fn run_deeper<T>(&self, inner: impl FnOnce() -> Result<T, TemplateError>) -> Result<T, TemplateError> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(TemplateError::new(
                TemplateErrorKind::Limit,
                format!("the template nests deeper than {MAX_DEPTH} levels"),
            ));
        }
        self.depth.set(depth + 1);
        let result = inner();
        self.depth.set(depth);
        result
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.borrow().is_empty() && self.depth.get() == 0
    }

    /// Begins an evaluation, or one inside another.
    pub(super) fn begin_evaluation(&self) -> Evaluation {
        if self.is_idle() {
            self.changes.stop_tracking();
            self.named_tuples.take();
        }
        Evaluation::begin()
    }

    /// Runs `inner` while a text counts as being evaluated; a text that is already so is a loop.
    pub(super) fn run_guarded<T>(
        &self,
        text: &Text,
        label: Option<&str>,
        inner: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let shared = text.shared();
        {
            let mut running = self.running.borrow_mut();
            if let Some(first) = running.iter().position(|other| Arc::ptr_eq(&other.text, &shared)) {
                let mut names: Vec<&str> = running[first..].iter().map(|other| other.label.as_str()).collect();
                names.push(&running[first].label);
                names.dedup_by(|a, b| a == b && running.len() - first > 1);
                let cycle = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" -> ");
                let fault = TemplateError::new(
                    TemplateErrorKind::Recursion,
                    format!("recursive loop detected in template: {cycle}"),
                );
                return Err(fault.or_at(text.origin()));
            }
            if running.len() >= MAX_NESTING {
                let message = format!("templates use one another more than {MAX_NESTING} levels deep");
                return Err(TemplateError::new(TemplateErrorKind::Limit, message).or_at(text.origin()));
            }
            running.push(Running { text: shared, label: label.unwrap_or(text).to_owned() });
        }
        let result = self.run_deeper(inner);
        self.running.borrow_mut().pop();
        result
    }

    /// The value of a template text (not made plain; may be undefined).
    pub(super) fn eval_text(&self, text: &Text, label: Option<&str>) -> Result<Value, TemplateError> {
        self.run_guarded(text, label, || {
            let place = SourceMap::from_text(text);
            let parsed =
                self.globals.parse_template(text).map_err(|(fault, at)| fault.or_at(place.span(&at).as_ref()))?;
            // What one template changes is nothing to another.
            let others = self.changes.set_aside();
            let value = self.render_template(&parsed, &Locals::new_root(), &place);
            let value = if self.changes.is_open() { value.and_then(|value| self.resolve_deep(value)) } else { value };
            self.changes.put_back(others);
            let value = with_ends(value?, text, "\n");
            Ok(if text.is_secret() { value.into_tainted() } else { value })
        })
    }

    /// The value of a variable of the play.
    pub(super) fn play_variable(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        if self.changes.is_open()
            && let Some(known) = self.changes.earlier_variable(name)
        {
            return Ok(Some(known));
        }
        let Some(value) = self.scope.get(name) else { return Ok(None) };
        let value = self.globals.secret_variables.taint_variable(name, self.resolve_value(value, Some(name))?);
        self.changes.remember_variable(name, &value);
        Ok(Some(value))
    }

    /// A raw value ready for use: a template is evaluated, vaulted text opened, everything else stays as it is.
    /// A template that is undefined, or uses something undefined, gives an undefined value.
    pub(super) fn resolve_value(&self, value: Value, label: Option<&str>) -> Result<Value, TemplateError> {
        match value {
            Value::Str(text) if text.is_template() => match self.eval_text(&text, label) {
                Err(fault) => fault.into_deferred(),
                result => result,
            },
            Value::Sealed(sealed) => {
                // What somebody encrypted is text as it is; templates in it stand in files that are vaulted as a whole.
                Ok(Value::Str(self.globals.open_sealed(&sealed)?.into_data().into_vaulted()))
            }
            other => Ok(other),
        }
    }

    /// A raw value with all members templated; those that fail become undefined in their place.
    pub(super) fn resolve_deep(&self, value: Value) -> Result<Value, TemplateError> {
        // What may have changed is copied, so that what a filter gives is another thing than what it got.
        let value = self.changes.current_value(value);
        if !self.changes.is_open() && !needs_work(&value)? {
            return Ok(value);
        }
        let mut member = |item: &Value| -> Value {
            let done = self.run_deeper(|| match item {
                Value::Str(text) if text.is_template() => self.resolve_guarded_deep(text),
                other => self.resolve_deep(other.clone()),
            });
            done.unwrap_or_else(TemplateError::into_undefined)
        };
        match value {
            Value::List(items) => Ok(Value::list(items.iter().map(&mut member))),
            Value::Tuple(items) => {
                let copy = Arc::new(items.iter().map(&mut member).collect());
                self.named_tuples.borrow_mut().add_copy(&items, &copy);
                Ok(Value::Tuple(copy))
            }
            Value::Set(items) => Ok(Value::Set(Arc::new(items.iter().map(&mut member).collect()))),
            Value::Dict(dict) => {
                let entries = dict.iter().map(|(key, item)| (key.clone(), member(item)));
                Ok(Value::Dict(Arc::new(entries.collect())))
            }
            Value::Str(text) if text.is_template() => self.resolve_guarded_deep(&text),
            other => self.resolve_value(other, None),
        }
    }

    /// Evaluates a text and the members of what it gives, all while it counts as being evaluated: a mapping that has
    /// itself inside is found.
    fn resolve_guarded_deep(&self, text: &Text) -> Result<Value, TemplateError> {
        let result = self.eval_text(text, None);
        let value = result.or_else(TemplateError::into_deferred)?;
        if !needs_work(&value)? {
            return Ok(value);
        }
        self.run_guarded(text, None, || self.resolve_deep(value))
    }
}

/// Whether a value has anything in it that templating would change.
///
/// # Errors
/// If it has so many members, those of members counted, that looking at them takes too long.
fn needs_work(value: &Value) -> Result<bool, TemplateError> {
    let any = |items: &mut dyn Iterator<Item = &Value>, count: usize| {
        // The same list may be a member of many: then there is no end to what is seen of it.
        budget::spend_steps(4 + count as u64 / 16)?;
        for item in items {
            if needs_work(item)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match value {
        Value::Str(text) => Ok(text.is_template()),
        Value::Sealed(_) => Ok(true),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => any(&mut items.iter(), items.len()),
        Value::Dict(dict) => any(&mut dict.values(), dict.len()),
        _ => Ok(false),
    }
}

/// Text gets back the line breaks that its template ends with: the parser takes the last one away, and a block takes the
/// one behind it. The value of a lone expression stays as it is unless it is text.
pub(super) fn with_ends(value: Value, template: &str, newline: &str) -> Value {
    let Value::Str(text) = &value else { return value };
    let missing = count_line_breaks(template).saturating_sub(count_line_breaks(text));
    if missing == 0 {
        return value;
    }
    let complete = Value::text(format!("{}{}", text.as_str(), newline.repeat(missing)));
    if text.is_secret() { complete.into_tainted() } else { complete }
}

/// How many line breaks a text ends with.
fn count_line_breaks(text: &str) -> usize {
    text.bytes().rev().filter(|byte| *byte != b'\r').take_while(|byte| *byte == b'\n').count()
}

/// An undefined value with its place.
pub(super) fn undefined_at(why: Undefined, span: Option<Span>) -> Value {
    Value::Undefined(Arc::new(Undefined { span, ..why }))
}
