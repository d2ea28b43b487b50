//! What came of a task: the result that `register` keeps, and what the executor has to do besides.

use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};

/// The result of a module that did its work.
#[derive(Debug, Clone, Default)]
pub struct ModuleOutcome {
    /// Whether anything was changed.
    pub changed: bool,
    /// The module had nothing to do (`skipped: true` in the result).
    pub skipped: bool,
    /// The keys of the result besides `changed`; in the order in which they are shown.
    pub data: Dict,
    /// Changes, made or predicted, for `--diff`.
    pub diff: Vec<Diff>,
    /// Changes to variables and the inventory, carried out by the executor.
    pub effects: Vec<ModuleEffect>,
    /// Actions on registry objects, for the closing summary and the plan.
    pub actions: Vec<crate::reconcile::Record>,
    /// Nothing can be said about what would happen (check mode only); the reason.
    pub undetermined: Option<String>,
    /// Parts of the result that only the real run can know (check mode only).
    pub later: Later,
}

/// Unknown parts of a predicted result that is shown as Ansible shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Later {
    /// All of it is as it would be.
    #[default]
    Nothing,
    /// These keys.
    Keys(&'static [&'static str]),
    /// Everything.
    Everything,
}

impl Later {
    /// Event after which the result is known.
    pub const AWAITS: &'static str = "the real run (this module does nothing in a dry run)";
}

/// A failed task.
///
/// The result is `msg` and `data`; the diagnostic, where there is one, draws the place on the screen.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The sentence in `msg`.
    pub message: String,
    /// Further keys of the result (`rc`, `stdout`, a new object whose creation came before the failure).
    pub data: Dict,
    /// Whether something had been changed before it failed.
    pub changed: bool,
    /// The place and the remedy.
    pub diagnostic: Option<Box<Diagnostic>>,
    /// Actions on registry objects before the failure.
    pub actions: Vec<crate::reconcile::Record>,
    /// The secrets in its result: what had been created before it failed may have a password.
    pub effects: Vec<ModuleEffect>,
    /// It broke off (a template failed, say) before there was any result that `failed_when` could judge.
    pub broke_off: bool,
}

/// One difference.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// Subject of the difference: a path, or the name of an object.
    pub before_header: String,
    /// The same for the other side.
    pub after_header: String,
    /// Text, or a mapping of fields; nothing if this side cannot be shown.
    pub before: Option<Value>,
    /// Text, or a mapping of fields; nothing if this side cannot be shown.
    pub after: Option<Value>,
    /// Sides that are not shown.
    pub unshown: Vec<UnshownSide>,
    /// Said instead of a difference (`prepared`), where there is one.
    pub prepared: Option<String>,
    /// The result has a list, even of one difference.
    pub listed: bool,
}

/// A side of a difference that is not shown, with the greatest size that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnshownSide {
    /// The new content is not text.
    BinarySource,
    /// The old content is not text.
    BinaryDestination,
    /// The new content is too long.
    LargeSource(u32),
    /// The old content is too long.
    LargeDestination(u32),
}

impl UnshownSide {
    /// Returns the entry of a result that says so.
    fn to_entry(self) -> (&'static str, u32) {
        match self {
            Self::BinarySource => ("src_binary", 1),
            Self::BinaryDestination => ("dst_binary", 1),
            Self::LargeSource(most) => ("src_larger", most),
            Self::LargeDestination(most) => ("dst_larger", most),
        }
    }
}

impl Diff {
    /// Returns the difference with stars for what is derived from a secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let side = |side: &Option<Value>| side.as_ref().map(Value::to_masked);
        Self { before: side(&self.before), after: side(&self.after), ..self.clone() }
    }

    /// A difference as the result of a task keeps it.
    pub fn to_value(&self) -> Value {
        let mut value = Dict::new();
        if let Some(prepared) = &self.prepared {
            value.set("prepared", prepared.as_str().into());
            return value.into();
        }
        for (key, side) in [("before", &self.before), ("after", &self.after)] {
            if let Some(side) = side {
                value.set(key, side.clone());
            }
        }
        for side in &self.unshown {
            let (key, number) = side.to_entry();
            value.set(key, number.into());
        }
        if !self.before_header.is_empty() {
            value.set("before_header", self.before_header.as_str().into());
        }
        if !self.after_header.is_empty() {
            value.set("after_header", self.after_header.as_str().into());
        }
        value.into()
    }
}

/// Effect of a task on the run itself.
#[derive(Debug, Clone)]
pub enum ModuleEffect {
    /// `set_fact`: variables of the host, and facts too if `cacheable`.
    SetFacts {
        /// Names and values.
        facts: Dict,
        /// Also put among the facts.
        cacheable: bool,
    },
    /// Gathered facts, without the `ansible_` prefix in `ansible_facts` and with it as variables.
    Facts(Dict),
    /// `include_vars`.
    IncludeVars(Dict),
    /// `set_stats`.
    Stats {
        /// Names and values.
        data: Dict,
        /// For the host rather than for the run.
        per_host: bool,
        /// Added to what is there.
        aggregate: bool,
    },
    /// `add_host`.
    AddHost {
        /// The host.
        name: String,
        /// Groups of the new host.
        groups: Vec<String>,
        /// Variables of the new host.
        vars: Dict,
    },
    /// `group_by`.
    GroupBy {
        /// The group that the host joins.
        group: String,
        /// Parents of the new group.
        parents: Vec<String>,
    },
    /// The literal value of a secret that must not leave the process.
    Secret(String),
}

impl ModuleOutcome {
    /// An outcome with the given result.
    pub fn new(changed: bool, data: Dict) -> Self {
        Self { changed, data, ..Self::default() }
    }

    /// Adds a key to the result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.set(key, value.into());
        self
    }

    /// Adds an effect.
    #[must_use]
    pub fn with_effect(mut self, effect: ModuleEffect) -> Self {
        self.effects.push(effect);
        self
    }
}

impl Failure {
    /// A failure with its sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A failure with the sentence of an error.
    pub fn from_error(error: impl std::error::Error) -> Self {
        Self::new(error.to_string())
    }

    /// A failure whose sentence is that of a diagnostic, without its hints.
    pub fn from_diagnostic(diagnostic: Diagnostic) -> Self {
        Self::new(diagnostic.summary.clone()).with_diagnostic(diagnostic)
    }

    /// Adds a key to the result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.set(key, value.into());
        self
    }

    /// Marks that there is no result that `failed_when` could judge.
    #[must_use]
    pub fn breaking_off(self) -> Self {
        Self { broke_off: true, ..self }
    }

    /// Adds the picture; its summary is the message if there is none yet.
    #[must_use]
    pub fn with_diagnostic(mut self, diagnostic: Diagnostic) -> Self {
        if self.message.is_empty() {
            self.message = diagnostic.one_line();
        }
        self.diagnostic = Some(Box::new(diagnostic));
        self
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::default().with_diagnostic(diagnostic)
    }
}

impl From<crate::template::TemplateError> for Failure {
    fn from(fault: crate::template::TemplateError) -> Self {
        let mut told = Diagnostic::error(format!("Task failed: {}", fault.full_message()));
        told.hints.clone_from(&fault.hints);
        Self::new(told.one_line()).with_diagnostic(Diagnostic::from(fault)).breaking_off()
    }
}
