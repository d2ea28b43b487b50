//! Roles as they are used: what they are called with, what they bring, how far they have come on each host.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::keyword::Keywords;
use crate::source::Span;
use crate::value::Dict;
use crate::yaml::YamlNode;

/// A role as it is used in one place: with its own parameters.
#[derive(Debug)]
pub struct Role {
    /// The name under which it is known, without the collection.
    pub name: String,
    /// The collection that it is of.
    pub collection: Option<String>,
    /// The folder.
    pub path: PathBuf,
    /// Variables from `defaults/`.
    pub defaults: Rc<Dict>,
    /// Variables from `vars/`.
    pub vars: Rc<Dict>,
    /// Parameters and keywords as written, by which a second use is recognised.
    pub(super) identity: String,
    /// Whether it may run more than once with the same parameters.
    pub allow_duplicates: bool,
    /// Roles that run before it.
    pub dependencies: Vec<Rc<Role>>,
    /// Whether its variables are seen by the rest of the play.
    pub public: bool,
    /// How far it has come on each host; shared by all that are recognised as the same role.
    pub(super) progress: Rc<RefCell<HashMap<String, RoleProgress>>>,
    pub(super) tasks: Option<YamlNode>,
    pub(super) handlers: Option<YamlNode>,
    pub(super) argument_specs: Option<YamlNode>,
    pub(super) entry: RoleEntry,
}

/// How far a role has come on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleProgress {
    /// A task of it was not skipped.
    Begun,
    /// It has run to its end.
    Done,
}

/// How a role is asked for.
#[derive(Debug, Clone)]
pub struct RoleEntry {
    /// The name or path as written.
    pub name: String,
    /// Where it is asked for.
    pub span: Span,
    /// Keywords at the entry (`when`, `tags`, ..), for the tasks inside.
    pub keywords: Keywords,
    /// `vars` at the entry: above the role's own, below those of its blocks and tasks.
    pub vars: Option<Rc<Dict>>,
    /// Parameters: everything that is not a keyword.
    pub params: Option<Rc<Dict>>,
    /// The file to read instead of `tasks/main`.
    pub tasks_from: Option<String>,
    /// The file to read instead of `vars/main`.
    pub vars_from: Option<String>,
    /// The file to read instead of `defaults/main`.
    pub defaults_from: Option<String>,
    /// The file to read instead of `handlers/main`.
    pub handlers_from: Option<String>,
    /// Overrides what the role's `meta` says.
    pub allow_duplicates: Option<bool>,
    /// Check the arguments against the role's specification.
    pub validate: bool,
    /// The rest of the play sees its variables.
    pub public: bool,
    /// `include_role` or `import_role` asks for it; then it is another than the one that `roles:` asks for.
    pub included: bool,
}

impl RoleEntry {
    /// A role by its name, with nothing else said.
    pub fn from_name(name: impl Into<String>, span: Span) -> Self {
        Self {
            name: name.into(),
            span,
            keywords: Keywords::default(),
            vars: None,
            params: None,
            tasks_from: None,
            vars_from: None,
            defaults_from: None,
            handlers_from: None,
            allow_duplicates: None,
            validate: true,
            public: true,
            included: false,
        }
    }

    /// A role that `include_role` or `import_role` asks for.
    pub fn new_included(name: impl Into<String>, span: Span) -> Self {
        Self { included: true, ..Self::from_name(name, span) }
    }
}

impl Role {
    /// This role's dependencies and itself, in the order in which their variables take precedence (later wins).
    pub fn with_dependencies(self: &Rc<Self>) -> Vec<Rc<Self>> {
        let mut all = Vec::new();
        self.collect_dependencies(&mut all);
        all
    }

    fn collect_dependencies(self: &Rc<Self>, all: &mut Vec<Rc<Self>>) {
        for dependency in &self.dependencies {
            dependency.collect_dependencies(all);
        }
        if !all.iter().any(|known| Rc::ptr_eq(known, self)) {
            all.push(Rc::clone(self));
        }
    }

    /// The name with the collection's before it.
    pub fn full_name(&self) -> String {
        match &self.collection {
            Some(collection) => format!("{collection}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// `vars` given at the entry: for the role's own tasks alone.
    pub fn entry_vars(&self) -> Option<&Rc<Dict>> {
        self.entry.vars.as_ref()
    }

    /// Takes note that a task of the role has run on a host.
    pub fn record_begin(&self, host: &str) {
        let mut progress = self.progress.borrow_mut();
        if !progress.contains_key(host) {
            progress.insert(host.to_owned(), RoleProgress::Begun);
        }
    }

    /// Takes note that a host has come to the end of the role. Where all tasks were skipped it has not run.
    pub fn record_complete(&self, host: &str) {
        if let Some(progress) = self.progress.borrow_mut().get_mut(host) {
            *progress = RoleProgress::Done;
        }
    }

    /// Whether the role has run on a host and must not run again.
    pub fn is_done(&self, host: &str) -> bool {
        !self.allow_duplicates && self.progress.borrow().get(host) == Some(&RoleProgress::Done)
    }
}
