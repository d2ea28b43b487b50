//! The variables that a task sees on a host: layers in order of precedence, walked on each look-up.
//!
//! Nothing is merged and nothing is copied: a scope is a list of shared mappings, the highest first, and a few names
//! that are made when somebody asks for them.

use std::cell::OnceCell;
use std::rc::Rc;

use indexmap::IndexSet;

use super::hostvars;
use super::play::PlayRun;
use super::state::{HostState, Run};
use crate::playbook::{Keyword, Role, Task};
use crate::template::Scope;
use crate::value::{Dict, Value};

/// The scope of a task on a host.
pub struct TaskScope {
    run: Rc<Run>,
    play: Option<Rc<PlayRun>>,
    task: Option<Rc<Task>>,
    host: Rc<str>,
    /// What is known of the host, as it is at each look.
    state: Rc<HostState>,
    /// Loop variables and the like; they beat everything.
    top: Vec<Rc<Dict>>,
    layers: Vec<Layer>,
    namespace: OnceCell<Value>,
    /// The host that the task is delegated to.
    delegate: Option<Rc<str>>,
}

/// A mapping among the variables. What tasks set is looked up where it is kept: a scope that held on to it would make
/// every change of it a copy of all of it.
enum Layer {
    Fixed(Rc<Dict>),
    Vars,
    Included,
    Facts,
}

impl TaskScope {
    /// The scope of a task (or of the play, or of the run) on a host.
    pub fn new(run: &Rc<Run>, play: Option<&Rc<PlayRun>>, task: Option<&Rc<Task>>, host: &Rc<str>) -> Self {
        Self {
            run: Rc::clone(run),
            play: play.cloned(),
            task: task.cloned(),
            host: Rc::clone(host),
            top: Vec::new(),
            state: run.host(host),
            layers: layers(run, play.map(Rc::as_ref), task.map(Rc::as_ref), host),
            namespace: OnceCell::new(),
            delegate: None,
        }
    }

    /// The task is delegated to this host, whose variables are there as `ansible_delegated_vars`.
    pub fn delegate(&mut self, host: Option<Rc<str>>) {
        self.delegate = host;
    }

    /// The same scope with more variables on top of everything.
    #[must_use]
    pub fn with(mut self, vars: Rc<Dict>) -> Self {
        self.top.insert(0, vars);
        self
    }

    /// Puts variables on top, in the place of those put there before.
    pub fn set_top(&mut self, vars: Vec<Rc<Dict>>) {
        self.top = vars;
    }

    /// Takes note of what the task itself has done to hosts, groups and facts in a pass of its loop.
    pub fn refresh(&mut self) {
        self.layers = layers(&self.run, self.play.as_deref(), self.task.as_deref(), &self.host);
        self.namespace = OnceCell::new();
    }

    /// Looks at the mapping of a layer.
    fn look<T>(&self, layer: &Layer, see: impl FnOnce(&Dict) -> T) -> T {
        match layer {
            Layer::Fixed(dict) => see(dict),
            Layer::Vars => see(&self.state.vars.borrow()),
            Layer::Included => see(&self.state.included.borrow()),
            Layer::Facts => see(&self.state.facts.borrow()),
        }
    }

    fn ansible_facts(&self) -> Value {
        self.namespace
            .get_or_init(|| {
                let strip = |key: &Value| match key.as_str() {
                    Some("ansible_local") | None => key.clone(),
                    Some(name) => Value::text(name.strip_prefix("ansible_").unwrap_or(name)),
                };
                let facts = self.state.facts.borrow();
                let dict: Dict = facts.iter().map(|(key, value)| (strip(key), value.clone())).collect();
                dict.into()
            })
            .clone()
    }

