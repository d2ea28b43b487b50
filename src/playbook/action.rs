//! What a task does: the names of modules and actions.

use crate::diagnostic::Diagnostic;
use crate::modules;
use crate::source::Span;
use crate::value::{Dict, Text, Value};
use crate::yaml::YamlNode;

/// Action of a task: a module, or an action of the executor.
#[derive(Debug, Clone)]
pub struct TaskAction {
    /// The name as written in the playbook.
    pub written: Text,
    /// The full name (`ansible.builtin.copy`); empty if the name is a template.
    pub full: String,
}

impl TaskAction {
    /// One of the builtin names.
    pub fn from_builtin(name: &str) -> Self {
        Self { written: Text::new_plain(name), full: format!("ansible.builtin.{name}") }
    }

    /// The name without its collection.
    pub fn short_name(&self) -> &str {
        self.full.strip_prefix("ansible.builtin.").unwrap_or(&self.full)
    }
}

/// The arguments of a task before templating.
#[derive(Debug, Clone)]
pub struct RawArgs {
    /// Names and values; free text that is not a pair is under `_raw_params`.
    pub values: Dict,
    /// `args:` given as a template that becomes a mapping; what is in `values` beats it.
    pub template: Option<Value>,
    /// The mapping as written, for places in messages.
    pub node: Option<YamlNode>,
    /// Where the arguments stand.
    pub span: Span,
}

