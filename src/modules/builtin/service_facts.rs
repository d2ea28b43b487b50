//! `service_facts`: the services of the host and their states, as facts.

use std::path::Path;

use indexmap::IndexMap;

use crate::host::{HostApi, HostCommand};
use crate::modules::outcome::ModuleEffect;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("ansible.builtin.service_facts", "Gathers the states of services as facts.")
    .examples(include_str!("examples/service_facts.yml"));

/// States that a unit file does not change.
const BAD: &[&str] = &["not-found", "masked", "failed"];

/// The module.
pub struct ServiceFacts;

impl TaskModule for ServiceFacts {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        _: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(collect_services(context))
    }
}

/// A service: where it is known from, its state, and whether it starts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    source: &'static str,
    state: String,
    status: Option<String>,
}

type Services = IndexMap<String, Service>;

async fn collect_services(context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let mut services = Services::new();
    let mut asked = false;
    if let Some(listed) = query_output(context.host, &["service", "--status-all"]).await {
        asked = true;
        init_scripts(&listed, &mut services);
    }
    if Path::new("/run/systemd/system").exists() {
        let units = ["list-units", "list-unit-files"];
        let [running, files] = units.map(|verb| ["systemctl", verb, "--no-pager", "--type=service", "--all"]);
        let plain = [&running[..], &["--plain"]].concat();
        match (query_output(context.host, &plain).await, query_output(context.host, &files).await) {
            (Some(running), Some(files)) => {
                asked = true;
                loaded_units(&running, &mut services);
                unit_files(&files, &mut services);
            }
            _ => context.warn("Could not list units from systemd"),
        }
    }
    if !asked {
        let message = "no known service manager: neither systemd nor `service` can list the services of this host";
        return Err(Failure::new(message));
    }
    if services.is_empty() {
        let message = "Failed to find any services. This can be due to privileges or some other configuration issue.";
        return Ok(ModuleOutcome { skipped: true, ..ModuleOutcome::default() }.with("msg", message));
    }
    let shown = services.iter().map(|(name, service)| {
        let mut entry = Value::dict([
            ("name", Value::text(name.as_str())),
            ("state", Value::text(service.state.as_str())),
            ("source", Value::text(service.source)),
        ]);
        if let (Value::Dict(entry), Some(status)) = (&mut entry, &service.status) {
            std::sync::Arc::make_mut(entry).set("status", status.as_str().into());
        }
        (name.as_str(), entry)
    });
    let facts: Dict = [(Value::text("services"), Value::dict(shown))].into_iter().collect();
    Ok(ModuleOutcome::default().with("ansible_facts", facts.clone()).with_effect(ModuleEffect::Facts(facts)))
}

/// Returns the output of a program; `None` if it cannot be started or fails.
async fn query_output(host: &dyn HostApi, words: &[&str]) -> Option<String> {
    let output = host.run_query(&HostCommand::new(words.iter().copied())).await.ok()?;
    (output.rc == 0).then(|| output.stdout_text())
}

/// ` [ + ]  name`, as `service --status-all` has it.
fn init_scripts(text: &str, services: &mut Services) {
    for line in text.lines() {
        let Some((sign, name)) = line.trim_start().strip_prefix("[ ").and_then(|rest| rest.split_once(" ]")) else {
            continue;
        };
        let state = match sign {
            "+" => "running",
            "-" => "stopped",
            _ => continue,
        };
        let service = Service { source: "sysv", state: state.to_owned(), status: None };
        services.insert(name.trim().to_owned(), service);
    }
}

/// `UNIT LOAD ACTIVE SUB DESCRIPTION`.
fn loaded_units(text: &str, services: &mut Services) {
    for line in text.lines().filter(|line| line.contains(".service")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = fields[..] else { continue };
        let bad = BAD.iter().find(|bad| [load, active, sub].contains(*bad));
        let state = if sub == "running" { "running" } else { "stopped" };
        let status = Some(bad.map_or(active, |bad| bad).to_owned());
        services.insert(name.to_owned(), Service { source: "systemd", state: state.to_owned(), status });
    }
}

/// `UNIT STATE PRESET`.
fn unit_files(text: &str, services: &mut Services) {
    for line in text.lines().filter(|line| line.contains(".service")) {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(status)) = (fields.next(), fields.next()) else { continue };
        let unseen = || Service { source: "systemd", state: "inactive".to_owned(), status: None };
        let service = services.entry(name.to_owned()).or_insert_with(unseen);
        if !service.status.as_deref().is_some_and(|status| BAD.contains(&status)) {
            service.status = Some(status.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(services: &Services, name: &str, expected: (&str, Option<&str>)) {
        let service = &services[name];
        assert_eq!((service.state.as_str(), service.status.as_deref()), expected, "{name}");
    }

    #[test]
    fn lists_are_read() {
        let mut services = Services::new();
        init_scripts(" [ + ]  ssh\n [ - ]  x11-common\n [ ? ]  odd\n", &mut services);
        loaded_units(
            "a.service loaded active running A\nb.service not-found inactive dead b.service\nx.mount loaded active y\n",
            &mut services,
        );
        unit_files(
            "a.service enabled enabled\nb.service static -\nc.service disabled enabled\n\n3 listed.",
            &mut services,
        );
        case(&services, "ssh", ("running", None));
        case(&services, "x11-common", ("stopped", None));
        case(&services, "a.service", ("running", Some("enabled")));
        case(&services, "b.service", ("stopped", Some("not-found")));
        case(&services, "c.service", ("inactive", Some("disabled")));
        assert_eq!(services.len(), 5);
    }
}
