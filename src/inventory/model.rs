//! Hosts and groups, and how they hang together.

use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::names::GroupNames;
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};

/// The name of a host.
pub type HostName = Arc<str>;

/// The name of a group.
pub type GroupName = Arc<str>;

/// The group of all hosts.
pub const ALL: &str = "all";

/// The group of hosts that are in no other.
pub const UNGROUPED: &str = "ungrouped";

/// The names by which this machine is known.
pub const LOCALHOST: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// A host as the inventory files describe it.
#[derive(Debug, Clone, Default)]
pub struct HostEntry {
    /// Variables from its lines and from `add_host`.
    pub vars: Dict,
    /// The source that named it first; none for hosts added at run time.
    pub source: Option<Origin>,
}

/// A source as hosts see it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// `inventory_file`
    pub file: Arc<str>,
    /// `inventory_dir`; none for a list of names.
    pub folder: Option<PathBuf>,
}

/// A group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Variables from the inventory files, shared by all hosts of the group.
    pub vars: Rc<Dict>,
    /// Direct hosts, in order.
    pub hosts: IndexSet<HostName>,
    /// Child groups, in order.
    pub children: IndexSet<GroupName>,
    /// `ansible_group_priority`
    pub priority: i64,
}

/// All hosts and groups. `all` and `ungrouped` are always there.
#[derive(Debug, Clone)]
pub struct Model {
    /// By name, in the order they were named.
    pub hosts: IndexMap<HostName, HostEntry>,
    /// By name, in the order they were named.
    pub groups: IndexMap<GroupName, Group>,
    /// Policy for names that are not valid variable names.
    pub names: GroupNames,
    /// Mappings that several sources have for a variable are merged.
    pub merge_hashes: bool,
}

impl Default for Model {
    fn default() -> Self {
        let mut model =
            Self { hosts: IndexMap::new(), groups: IndexMap::new(), names: GroupNames::default(), merge_hashes: false };
        model.group_entry(UNGROUPED);
        model.group_entry(ALL).children.insert(UNGROUPED.into());
        model.groups.move_index(1, 0);
        model
    }
}

impl Model {
    /// A group, made if it is not there.
    pub fn group_entry(&mut self, name: &str) -> &mut Group {
        let name = &*self.names.safe_name(name);
        if !self.groups.contains_key(name) {
            self.groups.insert(name.into(), Group { priority: 1, ..Group::default() });
        }
        self.groups.get_mut(name).expect("it was made just now")
    }

    /// A host, made if it is not there, and put into a group (or into none beyond `all` yet).
    pub fn host_entry(&mut self, name: &str, group: Option<&str>, source: Option<&Origin>) -> &mut HostEntry {
        if let Some(group) = group {
            self.group_entry(group).hosts.insert(name.into());
        }
        self.hosts.entry(name.into()).or_insert_with(|| HostEntry { source: source.cloned(), ..HostEntry::default() })
    }

