//! `setup`: facts about the host.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};
use crate::vars::facts::{FactsRequest, SUBSETS, collect_facts};

/// Parameters of `setup` and `gather_facts`.
pub(super) const PARAMS: &[Param] = &[
    Param::list("gather_subset", &ParamKind::Str, "Facts to gather; `!` before a name excludes them.").default("all"),
    Param::int("gather_timeout", "Accepted, without effect: facts are read without waiting.").default("10"),
    Param::list("filter", &ParamKind::Str, "Shell patterns of facts to return.").default(""),
    Param::path("fact_path", "Folder with local facts (`*.fact`).").default("/etc/ansible/facts.d"),
];

static SPEC: Spec = Spec::new("ansible.builtin.setup", "Gathers facts about the host.")
    .examples(include_str!("examples/setup.yml"))
    .params(&[PARAMS]);

/// The module.
pub struct Setup;

impl TaskModule for Setup {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { gather_facts(args, context) })
    }
}

/// Gathers facts as the arguments say.
///
/// # Errors
/// If a subset is not known.
pub(super) fn gather_facts(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let texts = |name: &str| -> Vec<String> {
        let items = args.get(name).and_then(Value::as_slice).unwrap_or_default();
        items.iter().map(python::str).filter(|text| !text.is_empty()).collect()
    };
    let interpreter = context.template.get_variable("ansible_python_interpreter").ok().flatten();
    let request = FactsRequest {
        subset: texts("gather_subset"),
        filter: texts("filter"),
        fact_path: args.str("fact_path").map(PathBuf::from),
        interpreter: interpreter.as_ref().map(python::str),
        environment: context.environment.to_vec(),
    };
    let mut facts = collect_facts(&request).map_err(|problem| {
        let message = format!(
            "Bad subset '{}' given to Ansible. gather_subset options allowed: all, min, {}",
            problem.name,
            SUBSETS.join(", ")
        );
        let diagnostic = Diagnostic::error(problem.to_string());
        let diagnostic = match problem.suggestion {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint(format!("the subsets are all, min, {}", SUBSETS.join(", "))),
        };
        Failure::new(message).with_diagnostic(diagnostic)
    })?;
    if !request.filter.is_empty() {
        facts.remove("gather_subset");
        facts.remove("module_setup");
    }
    Ok(ModuleOutcome::default().with("ansible_facts", facts.clone()).with_effect(ModuleEffect::Facts(facts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::Bench;

    #[test]
    fn facts_are_filtered() {
        let bench = Bench::new("");
        let outcome = bench.run(&Setup, "{gather_subset: min, filter: [ansible_system]}").unwrap();
        let facts = outcome.data.get("ansible_facts").and_then(Value::as_dict).unwrap();
        assert_eq!(facts.keys().map(python::str).collect::<Vec<_>>(), ["ansible_system"]);
        assert!(matches!(&outcome.effects[..], [ModuleEffect::Facts(set)] if set == facts));
        let all = bench.gives(&Setup, "gather_subset: '!all,env'", "ansible_facts");
        assert!(all.get("ansible_env").is_some() && all.get("ansible_mounts").is_none());
    }

    #[test]
    fn a_wrong_subset_fails() {
        let message = Bench::new("").fails(&Setup, "gather_subset: [hardwear]");
        assert!(message.starts_with("Bad subset 'hardwear' given to Ansible."), "{message}");
    }
}
