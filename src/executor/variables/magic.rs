//! Magic variables about the run, the play, the task, and the connection to the host.

use std::rc::Rc;

use super::hostvars;
use super::scope::{NO_HOST, TaskScope};
use crate::executor::play::PlayRun;
use crate::playbook::{Keyword, Role};
use crate::template::VariableScope;
use crate::value::{Dict, Value};

impl TaskScope {
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

    /// Returns a value that the inventory sets for a host; layers from facts upwards may override it.
    fn of_host(&self, name: &str) -> Option<Value> {
        if &*self.host == NO_HOST {
            return None;
        }
        Some(match name {
            "inventory_hostname" => Value::text(&*self.host),
            "inventory_hostname_short" => match self.host.parse::<std::net::IpAddr>() {
                Ok(_) => Value::text(&*self.host),
                Err(_) => Value::text(self.host.split('.').next().unwrap_or(&self.host)),
            },
            "group_names" => {
                Value::list(self.run.inventory.borrow().group_names(&self.host).iter().map(|name| Value::text(&**name)))
            }
            _ => return None,
        })
    }

    /// The value of a magic name.
    pub(in crate::executor) fn find_magic_variable(&self, name: &str) -> Option<Value> {
        let options = &self.run.options;
        let value = match name {
            "inventory_hostname" | "inventory_hostname_short" | "group_names" => {
                self.find_above_facts(name).or_else(|| self.of_host(name))?
            }
            "ansible_facts" if &*self.host == NO_HOST => return None,
            "ansible_facts" => self.ansible_facts(),
            "hostvars" => hostvars::build_hostvars(&self.run),
            "vars" => hostvars::build_vars(self.merge_variables()),
            "groups" => self.run.inventory.borrow().groups_with_hosts(),
            "ansible_host" => self.find_delegated_variable(name)?,
            "ansible_delegated_vars" => {
                let host = self.delegate.as_ref()?;
                Value::dict([(&**host, hostvars::build_delegated_vars(&self.run, host, &self.host))])
            }
            "playbook_dir" => match &self.play {
                Some(play) => Value::text(to_absolute(&play.play.folder)),
                None => Value::text(to_absolute(self.run.inventory.borrow().playbook_folder()?)),
            },
            "ansible_check_mode" => Value::Bool(options.check),
            "ansible_diff_mode" => Value::Bool(options.diff),
            "ansible_verbosity" => Value::Int(i64::from(options.verbosity)),
            "ansible_forks" => Value::from(options.forks),
            "ansible_run_tags" => Value::list(options.tags.only().iter().map(|t| Value::text(t.as_str()))),
            "ansible_skip_tags" => Value::list(options.tags.skip().iter().map(|t| Value::text(t.as_str()))),
            "ansible_limit" => Value::text(options.limit.as_deref()?),
            "ansible_config_file" => Value::from(options.config_file.clone()),
            "ansible_inventory_sources" => {
                let shown = |source: &String| match source.contains(',') {
                    true => Value::text(source.as_str()),
                    false => Value::text(to_absolute(std::path::Path::new(source))),
                };
                if options.inventory_sources.is_empty() {
                    return Some(Value::list([Value::text("/etc/ansible/hosts")]));
                }
                Value::list(options.inventory_sources.iter().map(shown))
            }
            "ansible_version" => ansible_version(),
            "ansible_playbook_python" => Value::text(crate::vars::facts::installed_python().unwrap_or_default()),
            "ansible_play_name" => Value::text(&*self.play.as_ref()?.name),
            "ansible_play_hosts" => self.play.as_ref()?.list_active_hosts(&self.run).play,
            "ansible_play_hosts_all" => self.play.as_ref()?.list_all_hosts(),
            "ansible_play_batch" | "play_hosts" => self.play.as_ref()?.list_active_hosts(&self.run).batch,
            "role_names" | "ansible_play_role_names" | "ansible_dependent_role_names" | "ansible_role_names" => {
                role_names(self.play.as_ref()?, name)
            }
            "role_name" => Value::text(self.current_role()?.name.as_str()),
            "ansible_role_name" => Value::text(self.current_role()?.full_name()),
            "ansible_collection_name" => Value::text(self.current_role()?.collection.as_deref()?),
            "role_path" => Value::text(to_absolute(&self.current_role()?.path)),
            "role_uuid" => return None,
            "ansible_parent_role_names" | "ansible_parent_role_paths" => self.find_parent_roles(name)?,
            "ansible_search_path" => {
                let play = self.play.as_ref()?;
                Value::list(play.search_path(self.task.as_deref()).iter().map(|p| Value::text(to_absolute(p))))
            }
            "environment" => Value::list(
                self.task.as_ref()?.keyword_all(Keyword::Environment).into_iter().map(crate::yaml::YamlNode::to_value),
            ),
            "omit" => Value::Omit,
            _ => return None,
        };
        Some(value)
    }