/// Actions that the executor carries out itself.
pub const EXECUTOR_ACTIONS: &[&str] =
    &["import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "meta"];

/// Modules of Ansible that are not included here. A task that uses one is a failure only if it is run: it may be
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
pub fn resolve_name(name: &str) -> Option<String> {
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    if EXECUTOR_ACTIONS.contains(&short) {
        return Some(format!("ansible.builtin.{short}"));
    }
    // No folder is searched for a keyword.
    let is_keyword = super::Keyword::from_name(name).is_some();
    let found = if is_keyword { modules::find_own_module(name) } else { modules::find_module(name) };
    let found = found.map(|module| module.module_spec().name.to_owned());
    found.or_else(|| NOT_HERE.contains(&short).then(|| format!("ansible.builtin.{short}"))).or_else(|| {
        // Pages of the collection write its modules without it, as those of the registry modules do.
        let is_bare = !is_keyword && !name.contains('.');
        let module = is_bare.then(|| modules::find_module(&format!("{IONOS}.{name}"))).flatten()?;
        Some(module.module_spec().name.to_owned())
    })
}

/// Finds the full name of a module that is written without its collection, in these collections.
pub fn resolve_in_collections(name: &str, collections: &[String]) -> Option<String> {
    if name.contains('.') {
        return None;
    }
    collections.iter().find_map(|collection| resolve_name(&format!("{collection}.{name}")))
}

/// The collection of which the container registry modules are included.
const IONOS: &str = "ionoscloudsdk.ionoscloud";

/// Other modules of that collection: their names are not typing mistakes.
const IONOS_OTHERS: &[&str] = &[
    "application_load_balancer",
    "backupunit",
    "certificate",
    "cube_server",
    "datacenter",
    "firewall_rule",
    "image",
    "ipblock",
    "k8s_cluster",
    "k8s_nodepool",
    "lan",
    "location",
    "mariadb_cluster",
    "mongo_cluster",
    "nat_gateway",
    "network_load_balancer",
    "nic",
    "pcc",
    "postgres_cluster",
    "s3key",
    "server",
    "snapshot",
    "target_group",
    "vcpu_server",
    "volume",
    "vpn_gateway",
];

/// Whether a short name belongs to another module of the collection, or to one of its `_info` and part modules.
fn is_ionos_other(name: &str) -> bool {
    IONOS_OTHERS
        .iter()
        .any(|other| name.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

/// Whether a key of a task names a module that exists elsewhere and is not included here.
pub fn is_missing(name: &str) -> bool {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    if NOT_HERE.contains(&short) {
        return true;
    }
    if resolve_name(name).is_some() || super::Keyword::from_name(name).is_some() {
        return false;
    }
    name.matches('.').count() > 1 || is_ionos_other(name)
}

/// The message for a name that no module has.
pub fn unknown_module(name: &str, span: &Span) -> Diagnostic {
    let (collection, last) = name.rsplit_once('.').unwrap_or(("", name));
    let names: Vec<&'static str> = modules::MODULES.iter().map(|module| module.module_spec().name).collect();
    let in_collection = |wanted: &str| -> Vec<&'static str> {
        let parts = names.iter().filter_map(|name| name.rsplit_once('.'));
        parts.filter(|(collection, _)| *collection == wanted).map(|(_, last)| last).collect()
    };
    let missing = || Diagnostic::error(format!("the module `{name}` is not included in ionplay")).at(span, "");
    let unknown = || Diagnostic::error(format!("there is no module `{name}`")).at(span, "");
    if let Some(odd) = crate::diagnostic::characters::explain_odd_character(name) {
        return unknown().hint(odd);
    }
    if (collection == IONOS || collection.is_empty()) && is_ionos_other(last) {
        let hint = format!("it is part of `{IONOS}`; ionplay covers the container registry modules only");
        return missing().hint(hint).hint("where the collection and its SDK are installed, `--allow-python` runs it");
    }
    if collection.is_empty() {
        let short = names.iter().map(|name| name.rsplit('.').next().unwrap_or(name));
        let short: Vec<&str> = short.chain(EXECUTOR_ACTIONS.iter().copied()).collect();
        let message = unknown().suggest(name, &short);
        return if message.hints.is_empty() {
            message.hint("`ionplay doc` lists the modules that are included")
        } else {
            message
        };
    }
    // A misspelt collection is recognised by a module that it really has.
    let near = crate::suggest::find_nearest(collection, &["ansible.builtin", IONOS]).and_then(|known| {
        Some((known, crate::suggest::find_nearest(last, in_collection(known).iter().copied())?.to_owned()))
    });
    // `builtin.copy` is half of a full name.
    let ending = format!(".{last}");
    let short = (!collection.contains('.')).then(|| names.iter().find(|name| name.ends_with(&ending)));
    match (near, short.flatten()) {
        (Some((known, near)), _) => unknown().hint(format!("did you mean `{known}.{near}`?")),
        (None, Some(full)) => unknown().hint(format!("did you mean `{full}`?")),
        (None, None) if collection == IONOS => {
            missing().hint(format!("of the collection `{IONOS}` ionplay covers the container registry modules only"))
        }
        (None, None) => {
            let install = format!("no installed collection has it: `ansible-galaxy collection install {collection}`");
            missing().hint(install).hint("`ionplay doc` lists the modules that are included")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(name: &str, says: &str) {
        let source = crate::source::Source::new("play.yml", name);
        let message = unknown_module(name, &source.span(0..name.len())).one_line();
        assert!(message.contains(says), "{name}: {message}");
    }

    #[test]
    fn missing_module_is_told_from_misspelt_module() {
        case("ionoscloudsdk.ionoscloud.datacenter", "is not included in ionplay; it is part of");
        case("ionoscloudsdk.ionoscloud.nic_info", "is not included in ionplay; it is part of");
        case("datacenter", "is not included in ionplay; it is part of");
        case("ionoscloudsdk.ionoscloud.kafka_topic", "covers the container registry modules only");
        case("ionoscloudsdk.ionoscloud.registry_tokn", "did you mean `ionoscloudsdk.ionoscloud.registry_token`?");
        case("ionoscloudsdk.ionscloud.registry_token", "did you mean `ionoscloudsdk.ionoscloud.registry_token`?");
        case("ansible.bultin.copy", "did you mean `ansible.builtin.copy`?");
        case("ansible.builtin.cpy", "did you mean `ansible.builtin.copy`?");
        case("builtin.copy", "did you mean `ansible.builtin.copy`?");
        case("community.docker.docker_login", "ansible-galaxy collection install community.docker");
        case("debg", "did you mean `debug`?");
        case("frobnicate", "`ionplay doc` lists the modules");
    }

    #[test]
    fn what_is_not_here_is_not_here() {
        for name in NOT_HERE {
            assert!(modules::find_module(name).is_none(), "`{name}` is here");
            assert_eq!(resolve_name(name), Some(format!("ansible.builtin.{name}")));
        }
    }
}
