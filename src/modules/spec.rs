//! What a parameter is. Every fact about one is a row here, and four readers use the rows: the check of arguments,
//! `ionplay doc`, the JSON schema for editors, and completions.

use std::sync::Arc;

use crate::value::{Dict, Unknown, Value};

/// A module as its users see it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The full name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Groups of parameters; shared groups are listed beside the module's own.
    pub params: &'static [&'static [Param]],
    /// The states the module knows (`present`, `absent`, ..); empty where there is no `state` of this kind.
    pub states: &'static [&'static str],
    /// Name of the object type in messages (`Registry Token`).
    pub label: &'static str,
    /// The key of the returned object.
    pub returns: Option<&'static str>,
    /// How free text after the module name is understood.
    pub free_form: FreeForm,
    /// Behaviour under `--check`.
    pub check: CheckSupport,
    /// Groups of parameters of which at most one may be given.
    pub mutually_exclusive: &'static [&'static [&'static str]],
    /// Groups of parameters of which at least one must be given.
    pub required_one_of: &'static [&'static [&'static str]],
    /// Groups of parameters that must be given together.
    pub required_together: &'static [&'static [&'static str]],
    /// `(parameter, value, required)`: these are required if the parameter has this value.
    pub required_if: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// Parameters beyond the table are kept as they are (`set_fact`, `add_host`, `debug`'s friends).
    pub any_params: bool,
    /// Parameters beyond the table are refused after all, but only when the module runs.
    pub late_names: bool,
    /// Groups of parameters of which the module needs one, and looks for it only when it runs.
    pub needs: &'static [&'static [&'static str]],
    /// Unknown parameters are refused in the words of the controller (`Invalid options for ..`).
    pub invalid_options: bool,
    /// Parameters that a dry run may leave unknown and still say what happens; `*` for all.
    pub may_be_unknown: &'static [&'static str],
    /// Where it runs.
    pub runs_on: RunsOn,
    /// For which hosts of a batch it runs.
    pub hosts: HostScope,
    /// How its own failure ends the task.
    pub failure: FailureMode,
    /// Whether it can run in the background (`async`).
    pub background: BackgroundSupport,
    /// Whether its result is shown on the screen.
    pub shown: ResultDisplay,
    /// Whether it sets variables of the host, which a loop that fails takes back.
    pub sets_variables: bool,
    /// Where its paths stand that it changes.
    pub changed_paths: ChangedPaths,
    /// Whether it hands on what it is given, so that a one-time password among its arguments is delivered.
    pub hands_on: HandsOn,
    /// A list of tasks that shows how it is used; empty where the parameters say it all.
    pub examples: &'static str,
    /// The file of a module that is not part of this program.
    pub file: Option<&'static str>,
}

/// How `module: some text` is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeForm {
    /// `key=value` words only.
    Pairs,
    /// The text is the value of `_raw_params`; only the module's own options are taken out of it (`command`).
    Raw,
    /// `key=value` words; words without an equals sign together are `_raw_params` (`include_vars`, `meta`).
    Mixed,
}

/// Where a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunsOn {
    /// On the host that the task is for.
    Target,
    /// In the run itself, as Ansible's action plugins without a module: it needs no connection and no other user, and its
    /// result has no `invocation`.
    Controller,
    /// Wherever the task is: it needs no connection.
    Anywhere,
}

/// For which hosts of a batch a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostScope {
    /// For each.
    Each,
    /// Once, for the first; the result counts for all.
    OncePerBatch,
}

/// How a module's own failure ends the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMode {
    /// It gives a result, which `failed_when` judges.
    Judged,
    /// It breaks off: there is no result to judge.
    BreaksOff,
}

/// Whether a module can run in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundSupport {
    /// It can.
    Possible,
    /// It acts on the run itself, or needs its templates and files, so that it cannot leave it.
    BoundToRun,
}

/// When the result of a module is shown without `-v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultDisplay {
    /// Never.
    WhenVerbose,
    /// Always: that is what it is for.
    Always,
    /// Unless its parameter `quiet` is true.
    UnlessQuiet,
}

/// Where a module's paths stand that it changes.
#[derive(Debug, Clone, Copy)]
pub struct ChangedPaths {
    /// Parameters.
    pub arguments: &'static [&'static str],
    /// Keys of the result.
    pub results: &'static [&'static str],
    /// `(parameter, value)` that makes an empty folder where none was.
    pub new_folder: Option<(&'static str, &'static str)>,
}

