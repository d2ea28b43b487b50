//! `group_by`: puts the host into a group that its variables name.

use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{FreeForm, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.group_by", "Adds the host to a group, which variables can name.")
    .examples(include_str!("examples/group_by.yml"))
    .on_controller()
    .breaks_off()
    .params(&[&[
        Param::new("key", ParamKind::Raw, "Name of the group; spaces become dashes."),
        Param::new("parents", ParamKind::Raw, "Parent groups.").default("all"),
    ]])
    .invalid_options()
    .free_form(FreeForm::Mixed)
    .needs(&[&["key"]]);

/// The module.
pub struct GroupBy;

impl TaskModule for GroupBy {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        _: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { group_host(args) })
    }
}

fn group_host(args: &ModuleArgs) -> Result<ModuleOutcome, Failure> {
    let name = |value: &Value| python::str(value).replace(' ', "-");
    let Some(group) = args.get("key").map(name) else {
        return Err(Failure::new("the 'key' param is required when using group_by"));
    };
    let parents: Vec<String> = match args.get("parents") {
        Some(Value::List(items)) => items.iter().map(name).collect(),
        Some(one) => vec![name(one)],
        None => vec!["all".to_owned()],
    };
    Ok(ModuleOutcome::default()
        .with("add_group", group.as_str())
        .with("parent_groups", parents.clone())
        .with_effect(ModuleEffect::GroupBy { group, parents }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    #[test]
    fn groups_have_no_blanks() {
        let bench = Bench::new("os: my os");
        let outcome = bench.run(&GroupBy, "{key: 'g {{ os }}', parents: [a b, c]}").unwrap();
        assert_eq!(Value::from(outcome.data), yaml("{add_group: g-my-os, parent_groups: [a-b, c]}"));
        assert_eq!(bench.gives(&GroupBy, "key: x", "parent_groups"), yaml("[all]"));
        assert_eq!(bench.fails(&GroupBy, "parents: x"), "the 'key' param is required when using group_by");
    }
}
