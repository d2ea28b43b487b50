//! What an inventory knows of a host: its variables in layers, its groups; and what the run adds.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::layer::{Addition, LayerKind, VariableLayer};
use super::load::Inventory;
use super::model::{ALL, GroupName, HostName, LOCALHOST};
use super::vars_files::VarsFileReader;
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};

impl Inventory {
    /// The variables of a host, lowest precedence first. Worked out once and shared until the inventory changes.
    ///
    /// # Errors
    /// If a file of `group_vars` or `host_vars` cannot be read or opened.
    pub fn host_layers(&self, host: &str) -> Result<Rc<[VariableLayer]>, Diagnostic> {
        if let Some(layers) = self.layers.borrow().get(host) {
            return Ok(Rc::clone(layers));
        }
        let layers: Rc<[VariableLayer]> = self.build_layers(host)?.into();
        self.layers.borrow_mut().insert(host.into(), Rc::clone(&layers));
        Ok(layers)
    }

    fn build_layers(&self, host: &str) -> Result<Vec<VariableLayer>, Diagnostic> {
        let model = self.model();
        let mut groups = model.groups_of(host);
        groups.retain(|name| **name != *ALL);
        let mut layers = Vec::new();
        for name in std::iter::once(ALL).chain(groups.iter().map(|name| &**name)) {
            push_layer(&mut layers, LayerKind::InventoryGroups, Rc::clone(&model.groups[name].vars));
        }
        for folder in self.vars_folders() {
            push_layer(&mut layers, LayerKind::GroupVarsAll, self.vars_file(folder, "group_vars", ALL)?);
        }
        // Every group of the inventories' folders comes before any of the playbook's.
        for place in [self.inventory_folders(), self.playbook_folder().map(Path::to_owned).as_slice()] {
            for group in &groups {
                for folder in place {
                    push_layer(&mut layers, LayerKind::GroupVars, self.vars_file(folder, "group_vars", group)?);
                }
            }
        }
        push_layer(&mut layers, LayerKind::InventoryHost, Rc::new(self.own_vars(host)));
        for folder in self.vars_folders() {
            push_layer(&mut layers, LayerKind::HostVars, self.vars_file(folder, "host_vars", host)?);
        }
        Ok(layers)
    }

    /// The variables of a host while sources are still being read: those of its groups and its own, with files of
    /// variables only if they are asked for.
    pub(super) fn vars_by_now(&self, host: &str, with_files: bool) -> Result<Dict, Diagnostic> {
        let model = self.model();
        let groups = model.groups_of(host);
        let mut vars = Dict::new();
        groups.iter().for_each(|name| vars.extend(&model.groups[name].vars));
        let folders = if with_files { self.inventory_folders() } else { &[] };
        for (folder, group) in groups.iter().flat_map(|group| folders.iter().map(move |folder| (folder, group))) {
            vars.extend(&*self.vars_file(folder, "group_vars", group)?);
        }
        vars.extend(&self.own_vars(host));
        for folder in folders {
            vars.extend(&*self.vars_file(folder, "host_vars", host)?);
        }
        Ok(vars)
    }

    fn own_vars(&self, host: &str) -> Dict {
        let Some(known) = self.model().hosts.get(host) else {
            if !LOCALHOST.contains(&host) {
                return Dict::new();
            }
            let mut vars = Dict::new();
            vars.set("ansible_connection", Value::text("local"));
            vars.set("ansible_host", Value::text("127.0.0.1"));
            if let Some(python) = crate::vars::facts::installed_python() {
                vars.set("ansible_python_interpreter", Value::text(python));
            }
            return vars;
        };
        let mut vars = Dict::new();
        let folder = |folder: &Path| Value::text(folder.display().to_string());
        if let Some(source) = &known.source {
            vars.set("inventory_file", Value::text(Arc::clone(&source.file)));
            // A list of names is in no folder, which Ansible shows as a word.
            vars.set("inventory_dir", source.folder.as_deref().map_or(Value::text("None"), folder));
        } else {
            vars.set("inventory_file", Value::Null);
            vars.set("inventory_dir", Value::Null);
        }
        vars.extend(&known.vars);
        vars
    }

