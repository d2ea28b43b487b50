//! The variables that a task sees on a host: layers in order of precedence, walked on each look-up.
//!
//! Nothing is merged and nothing is copied: a scope is a list of shared mappings, the highest first, and a few names
//! that are made when somebody asks for them.

use std::cell::OnceCell;
use std::rc::Rc;

use indexmap::IndexSet;

use super::hostvars;
use super::magic::{CONNECTION, MAGIC};
use crate::executor::play::PlayRun;
use crate::executor::state::{HostState, RunState};
use crate::playbook::{Role, Task};
use crate::template::VariableScope;
use crate::value::{Dict, Value};

/// The scope of a task on a host.
pub struct TaskScope {
    pub(in crate::executor) run: Rc<RunState>,
    pub(in crate::executor) play: Option<Rc<PlayRun>>,
    pub(in crate::executor) task: Option<Rc<Task>>,
    pub(in crate::executor) host: Rc<str>,
    /// State of the host, read at each access.
    pub(in crate::executor) state: Rc<HostState>,
    /// Loop variables and the like; they beat everything.
    top: Vec<Rc<Dict>>,
    layers: Vec<Layer>,
    pub(in crate::executor) namespace: OnceCell<Value>,
    /// The host that the task is delegated to.
    pub(in crate::executor) delegate: Option<Rc<str>>,
    /// The task's loop list is made, so that it is settled how its host is reached.
    pub(in crate::executor) reached: bool,
}

/// A mapping among the variables. Variables that tasks set are looked up in place: if a scope shared them, every change would
/// copy them all.
enum Layer {
    Fixed(Rc<Dict>),
    Vars,
    Included,
    Facts,
}

/// Represents no host: the name of a play, its hosts, and the names of its handlers are the same for all hosts.
pub const NO_HOST: &str = "";

impl TaskScope {
    /// The scope of a play, and of a handler's name in it: nothing in it belongs to a host.
    pub fn of_play(run: &Rc<RunState>, play: &Rc<PlayRun>, task: Option<&Rc<Task>>) -> Self {
        Self::new(run, Some(play), task, &Rc::from(NO_HOST))
    }

    /// The scope of a task (or of the play, or of the run) on a host.
    pub fn new(run: &Rc<RunState>, play: Option<&Rc<PlayRun>>, task: Option<&Rc<Task>>, host: &Rc<str>) -> Self {
        Self {
            run: Rc::clone(run),
            play: play.cloned(),
            task: task.cloned(),
            host: Rc::clone(host),
            top: Vec::new(),
            state: run.host_state(host),
            layers: build_layers(run, play.map(Rc::as_ref), task.map(Rc::as_ref), host),
            namespace: OnceCell::new(),
            delegate: None,
            reached: false,
        }
    }

    /// From here on there are variables of how the host is reached. If the task is delegated to another one, its
    /// variables are there as `ansible_delegated_vars`.
    pub fn set_connection_target(&mut self, delegate: Option<Rc<str>>) {
        self.delegate = delegate;
        self.reached = true;
    }

    /// The same scope with more variables on top of everything.
    #[must_use]
    pub fn with_vars(mut self, vars: Rc<Dict>) -> Self {
        self.top.insert(0, vars);
        self
    }

    /// Puts variables on top, in the place of those put there before.
    pub fn set_top(&mut self, vars: Vec<Rc<Dict>>) {
        self.top = vars;
    }

    /// Records changes of the task to hosts, groups and facts in an item of its loop.
    pub fn refresh_layers(&mut self) {
        self.layers = build_layers(&self.run, self.play.as_deref(), self.task.as_deref(), &self.host);
        self.namespace = OnceCell::new();
    }

    /// Looks a name up in the variable layers above the facts.
    pub(in crate::executor) fn find_above_facts(&self, name: &str) -> Option<Value> {
        let above = self.layers.iter().take_while(|layer| !matches!(layer, Layer::Facts));
        above.map(|layer| self.read_layer(layer, |layer| layer.get(name).cloned())).find_map(|value| value)
    }

