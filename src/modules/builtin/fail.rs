//! `fail`: fails with a text.

use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.fail", "Fails with a message.")
    .examples(include_str!("examples/fail.yml"))
    .on_controller()
    .params(&[&[Param::new("msg", ParamKind::Raw, "The message.").default("Failed as requested from task")]])
    .invalid_options()
    .may_be_unknown(&["msg"]);

/// The module.
pub struct Fail;

impl TaskModule for Fail {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        _: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        let message = args.values().get("msg").cloned().unwrap_or(Value::Null);
        Box::pin(async move { Err(Failure::new(python::str(&message)).with("msg", message)) })
    }
}
