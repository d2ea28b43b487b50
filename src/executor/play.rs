//! A play while it runs: its hosts, its handlers, what they were notified of.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use indexmap::IndexSet;

use super::handler_index::HandlerIndex;
use super::variables::host_lists::HostLists;
use super::variables::role_layers::RoleLayers;
use crate::playbook::{BlockItem, Play, Role, Task, block};
use crate::value::Dict;

/// A batch of a play.
pub struct PlayRun {
    /// The play.
    pub play: Rc<Play>,
    /// Name of the play, templated.
    pub name: Rc<str>,
    /// The hosts of the batch in their order of running.
    pub batch: Vec<Rc<str>>,
    /// All hosts of the play, in the order of the inventory.
    pub all_hosts: Vec<Rc<str>>,
    /// Variables from `vars_prompt`.
    pub prompted: Rc<Dict>,
    /// More failed hosts than this share end the play (`max_fail_percentage`).
    pub max_failed: Option<f64>,
    /// Variables from `vars_files`, by host.
    pub files: RefCell<HashMap<Rc<str>, Rc<Dict>>>,
    /// The roles whose variables the whole play sees.
    pub roles: RefCell<Vec<Rc<Role>>>,
    /// Roles that were included for themselves alone; only their names are seen by the play.
    pub included_roles: RefCell<Vec<Rc<Role>>>,
    /// Handlers in the order of definition, each with the number of the list it came from; blocks are flattened.
    pub handlers: RefCell<Vec<(u32, Rc<Task>)>>,
    /// Finds handlers by name.
    pub(super) handler_index: RefCell<HandlerIndex>,
    /// The names and topics that were notified since the last flush, by host.
    pub notifications: RefCell<HashMap<Rc<str>, IndexSet<String>>>,
    /// Which hosts a handler is to run for in the flush that is going on, by the handler's address.
    pub notified: RefCell<HashMap<*const Task, HashSet<Rc<str>>>>,
    /// Reasons that must be known before a handler is certain to be notified for a host, or a task in a `rescue` is reached
    /// (check mode only).
    pub doubtful_tasks: RefCell<HashMap<*const Task, HashMap<Rc<str>, String>>>,
    /// Hosts that left the play without failing.
    pub ended_hosts: RefCell<HashSet<Rc<str>>>,
    /// Hosts that failed with another one: they may go on, but are not counted among the play's hosts any more.
    pub removed_hosts: RefCell<HashSet<Rc<str>>>,
    /// Hosts that have come to the task of `--start-at-task`: each goes there by itself.
    pub started_hosts: RefCell<HashSet<Rc<str>>>,
    /// The play is over for everybody (`meta: end_play`, `end_batch`, a fatal error).
    pub ended: Cell<Option<PlayEnd>>,
    /// Notified handlers run on hosts that failed, too.
    pub force_handlers: bool,
    /// Tasks with a templated action, resolved; by the address of the task and the action.
    pub(super) named: RefCell<HashMap<(*const Task, String), Rc<Task>>>,
    /// The magic variables that list hosts.
    pub(super) host_lists: HostLists,
    /// Variables of the roles, merged.
    pub(super) role_layers: RoleLayers,
    included: Cell<u32>,
    pub(super) include_cache: RefCell<HashMap<String, (u32, Rc<block::TaskBlock>)>>,
}

/// Why a play is over before its last task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayEnd {
    /// `meta: end_batch`
    Batch,
    /// `meta: end_play`
    Play,
    /// A failure that counts for all hosts.
    Fatal,
}

impl PlayRun {
    /// A task may be run for a host, or may not.
    pub fn mark_task_uncertain(&self, task: &Rc<Task>, host: &Rc<str>, awaits: &str) {
        let mut doubtful = self.doubtful_tasks.borrow_mut();
        doubtful.entry(Rc::as_ptr(task)).or_default().insert(Rc::clone(host), awaits.to_owned());
    }

    /// A batch that has not begun.
    pub fn new(
        play: &Rc<Play>,
        name: &str,
        batch: Vec<Rc<str>>,
        all_hosts: Vec<Rc<str>>,
        force_handlers: bool,
    ) -> Self {
        let run = Self {
            play: Rc::clone(play),
            name: Rc::from(name),
            batch,
            all_hosts,
            prompted: Rc::default(),
            max_failed: None,
            files: RefCell::default(),
            roles: RefCell::new(play.roles.clone()),
            included_roles: RefCell::default(),
            handlers: RefCell::default(),
            handler_index: RefCell::default(),
            notifications: RefCell::default(),
            notified: RefCell::default(),
            doubtful_tasks: RefCell::default(),
            ended_hosts: RefCell::default(),
            removed_hosts: RefCell::default(),
            started_hosts: RefCell::default(),
            ended: Cell::new(None),
            force_handlers,
            named: RefCell::default(),
            host_lists: HostLists::default(),
            role_layers: RoleLayers::default(),
            included: Cell::new(0),
            include_cache: RefCell::default(),
        };
        for list in &play.handlers {
            run.add_handlers(list);
        }
        run
    }

    /// Adds a list of handlers, of the play or of a role.
    pub fn add_handlers(&self, items: &[BlockItem]) {
        let mut handlers = self.handlers.borrow_mut();
        let group = handlers.last().map_or(0, |(group, _)| group + 1);
        block::visit_tasks(items, &mut |task| handlers.push((group, Rc::clone(task))));
    }

    /// A number for an included list; lists get growing numbers.
    pub fn next_include(&self) -> u32 {
        self.included.set(self.included.get() + 1);
        self.included.get()
    }

    /// Folders for relative names of a task, nearest first.
    pub fn search_path(&self, task: Option<&Task>) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut add = |folder: PathBuf| {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        };
        if let Some(task) = task {
            // A role finds the files of those that need it, too.
            for role in task.frame.chain().flat_map(|frame| [&frame.role, &frame.needed_by]).flatten() {
                add(role.path.clone());
            }
            for frame in task.frame.chain() {
                if let Some(folder) = &frame.folder {
                    add(folder.to_path_buf());
                }
            }
        }
        add(self.play.folder.to_path_buf());
        folders
    }
}
