//! How filters, tests, lookups and functions are called, and what they can ask of the engine.
//!
//! A filter is one function and one row in its family's table:
//!
//! ```text
//! pub const TABLE: &[Filter] = &[Filter::new("b64encode", b64encode, "Encodes text as base64.")];
//!
//! fn b64encode(call: &Call<'_>) -> Result<Value, Fault> {
//!     let [encoding] = call.args.bind(["encoding"])?;
//!     ..
//! }
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::TemplateError;
use super::signature;
use crate::value::{Sealed, Text, Value};

/// The arguments of a call.
#[derive(Debug, Clone, Default)]
pub struct PluginArgs {
    /// By position.
    pub positional: Vec<Value>,
    /// By name, in the order written.
    pub named: Vec<(Arc<str>, Value)>,
}

impl PluginArgs {
    /// Arguments by position only.
    pub fn from_positional(values: impl IntoIterator<Item = Value>) -> Self {
        Self { positional: values.into_iter().collect(), named: Vec::new() }
    }

    /// Puts the arguments in the order of the parameters' names, as Python would; `None` where one was not given.
    ///
    /// # Errors
    /// For an unknown name (with a suggestion), a parameter given twice, or too many arguments.
    pub fn bind<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Value>; N], TemplateError> {
        signature::report_binding(&names, self.bind_values(names))
    }

    fn bind_values<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Value>; N], TemplateError> {
        let mut bound: [Option<Value>; N] = std::array::from_fn(|_| None);
        if self.positional.len() > N {
            let given = self.positional.len();
            return Err(TemplateError::value(format!("takes at most {N} arguments, but {given} were given")));
        }
        for (slot, value) in bound.iter_mut().zip(&self.positional) {
            *slot = Some(value.clone());
        }
        for (name, value) in &self.named {
            let Some(index) = names.iter().position(|known| **known == **name) else {
                return Err(TemplateError::value(format!("has no parameter `{name}`")).suggest_name(name, names.iter()));
            };
            if bound[index].replace(value.clone()).is_some() {
                return Err(TemplateError::value(format!("got two values for the parameter `{name}`")));
            }
        }
        Ok(bound)
    }

    /// All values, by position and by name.
    pub fn all_values(&self) -> impl Iterator<Item = &Value> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }

    /// The arguments with numbers as such that carry a taint.
    #[must_use]
    pub fn without_taint(mut self) -> Self {
        let values = self.positional.iter_mut().chain(self.named.iter_mut().map(|(_, value)| value));
        for value in values.filter(|value| matches!(value, Value::Tainted(_))) {
            *value = value.below_taint().clone();
        }
        self
    }

    /// A named argument.
    pub fn get_named(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}

/// One call of a filter, test, lookup or function.
///
/// `input` and the arguments are fully templated. A member that could not be is an [`Value::Undefined`] in its place, so
/// a filter fails only if it touches it; an input or argument that is itself undefined never reaches a filter unless
/// its row says that it takes such values.
pub struct PluginCall<'a> {
    /// The name it was called by.
    pub name: &'a str,
    /// The piped value; null for a function.
    pub input: Value,
    /// The arguments.
    pub args: PluginArgs,
    /// The engine's side.
    pub context: &'a dyn Context,
    /// The action of the task whose `with_` loop runs the lookup; nothing in templates.
    pub looping: Option<&'a str>,
}