impl ChangedPaths {
    /// The names that almost all modules use.
    pub const USUAL: Self =
        Self { arguments: &["dest", "path", "creates", "removes"], results: &["dest", "path"], new_folder: None };
}

/// Whether a module hands on what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandsOn {
    /// It only looks at it, shows it, or keeps it in this run.
    Nothing,
    /// To the program that it runs.
    WhenRun,
    /// To the server that it sends it to.
    WhenSent,
    /// To the file that it writes.
    InFile,
}

/// Behaviour of a module under `--check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckSupport {
    /// Says what would happen.
    Full,
    /// Says it where it can (with `creates`, ..), and otherwise that it would have run.
    Partial,
    /// Is asked whether it can, each time that it runs: modules in Python say that themselves.
    Asked,
    /// Is skipped.
    None,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Name of the parameter.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Type of the parameter.
    pub kind: ParamKind,
    /// One sentence.
    pub about: &'static str,
    /// Default value, as a playbook would write it.
    pub default: Option<&'static str>,
    /// The only values it may have.
    pub choices: &'static [&'static str],
    /// The values that it usually has, offered by editors; the module itself judges others.
    pub known_values: &'static [&'static str],
    /// Whether editors refuse values other than the known ones, as the module does when it runs.
    pub known_only: bool,
    /// Members of the mapping, or of the mappings in the list, that the module itself reads and checks.
    pub members: &'static [Param],
    /// Required in every state.
    pub required: bool,
    /// The states in which it is required.
    pub required_in: &'static [&'static str],
    /// The states in which it means something; empty for all.
    pub only_in: &'static [&'static str],
    /// A different value can only be had by replacing the object.
    pub replaces: bool,
    /// The environment variable that stands in for it.
    pub env: Option<&'static str>,
    /// The value must not be shown.
    pub secret: bool,
    /// Accepted, but not listed on the reference page of Ansible.
    pub hidden: bool,
    /// The value is an expression, or a list of them, without braces.
    pub expression: bool,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// Text; numbers and booleans are turned into it.
    Str,
    /// A boolean in any of Ansible's spellings.
    Bool,
    /// An integer, or text of one.
    Int,
    /// A number, or text of one.
    Float,
    /// A path: text with `~` and variables expanded.
    Path,
    /// Any value, as it is.
    Raw,
    /// A list whose members are of one kind; text is split at commas.
    List(&'static ParamKind),
    /// A mapping; with rows, its keys are checked like parameters.
    Dict(&'static [Param]),
    /// JSON text, or a structure that becomes it.
    Json,
    /// A size such as `10M`, in bytes.
    Bytes,
}

impl Spec {
    /// A module with its full name and one sentence.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            params: &[],
            states: &[],
            label: "",
            returns: None,
            free_form: FreeForm::Pairs,
            check: CheckSupport::Full,
            mutually_exclusive: &[],
            required_one_of: &[],
            required_together: &[],
            required_if: &[],
            any_params: false,
            late_names: false,
            needs: &[],
            invalid_options: false,
            may_be_unknown: &[],
            runs_on: RunsOn::Target,
            hosts: HostScope::Each,
            failure: FailureMode::Judged,
            background: BackgroundSupport::Possible,
            shown: ResultDisplay::WhenVerbose,
            sets_variables: false,
            changed_paths: ChangedPaths::USUAL,
            hands_on: HandsOn::Nothing,
            examples: "",
            file: None,
        }
    }

    /// Whether it manages container registries; everything about such a module is checked before anything runs.
    pub fn is_of_registry(&self) -> bool {
        !self.is_foreign() && self.name.starts_with("ionoscloudsdk.")
    }

    /// Whether it is not part of this program, and runs through the bridge.
    pub fn is_foreign(&self) -> bool {
        self.file.is_some()
    }

    /// The name as foreign modules are told it: that of a module without a collection is bare.
    pub fn told_name(&self) -> &'static str {
        self.name.strip_prefix("ansible.legacy.").unwrap_or(self.name)
    }

    /// Sets the parameters.
    #[must_use]
    pub const fn params(self, params: &'static [&'static [Param]]) -> Self {
        Self { params, ..self }
    }

    /// Sets the allowed values of `state`; the first is the default.
    #[must_use]
    pub const fn states(self, states: &'static [&'static str]) -> Self {
        Self { states, ..self }
    }

    /// Sets the name of the object type in messages.
    #[must_use]
    pub const fn label(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    /// The key of the returned object.
    #[must_use]
    pub const fn returns(self, key: &'static str) -> Self {
        Self { returns: Some(key), ..self }
    }

    /// How free text is understood.
    #[must_use]
    pub const fn free_form(self, free_form: FreeForm) -> Self {
        Self { free_form, ..self }
    }

    /// Sets the behaviour under `--check`.
    #[must_use]
    pub const fn check(self, check: CheckSupport) -> Self {
        Self { check, ..self }
    }

    /// It runs in the run itself, which it cannot leave.
    #[must_use]
    pub const fn on_controller(self) -> Self {
        Self { runs_on: RunsOn::Controller, background: BackgroundSupport::BoundToRun, ..self }
    }

    /// It needs no connection.
    #[must_use]
    pub const fn anywhere(self) -> Self {
        Self { runs_on: RunsOn::Anywhere, ..self }
    }

    /// It needs templates or files of the run, so that it cannot run in the background.
    #[must_use]
    pub const fn bound_to_run(self) -> Self {
        Self { background: BackgroundSupport::BoundToRun, ..self }
    }

    /// It runs once for all hosts of a batch.
    #[must_use]
    pub const fn once_per_batch(self) -> Self {
        Self { hosts: HostScope::OncePerBatch, ..self }
    }

    /// A failure leaves no result to judge.
    #[must_use]
    pub const fn breaks_off(self) -> Self {
        Self { failure: FailureMode::BreaksOff, ..self }
    }

    /// Sets when its result is shown.
    #[must_use]
    pub const fn shown(self, shown: ResultDisplay) -> Self {
        Self { shown, ..self }
    }

    /// It sets variables of the host.
    #[must_use]
    pub const fn sets_variables(self) -> Self {
        Self { sets_variables: true, ..self }
    }

    /// A parameter with this value makes an empty folder where none was.
    #[must_use]
    pub const fn makes_folder(self, parameter: &'static str, value: &'static str) -> Self {
        let changed_paths = ChangedPaths { new_folder: Some((parameter, value)), ..self.changed_paths };
        Self { changed_paths, ..self }
    }

    /// Whether a host that is not reached is no reason to leave it out.
    pub fn needs_connection(&self) -> bool {
        self.runs_on == RunsOn::Target && !self.is_of_registry()
    }

    /// It hands on what it is given.
    #[must_use]
    pub const fn hands_on(self, hands_on: HandsOn) -> Self {
        Self { hands_on, ..self }
    }

    /// Tasks that show how it is used.
    #[must_use]
    pub const fn examples(self, examples: &'static str) -> Self {
        Self { examples, ..self }
    }

    /// Names the parameters that may be unknown in a dry run.
    #[must_use]
    pub const fn may_be_unknown(self, names: &'static [&'static str]) -> Self {
        Self { may_be_unknown: names, ..self }
    }

    /// Returns the unknown argument that must be known before the module can predict anything.
    pub fn unknown_argument<'a>(&self, args: &'a Dict) -> Option<&'a Arc<Unknown>> {
        let named =
            |name: &Value| self.may_be_unknown.iter().any(|known| *known == "*" || name.as_str() == Some(*known));
        let (_, value) = args.iter().find(|(name, value)| value.has_unknown() && !named(name))?;
        value.first_unknown()
    }

    /// Parameters beyond the table are kept.
    #[must_use]
    pub const fn any_params(self) -> Self {
        Self { any_params: true, ..self }
    }

    /// Of each group one parameter is needed; the module looks for it when it runs, and says so in words of its own.
    #[must_use]
    pub const fn needs(self, needs: &'static [&'static [&'static str]]) -> Self {
        Self { needs, ..self }
    }

    /// Whether a parameter is needed in every state, also where the module itself checks it.
    pub fn requires(&self, param: &Param) -> bool {
        param.required || self.needs.iter().any(|group| matches!(group, [only] if *only == param.name))
    }

    /// Parameters beyond the table are refused when the module runs, and of each group one is needed then.
    #[must_use]
    pub const fn checked_late(self, needs: &'static [&'static [&'static str]]) -> Self {
        Self { any_params: true, late_names: true, needs, ..self }
    }

    /// Unknown parameters are refused in the words of the controller.
    #[must_use]
    pub const fn invalid_options(self) -> Self {
        Self { invalid_options: true, ..self }
    }

    /// All parameters.
    pub fn all_params(&self) -> impl Iterator<Item = &'static Param> {
        self.params.iter().copied().flatten()
    }

    /// A parameter by its name or an alias.
    pub fn find_param(&self, name: &str) -> Option<&'static Param> {
        self.all_params().find(|param| param.name == name || param.aliases.contains(&name))
    }

    /// The name without its collection.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