    /// The value of an included variable; unknown where a dry run could not read a file. How a host is reached is not
    /// taken for a variable of such a file.
    fn find_included(&self, name: &str) -> Option<Value> {
        match self.state.unread_variables.borrow().as_deref() {
            Some(awaits) if !name.starts_with("ansible_") => Some(Value::unknown(awaits)),
            _ => self.state.included.borrow().get(name).cloned(),
        }
    }

    /// Looks at the mapping of a layer.
    fn read_layer<T>(&self, layer: &Layer, see: impl FnOnce(&Dict) -> T) -> T {
        match layer {
            Layer::Fixed(dict) => see(dict),
            Layer::Vars => see(&self.state.vars.borrow()),
            Layer::Included => see(&self.state.included.borrow()),
            Layer::Facts if self.run.options.facts_apart => see(&local_facts(&self.state)),
            Layer::Facts => see(&self.state.facts.borrow()),
        }
    }

    /// All variables by name, the highest layer winning, for `vars` and the names of all variables.
    pub(in crate::executor) fn merge_variables(&self) -> Dict {
        let mut all = Dict::new();
        for layer in self.layers.iter().rev() {
            self.read_layer(layer, |layer| all.add(layer, self.run.options.merge_hashes));
        }
        self.top.iter().rev().for_each(|layer| all.extend(layer));
        for name in MAGIC {
            if let Some(value) = self.find_magic_variable(name) {
                all.set(*name, value);
            }
        }
        all.set("hostvars", hostvars::build_hostvars(&self.run));
        all
    }
}

impl VariableScope for TaskScope {
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.top.iter().find_map(|layer| layer.get(name)) {
            return Some(value.clone());
        }
        if let Some(value) = self.find_magic_variable(name) {
            return Some(value);
        }
        let mut values = self.layers.iter().filter_map(|layer| match layer {
            Layer::Included => self.find_included(name),
            _ => self.read_layer(layer, |layer| layer.get(name).cloned()),
        });
        let found = values.next();
        let found = if self.run.options.merge_hashes { merge_mappings(found, values) } else { found };
        found.or_else(|| self.find_connection_variable(name))
    }

    fn variable_names(&self) -> Vec<String> {
        // From the lowest layer to the highest: a name stands where it came up first.
        let mut names: IndexSet<String> = IndexSet::new();
        let mut add = |layer: &Dict| names.extend(layer.keys().filter_map(|key| key.as_str().map(str::to_owned)));
        self.layers.iter().rev().for_each(|layer| self.read_layer(layer, &mut add));
        self.top.iter().rev().for_each(|layer| add(layer));
        names.extend(MAGIC.iter().chain(&["hostvars", "vars", "omit"]).map(|name| (*name).to_owned()));
        names.extend(
            CONNECTION
                .iter()
                .filter(|name| self.find_connection_variable(name).is_some())
                .map(|name| (*name).to_owned()),
        );
        names.into_iter().collect()
    }
}

