//! The state of a run: host state, counts, and shared services.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use indexmap::IndexMap;

use super::shared_lists::{ListSharing, SharedLists};
use super::stats::Tally;
use super::tags::Selection;
use super::task::delivery::GivenJob;
use super::variables::fact_cache::FactCache;
use crate::bridge::{Bridge, PythonUse};
use crate::credentials::CredentialStore;
use crate::diagnostic::Diagnostic;
use crate::host::HostApi;
use crate::interrupt::Interrupt;
use crate::inventory::Inventory;
use crate::ionos::Connector;
use crate::plan::Answers;
use crate::plan::host_effects::EffectObserver;
use crate::playbook::{Loader, Task};
use crate::reconcile::Record;
use crate::report::{Bus, ReportEvent};
use crate::template::Globals;
use crate::value::{Dict, Value};

/// Options of a run from the command line.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// `--check`
    pub check: bool,
    /// `--diff`
    pub diff: bool,
    /// `-v` to `-vvvv`
    pub verbosity: u8,
    /// `--forks`
    pub forks: usize,
    /// `--parallel`: items of a loop over a registry module that run at once.
    pub parallel: usize,
    /// Who shares lists of the service.
    pub list_sharing: ListSharing,
    /// `--limit`
    pub limit: Option<String>,
    /// `--tags` and `--skip-tags`
    pub tags: Selection,
    /// `--start-at-task`
    pub start_at: Option<String>,
    /// `--step`
    pub step: bool,
    /// `--force-handlers`
    pub force_handlers: bool,
    /// Facts that were kept between runs are forgotten first (`--flush-cache`).
    pub flush_cache: bool,
    /// Where facts are kept between runs.
    pub fact_cache: Option<FactCache>,
    /// `-i`, as written.
    pub inventory_sources: Vec<String>,
    /// Gather facts where a play does not say (`gathering = implicit`).
    pub gather_by_default: bool,
    /// A play that does not say gathers facts only for hosts that have none yet (`gathering = smart`).
    pub gather_once: bool,
    /// Mappings of a name are merged over the layers of variables (`hash_behaviour = merge`).
    pub merge_hashes: bool,
    /// Facts are variables of their own only as members of `ansible_facts` (`inject_facts_as_vars = false`).
    pub facts_apart: bool,
    /// Arguments are shown with the names of tasks.
    pub show_args: bool,
    /// Whether an unknown handler is a warning.
    pub pass_unknown_handlers: bool,
    /// `any_errors_fatal` and `no_log` of plays that do not say.
    pub any_errors_fatal: bool,
    /// The same of `no_log`.
    pub no_log: bool,
    /// `-c`: the connection, for the `ansible_connection` variable.
    pub connection: Option<String>,
    /// `-u`, for the `ansible_user` variable.
    pub user: Option<String>,
    /// `-T`, for the `ansible_timeout` variable.
    pub timeout: i64,
    /// `-b`: become root or the named user, where no task says otherwise.
    pub r#become: bool,
    /// The strategy of plays that do not name one; empty means linear.
    pub strategy: String,
    /// Seconds between looks at a background task that does not say.
    pub poll: i64,
    /// Seconds after which a task has failed that does not say; 0 is never.
    pub task_timeout: i64,
    /// The playbook's own extra arguments that magic variables show.
    pub config_file: Option<String>,
    /// Environment variables of every task, below the task's own.
    pub environment: Vec<(String, String)>,
    /// The key that seals one-time passwords.
    pub seal_key_file: Option<PathBuf>,
    /// Whether modules written in Python may be run.
    pub python: PythonUse,
    /// Answers to `vars_prompt` from an earlier run for the same plan, and from this one.
    pub answers: Rc<Answers>,
}

/// State of a host in a run.
#[derive(Debug, Default)]
pub struct HostState {
    /// Facts with their `ansible_` names, as `setup` gives them, and cacheable `set_fact`s.
    pub facts: RefCell<Rc<Dict>>,
    /// From `include_vars`.
    pub included: RefCell<Rc<Dict>>,
    /// Why it is not known what an `include_vars` of a dry run would set: it may be any variable.
    pub unread_variables: RefCell<Option<String>>,
    /// From `set_fact` and `register`.
    pub vars: RefCell<Rc<Dict>>,
}

impl HostState {
    /// Sets a variable as `register` and `set_fact` do.
    pub fn set_variable(&self, name: &str, value: Value) {
        Rc::make_mut(&mut self.vars.borrow_mut()).set(name, value);
    }
}