    fn vars_folders(&self) -> impl Iterator<Item = &Path> {
        let inventories = self.inventory_folders().iter().map(AsRef::as_ref);
        inventories.chain(self.playbook_folder())
    }

    fn vars_file(&self, folder: &Path, kind: &'static str, name: &str) -> Result<Rc<Dict>, Diagnostic> {
        let key = (folder.to_owned(), kind, Arc::from(name));
        if let Some(vars) = self.files.borrow().get(&key) {
            return Ok(Rc::clone(vars));
        }
        let reader =
            VarsFileReader { secrets: self.secrets(), reads: &self.reads, merge_hashes: self.rules().merge_hashes };
        let vars = Rc::new(reader.load_vars(folder, kind, name)?);
        self.files.borrow_mut().insert(key, Rc::clone(&vars));
        Ok(vars)
    }

    /// All hosts, in order; an implicit `localhost` is not among them.
    pub fn all_hosts(&self) -> Vec<HostName> {
        self.model().hosts_of(ALL).into_iter().collect()
    }

    /// Whether a host is in the inventory.
    pub fn has_host(&self, host: &str) -> bool {
        self.model().hosts.contains_key(host)
    }

    /// Whether a group is there.
    pub fn has_group(&self, group: &str) -> bool {
        self.model().groups.contains_key(group)
    }

    /// The groups with their hosts, as the variable `groups` shows them.
    pub fn groups_with_hosts(&self) -> Value {
        let made = || {
            let model = self.model();
            let hosts = |group: &GroupName| Value::list(model.hosts_of(group).iter().map(|host| Value::text(&**host)));
            Value::dict(model.groups.keys().map(|group| (&**group, hosts(group))))
        };
        self.groups.borrow_mut().get_or_insert_with(made).clone()
    }

    /// The groups of a host by name, without `all`, as the variable `group_names` shows them.
    pub fn group_names(&self, host: &str) -> Vec<GroupName> {
        let mut names = self.model().groups_of(host);
        names.retain(|name| **name != *ALL);
        names.sort();
        names
    }

    /// Adds a host at run time, or more groups and variables to one that is there. Gives whether anything changed.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn add_host(&mut self, name: &str, groups: &[String], vars: &Dict) -> Result<bool, Diagnostic> {
        if name.trim().is_empty() {
            return Err(Diagnostic::error("a host needs a name"));
        }
        self.added.push(Addition::Host { name: name.to_owned(), groups: groups.to_vec(), vars: vars.clone() });
        let changed = self.put_host(name, groups, vars);
        self.settle_model();
        Ok(changed)
    }

    fn put_host(&mut self, name: &str, groups: &[String], vars: &Dict) -> bool {
        let model = self.model_mut();
        let mut changed = !model.hosts.contains_key(name);
        // A new one stands in `all` itself, before the hosts of the groups.
        let host = model.host_entry(name, changed.then_some(ALL), None);
        for (key, value) in vars.iter() {
            changed |= host.vars.insert(key.clone(), value.clone()).as_ref() != Some(value);
        }
        for group in groups {
            changed |= model.group_entry(group).hosts.insert(name.into());
        }
        changed
    }

    /// Puts a host into a group, which becomes a child of the parents (`all` if none are named). Gives whether
    /// anything changed.
    ///
    /// # Errors
    /// If the groups would be children of each other.
    pub fn group_by(&mut self, host: &str, group: &str, parents: &[String]) -> Result<bool, Diagnostic> {
        let changed = self.put_group(host, group, parents)?;
        let (host, group) = (host.to_owned(), group.to_owned());
        self.added.push(Addition::Group { host, group, parents: parents.to_vec() });
        self.settle_model();
        Ok(changed)
    }

    fn put_group(&mut self, host: &str, group: &str, parents: &[String]) -> Result<bool, Diagnostic> {
        let model = self.model_mut();
        let mut changed = !model.groups.contains_key(group);
        for parent in parents {
            let known = model.groups.get(&**parent).is_some_and(|parent| parent.children.contains(group));
            if !known {
                model.add_child(parent, group)?;
                changed = true;
            }
        }
        // The implicit host is in no group, but asking for it is not an error.
        changed |= model.hosts.contains_key(host) && model.group_entry(group).hosts.insert(host.into());
        model.group_entry(group);
        Ok(changed)
    }

    /// Adds what the run has added to sources that were read anew: first hosts, then groups of hosts that are still there.
    pub(super) fn add_again(&mut self) {
        let added = std::mem::take(&mut self.added);
        for addition in &added {
            if let Addition::Host { name, groups, vars } = addition {
                self.put_host(name, groups, vars);
            }
        }
        for addition in &added {
            if let Addition::Group { host, group, parents } = addition
                && self.has_host(host)
                && let Err(problem) = self.put_group(host, group, parents)
            {
                self.warn(problem);
            }
        }
        self.added = added;
    }
}

