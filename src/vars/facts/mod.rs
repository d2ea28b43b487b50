//! Facts about this machine, as the module `setup` gives them: read from `/proc`, `/sys` and `/etc`. The one program
//! that is started is the installed Python, for its version.

mod hardware;
mod local;
mod network;
mod platform;
mod python;
mod select;
mod software;
mod user;

use std::fs;
use std::path::{Path, PathBuf};

use crate::value::{Dict, Value};

pub use python::installed_python;
pub use select::{FactsError, SUBSETS};

/// A request for facts.
#[derive(Debug, Clone, Default)]
pub struct FactsRequest {
    /// `gather_subset`: names of [`SUBSETS`], `all`, `min`, each perhaps with `!`; nothing means all.
    pub subset: Vec<String>,
    /// Shell patterns for the names of facts to keep; nothing keeps all.
    pub filter: Vec<String>,
    /// The folder of local facts (`*.fact`), usually `/etc/ansible/facts.d`.
    pub fact_path: Option<PathBuf>,
    /// The Python of the host (`ansible_python_interpreter`); nothing means the first `python3` in `PATH`.
    pub interpreter: Option<String>,
    /// Environment variables of the task.
    pub environment: Vec<(String, String)>,
}

/// Gathers facts. The names begin with `ansible_`, apart from `gather_subset` and `module_setup`.
///
/// # Errors
/// If a subset is not known.
pub fn collect_facts(request: &FactsRequest) -> Result<Dict, FactsError> {
    let chosen = select::resolve_subset(&request.subset)?;
    let mut facts = Dict::new();
    // It answers while the others are read.
    let asked = chosen.contains(&"python").then(|| python::ask_version(request.interpreter.as_deref()));
    for (name, collect) in COLLECTORS {
        if chosen.contains(name) {
            collect(&mut Facts(&mut facts));
        }
    }
    if let Some(asked) = asked {
        python::collect_python(&mut Facts(&mut facts), asked);
    }
    if let Some(Value::Dict(env)) = facts.get("ansible_env").cloned().filter(|_| !request.environment.is_empty()) {
        let mut env = (*env).clone();
        request.environment.iter().for_each(|(name, value)| env.set(name.as_str(), value.as_str().into()));
        facts.set("ansible_env", env.into());
    }
    if chosen.contains(&"local") {
        let folder = request.fact_path.clone().unwrap_or_else(|| PathBuf::from("/etc/ansible/facts.d"));
        facts.set("ansible_local", Value::from(local::read(&folder)));
    }
    let subset = if request.subset.is_empty() { vec!["all".to_owned()] } else { request.subset.clone() };
    facts.set("gather_subset", Value::from(subset));
    facts.set("module_setup", Value::Bool(true));
    if !request.filter.is_empty() {
        facts.retain(|name, _| {
            let name = name.as_str().unwrap_or_default();
            name == "gather_subset" || name == "module_setup" || select::is_selected(name, &request.filter)
        });
    }
    Ok(facts)
}

/// Adds the facts of one subset.
type Collect = fn(&mut Facts<'_>);

/// Who gathers which subset.
const COLLECTORS: &[(&str, Collect)] = &[
    ("platform", platform::collect_platform),
    ("distribution", platform::collect_distribution),
    ("lsb", platform::collect_lsb),
    ("cmdline", platform::collect_cmdline),
    ("fips", platform::collect_fips),
    ("selinux", platform::collect_selinux),
    ("apparmor", platform::collect_apparmor),
    ("date_time", user::date_time),
    ("env", user::collect_env),
    ("user", user::collect_user),
    ("hardware", hardware::collect_hardware),
    ("mounts", hardware::collect_mounts),
    ("virtual", hardware::collect_virtualization),
    ("network", network::collect_interfaces),
    ("dns", network::collect_dns),
    ("pkg_mgr", software::pkg_mgr),
    ("service_mgr", software::service_mgr),
];

/// Facts being gathered; puts `ansible_` before every name.
struct Facts<'a>(&'a mut Dict);

impl Facts<'_> {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.set(format!("ansible_{name}"), value.into());
    }
}

/// The text of a file without white space around it; nothing if it is not there.
fn read_trimmed(path: impl AsRef<Path>) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset(names: &[&str]) -> Dict {
        let subset = names.iter().map(|name| (*name).to_owned()).collect();
        collect_facts(&FactsRequest { subset, ..FactsRequest::default() }).unwrap()
    }

    #[test]
    fn the_usual_facts_are_there_with_their_types() {
        let facts = subset(&[]);
        for (name, kind) in [
            ("ansible_system", "str"),
            ("ansible_kernel", "str"),
            ("ansible_hostname", "str"),
            ("ansible_os_family", "str"),
            ("ansible_distribution_major_version", "str"),
            ("ansible_memtotal_mb", "int"),
            ("ansible_processor_vcpus", "int"),
            ("ansible_date_time", "dict"),
            ("ansible_user_uid", "int"),
            ("ansible_env", "dict"),
            ("ansible_default_ipv4", "dict"),
            ("ansible_all_ipv4_addresses", "list"),
            ("ansible_interfaces", "list"),
            ("ansible_mounts", "list"),
            ("ansible_uptime_seconds", "int"),
            ("ansible_python", "dict"),
            ("ansible_local", "dict"),
        ] {
            assert_eq!(facts.get(name).map(Value::type_name), Some(kind), "{name}");
        }
    }

    #[test]
    fn subsets_and_filters() {
        let min = subset(&["min"]);
        assert!(min.contains("ansible_distribution") && !min.contains("ansible_memtotal_mb"));
        let network = subset(&["!all", "!min", "network"]);
        assert!(network.contains("ansible_interfaces") && !network.contains("ansible_env"));
        assert_eq!(network.get("gather_subset").and_then(Value::as_slice).map(<[Value]>::len), Some(3));
        let request =
            FactsRequest { filter: vec!["ansible_*_mb".to_owned(), "os_family".to_owned()], ..FactsRequest::default() };
        let kept = collect_facts(&request).unwrap();
        assert!(kept.contains("ansible_memtotal_mb") && kept.contains("ansible_os_family"));
        assert!(!kept.contains("ansible_env") && kept.contains("module_setup"));
    }
}
