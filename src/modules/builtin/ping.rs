//! `ping`: answers `pong`.

use crate::modules::spec::Param;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};

static SPEC: Spec = Spec::new("ansible.builtin.ping", "Answers, as a sign of life.").params(&[&[Param::str(
    "data",
    "The answer; `crash` fails.",
)
.default("pong")]]);

/// The module.
pub struct Ping;

impl Module for Ping {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, _: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            match args.str("data").unwrap_or("pong") {
                "crash" => Err(Failure::new("Task failed: Module failed: boom")),
                data => Ok(Outcome::default().with("ping", data)),
            }
        })
    }
}
