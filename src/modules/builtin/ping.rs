//! `ping`: answers `pong`.

use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};

static SPEC: Spec = Spec::new("ansible.builtin.ping", "Returns `pong` if the host works.")
    .examples(include_str!("examples/ping.yml"))
    .params(&[&[Param::str("data", "Value to return; `crash` fails.").default("pong")]]);

/// The module.
pub struct Ping;

impl TaskModule for Ping {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        _: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            match args.str("data").unwrap_or("pong") {
                "crash" => Err(Failure::new("Task failed: Module failed: boom")),
                data => Ok(ModuleOutcome::default().with("ping", data)),
            }
        })
    }
}
