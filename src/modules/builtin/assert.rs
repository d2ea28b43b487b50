//! `assert`: conditions that have to hold.

use crate::modules::spec::{Param, ParamKind, ResultDisplay};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::{ConditionVerdict, TemplateError, is_whole_template};
use crate::value::Value;

static SPEC: Spec = Spec::new("ansible.builtin.assert", "Fails unless all conditions are true.")
    .examples(include_str!("examples/assert.yml"))
    .on_controller()
    .shown(ResultDisplay::UnlessQuiet)
    .params(&[&[
        Param::new("that", ParamKind::Raw, "List of conditions.").required().expression(),
        Param::new("fail_msg", ParamKind::Raw, "Message if a condition is false.")
            .aliases(&["msg"])
            .default("Assertion failed"),
        Param::new("success_msg", ParamKind::Raw, "Message if all conditions are true.")
            .default("All assertions passed"),
        Param::bool("quiet", "Show nothing if all conditions are true.").default("false"),
    ]])
    .may_be_unknown(&["that", "fail_msg", "success_msg"]);

/// The module.
pub struct Assert;

impl TaskModule for Assert {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { assert_conditions(args, context) })
    }
}

/// Returns the conditions as they were written, also those of a list that a template gives.
fn list_conditions(args: &ModuleArgs, context: &TaskContext<'_>) -> Vec<Value> {
    match context.raw_arg("that").or_else(|| args.get("that")) {
        Some(Value::List(items)) => items.to_vec(),
        Some(Value::Str(text)) if is_whole_template(text) => {
            context.template.list_written_members(text).unwrap_or_else(|| vec![Value::Str(text.clone())])
        }
        Some(other) => vec![other.clone()],
        None => vec![Value::Null],
    }
}

fn assert_conditions(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let message = |name: &str| args.values().get(name).cloned().unwrap_or(Value::Null);
    for name in ["fail_msg", "success_msg"] {
        let value = message(name);
        let fits = |value: &Value| value.as_str().is_some() || value.is_unknown();
        if !fits(&value) && !matches!(&value, Value::List(items) if items.iter().all(fits)) {
            let is = value.type_name();
            return Err(Failure::new(format!(
                "argument '{name}' is of type {is} and we were unable to convert to str_or_list_of_str: a string or \
                 list of strings is required"
            )));
        }
    }
    for condition in list_conditions(args, context) {
        if condition.is_null() {
            return Err(TemplateError::value("Empty conditional expressions are not allowed.").into());
        }
        match context.template.evaluate_condition(&condition)? {
            ConditionVerdict::True => {}
            ConditionVerdict::False => {
                let said = message("fail_msg");
                return Err(Failure::new(crate::value::python::str(&said))
                    .with("evaluated_to", false)
                    .with("assertion", condition)
                    .with("msg", said));
            }
            ConditionVerdict::Unknown(unknown) => {
                return Ok(ModuleOutcome {
                    undetermined: Some(unknown.describe_missing()),
                    ..ModuleOutcome::default()
                });
            }
        }
    }
    Ok(ModuleOutcome::default().with("msg", message("success_msg")))
}