/// The layers from highest to lowest precedence, in Ansible's order.
fn build_layers(run: &RunState, play: Option<&PlayRun>, task: Option<&Task>, host: &Rc<str>) -> Vec<Layer> {
    let mut layers = Layers(Vec::new());
    layers.add([Rc::clone(&run.extra_vars)]);
    if let Some(task) = task {
        // Parameters of includes, then of roles, the innermost first; they beat registered variables.
        if task.action.short_name().starts_with("include_") {
            layers.add(task.vars.iter().cloned());
        }
        let (of_includes, of_roles): (Vec<_>, Vec<_>) = task.frame.chain().partition(|frame| frame.is_include());
        layers.add(of_includes.into_iter().chain(of_roles).filter_map(|frame| frame.params.clone()));
    }
    let hostless = &**host == NO_HOST;
    if !hostless {
        layers.0.extend([Layer::Vars, Layer::Included]);
    }
    if let Some(task) = task {
        layers.add(task.vars.iter().cloned());
        layers.add(task.frame.chain().filter_map(|frame| frame.vars.clone()));
        layers.add(task.role().and_then(|role| role.entry_vars().cloned()));
        for role in own_roles(task) {
            layers.add([Rc::clone(&role.vars)]);
        }
        for role in task.frame.chain().filter_map(|frame| frame.needed_by.as_ref()) {
            layers.add(std::iter::once(&role.vars).chain(role.entry_vars()).cloned());
        }
    }
    if let Some(play) = play {
        layers.add(role_layers(run, play, RoleFile::Vars));
        layers.add(play.files.borrow().get(host).cloned());
        layers.add([Rc::clone(&play.prompted)]);
        layers.add([Rc::clone(&play.play.vars)]);
    }
    if !hostless {
        layers.0.push(Layer::Facts);
        layers.add(inventory_layers(run, host));
    }
    if let Some(task) = task {
        for role in own_roles(task) {
            layers.add([Rc::clone(&role.defaults)]);
        }
    }
    if let Some(play) = play {
        layers.add(role_layers(run, play, RoleFile::Defaults));
    }
    layers.0
}

/// A file of a role with variables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RoleFile {
    Vars,
    Defaults,
}

/// Returns the variables of the roles that the whole play sees, the highest first: one mapping, unless mappings of the same
/// name are merged over all layers.
fn role_layers(run: &RunState, play: &PlayRun, file: RoleFile) -> Vec<Rc<Dict>> {
    if !run.options.merge_hashes {
        let (vars, defaults) = play.merge_role_layers();
        return vec![if file == RoleFile::Vars { vars } else { defaults }];
    }
    let roles = play.roles.borrow();
    let roles = roles.iter().rev().filter(|role| role.public);
    let all = roles.flat_map(|role| role.with_dependencies().into_iter().rev());
    all.map(|role| Rc::clone(if file == RoleFile::Vars { &role.vars } else { &role.defaults })).collect()
}

/// Merges a mapping with the mappings of the same name in lower layers.
fn merge_mappings(highest: Option<Value>, lower: impl Iterator<Item = Value>) -> Option<Value> {
    let Some(Value::Dict(first)) = highest else { return highest };
    let mut layers = vec![first];
    for value in lower {
        let Value::Dict(dict) = value else { break };
        layers.push(dict);
    }
    let mut all = Dict::new();
    layers.iter().rev().for_each(|layer| all.merge(layer));
    Some(all.into())
}

/// Returns the facts that are variables even where facts are not injected.
fn local_facts(state: &HostState) -> Dict {
    let local = state.facts.borrow().get("ansible_local").cloned();
    [(Value::text("ansible_local"), local.unwrap_or_else(|| Dict::new().into()))].into_iter().collect()
}

/// Layers in the making.
struct Layers(Vec<Layer>);

impl Layers {
    /// Adds mappings; those with nothing in them need no look.
    fn add(&mut self, dicts: impl IntoIterator<Item = Rc<Dict>>) {
        self.0.extend(dicts.into_iter().filter(|dict| !dict.is_empty()).map(Layer::Fixed));
    }
}

/// Returns the inventory variables of a host, highest precedence first. An unreadable file is a warning here; the start of
/// the play has already reported it.
fn inventory_layers(run: &RunState, host: &str) -> Vec<Rc<Dict>> {
    match run.inventory.borrow().host_layers(host) {
        Ok(layers) => layers.iter().rev().map(|layer| Rc::clone(&layer.vars)).collect(),
        Err(warning) => {
            run.bus.emit(&crate::report::ReportEvent::Notice(warning));
            Vec::new()
        }
    }
}

/// Returns the roles around a task, innermost first, each followed by its dependencies.
fn own_roles(task: &Task) -> Vec<Rc<Role>> {
    task.frame.roles().into_iter().flat_map(|role| role.with_dependencies().into_iter().rev()).collect()
}
