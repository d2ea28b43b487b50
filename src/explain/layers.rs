//! The variables of a task by layers, each with a name for people, and a record of those that are looked up.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Evaluated, NumberedTask, task_name};
use crate::inventory::Inventory;
use crate::playbook::{Loader, Role, Task};
use crate::template::VariableScope;
use crate::value::{Dict, Value, python};

/// Inputs of a run besides the playbook.
pub struct RunInputs<'a> {
    /// Variables of the command line.
    pub extra_vars: Rc<Dict>,
    /// Inventory of the run.
    pub inventory: &'a Inventory,
    /// Reads files of variables.
    pub loader: &'a Loader,
    /// Host that the task is explained for.
    pub host: String,
    /// All tasks of the playbook.
    pub tasks: &'a [NumberedTask],
}

/// Variables of a task, the highest layer first. Looking a name up records it with its layer.
pub struct ExplainedLayers {
    layers: Vec<(String, Rc<Dict>)>,
    item: RefCell<Option<(String, Value)>>,
    seen: RefCell<BTreeMap<String, (String, Value)>>,
}

impl ExplainedLayers {
    /// Collects the layers in their order of precedence.
    pub fn collect(numbered: &NumberedTask, inputs: &RunInputs<'_>) -> Self {
        let (task, play) = (&numbered.task, &numbered.play);
        let mut layers: Vec<(String, Rc<Dict>)> = Vec::new();
        let mut add = |label: &str, dict: &Rc<Dict>| {
            if !dict.is_empty() {
                layers.push((label.to_owned(), Rc::clone(dict)));
            }
        };
        add("magic variables", &Rc::new(magic_variables(numbered, inputs)));
        add("extra variables (-e)", &inputs.extra_vars);
        let (of_includes, of_roles): (Vec<_>, Vec<_>) = task.frame.chain().partition(|frame| frame.is_include());
        of_includes
            .iter()
            .filter_map(|frame| frame.params.as_ref())
            .for_each(|params| add("parameters of the include", params));
        of_roles
            .iter()
            .filter_map(|frame| frame.params.as_ref())
            .for_each(|params| add("parameters of the role", params));
        add("results and facts of earlier tasks", &Rc::new(earlier_results(numbered, inputs.tasks)));
        task.vars.iter().for_each(|vars| add("vars of the task", vars));
        task.frame.chain().filter_map(|frame| frame.vars.as_ref()).for_each(|vars| add("vars of a block", vars));
        task.role().and_then(|role| role.entry_vars()).into_iter().for_each(|vars| add("vars of the role entry", vars));
        let roles = own_roles(task);
        roles.iter().for_each(|role| add(&format!("vars of the role {}", role.name), &role.vars));
        let public: Vec<&Rc<Role>> = play.roles.iter().rev().filter(|role| role.public).collect();
        public.iter().for_each(|role| add(&format!("vars of the role {}", role.name), &role.vars));
        for (name, vars) in files_of_variables(numbered, inputs) {
            add(&format!("vars_files ({name})"), &vars);
        }
        add("vars_prompt", &Rc::new(prompted(numbered)));
        add("vars of the play", &play.vars);
        if let Ok(found) = inputs.inventory.host_layers(&inputs.host) {
            found.iter().rev().for_each(|layer| {
                add(&format!("inventory ({})", describe_kind(&format!("{:?}", layer.kind))), &layer.vars)
            });
        }
        roles.iter().for_each(|role| add(&format!("defaults of the role {}", role.name), &role.defaults));
        public.iter().for_each(|role| add(&format!("defaults of the role {}", role.name), &role.defaults));
        Self { layers, item: RefCell::default(), seen: RefCell::default() }
    }

    /// Sets the loop variable: the first item of a list that is known.
    pub(super) fn set_loop_item(&self, items: &Evaluated) {
        let first = match items {
            Evaluated::Known(Value::List(items)) => items.first().cloned(),
            _ => None,
        };
        let label = if first.is_some() { "loop, the first item" } else { "loop" };
        let value = first.unwrap_or_else(|| Value::unknown("the loop begins"));
        *self.item.borrow_mut() = Some((label.to_owned(), value));
    }

    /// Takes the variables that were looked up.
    pub(super) fn take_seen(&self) -> BTreeMap<String, (String, Value)> {
        self.seen.take()
    }
}

