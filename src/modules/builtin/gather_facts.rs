//! `gather_facts`: facts about the host, as a play gathers them before its first task.

use std::sync::Arc;

use super::setup;
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("ansible.builtin.gather_facts", "Gathers facts about the host.")
    .examples(include_str!("examples/gather_facts.yml"))
    .params(&[
        setup::PARAMS,
        &[Param::new("parallel", ParamKind::Raw, "Accepted, without effect: there is one source of facts.")],
    ]);

/// The module.
pub struct GatherFacts;

impl TaskModule for GatherFacts {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let mut outcome = setup::gather_facts(args, context)?;
            // Said so that a play can tell whether facts were gathered.
            let mut said = Dict::new();
            said.set("_ansible_facts_gathered", true.into());
            if let Some(Value::Dict(mut facts)) = outcome.data.remove("ansible_facts") {
                Arc::make_mut(&mut facts).extend(&said);
                outcome.data.set("ansible_facts", Value::Dict(facts));
            }
            Ok(outcome.with_effect(ModuleEffect::Facts(said)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::Bench;

    #[test]
    fn facts_come_from_setup() {
        let given = "{gather_subset: [min], parallel: true}";
        let facts = Bench::new("").gives(&GatherFacts, given, "ansible_facts");
        assert!(facts.get("ansible_system").is_some());
    }
}