    /// Sets variables of a host that is there.
    pub fn set_host_vars(&mut self, host: &str, vars: &Dict) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.vars.add(vars, self.merge_hashes);
        }
    }

    /// Makes a group the child of another.
    ///
    /// # Errors
    /// With one sentence, if that would make a circle.
    pub fn add_child(&mut self, parent: &str, child: &str) -> Result<(), Diagnostic> {
        let (parent, child) = (&*self.names.safe_name(parent), &*self.names.safe_name(child));
        if parent == child {
            return Err(Diagnostic::error(format!("the group `{child}` cannot be a child of itself")));
        }
        self.group_entry(child);
        self.group_entry(parent);
        if self.group_and_descendants(child).any(|name| **name == *parent) {
            return Err(Diagnostic::error(format!(
                "the groups `{parent}` and `{child}` would be children of each other"
            )));
        }
        self.group_entry(parent).children.insert(child.into());
        Ok(())
    }

    /// Sets a variable of a group.
    pub fn set_group_var(&mut self, group: &str, key: Value, value: Value) {
        let merge = self.merge_hashes;
        let group = self.group_entry(group);
        if key.as_str() == Some("ansible_group_priority") {
            let number = value.as_int().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
            group.priority = number.unwrap_or(group.priority);
        } else {
            Rc::make_mut(&mut group.vars).add(&[(key, value)].into_iter().collect(), merge);
        }
    }

    /// A group and all below it, nearer ones first.
    pub fn group_and_descendants(&self, group: &str) -> impl Iterator<Item = &GroupName> {
        let mut order: IndexSet<&GroupName> =
            self.groups.get_key_value(group).map(|(name, _)| name).into_iter().collect();
        let mut next = 0;
        while let Some(name) = order.get_index(next) {
            order.extend(self.groups[*name].children.iter());
            next += 1;
        }
        order.into_iter()
    }

    /// The hosts of a group and of all groups below it.
    pub fn hosts_of(&self, group: &str) -> IndexSet<HostName> {
        self.group_and_descendants(group).flat_map(|name| self.groups[name].hosts.iter().cloned()).collect()
    }

    /// The groups of a host, `all` and inherited ones included; parents before children, then by priority and name,
    /// which is the order in which their variables override each other.
    pub fn groups_of(&self, host: &str) -> Vec<GroupName> {
        let mut found: IndexSet<&GroupName> =
            self.groups.iter().filter(|(_, group)| group.hosts.contains(host)).map(|(name, _)| name).collect();
        let mut next = 0;
        while let Some(name) = found.get_index(next).copied() {
            found.extend(self.groups.iter().filter(|(_, group)| group.children.contains(name)).map(|(name, _)| name));
            next += 1;
        }
        if self.hosts.contains_key(host) {
            found.extend(self.groups.get_key_value(ALL).map(|(name, _)| name));
        }
        let mut sorted: Vec<(usize, i64, &GroupName)> =
            found.into_iter().map(|name| (self.depth_below_all(name, 0), self.groups[name].priority, name)).collect();
        sorted.sort();
        sorted.into_iter().map(|(.., name)| Arc::clone(name)).collect()
    }

    /// How many steps a group is below `all`, by the longest way.
    fn depth_below_all(&self, group: &str, guard: usize) -> usize {
        if group == ALL || guard > self.groups.len() {
            return 0;
        }
        let parents = self.groups.iter().filter(|(_, parent)| parent.children.contains(group));
        1 + parents.map(|(name, _)| self.depth_below_all(name, guard + 1)).max().unwrap_or(0)
    }

    /// Puts everything in order after reading: groups without a parent under `all`, hosts without a group into
    /// `ungrouped`, and no others there. Gives the names that are both a host and a group.
    pub fn settle_groups(&mut self) -> Vec<HostName> {
        let children: HashSet<GroupName> =
            self.groups.values().flat_map(|group| group.children.iter().cloned()).collect();
        let orphans: Vec<GroupName> =
            self.groups.keys().filter(|name| ***name != *ALL && !children.contains(*name)).cloned().collect();
        self.group_entry(ALL).children.extend(orphans);
        let grouped: HashSet<HostName> = self
            .groups
            .iter()
            .filter(|(name, _)| ***name != *ALL && ***name != *UNGROUPED)
            .flat_map(|(_, group)| group.hosts.iter().cloned())
            .collect();
        let loose: Vec<HostName> = self.hosts.keys().filter(|name| !grouped.contains(*name)).cloned().collect();
        let ungrouped = self.group_entry(UNGROUPED);
        ungrouped.hosts.retain(|name| !grouped.contains(name));
        ungrouped.hosts.extend(loose);
        self.hosts.keys().filter(|name| self.groups.contains_key(*name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_by_depth_priority_and_name() {
        let mut model = Model::default();
        model.add_child("top", "b").unwrap();
        model.add_child("top", "a").unwrap();
        model.host_entry("h", Some("a"), None);
        model.host_entry("h", Some("b"), None);
        model.host_entry("h", Some("zed"), None);
        model.settle_groups();
        let names = |model: &Model| model.groups_of("h").join(" ");
        assert_eq!(names(&model), "all top zed a b");
        model.set_group_var("a", Value::text("ansible_group_priority"), Value::Int(10));
        assert_eq!(names(&model), "all top zed b a");
        assert!(model.add_child("a", "top").is_err());
        assert!(model.add_child("a", "a").is_err());
    }

    #[test]
    fn settling() {
        let mut model = Model::default();
        model.host_entry("loose", Some(UNGROUPED), None);
        model.host_entry("h", Some(UNGROUPED), None);
        model.host_entry("h", Some("g"), None);
        assert!(model.settle_groups().is_empty());
        assert_eq!(model.groups[UNGROUPED].hosts.iter().map(|h| &**h).collect::<Vec<_>>(), ["loose"]);
        assert_eq!(model.groups.keys().map(|g| &**g).collect::<Vec<_>>(), ["all", "ungrouped", "g"]);
        assert_eq!(model.hosts_of(ALL).len(), 2);
        model.host_entry("g", None, None);
        assert_eq!(model.settle_groups(), ["g".into()]);
    }
}