/// A run.
pub struct RunState {
    /// Options from the command line.
    pub options: RunOptions,
    /// The door out.
    pub bus: Rc<Bus>,
    /// State shared by all templates.
    pub globals: Rc<Globals>,
    /// Reads files.
    pub loader: Rc<Loader>,
    /// The hosts and groups.
    pub inventory: RefCell<Inventory>,
    /// `-e`
    pub extra_vars: Rc<Dict>,
    /// The API of container registries for real runs.
    pub registries: Rc<dyn Connector>,
    /// The same for check mode: reads are real, writes are predicted.
    pub predicting_registries: Rc<dyn Connector>,
    /// Files and commands.
    pub host_api: Box<dyn HostApi>,
    /// Files and commands in check mode.
    pub predicting_host_api: Box<dyn HostApi>,
    /// Records, or authorizes, what modules do to files.
    pub effects: Option<Rc<dyn EffectObserver>>,
    /// State of each host.
    pub hosts: RefCell<foldhash::HashMap<Rc<str>, Rc<HostState>>>,
    /// Hosts that are out of the run.
    pub failed: RefCell<IndexMap<Rc<str>, Out>>,
    /// How often hosts that were out have been taken back.
    pub readmissions: Cell<usize>,
    /// Counts.
    pub tally: RefCell<Tally>,
    /// Actions on registry objects.
    pub records: RefCell<Vec<Record>>,
    /// Status files of predicted jobs; they are removed at the end of the run.
    pub predicted_jobs: RefCell<Vec<PathBuf>>,
    /// Runs modules that are not part of this program.
    pub bridge: Bridge,
    /// The store of one-time passwords.
    pub credentials: Option<Rc<CredentialStore>>,
    /// Background jobs that were given one-time passwords, by id.
    pub given_jobs: RefCell<HashMap<String, GivenJob>>,
    /// The user pressed Ctrl-C.
    pub interrupt: Interrupt,
    /// `--start-at-task` has found its task in a batch before this one (or was not given).
    pub started: Cell<bool>,
    /// The user answered "continue" to `--step`.
    pub stepping: Cell<bool>,
    /// Lists of the service that tasks share.
    pub(in crate::executor) lists: SharedLists,
    selected: RefCell<foldhash::HashMap<*const Task, (Rc<Task>, bool)>>,
}

/// Why a host is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Out {
    /// A task failed.
    Failed,
    /// It could not be reached.
    Unreachable,
}

/// Inputs of a run.
pub struct Parts {
    /// Options from the command line.
    pub options: RunOptions,
    /// The door out.
    pub bus: Rc<Bus>,
    /// State shared by all templates.
    pub globals: Rc<Globals>,
    /// Reads files.
    pub loader: Rc<Loader>,
    /// The hosts and groups.
    pub inventory: Inventory,
    /// `-e`
    pub extra_vars: Rc<Dict>,
    /// The API of container registries for real runs, and in check mode.
    pub registries: (Rc<dyn Connector>, Rc<dyn Connector>),
    /// Files and commands, and in check mode.
    pub host_apis: (Box<dyn HostApi>, Box<dyn HostApi>),
    /// Records, or authorizes, what modules do to files.
    pub effects: Option<Rc<dyn EffectObserver>>,
    /// The store of one-time passwords.
    pub credentials: Option<Rc<CredentialStore>>,
}

impl RunState {
    /// A run that has not begun.
    pub fn new(parts: Parts) -> Rc<Self> {
        let started = parts.options.start_at.is_none();
        let stepping = parts.options.step;
        Rc::new(Self {
            bridge: Bridge::new(parts.options.python),
            options: parts.options,
            bus: parts.bus,
            globals: parts.globals,
            loader: parts.loader,
            inventory: RefCell::new(parts.inventory),
            extra_vars: parts.extra_vars,
            registries: parts.registries.0,
            predicting_registries: parts.registries.1,
            host_api: parts.host_apis.0,
            predicting_host_api: parts.host_apis.1,
            effects: parts.effects,
            hosts: RefCell::default(),
            failed: RefCell::default(),
            readmissions: Cell::default(),
            tally: RefCell::default(),
            records: RefCell::default(),
            predicted_jobs: RefCell::default(),
            credentials: parts.credentials,
            given_jobs: RefCell::default(),
            interrupt: Interrupt::default(),
            started: Cell::new(started),
            stepping: Cell::new(stepping),
            lists: SharedLists::default(),
            selected: RefCell::default(),
        })
    }

    /// Returns the state of a host.
    pub fn host_state(&self, name: &str) -> Rc<HostState> {
        if let Some(state) = self.hosts.borrow().get(name) {
            return Rc::clone(state);
        }
        let state = HostState::default();
        if let Some(cache) = &self.options.fact_cache {
            if self.options.flush_cache {
                cache.forget_facts(name);
            }
            *state.facts.borrow_mut() = Rc::new(cache.load_facts(name));
        }
        let state = Rc::new(state);
        self.hosts.borrow_mut().insert(Rc::from(name), Rc::clone(&state));
        state
    }

    /// Adds facts of a host, and keeps them for other runs if they are to be kept.
    pub fn add_facts(&self, host: &str, facts: &Dict) {
        let state = self.host_state(host);
        Rc::make_mut(&mut state.facts.borrow_mut()).extend(facts);
        if let Some(cache) = &self.options.fact_cache
            && let Err(why) = cache.save_facts(host, &state.facts.borrow())
        {
            self.bus.emit(&ReportEvent::Notice(Diagnostic::warning(why.to_string())));
        }
    }

    /// Forgets the facts of a host.
    pub fn clear_facts(&self, host: &str) {
        *self.host_state(host).facts.borrow_mut() = Rc::default();
        if let Some(cache) = &self.options.fact_cache {
            cache.forget_facts(host);
        }
    }

    /// Whether a host takes no part any more.
    pub fn is_out(&self, host: &str) -> bool {
        self.failed.borrow().contains_key(host)
    }

    /// Remembers whether a task is chosen by its tags; tags are templated once.
    pub fn remember_selected(&self, task: &Rc<Task>, decide: impl FnOnce() -> bool) -> bool {
        let key = Rc::as_ptr(task);
        if let Some((_, known)) = self.selected.borrow().get(&key) {
            return *known;
        }
        let selected = decide();
        // The task is kept alive with its answer, so that its address cannot come to mean another one.
        self.selected.borrow_mut().insert(key, (Rc::clone(task), selected));
        selected
    }
}