fn push_layer(layers: &mut Vec<VariableLayer>, kind: LayerKind, vars: Rc<Dict>) {
    if !vars.is_empty() {
        layers.push(VariableLayer { kind, vars });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("i/hosts", "[g]\nh own=1\n[g:vars]\nv=g\n[all:vars]\nv=all\n");
        for (place, sign) in [("i", "i"), ("p", "p")] {
            write(&format!("{place}/group_vars/all.yml"), &format!(r#"{{"v": "{sign}-all"}}"#));
            write(&format!("{place}/group_vars/g.yml"), &format!(r#"{{"v": "{sign}-g"}}"#));
            write(&format!("{place}/host_vars/h.yml"), &format!(r#"{{"v": "{sign}-h"}}"#));
        }
        let mut inventory =
            Inventory::load_sources(&[folder.path().join("i/hosts").display().to_string()], Rc::default());
        inventory.set_playbook_dir(&folder.path().join("p"));
        let shown = |host: &str| -> Vec<String> {
            let layers = inventory.host_layers(host).unwrap();
            layers.iter().filter_map(|layer| Some(layer.vars.get("v")?.as_str()?.to_owned())).collect()
        };
        assert_eq!(shown("h"), ["all", "g", "i-all", "p-all", "i-g", "p-g", "i-h", "p-h"]);
        assert_eq!(shown("localhost"), ["all", "i-all", "p-all"]);
        let layers = inventory.host_layers("h").unwrap();
        assert!(layers.is_sorted_by_key(|layer| layer.kind));
        assert!(Rc::ptr_eq(&layers, &inventory.host_layers("h").unwrap()));
        let own = layers.iter().find(|layer| layer.kind == LayerKind::InventoryHost).unwrap();
        assert_eq!(own.vars.get("inventory_dir"), Some(&Value::text(folder.path().join("i").display().to_string())));
    }

    #[test]
    fn additions_at_run_time() {
        let mut inventory = Inventory::empty();
        let vars: Dict = [(Value::text("x"), Value::Int(1))].into_iter().collect();
        assert!(inventory.add_host("new", &["g".to_owned()], &vars).unwrap());
        assert!(!inventory.add_host("new", &["g".to_owned()], &vars).unwrap());
        assert!(inventory.group_by("new", "k", &["p".to_owned()]).unwrap());
        assert!(!inventory.group_by("new", "k", &["p".to_owned()]).unwrap());
        assert!(inventory.group_by("new", "p", &["k".to_owned()]).is_err());
        assert_eq!(inventory.group_names("new").join(" "), "g k p");
        assert!(inventory.host_layers("new").unwrap().iter().any(|layer| layer.vars.contains("x")));
        inventory.refresh();
        assert!(inventory.has_host("new") && inventory.has_group("g"));
        assert_eq!(inventory.group_names("new").join(" "), "g k p");
    }
}