impl VariableScope for ExplainedLayers {
    fn get(&self, name: &str) -> Option<Value> {
        let of_loop = self.item.borrow().clone().filter(|_| name == "item");
        let of_layers = || {
            let found = self.layers.iter().find_map(|(label, dict)| Some((label.clone(), dict.get(name)?.clone())));
            // Facts are gathered when the play begins.
            found.or_else(|| {
                let is_fact = name.starts_with("ansible_");
                is_fact.then(|| ("facts of the host".to_owned(), Value::unknown("facts are gathered")))
            })
        };
        let (label, value) = of_loop.or_else(of_layers)?;
        self.seen.borrow_mut().insert(name.to_owned(), (label, value.clone()));
        Some(value)
    }

    fn variable_names(&self) -> Vec<String> {
        let keys = self.layers.iter().flat_map(|(_, dict)| dict.keys());
        keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }
}

/// The names that earlier tasks set, all of them unknown.
fn earlier_results(numbered: &NumberedTask, tasks: &[NumberedTask]) -> Dict {
    let mut found = Dict::new();
    for earlier in tasks.iter().filter(|earlier| earlier.number < numbered.number) {
        let awaits = format!("the result of the task `{}`", task_name(&earlier.task));
        if let Some(name) = &earlier.task.register {
            found.set(&**name, Value::unknown(awaits.clone()));
        }
        if earlier.task.action.short_name() == "set_fact" {
            for name in earlier.task.args.values.keys().filter_map(Value::as_str).filter(|name| *name != "cacheable") {
                found.set(name, Value::unknown(awaits.clone()));
            }
        }
    }
    found
}

/// The roles around a task, innermost first, each followed by what it depends on.
fn own_roles(task: &Task) -> Vec<Rc<Role>> {
    task.frame.roles().into_iter().flat_map(|role| role.with_dependencies().into_iter().rev()).collect()
}

/// Files of `vars_files` whose names are written out; of several candidates the first that is there.
fn files_of_variables(numbered: &NumberedTask, inputs: &RunInputs<'_>) -> Vec<(String, Rc<Dict>)> {
    let Some(files) = &numbered.play.vars_files else { return Vec::new() };
    let entries = match files {
        Value::List(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let mut found = Vec::new();
    for entry in entries.iter().rev() {
        let candidates = match entry {
            Value::List(items) => items.to_vec(),
            other => vec![other.clone()],
        };
        let names = candidates.iter().map(python::str).collect::<Vec<_>>();
        let paths = names.iter().flat_map(|name| {
            [numbered.play.folder.join("vars").join(name), numbered.play.folder.join(name)]
                .map(|path| (name.clone(), path))
        });
        let Some((name, path)) = paths.into_iter().find(|(_, path)| path.is_file()) else { continue };
        if let Ok(Some(node)) = inputs.loader.read_yaml(&path)
            && let Value::Dict(vars) = node.to_value()
        {
            found.push((name, Rc::new((*vars).clone())));
        }
    }
    found
}

/// The variables that the play asks for.
fn prompted(numbered: &NumberedTask) -> Dict {
    let questions = numbered.play.vars_prompt.as_ref().and_then(|node| node.items()).unwrap_or_default();
    let names = questions.iter().filter_map(|question| question.get("name")?.as_str());
    names.map(|name| (Value::text(name), Value::unknown("the play has asked for it"))).collect()
}

fn magic_variables(numbered: &NumberedTask, inputs: &RunInputs<'_>) -> Dict {
    let mut found = Dict::new();
    found.set("inventory_hostname", Value::text(inputs.host.as_str()));
    let short = inputs.host.split('.').next().unwrap_or_default();
    found.set("inventory_hostname_short", Value::text(short));
    found.set("playbook_dir", Value::text(numbered.play.folder.display().to_string()));
    found.set("ansible_check_mode", Value::Bool(false));
    found.set("ansible_diff_mode", Value::Bool(false));
    found.set("groups", inputs.inventory.groups_with_hosts());
    let names = inputs.inventory.group_names(&inputs.host);
    found.set("group_names", Value::list(names.iter().map(|name| Value::text(name.to_string()))));
    if let Some(role) = numbered.task.role() {
        found.set("role_name", Value::text(role.name.as_str()));
        found.set("role_path", Value::text(role.path.display().to_string()));
    }
    for name in ["ansible_facts", "hostvars", "play_hosts", "environment"] {
        found.set(name, Value::unknown("the play runs"));
    }
    found
}

/// The name of a layer of the inventory: `GroupVarsAll` becomes `group vars all`.
fn describe_kind(kind: &str) -> String {
    let mut text = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
