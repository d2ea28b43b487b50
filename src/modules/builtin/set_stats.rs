//! `set_stats`: figures of the run, for those who read its report.

use super::set_fact::check_name;
use crate::modules::args::parse_bool;
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.set_stats", "Sets statistics of the run.")
    .examples(include_str!("examples/set_stats.yml"))
    .on_controller()
    .breaks_off()
    .params(&[&[
        Param::new("data", ParamKind::Raw, "Names and values of the statistics."),
        Param::new("per_host", ParamKind::Raw, "Set statistics for the host instead of the run.").default("false"),
        Param::new("aggregate", ParamKind::Raw, "Add to existing values instead of replacing them.").default("true"),
    ]])
    .invalid_options()
    .may_be_unknown(&["data"]);

/// The module.
pub struct SetStats;

impl TaskModule for SetStats {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { set_stats(args, context) })
    }
}

fn set_stats(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let given = match args.get("data") {
        None => Dict::new(),
        Some(Value::Dict(dict)) => (**dict).clone(),
        Some(_) => return Err(Failure::new("The 'data' option needs to be a dictionary/hash")),
    };
    let flag = |name: &str| args.get(name).is_some_and(|value| parse_bool(value).unwrap_or(false));
    let (per_host, aggregate) = (flag("per_host"), flag("aggregate"));
    let mut data = Dict::new();
    for (name, value) in given.iter() {
        let name = context.template.template_value(name)?;
        check_name(&name)?;
        data.set(python::str(&name), value.clone());
    }
    let shown = Value::dict([
        ("data", Value::from(data.clone())),
        ("per_host", Value::Bool(per_host)),
        ("aggregate", Value::Bool(aggregate)),
    ]);
    Ok(ModuleOutcome::default().with("ansible_stats", shown).with_effect(ModuleEffect::Stats {
        data,
        per_host,
        aggregate,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    #[test]
    fn names_and_values_are_templates() {
        let bench = Bench::new("n: 1");
        assert_eq!(
            bench.gives(&SetStats, "{data: {'t{{ n }}': '{{ n + 1 }}'}, per_host: 'yes'}", "ansible_stats"),
            yaml("{data: {t1: 2}, per_host: true, aggregate: true}")
        );
        assert_eq!(bench.fails(&SetStats, "data: 5"), "The 'data' option needs to be a dictionary/hash");
        assert_eq!(bench.fails(&SetStats, "data: {1a: 5}"), "Task failed: Invalid variable name '1a'.");
    }
}