impl ParamKind {
    /// The type as the reference pages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Path => "path",
            Self::Raw => "any",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }

    /// The type with that of its members: `list of str`.
    pub fn describe_type(self) -> String {
        match self {
            Self::List(of) if *of != Self::Raw => format!("list of {}", of.describe_type()),
            other => other.name().to_owned(),
        }
    }

    /// The rows of a mapping, or of the mappings in a list.
    pub fn member_params(self) -> &'static [Param] {
        match self {
            Self::Dict(rows) => rows,
            Self::List(of) => of.member_params(),
            _ => &[],
        }
    }
}

impl Param {
    /// A parameter of a kind.
    pub const fn new(name: &'static str, kind: ParamKind, about: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            about,
            default: None,
            choices: &[],
            known_values: &[],
            known_only: false,
            members: &[],
            required: false,
            required_in: &[],
            only_in: &[],
            replaces: false,
            env: None,
            secret: false,
            hidden: false,
            expression: false,
        }
    }

    /// A text parameter.
    pub const fn str(name: &'static str, about: &'static str) -> Self {
        Self::new(name, ParamKind::Str, about)
    }

    /// A boolean parameter.
    pub const fn bool(name: &'static str, about: &'static str) -> Self {
        Self::new(name, ParamKind::Bool, about)
    }

    /// An integer parameter.
    pub const fn int(name: &'static str, about: &'static str) -> Self {
        Self::new(name, ParamKind::Int, about)
    }

    /// A path parameter.
    pub const fn path(name: &'static str, about: &'static str) -> Self {
        Self::new(name, ParamKind::Path, about)
    }

    /// A parameter that is a list of one kind.
    pub const fn list(name: &'static str, of: &'static ParamKind, about: &'static str) -> Self {
        Self::new(name, ParamKind::List(of), about)
    }

    /// Other names for it.
    #[must_use]
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Sets the default value.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The only values it may have.
    #[must_use]
    pub const fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }

    /// The values that the module itself insists on.
    #[must_use]
    pub const fn values(self, values: &'static [&'static str]) -> Self {
        Self { known_values: values, known_only: true, ..self }
    }

    /// Values that it usually has.
    #[must_use]
    pub const fn usual_values(self, values: &'static [&'static str]) -> Self {
        Self { known_values: values, ..self }
    }

    /// The members of its mappings, which the module itself checks.
    #[must_use]
    pub const fn members(self, members: &'static [Param]) -> Self {
        Self { members, ..self }
    }

    /// The rows of its mapping, or of the mappings in its list, also where the module checks them itself.
    pub fn member_params(&self) -> &'static [Param] {
        if self.members.is_empty() { self.kind.member_params() } else { self.members }
    }

    /// Required in every state.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Required in some states.
    #[must_use]
    pub const fn required_in(self, states: &'static [&'static str]) -> Self {
        Self { required_in: states, ..self }
    }

    /// Whether a task of this state must give it.
    pub fn is_required_in(&self, state: &str) -> bool {
        self.required || self.required_in.contains(&state)
    }

    /// Means something in some states only.
    #[must_use]
    pub const fn only_in(self, states: &'static [&'static str]) -> Self {
        Self { only_in: states, ..self }
    }

    /// A different value forces replacement.
    #[must_use]
    pub const fn replaces(self) -> Self {
        Self { replaces: true, ..self }
    }

    /// The environment variable that stands in for it.
    #[must_use]
    pub const fn env(self, variable: &'static str) -> Self {
        Self { env: Some(variable), ..self }
    }

    /// Marks the value as secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// The value is an expression, or a list of them.
    #[must_use]
    pub const fn expression(self) -> Self {
        Self { expression: true, ..self }
    }

    /// Not listed on Ansible's page.
    #[must_use]
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }
}
