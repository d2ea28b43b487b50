//! `validate_argument_spec`: checks arguments against a specification that is data; roles use it for theirs.

use crate::modules::args::{ArgumentRules, validate_args};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("ansible.builtin.validate_argument_spec", "Checks arguments against a specification.")
    .examples(include_str!("examples/validate_argument_spec.yml"))
    .on_controller()
    .params(&[&[
        Param::new("argument_spec", ParamKind::Raw, "Specification: a mapping by argument name.").required(),
        Param::new("provided_arguments", ParamKind::Raw, "Arguments; they override the variables of these names."),
        Param::new("validate_args_context", ParamKind::Raw, "Context of the check, for the report."),
    ]]);

/// The module.
pub struct ValidateArgumentSpec;

impl TaskModule for ValidateArgumentSpec {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { validate_spec(args, context) })
    }
}

fn validate_spec(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let about = args.get("validate_args_context").cloned().unwrap_or_else(|| Dict::new().into());
    let spec = mapping_arg(args, "argument_spec")?;
    let provided = mapping_arg(args, "provided_arguments")?;
    let rules = ArgumentRules::read(&spec).map_err(Failure::from_error)?;
    let mut given = Dict::new();
    for name in spec.keys().filter_map(Value::as_str) {
        if provided.contains(name) {
            continue;
        }
        match context.template.get_variable(name)? {
            Some(Value::Undefined(why)) => return Err(Failure::new(format!("Task failed: {}", why.message))),
            Some(value) => given.set(name, value),
            None => {}
        }
    }
    given.extend(&provided);
    let (_, complaints, warnings) = validate_args(&rules, &given);
    for warning in warnings {
        context.warn(warning);
    }
    if complaints.is_empty() {
        let message = "The arg spec validation passed";
        return Ok(ModuleOutcome::default().with("msg", message).with("validate_args_context", about));
    }
    let errors: Vec<String> = complaints.into_iter().map(|complaint| complaint.message).collect();
    Err(Failure::new(format!("Validation of arguments failed:\n{}", errors.join("\n")))
        .with("validate_args_context", about)
        .with("argument_spec_data", spec)
        .with("argument_errors", errors))
}

fn mapping_arg(args: &ModuleArgs, name: &str) -> Result<Dict, Failure> {
    match args.get(name) {
        None => Ok(Dict::new()),
        Some(Value::Dict(dict)) => Ok((**dict).clone()),
        Some(other) => {
            let is = other.type_name();
            Err(Failure::new(format!("Incorrect type for {name}, expected dict and got <class '{is}'>")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::Bench;

    const A: &str = "argument_spec: {a: {type: int, required: true}, b: {}}";

    #[test]
    fn variables_and_given_arguments_are_checked() {
        let bench = Bench::new("{a: '{{ n }}', n: 5, other: 1}");
        assert!(bench.run(&ValidateArgumentSpec, &format!("{{{A}}}")).is_ok());
        let failure =
            bench.run(&ValidateArgumentSpec, &format!("{{{A}, provided_arguments: {{a: x, c: 1}}}}")).unwrap_err();
        let errors: Vec<_> = failure.message.lines().collect();
        assert_eq!(errors[0], "Validation of arguments failed:");
        assert!(errors[1].starts_with("argument 'a' is of type str and we were unable to convert to int"));
        assert_eq!(errors[2], "c. Supported parameters include: a, b.");
        assert_eq!(failure.data.get("argument_errors").and_then(Value::as_slice).map(<[Value]>::len), Some(2));
        let missing = Bench::new("").fails(&ValidateArgumentSpec, &format!("{{{A}}}"));
        assert_eq!(missing, "Validation of arguments failed:\nmissing required arguments: a");
    }

    #[test]
    fn a_specification_is_a_mapping() {
        let message = Bench::new("").fails(&ValidateArgumentSpec, "argument_spec: 1");
        assert_eq!(message, "Incorrect type for argument_spec, expected dict and got <class 'int'>");
    }
}