/// Services of the engine for plugins.
pub trait Context {
    /// Applies another filter (`map('upper')`).
    ///
    /// # Errors
    /// If the filter is unknown, or it fails.
    fn call_filter(&self, name: &str, input: Value, args: PluginArgs) -> Result<Value, TemplateError>;
    /// Applies a test (`select('match', 'x')`).
    ///
    /// # Errors
    /// If the test is unknown, or it fails.
    fn call_test(&self, name: &str, input: Value, args: PluginArgs) -> Result<bool, TemplateError>;
    /// Runs a lookup and gives all its results.
    ///
    /// # Errors
    /// If the lookup is unknown, or it fails.
    fn call_lookup(&self, name: &str, args: PluginArgs) -> Result<Vec<Value>, TemplateError>;
    /// An attribute or item as `a.b` and `a['b']` give it (undefined, not an error, if it is not there).
    fn get_member(&self, value: &Value, key: &Value) -> Value;
    /// The members of anything that can be iterated, templated.
    ///
    /// # Errors
    /// If it cannot be iterated.
    fn collect_members(&self, value: &Value) -> Result<Vec<Value>, TemplateError>;
    /// A variable of the scope, templated; `None` if it is not set.
    ///
    /// # Errors
    /// If its template fails.
    fn get_variable(&self, name: &str) -> Result<Option<Value>, TemplateError>;
    /// The names of all variables in the scope.
    fn variable_names(&self) -> Vec<String>;
    /// Templates trusted text and members of containers to any depth; data passes as it is.
    ///
    /// # Errors
    /// If a template fails.
    fn template_value(&self, value: &Value) -> Result<Value, TemplateError>;
    /// The value of a bare expression (`debug: var`), as plain data.
    ///
    /// # Errors
    /// If the text is not an expression, is data, or fails.
    fn evaluate_expression(&self, text: &Text) -> Result<Value, TemplateError>;
    /// The same for showing: what is undefined stays as [`Value::Undefined`] in its place, at any depth.
    ///
    /// # Errors
    /// If the text is not an expression, is data, or fails otherwise.
    fn expression_to_show(&self, text: &Text) -> Result<Value, TemplateError> {
        self.evaluate_expression(text)
    }
    /// Whether a condition holds (`assert: that`).
    ///
    /// # Errors
    /// If it fails, or gives anything but a boolean.
    fn evaluate_condition(&self, condition: &Value) -> Result<super::ConditionVerdict, TemplateError>;
    /// Returns the members of the list that a template gives, as they were written; `None` if it gives anything else.
    fn list_written_members(&self, text: &Text) -> Option<Vec<Value>>;
    /// Renders the text of a template file with extra variables on top of the scope; gives what `{{ }}` rules say
    /// (a lone expression keeps its type).
    ///
    /// # Errors
    /// If the template fails.
    fn render_text(&self, text: &Text, options: &RenderOptions) -> Result<Value, TemplateError>;
    /// Calls a callable value (a macro, a function).
    ///
    /// # Errors
    /// If it is not callable, or fails.
    fn call(&self, callable: &Value, args: PluginArgs) -> Result<Value, TemplateError>;
    /// Opens vaulted text.
    ///
    /// # Errors
    /// If there is no secret that fits.
    fn open_sealed(&self, sealed: &Sealed) -> Result<Text, TemplateError>;
    /// Reads a file that belongs to the playbook, and notes that it was read.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        crate::input::read_file(path)
    }
    /// Why it is not known what is at a path, if it is not: an earlier task of a dry run would have changed it.
    fn explain_unknown_path(&self, _path: &Path) -> Option<String> {
        None
    }
    /// The same for the names in a folder.
    fn explain_unknown_listing(&self, _folder: &Path) -> Option<String> {
        None
    }
    /// Notes what a folder was seen to hold.
    fn record_listing(&self, _folder: &Path, _names: &[PathBuf]) {}
    /// The folders in which relative names are looked for, nearest first (the including file's, the role's, the
    /// playbook's), without the `files` or `templates` part.
    fn search_path(&self) -> Vec<PathBuf>;
    /// The folder of the playbook.
    fn base_dir(&self) -> &Path;
    /// The value of an Ansible setting (`DEFAULT_FORKS`) and where it comes from, for the `config` lookup.
    fn get_setting(&self, name: &str) -> Option<(Value, String)>;
    /// Whether there is a module of a name.
    fn has_module(&self, _name: &str) -> bool {
        false
    }
    /// Says something to the user without failing.
    fn add_warning(&self, message: String);
    /// Records that a plugin reaches out of this process, where it may change anything.
    fn note_outside_call(&self) {}
}

/// How the text of a template file is rendered.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Variables on top of the scope.
    pub vars: Vec<(String, Value)>,
    /// `{%`, `%}`
    pub block: (String, String),
    /// `{{`, `}}`
    pub variable: (String, String),
    /// `{#`, `#}`
    pub comment: (String, String),
    /// Removes the line break after a block.
    pub trim_blocks: bool,
    /// Removes blanks before a block.
    pub lstrip_blocks: bool,
    /// Line ending of the text; those of variables stay as they are.
    pub newline: &'static str,
    /// Backslashes in string literals are literal (playbooks) rather than escapes (template files).
    pub escape_backslashes: bool,
    /// Null prints as nothing and results keep their type; off for template files, which always give text.
    pub native: bool,
}

impl Default for RenderOptions {
    fn default() -> Self {
        let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
        Self {
            vars: Vec::new(),
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            trim_blocks: true,
            lstrip_blocks: false,
            newline: "\n",
            escape_backslashes: true,
            native: true,
        }
    }
}

/// A row of a filter table.
#[derive(Clone, Copy)]
pub struct FilterPlugin {
    /// The short name; `ansible.builtin.` and `ansible.legacy.` before it are understood.
    pub name: &'static str,
    /// Implementation.
    pub run: fn(&PluginCall<'_>) -> Result<Value, TemplateError>,
    /// One sentence for the reference page.
    pub about: &'static str,
    /// Undefined input is passed in instead of being an error (`default`, `mandatory`).
    pub takes_undefined: bool,
    /// Unknown input is passed in; for all others an unknown input makes the result unknown.
    pub takes_unknown: bool,
    /// Vaulted input is not opened for it.
    pub takes_sealed: bool,
    /// The result is tainted where what the filter put there is; nothing becomes tainted because the input is.
    pub sets_taint: bool,
    /// It gives tuples whose parts have names (`groupby`).
    pub names_parts: bool,
}

impl FilterPlugin {
    /// A filter that wants defined and known input.
    pub const fn new(
        name: &'static str,
        run: fn(&PluginCall<'_>) -> Result<Value, TemplateError>,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            run,
            about,
            takes_undefined: false,
            takes_unknown: false,
            takes_sealed: false,
            sets_taint: false,
            names_parts: false,
        }
    }

