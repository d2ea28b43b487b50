//! `set_fact`: variables of the host for the rest of the run.

use crate::modules::args::parse_bool;
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{FreeForm, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value, is_variable_name, python};

static SPEC: Spec = Spec::new("ansible.builtin.set_fact", "Sets variables of the host for the rest of the run.")
    .examples(include_str!("examples/set_fact.yml"))
    .on_controller()
    .breaks_off()
    .sets_variables()
    .params(&[&[Param::new("cacheable", ParamKind::Raw, "Also set facts in `ansible_facts`.").default("false")]])
    .free_form(FreeForm::Mixed)
    .any_params()
    .may_be_unknown(&["*"]);

/// The module.
pub struct SetFact;

impl TaskModule for SetFact {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { set_facts(args, context) })
    }
}

fn set_facts(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let cacheable = args.get("cacheable").is_some_and(|value| parse_bool(value).unwrap_or(false));
    let mut facts = Dict::new();
    for (key, value) in args.values().iter().filter(|(key, _)| key.as_str() != Some("cacheable")) {
        let key = context.template.template_value(key)?;
        check_name(&key)?;
        facts.set(python::str(&key), value.clone());
    }
    if facts.is_empty() {
        let message = "No key/value pairs provided, at least one is required for this action to succeed";
        return Err(Failure::new(message));
    }
    let shown = Value::from(facts.clone());
    Ok(ModuleOutcome::default().with("ansible_facts", shown).with_effect(ModuleEffect::SetFacts { facts, cacheable }))
}

/// Refuses what cannot be the name of a variable.
pub(super) fn check_name(name: &Value) -> Result<(), Failure> {
    if name.as_str().is_some_and(is_variable_name) || name.is_unknown() {
        return Ok(());
    }
    let mut what = format!("name {}", python::repr(&python::str(name).into()));
    if name.as_str().is_none() {
        what.push_str(&format!(" of type '{}'", name.type_name()));
    }
    Err(Failure::new(format!("Task failed: Invalid variable {what}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(check_name(&"a_1".into()).is_ok());
        assert_eq!(check_name(&"1a".into()).unwrap_err().message, "Task failed: Invalid variable name '1a'.");
        assert_eq!(
            check_name(&Value::Int(1)).unwrap_err().message,
            "Task failed: Invalid variable name '1' of type 'int'."
        );
        assert!(check_name(&"not".into()).is_err());
    }
}
