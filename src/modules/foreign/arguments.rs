//! The arguments of a foreign module: those of the task, and those that Ansible adds.

use super::ForeignModule;
use crate::diagnostic::Diagnostic;
use crate::modules::{Failure, ModuleArgs, TaskContext};
use crate::value::{Dict, Value, python};

/// The version of ansible-core whose conventions modules meet.
const ANSIBLE_VERSION: &str = "2.19.4";

/// File systems on which modules do without SELinux.
const SPECIAL_FILE_SYSTEMS: &[&str] = &["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"];

/// Collections whose action plugins only prepare files for their modules: that is done here.
const PREPARED: &[&str] = &["kubernetes.core.", "community.okd."];

/// Returns all arguments of a module.
///
/// # Errors
/// If one of them needs an action plugin.
pub fn build_arguments(module: &ForeignModule, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Dict, Failure> {
    let mut all = args.values().clone();
    if is_prepared(module) {
        prepare_files(module, &mut all, context)?;
    }
    for (name, value) in internal_arguments(module, context) {
        all.set(name, value);
    }
    Ok(all)
}

/// Whether what the action plugin of a module does is done here.
pub fn is_prepared(module: &ForeignModule) -> bool {
    PREPARED.iter().any(|collection| module.found.name.starts_with(collection))
}

/// Arguments that begin with `_ansible_`, in Ansible's order.
fn internal_arguments(module: &ForeignModule, context: &TaskContext<'_>) -> Vec<(&'static str, Value)> {
    let file_systems = SPECIAL_FILE_SYSTEMS.iter().map(|name| Value::text(*name));
    vec![
        ("_ansible_check_mode", context.check.into()),
        ("_ansible_no_log", context.no_log.into()),
        ("_ansible_debug", false.into()),
        ("_ansible_diff", context.diff.into()),
        ("_ansible_verbosity", i64::from(context.verbosity).into()),
        ("_ansible_version", ANSIBLE_VERSION.into()),
        ("_ansible_module_name", module.told_name().into()),
        ("_ansible_syslog_facility", "LOG_USER".into()),
        ("_ansible_selinux_special_fs", Value::list(file_systems)),
        ("_ansible_socket", Value::Null),
        ("_ansible_shell_executable", "/bin/sh".into()),
        ("_ansible_keep_remote_files", false.into()),
        ("_ansible_tmpdir", Value::Null),
        ("_ansible_remote_tmp", "~/.ansible/tmp".into()),
        ("_ansible_ignore_unknown_opts", false.into()),
        ("_ansible_target_log_info", Value::Null),
        ("_ansible_tracebacks_for", Value::list([])),
    ]
}

/// Finds the files that arguments name where tasks look for files; templates are refused.
fn prepare_files(module: &ForeignModule, all: &mut Dict, context: &TaskContext<'_>) -> Result<(), Failure> {
    for name in ["src", "kubeconfig"] {
        let Some(text) = all.get(name).and_then(Value::as_str) else { continue };
        if text.contains("://") {
            continue;
        }
        if let Some(path) = context.find_file("files", text) {
            all.set(name, path.display().to_string().into());
        }
    }
    match all.get("template") {
        None | Some(Value::Null) => Ok(()),
        Some(template) => {
            let message =
                format!("`template` of `{}` needs an action plugin, which is not bridged", module.told_name());
            let file = template.get("path").unwrap_or(template);
            let lookup = format!(
                "use `definition: \"{{{{ lookup('ansible.builtin.template', {}) | from_yaml_all | list }}}}\"`",
                python::repr(file)
            );
            Err(Diagnostic::error(message).at(context.span, "").hint(lookup).into())
        }
    }
}