    fn current_role(&self) -> Option<&Rc<Role>> {
        self.task.as_ref()?.role()
    }

    fn find_parent_roles(&self, name: &str) -> Option<Value> {
        let roles = self.task.as_ref()?.frame.roles();
        let parents = roles.get(1..).filter(|parents| !parents.is_empty())?;
        let paths = name.ends_with("paths");
        let shown = |role: &&Rc<Role>| Value::text(if paths { to_absolute(&role.path) } else { role.full_name() });
        Some(Value::list(parents.iter().map(shown)))
    }

    /// Connection settings of the task's host that no variable sets.
    pub(in crate::executor) fn find_connection_variable(&self, name: &str) -> Option<Value> {
        let task = self.task.as_deref().filter(|_| self.reached)?;
        let keyword = |keyword, option: &Option<String>| match task.find_keyword(keyword) {
            Some(node) => Some(node.to_value()),
            None => option.as_deref().map(Value::text),
        };
        match name {
            "ansible_connection" if self.delegate.is_some() => self.find_delegated_variable(name),
            "ansible_connection" => {
                keyword(Keyword::Connection, &self.run.options.connection).or_else(|| Some(Value::text("ssh")))
            }
            "ansible_host" => Some(Value::text(&*self.host)),
            "ansible_ssh_host" => self.get("ansible_host"),
            "ansible_user" | "ansible_ssh_user" => keyword(Keyword::RemoteUser, &self.run.options.user),
            "ansible_timeout" | "ansible_ssh_timeout" => Some(Value::Int(self.run.options.timeout)),
            "ansible_shell_executable" => Some(Value::text("/bin/sh")),
            "ansible_pipelining" | "ansible_ssh_pipelining" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    /// Returns a connection variable of the host that the task is delegated to.
    fn find_delegated_variable(&self, name: &str) -> Option<Value> {
        let target = self.delegate.as_ref()?;
        let own = TaskScope::new(&self.run, None, None, target).get(name);
        own.or_else(|| Some(if name == "ansible_host" { Value::text(&**target) } else { Value::text("ssh") }))
    }
}

/// Magic names that are plain data and cheap to make.
pub const MAGIC: &[&str] = &[
    "inventory_hostname",
    "inventory_hostname_short",
    "group_names",
    "ansible_check_mode",
    "ansible_config_file",
    "ansible_dependent_role_names",
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
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "environment",
    "groups",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
];

/// Names of how a host is reached.
pub const CONNECTION: &[&str] = &[
    "ansible_connection",
    "ansible_host",
    "ansible_pipelining",
    "ansible_shell_executable",
    "ansible_ssh_host",
    "ansible_ssh_pipelining",
    "ansible_ssh_timeout",
    "ansible_ssh_user",
    "ansible_timeout",
    "ansible_user",
];

fn role_names(play: &PlayRun, name: &str) -> Value {
    let mut names: Vec<String> = Vec::new();
    let roles: Vec<Rc<Role>> = play.roles.borrow().iter().chain(play.included_roles.borrow().iter()).cloned().collect();
    let mut dependencies = Vec::new();
    for role in &roles {
        dependencies.extend(role.with_dependencies().into_iter().filter(|r| !Rc::ptr_eq(r, role)));
    }
    let chosen: Vec<&Rc<Role>> = match name {
        // As often as the play has it.
        "role_names" | "ansible_play_role_names" => {
            return Value::list(roles.iter().map(|role| Value::text(role.full_name())));
        }
        "ansible_dependent_role_names" => dependencies.iter().collect(),
        _ => roles.iter().chain(&dependencies).collect(),
    };
    for role in chosen {
        let name = role.full_name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Value::list(names.into_iter().map(Value::text))
}

/// Returns a path as Ansible shows it: absolute, without `.` parts.
pub fn to_absolute(path: &std::path::Path) -> String {
    let path = if path.as_os_str().is_empty() { std::path::Path::new(".") } else { path };
    std::path::absolute(path).map_or_else(|_| path.display().to_string(), |path| path.display().to_string())
}

/// The language version that we follow; our own version would mislead playbooks that ask.
fn ansible_version() -> Value {
    Value::dict([
        ("full", Value::text("2.19.14")),
        ("major", Value::Int(2)),
        ("minor", Value::Int(19)),
        ("revision", Value::Int(14)),
        ("string", Value::text("2.19.14")),
    ])
}