    fn magic(&self, name: &str) -> Option<Value> {
        let options = &self.run.options;
        let texts = |hosts: &mut dyn Iterator<Item = &Rc<str>>| Value::list(hosts.map(|h| Value::text(&**h)));
        let value = match name {
            "inventory_hostname" => Value::text(&*self.host),
            "inventory_hostname_short" => Value::text(self.host.split('.').next().unwrap_or(&self.host)),
            "ansible_facts" => self.ansible_facts(),
            "hostvars" => hostvars::all(&self.run, self.play.as_ref()),
            "vars" => hostvars::vars(self.variables()),
            "groups" => {
                let groups = self.run.inventory.borrow().groups();
                let named =
                    groups.iter().map(|(name, hosts)| (&**name, Value::list(hosts.iter().map(|h| Value::text(&**h)))));
                Value::dict(named)
            }
            "group_names" => {
                Value::list(self.run.inventory.borrow().group_names(&self.host).iter().map(|name| Value::text(&**name)))
            }
            "ansible_host" => {
                let target = self.delegate.as_ref()?;
                let own = TaskScope::new(&self.run, None, None, target).get(name);
                own.unwrap_or_else(|| Value::text(&**target))
            }
            "ansible_delegated_vars" => {
                let host = self.delegate.as_ref()?;
                Value::dict([(&**host, hostvars::delegated(&self.run, host, &self.host))])
            }
            "playbook_dir" => Value::text(absolute(&self.play.as_ref()?.play.folder)),
            "ansible_check_mode" => Value::Bool(options.check),
            "ansible_diff_mode" => Value::Bool(options.diff),
            "ansible_verbosity" => Value::Int(i64::from(options.verbosity)),
            "ansible_forks" => Value::from(options.forks),
            "ansible_run_tags" => Value::list(options.tags.only().iter().map(|t| Value::text(t.as_str()))),
            "ansible_skip_tags" => Value::list(options.tags.skip().iter().map(|t| Value::text(t.as_str()))),
            "ansible_limit" => Value::text(options.limit.as_deref()?),
            "ansible_config_file" => Value::from(options.config_file.clone()),
            "ansible_inventory_sources" => {
                if options.inventory_sources.is_empty() {
                    return None;
                }
                Value::list(options.inventory_sources.iter().map(|s| Value::text(s.as_str())))
            }
            "ansible_version" => version(),
            "ansible_playbook_python" => Value::text(""),
            "ansible_play_name" => Value::text(&*self.play.as_ref()?.name),
            "ansible_play_hosts" | "play_hosts" => {
                let play = self.play.as_ref()?;
                texts(&mut play.all_hosts.iter().filter(|host| self.takes_part(host)))
            }
            "ansible_play_hosts_all" => texts(&mut self.play.as_ref()?.all_hosts.iter()),
            "ansible_play_batch" => {
                let play = self.play.as_ref()?;
                texts(&mut play.batch.iter().filter(|host| self.takes_part(host)))
            }
            "role_names" | "ansible_play_role_names" | "ansible_dependent_role_names" | "ansible_role_names" => {
                role_names(self.play.as_ref()?, name)
            }
            "role_name" | "ansible_role_name" => Value::text(self.role()?.name.as_str()),
            "role_path" => Value::text(absolute(&self.role()?.path)),
            "role_uuid" => return None,
            "ansible_parent_role_names" | "ansible_parent_role_paths" => self.parents(name)?,
            "ansible_search_path" => {
                let play = self.play.as_ref()?;
                Value::list(play.search_path(self.task.as_deref()).iter().map(|p| Value::text(absolute(p))))
            }
            "environment" => Value::list(
                self.task.as_ref()?.keyword_all(Keyword::Environment).into_iter().map(crate::yaml::Node::to_value),
            ),
            "omit" => Value::Omit,
            _ => return None,
        };
        Some(value)
    }

    fn takes_part(&self, host: &Rc<str>) -> bool {
        let ended = self.play.as_ref().is_some_and(|play| play.ended_hosts.borrow().contains(host));
        !ended && !self.run.is_out(host)
    }

    fn role(&self) -> Option<&Rc<Role>> {
        self.task.as_ref()?.role()
    }

    fn parents(&self, name: &str) -> Option<Value> {
        let roles = self.task.as_ref()?.frame.roles();
        let parents = roles.get(1..).filter(|parents| !parents.is_empty())?;
        let paths = name.ends_with("paths");
        let shown = |role: &&Rc<Role>| Value::text(if paths { absolute(&role.path) } else { role.name.clone() });
        Some(Value::list(parents.iter().map(shown)))
    }

    /// All variables by name, the highest layer winning, for `vars` and the names of all variables.
    fn variables(&self) -> Dict {
        let mut all = Dict::new();
        for layer in self.layers.iter().rev() {
            self.look(layer, |layer| all.extend(layer));
        }
        self.top.iter().rev().for_each(|layer| all.extend(layer));
        for name in MAGIC {
            if let Some(value) = self.magic(name) {
                all.set(*name, value);
            }
        }
        all
    }
}

/// Magic names that are plain data and cheap to make.
const MAGIC: &[&str] = &[
    "ansible_check_mode",
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "environment",
    "group_names",
    "groups",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_path",
];

impl Scope for TaskScope {
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.top.iter().find_map(|layer| layer.get(name)) {
            return Some(value.clone());
        }
        if let Some(value) = self.magic(name) {
            return Some(value);
        }
        self.layers.iter().find_map(|layer| self.look(layer, |layer| layer.get(name).cloned()))
    }

    fn names(&self) -> Vec<String> {
        // From the lowest layer to the highest: a name stands where it came up first.
        let mut names: IndexSet<String> = IndexSet::new();
        let mut add = |layer: &Dict| names.extend(layer.keys().filter_map(|key| key.as_str().map(str::to_owned)));
        self.layers.iter().rev().for_each(|layer| self.look(layer, &mut add));
        self.top.iter().rev().for_each(|layer| add(layer));
        names.extend(MAGIC.iter().chain(&["hostvars", "vars"]).map(|name| (*name).to_owned()));
        names.into_iter().collect()
    }
}

