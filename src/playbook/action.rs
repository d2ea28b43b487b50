//! What a task does: the names of modules and actions.

use crate::diagnostic::Diagnostic;
use crate::modules;
use crate::source::Span;
use crate::value::{Dict, Text, Value};
use crate::yaml::Node;

/// Action of a task: a module, or an action of the executor.
#[derive(Debug, Clone)]
pub struct Action {
    /// The name as written in the playbook.
    pub written: Text,
    /// The full name (`ansible.builtin.copy`); empty if the name is a template.
    pub full: String,
}

impl Action {
    /// One of the builtin names.
    pub fn builtin(name: &str) -> Self {
        Self { written: Text::plain(name), full: format!("ansible.builtin.{name}") }
    }

    /// The name without its collection.
    pub fn short(&self) -> &str {
        self.full.strip_prefix("ansible.builtin.").unwrap_or(&self.full)
    }
}

/// The arguments of a task before templating.
#[derive(Debug, Clone)]
pub struct RawArgs {
    /// Names and values; free text that is no pair is under `_raw_params`.
    pub values: Dict,
    /// `args:` given as a template that becomes a mapping; what is in `values` beats it.
    pub template: Option<Value>,
    /// The mapping as written, for places in messages.
    pub node: Option<Node>,
    /// Where the arguments stand.
    pub span: Span,
}

/// Actions that the executor carries out itself.
pub const EXECUTOR_ACTIONS: &[&str] =
    &["import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "meta"];

/// Modules that the original has and that are not here. A task that uses one is a failure only if it is run: it may be
/// skipped, or be for other machines.
pub const NOT_HERE: &[&str] = &[
    "apt",
    "apt_key",
    "apt_repository",
    "cron",
    "deb822_repository",
    "debconf",
    "dnf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "group",
    "hostname",
    "iptables",
    "known_hosts",
    "mount_facts",
    "package",
    "package_facts",
    "pip",
    "reboot",
    "rpm_key",
    "service",
    "subversion",
    "systemd",
    "systemd_service",
    "sysvinit",
    "user",
    "yum_repository",
];

/// Finds the full name of a module or action.
pub fn resolve(name: &str) -> Option<String> {
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    if EXECUTOR_ACTIONS.contains(&short) {
        return Some(format!("ansible.builtin.{short}"));
    }
    let found = modules::find(name).map(|module| module.spec().name.to_owned());
    found.or_else(|| NOT_HERE.contains(&short).then(|| format!("ansible.builtin.{short}")))
}

/// The message for a name that no module has.
pub fn unknown_module(name: &str, span: &Span) -> Diagnostic {
    let full: Vec<&str> = modules::MODULES.iter().map(|module| module.spec().name).collect();
    let short: Vec<&str> = full
        .iter()
        .map(|name| name.rsplit('.').next().unwrap_or(name))
        .chain(EXECUTOR_ACTIONS.iter().copied())
        .collect();
    let message = Diagnostic::error(format!("there is no module `{name}`")).at(span, "");
    if name.contains('.') { message.suggest(name, &full) } else { message.suggest(name, &short) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_here_is_not_here() {
        for name in NOT_HERE {
            assert!(modules::find(name).is_none(), "`{name}` is here");
            assert_eq!(resolve(name), Some(format!("ansible.builtin.{name}")));
        }
    }
}
