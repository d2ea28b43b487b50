//! `add_host`: a host and its groups, for the rest of the run.

use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{FreeForm, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.add_host", "Adds a host and its groups for the rest of the run.")
    .examples(include_str!("examples/add_host.yml"))
    .on_controller()
    .once_per_batch()
    .breaks_off()
    .params(&[&[
        Param::new("name", ParamKind::Raw, "Name of the host, optionally with a port.").aliases(&["hostname", "host"]),
        Param::new("groups", ParamKind::Raw, "Groups of the host: a list, or text separated by commas.")
            .aliases(&["groupname", "group"]),
    ]])
    .free_form(FreeForm::Mixed)
    .any_params()
    .may_be_unknown(&["*"])
    .needs(&[&["name"]]);

/// The module.
pub struct AddHost;

impl TaskModule for AddHost {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        _: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { add_host(args) })
    }
}

fn add_host(args: &ModuleArgs) -> Result<ModuleOutcome, Failure> {
    if let Some(free) = args.get("_raw_params") {
        let message =
            format!("Invalid raw parameters passed, requires a dictionary/mapping got a {}", free.type_name());
        return Err(Failure::new(message));
    }
    // Variables may be unknown, but not who has them.
    let who = ["name", "hostname", "host", "groups", "groupname", "group"];
    if let Some(unknown) = who.iter().filter_map(|key| args.get(key)).find_map(Value::first_unknown) {
        return Ok(ModuleOutcome { undetermined: Some(unknown.describe_missing()), ..ModuleOutcome::default() });
    }
    let name = args.get("name").map(python::str).filter(|name| !name.is_empty());
    let (name, port) = split_address(&name.ok_or_else(|| Failure::new("name, host or hostname needs to be provided"))?);
    let mut groups: Vec<String> = Vec::new();
    let wanted: Vec<String> = match args.get("groups") {
        None => Vec::new(),
        Some(Value::List(items)) => items.iter().map(python::str).collect(),
        Some(Value::Str(text)) => text.split(',').map(str::to_owned).collect(),
        Some(_) => return Err(Failure::new("Groups must be specified as a list.")),
    };
    for group in wanted.iter().map(|group| group.trim()).filter(|group| !group.is_empty()) {
        if !groups.iter().any(|known| known == group) {
            groups.push(group.to_owned());
        }
    }
    let known = ["name", "hostname", "groups", "groupname"];
    let mut vars = args.values().clone();
    vars.retain(|key, _| !key.as_str().is_some_and(|key| known.contains(&key)));
    if let Some(port) = port {
        vars.set("ansible_ssh_port", port.into());
    }
    let shown = Value::dict([
        ("host_name", Value::text(name.as_str())),
        ("groups", Value::from(groups.clone())),
        ("host_vars", Value::from(vars.clone())),
    ]);
    Ok(ModuleOutcome::default().with("add_host", shown).with_effect(ModuleEffect::AddHost { name, groups, vars }))
}

/// The name and the port of `host:22` and `[::1]:22`; anything else is a name.
fn split_address(text: &str) -> (String, Option<i64>) {
    let parts = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.split_once(':').filter(|(name, _)| !name.is_empty()),
    };
    let port = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    match parts.and_then(|(name, digits)| Some((name, port(digits)?))) {
        Some((name, port)) => (name.to_owned(), Some(port)),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    #[track_caller]
    fn case(given: &str, expected: &str) {
        assert_eq!(Bench::new("n: 5").gives(&AddHost, given, "add_host"), yaml(expected));
    }

    #[test]
    fn hosts_have_groups_variables_and_ports() {
        case("{name: h, groups: 'a, b,a', v: 1}", "{host_name: h, groups: [a, b], host_vars: {v: 1}}");
        case(
            "{hostname: 'h:2222', groupname: [x], v: '{{ n }}'}",
            "{host_name: h, groups: [x], host_vars: {v: 5, ansible_ssh_port: 2222}}",
        );
        case("{name: '[::1]:22'}", "{host_name: '::1', groups: [], host_vars: {ansible_ssh_port: 22}}");
        case("{name: '::1'}", "{host_name: '::1', groups: [], host_vars: {}}");
        case("{name: h, group: g}", "{host_name: h, groups: [g], host_vars: {group: g}}");
    }

    #[test]
    fn a_host_needs_a_name() {
        let bench = Bench::new("");
        assert_eq!(bench.fails(&AddHost, "{v: 1}"), "name, host or hostname needs to be provided");
        assert_eq!(bench.fails(&AddHost, "{name: h, groups: {}}"), "Groups must be specified as a list.");
        assert!(bench.fails(&AddHost, "{_raw_params: x}").starts_with("Invalid raw parameters passed"));
    }
}