/// The layers from highest to lowest, as the original's documentation and behaviour order them.
fn layers(run: &Run, play: Option<&PlayRun>, task: Option<&Task>, host: &Rc<str>) -> Vec<Layer> {
    let mut layers = Layers(Vec::new());
    layers.add([Rc::clone(&run.extra_vars)]);
    if let Some(task) = task {
        // Parameters of includes and roles, the innermost first; they beat registered variables.
        if task.action.short().starts_with("include_") {
            layers.add(task.vars.iter().cloned());
        }
        layers.add(task.frame.chain().filter_map(|frame| frame.params.clone()));
    }
    layers.0.extend([Layer::Vars, Layer::Included]);
    if let Some(task) = task {
        layers.add(task.vars.iter().cloned());
        layers.add(task.frame.chain().filter_map(|frame| frame.vars.clone()));
        layers.add(task.role().and_then(|role| role.entry_vars().cloned()));
        for role in own_roles(task) {
            layers.add([Rc::clone(&role.vars)]);
        }
    }
    if let Some(play) = play {
        for role in play.roles.borrow().iter().rev() {
            layers.add(role.with_dependencies().iter().rev().map(|role| Rc::clone(&role.vars)));
        }
        layers.add(play.files.borrow().get(host).cloned());
        layers.add([Rc::clone(&play.prompted)]);
        layers.add([Rc::clone(&play.play.vars)]);
    }
    layers.0.push(Layer::Facts);
    layers.add(inventory_layers(run, host));
    if let Some(task) = task {
        for role in own_roles(task) {
            layers.add([Rc::clone(&role.defaults)]);
        }
    }
    if let Some(play) = play {
        for role in play.roles.borrow().iter().rev() {
            layers.add(role.with_dependencies().iter().rev().map(|role| Rc::clone(&role.defaults)));
        }
    }
    layers.0
}

/// Layers in the making.
struct Layers(Vec<Layer>);

impl Layers {
    /// Adds mappings; those with nothing in them need no look.
    fn add(&mut self, dicts: impl IntoIterator<Item = Rc<Dict>>) {
        self.0.extend(dicts.into_iter().filter(|dict| !dict.is_empty()).map(Layer::Fixed));
    }
}

/// The variables that the inventory has for a host, the highest first. A file that cannot be read is a warning here;
/// the play has been told of it when it began.
fn inventory_layers(run: &Run, host: &str) -> Vec<Rc<Dict>> {
    match run.inventory.borrow().host_layers(host) {
        Ok(layers) => layers.iter().rev().map(|layer| Rc::clone(&layer.vars)).collect(),
        Err(warning) => {
            run.bus.emit(&crate::report::Event::Notice(warning));
            Vec::new()
        }
    }
}

/// The roles around a task, innermost first, each followed by what it depends on.
fn own_roles(task: &Task) -> Vec<Rc<Role>> {
    task.frame.roles().into_iter().flat_map(|role| role.with_dependencies().into_iter().rev()).collect()
}

fn role_names(play: &PlayRun, name: &str) -> Value {
    let mut names: Vec<&str> = Vec::new();
    let roles: Vec<Rc<Role>> = play.roles.borrow().iter().chain(play.included_roles.borrow().iter()).cloned().collect();
    let mut dependencies = Vec::new();
    for role in &roles {
        dependencies.extend(role.with_dependencies().into_iter().filter(|r| !Rc::ptr_eq(r, role)));
    }
    let chosen: Vec<&Rc<Role>> = match name {
        "role_names" | "ansible_play_role_names" => roles.iter().collect(),
        "ansible_dependent_role_names" => dependencies.iter().collect(),
        _ => roles.iter().chain(&dependencies).collect(),
    };
    for role in chosen {
        if !names.contains(&role.name.as_str()) {
            names.push(&role.name);
        }
    }
    Value::list(names.into_iter().map(Value::text))
}

/// A path as the original shows it: absolute, without `.` in it.
pub fn absolute(path: &std::path::Path) -> String {
    let path = if path.as_os_str().is_empty() { std::path::Path::new(".") } else { path };
    std::path::absolute(path).map_or_else(|_| path.display().to_string(), |path| path.display().to_string())
}

/// The language version that we follow; our own version would mislead playbooks that ask.
fn version() -> Value {
    Value::dict([
        ("full", Value::text("2.19.14")),
        ("major", Value::Int(2)),
        ("minor", Value::Int(19)),
        ("revision", Value::Int(14)),
        ("string", Value::text("2.19.14")),
    ])
}