    /// Decides by itself what of its result is tainted: it says no more than a condition could (`length`), or it hands
    /// on what carries its own taint (`map`, `ternary`).
    #[must_use]
    pub const fn sets_taint(self) -> Self {
        Self { sets_taint: true, ..self }
    }

    /// Names the parts of the tuples that the filter returns.
    #[must_use]
    pub const fn named(self) -> Self {
        Self { names_parts: true, ..self }
    }

    /// Also takes undefined input.
    #[must_use]
    pub const fn undefined(self) -> Self {
        Self { takes_undefined: true, ..self }
    }

    /// Also takes unknown input.
    #[must_use]
    pub const fn unknown(self) -> Self {
        Self { takes_unknown: true, ..self }
    }

    /// Also takes vaulted input as it is.
    #[must_use]
    pub const fn sealed(self) -> Self {
        Self { takes_sealed: true, ..self }
    }
}

/// A row of a test table.
#[derive(Clone, Copy)]
pub struct Test {
    /// The short name.
    pub name: &'static str,
    /// Implementation.
    pub run: fn(&PluginCall<'_>) -> Result<bool, TemplateError>,
    /// One sentence for the reference page.
    pub about: &'static str,
    /// Undefined input is passed in (`defined`).
    pub takes_undefined: bool,
    /// Unknown input is passed in (`defined`); for all others the result is unknown.
    pub takes_unknown: bool,
    /// Vaulted input is not opened for it.
    pub takes_sealed: bool,
}

impl Test {
    /// A test that wants defined and known input.
    pub const fn new(
        name: &'static str,
        run: fn(&PluginCall<'_>) -> Result<bool, TemplateError>,
        about: &'static str,
    ) -> Self {
        Self { name, run, about, takes_undefined: false, takes_unknown: false, takes_sealed: false }
    }

    /// Also takes undefined input.
    #[must_use]
    pub const fn undefined(self) -> Self {
        Self { takes_undefined: true, ..self }
    }

    /// Also takes unknown input.
    #[must_use]
    pub const fn unknown(self) -> Self {
        Self { takes_unknown: true, ..self }
    }

    /// Also takes vaulted input as it is.
    #[must_use]
    pub const fn sealed(self) -> Self {
        Self { takes_sealed: true, ..self }
    }
}

/// A row of the lookup table. The terms are `call.args.positional`, the options `call.args.named`.
#[derive(Clone, Copy)]
pub struct Lookup {
    /// The short name.
    pub name: &'static str,
    /// Implementation: returns all results; the caller decides how to join them.
    pub run: fn(&PluginCall<'_>) -> Result<Vec<Value>, TemplateError>,
    /// One sentence for the reference page.
    pub about: &'static str,
    /// Undefined arguments are passed in instead of being an error (the default of `env`).
    pub takes_undefined: bool,
}

impl Lookup {
    /// A lookup.
    pub const fn new(
        name: &'static str,
        run: fn(&PluginCall<'_>) -> Result<Vec<Value>, TemplateError>,
        about: &'static str,
    ) -> Self {
        Self { name, run, about, takes_undefined: false }
    }

    /// Also takes undefined arguments.
    #[must_use]
    pub const fn undefined(self) -> Self {
        Self { takes_undefined: true, ..self }
    }
}

/// Filters of `ansible.utils` that were once in ansible-core, and then in `ansible.netcommon`: old names still mean them.
const MOVED: [&str; 16] = [
    "ansible.utils.cidr_merge",
    "ansible.utils.hwaddr",
    "ansible.utils.ip4_hex",
    "ansible.utils.ipaddr",
    "ansible.utils.ipmath",
    "ansible.utils.ipsubnet",
    "ansible.utils.ipv4",
    "ansible.utils.ipv6",
    "ansible.utils.ipwrap",
    "ansible.utils.macaddr",
    "ansible.utils.network_in_network",
    "ansible.utils.network_in_usable",
    "ansible.utils.next_nth_usable",
    "ansible.utils.nthhost",
    "ansible.utils.previous_nth_usable",
    "ansible.utils.slaac",
];

/// The name in the tables: without `ansible.builtin.` or `ansible.legacy.`, old names of moved plugins as today's.
pub fn short_name(name: &str) -> &str {
    let name = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    match name {
        "reduce_on_network" | "ansible.netcommon.reduce_on_network" => "ansible.utils.reduce_on_network",
        "random_mac" => "community.general.random_mac",
        "cartesian" => "community.general.cartesian",
        "filetree" => "community.general.filetree",
        "flattened" => "community.general.flattened",
        _ => {
            let last = name.strip_prefix("ansible.netcommon.").unwrap_or(name);
            let moved = MOVED.iter().find(|full| full.strip_prefix("ansible.utils.") == Some(last));
            moved.copied().unwrap_or(name)
        }
    }
}
